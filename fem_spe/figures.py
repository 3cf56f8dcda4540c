"""All pictures of one result folder.

`python -m fem_spe.figures DIR [PICTURE]` draws in a process of its own: a graphics driver that
fails then costs the pictures, not the run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fem_spe.errors import CaseError, FemSpeError, did_you_mean
from fem_spe.materials import entries
from fem_spe.plot import (
    Within,
    draw_anode_flux,
    draw_charging,
    draw_force,
    draw_front,
    draw_history,
    draw_impedance,
    draw_mesh_study,
    draw_probe,
    draw_profile,
    draw_profiles,
)
from fem_spe.render import (
    NetworkPanel,
    Panel,
    dimension,
    draw_deformed,
    draw_fields,
    draw_mesh,
    draw_networks,
    draw_parts,
    draw_pores,
    draw_solid,
    draw_stressed_solids,
    join,
    limits,
    on_face,
    read_grid,
    read_times,
    scalars,
    triangles,
)
from fem_spe.render.mechanical import deformed, stressed_solid
from fem_spe.render.stressed import DISPLACEMENT, STRESS
from fem_spe.results import Table, read_case, read_table
from fem_spe.units import LENGTH

Picture = Callable[[], Path]  # draws one and gives its file

_MOVIE_DPI = 140  # a section wider than high is then 938 pixels wide


def draw(folder: Path, name: str | None = None) -> list[Path]:
    """Draw what the folder holds into `figures/`; the files drawn.

    Args:
        folder: The result folder.
        name: One of its pictures, such as `concentration` or `mesh`; by default all of
            them, and the movie where the case asks for one. `""` is the main field.

    Raises:
        CaseError: if the folder holds no result, or no such picture.
    """
    case = read_case(folder)
    (folder / "figures").mkdir(exist_ok=True)
    known = _fields(folder, case) | _curves(folder, case)
    if name is not None:
        name = name or next(iter(known), "")
        if name not in known:
            hint = did_you_mean(name, known)
            raise CaseError(f"there is no picture {name!r}; {hint}there are {', '.join(known)}")
        return [known[name]()]
    drawn = [work() for work in known.values()]
    if case.get("output", {}).get("movie"):
        drawn.append(_movie(folder, case))
    return drawn


def _fields(folder: Path, case: dict[str, Any]) -> dict[str, Picture]:
    """A picture for each scalar field, and in 2-D the mesh."""
    figures = folder / "figures"
    if not any((folder / "fields").glob("*.pvd")):
        return {}  # of a study without a mesh
    grid: Any = read_grid(folder)
    title = case.get("title") or folder.name
    if last := read_times(folder)[-1]:  # a run may end before the time that was asked for
        title += f", t = {last:.6g} s"
    mechanical = STRESS in grid.cell_data and DISPLACEMENT in grid.point_data
    if dimension(grid) == 3:
        if mechanical:
            file = figures / f"{_file(STRESS)}.png"
            return {_file(STRESS): lambda: draw_stressed_solids([stressed_solid(folder)], file)}
        return {
            _file(n): partial(
                draw_solid, grid, figures / f"{_file(n)}.png", label=field_label(n, case),
                title=title, name=n,
            )
            for n in scalars(grid)
        } | _structure(figures, grid, case)  # fmt: skip
    field = triangles(grid)
    if mechanical:
        file = figures / f"{_file(STRESS)}.png"
        return {
            _file(STRESS): lambda: draw_deformed([deformed(folder)], file),
            "mesh": partial(draw_mesh, field, figures / "mesh.png"),
        }
    panels = [Panel(field, title)]
    pictures: dict[str, Picture] = {
        _file(n): partial(
            draw_fields, panels, figures / f"{_file(n)}.png", label=field_label(n, case), name=n
        )
        for n in scalars(grid)
    }
    return pictures | {"mesh": partial(draw_mesh, field, figures / "mesh.png")}


def _structure(figures: Path, grid: Any, case: dict[str, Any]) -> dict[str, Picture]:
    """A picture of a printed part; none of other structures."""
    given = case["geometry"]
    if given["kind"] != "printed":
        return {}
    meshed = [
        name
        for name in ("lithium", "electrolyte", "cathode")
        if (name == "electrolyte" or LENGTH.parse(given[name]) > 0)
        and case["materials"].get(name) != "impermeable"
    ]
    names = dict(enumerate(meshed, start=1))  # as the mesher numbers them
    file, title = figures / "structure.png", case.get("title", "")
    return {"structure": partial(draw_parts, grid, file, names=names, title=title)}


def _curves(folder: Path, case: dict[str, Any]) -> dict[str, Picture]:
    """A picture for each table that one is known for."""
    figures, label = folder / "figures", concentration_label(case)
    known: dict[str, Callable[[Table, Path], Path]] = {
        "profile": lambda table, file: draw_profile(table, file, label),
        "potential_profile": lambda table, file: draw_profile(table, file, "potential (V)"),
        "anode_flux": lambda table, file: draw_anode_flux(table, file, _face(folder, case, table)),
        "charging": draw_charging,
        "front": draw_front,
        "history": draw_history,
        "mesh_study": draw_mesh_study,
        "adapt": draw_mesh_study,
        "profiles": lambda table, file: draw_profiles(table, file, label),
    }
    found: dict[str, Picture] = {}
    for name, draw_curve in known.items():
        file = folder / "tables" / f"{name}.csv"
        # one mesh that was good enough makes no curve
        if file.exists() and (_rows(table := read_table(file)) > 1 or name != "adapt"):
            found[name] = partial(draw_curve, table, figures / f"{name}.png")
    file = folder / "tables" / "impedance.csv"
    if file.exists():
        curve = file.with_name("impedance_fit.csv")
        circuit = read_table(curve) if curve.exists() else None
        picture = figures / "impedance.png"
        found["impedance"] = partial(draw_impedance, read_table(file), picture, circuit)
    file = folder / "tables" / "pore_sizes.csv"
    if file.exists():
        found["pore_sizes"] = partial(
            draw_pores, {"": read_table(file)}, figures / "pore_sizes.png"
        )
    file = folder / "tables" / "force.csv"
    if file.exists() and _rows(table := read_table(file)) > 1:
        found["force"] = partial(draw_force, table, figures / "force.png")
    if (folder / "tables" / "fibers.csv").exists():
        found["network"] = partial(draw_networks, [network_panel(folder)], figures / "network.png")
    for file in sorted((folder / "tables").glob("probe_*.csv")):
        table = read_table(file)
        if _rows(table) > 1:
            found[file.stem] = partial(
                draw_probe, table, figures / f"{file.stem}.png",
                _place(file.stem.removeprefix("probe_"), case), partial(field_label, case=case),
            )  # fmt: skip
    return found


def _face(folder: Path, case: dict[str, Any], table: Table) -> Within | None:
    """What tells holes of a flat face in 3-D, on the low side of the axis that is not in `table`.

    The relief of a printed part has none: seen along the thickness, it covers all of the cell.
    """
    across = [k for k in range(3) if not any(head.startswith("xyz"[k]) for head in table)]
    if len(across) != 1 or len(table) != 3 or case["geometry"]["kind"] == "printed":
        return None
    return partial(on_face, read_grid(folder), across[0])


def _movie(folder: Path, case: dict[str, Any]) -> Path:
    """The main field over time, on one scale of colours."""
    times = read_times(folder)
    name = scalars(read_grid(folder))[0]
    shown = limits(read_grid(folder, time)[name] for time in times)  # type: ignore[index]
    title, label = case.get("title") or folder.name, field_label(name, case)
    with TemporaryDirectory() as temporary:
        pictures = []
        for k, time in enumerate(times):
            file = Path(temporary) / f"{k}.png"
            grid = read_grid(folder, time)
            at = f"{title}, t = {time:.6g} s"
            if dimension(grid) == 2:
                panels = [Panel(triangles(grid), at)]
                draw_fields(panels, file, label=label, name=name, limits=shown, dpi=_MOVIE_DPI)
            else:
                draw_solid(grid, file, label=label, title=at, name=name, limits=shown)
            pictures.append(file)
        return join(pictures, folder / "figures" / f"{_file(name)}.{case['output']['movie']}")


def panel(folder: Path, title: str | None = None) -> Panel:
    """The field of a 2-D result, for a picture of several.

    Raises:
        CaseError: if the folder holds no 2-D result.
    """
    grid = read_grid(folder)
    if dimension(grid) != 2:
        raise CaseError(f"{folder}: a 3-D result does not fit into a picture of sections")
    return Panel(triangles(grid), title or read_case(folder).get("title") or folder.name)


def network_panel(folder: Path, title: str | None = None) -> NetworkPanel:
    """The fibres of a result in a network, for a picture of several.

    Raises:
        CaseError: if the folder holds no network.
    """
    case, file = read_case(folder), folder / "tables" / "fibers.csv"
    if not file.exists():
        raise CaseError(f"{folder}: holds no fibre network")
    x, y, z = (1e6 * LENGTH.parse(length) for length in case["geometry"]["size"])
    return NetworkPanel(
        read_table(file),
        (x, y, z),
        title or case.get("title") or folder.name,
        periodic=case["geometry"]["boundary"] == "periodic",
    )


def field_label(name: str, case: dict[str, Any]) -> str:
    """What the colours of a field mean; its name may end in a unit, as a table's head does."""
    what, _, unit = name.partition(" [")
    if what == "concentration" and case.get("study") == "diffusion":
        return concentration_label(case)
    words = what.replace("_", " ")
    unit = unit.removesuffix("]").replace("^2", "²").replace("^3", "³")
    return f"{words} ({unit})" if unit else words


def _rows(table: Table) -> int:
    return len(next(iter(table.values())))


def _place(name: str, case: dict[str, Any]) -> str:
    """What the probe `name` looks at, in words."""
    probe = case["probe"][name]
    if "line" in probe:
        where = " to ".join(f"({', '.join(end)})" for end in probe["line"])
    elif "point" in probe:
        where = f"({', '.join(probe['point'])})"
    else:
        where = probe.get("region") or probe["face"]
    return f"{name}: {where.replace('um', 'µm')}"


def _file(name: str) -> str:
    """The file, without suffix, of the field `name`."""
    return name.partition(" [")[0].replace(" ", "_").replace("/", "_")


def concentration_label(case: dict[str, Any]) -> str:
    """What the colours mean."""
    across = "direction" in case.get("diffusion", {})
    parted = {entry.material for entry in entries() if entry.name == "partition"}
    materials = case.get("materials", {}).values()
    jumps = any(m in parted if isinstance(m, str) else "partition" in m for m in materials)
    what = f"Li⁺ concentration {'c / K' if jumps else 'c'}"
    what += " / Δc" if across else ", mol/m³"
    # a line of its own, for one line is too long for the axis of a small picture
    return f"{what}\n(K: partition)" if jumps else what


if __name__ == "__main__":
    try:
        print(*draw(Path(sys.argv[1]), *sys.argv[2:3]), sep="\n")
    except FemSpeError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)

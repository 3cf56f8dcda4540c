"""All pictures of one result folder.

`python -m fem_spe.figures DIR` draws in a process of its own: a graphics driver that
fails then costs the pictures, not the run.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fem_spe.errors import CaseError, FemSpeError
from fem_spe.materials import entries
from fem_spe.plot import draw_anode_flux, draw_charging, draw_profile, draw_profiles
from fem_spe.render import (
    Panel,
    dimension,
    draw_fields,
    draw_mesh,
    draw_solid,
    read_grid,
    triangles,
)
from fem_spe.results import Table, read_table


def draw(folder: Path) -> list[Path]:
    """Draw what the folder holds into `figures/`; the files drawn.

    Raises:
        CaseError: if the folder holds no result.
    """
    case = read_case(folder)
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    label = concentration_label(case)
    grid: Any = read_grid(folder)
    title = case.get("title") or folder.name
    if "time" in case:
        title += f", t = {case['time']['end']}"
    drawn = []
    if dimension(grid) == 2:
        field = triangles(grid)
        drawn.append(draw_fields([Panel(field, title)], figures / "concentration.png", label=label))
        drawn.append(draw_mesh(field, figures / "mesh.png"))
    else:
        drawn.append(draw_solid(grid, figures / "concentration.png", label=label, title=title))
    curves: dict[str, Callable[[Table, Path], Path]] = {
        "profile": lambda table, file: draw_profile(table, file, label),
        "anode_flux": lambda table, file: draw_anode_flux(table, file, "anode"),
        "charging": draw_charging,
        "profiles": lambda table, file: draw_profiles(table, file, label),
    }
    for name, draw_curve in curves.items():
        table = folder / "tables" / f"{name}.csv"
        if table.exists():
            drawn.append(draw_curve(read_table(table), figures / f"{name}.png"))
    return drawn


def panel(folder: Path, title: str | None = None) -> Panel:
    """The field of a 2-D result, for a picture of several.

    Raises:
        CaseError: if the folder holds no 2-D result.
    """
    grid = read_grid(folder)
    if dimension(grid) != 2:
        raise CaseError(f"{folder}: a 3-D result does not fit into a picture of sections")
    return Panel(triangles(grid), title or read_case(folder).get("title") or folder.name)


def concentration_label(case: dict[str, Any]) -> str:
    """What the colours mean."""
    across = "direction" in case.get("diffusion", {})
    parted = {entry.material for entry in entries() if entry.name == "partition"}
    materials = case.get("materials", {}).values()
    jumps = any(m in parted if isinstance(m, str) else "partition" in m for m in materials)
    symbol = "c / K" if jumps else "c"
    what = f"Li⁺ concentration {symbol}"
    if symbol == "c / K":
        what += " (K: partition)"
    return f"{what} / Δc" if across else f"{what}, mol/m³"


def read_case(folder: Path) -> dict[str, Any]:
    """The resolved case of a result folder, as TOML gives it.

    Raises:
        CaseError: if the folder holds none.
    """
    file = folder / "case.toml"
    if not file.exists():
        raise CaseError(f"{folder}: not a result folder (there is no case.toml)")
    return tomllib.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    try:
        print(*draw(Path(sys.argv[1])), sep="\n")
    except FemSpeError as error:
        sys.exit(str(error))

"""Li+ in a flat and in a pillared electrolyte/cathode beside Mu 2024, Fig. 7g-h.

    python workflows/mu2024/fig7gh.py [FILE]

The cells are those of `fig7gh_*.toml`, steady. The depth counts from the film's upper side, and
c over it is the mean of a section over all that is electrolyte there, pillars and pores; it
crosses that of the flat cell at `crossing_depth`. The paper tells neither its equations nor its
numbers, so that several readings stand side by side.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import fem_spe
from fem_spe.exact.cathode import even_crossing
from fem_spe.measure.sections import cut
from fem_spe.report import markdown
from fem_spe.results import Result

HERE = Path(__file__).parent
CELLS = {"flat": "f-SE / cathode", "pillar": "p-3DSE / cathode"}
PAPER = 62.0  # um
FILM, CATHODE = 75.0, 200.0
_KINETICS = ("kinetics", "specific_area", "open_circuit", "capacity")
_SLOWER = 20.0
_FLAT_TRANSFERENCE = 0.42  # of f-SE; its conductivity is in no table of the paper's text
_FEW = 1e-3  # of a mean concentration: profiles that are nearer to one another do not cross


def run(name: str, changes: Mapping[str, Any] | None = None, *, even: bool = False) -> Result:
    """A cell of Fig. 7g; with `even`, its current is spread evenly over the cathode."""
    case = fem_spe.load(HERE / f"fig7gh_{name}.toml", {"output.figures": False})
    tree = case.to_dict()
    if even:
        for key in _KINETICS:
            tree["reaction"]["cathode"].pop(key)
    return fem_spe.run(fem_spe.parse(tree, dict(changes or {})))


def slower() -> dict[str, Any]:
    """An electrolyte whose cations are twenty times slower, t+ that of f-SE."""
    diffusivity = 3.3e-12 / _SLOWER
    other = diffusivity * (1.0 - _FLAT_TRANSFERENCE) / _FLAT_TRANSFERENCE
    ions = (("Li+", 1, diffusivity), ("TFSI-", -1, other))
    return {
        "species": [
            {"name": n, "charge": z, "diffusivity": d, "concentration": 1750.0} for n, z, d in ions
        ]
    }


def profile(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Depth in the cathode (um), and the mean of c over a section of the electrolyte there."""
    table = result.solution.tables["depth"]
    depth = table["z [um]"] - FILM
    inside = depth > 0.0
    return depth[inside], table["concentration [mol/m^3]"][inside]


def crossing_depth(flat: Result, pillar: Result) -> float:
    """Where c of the pillared cell comes to exceed that of the flat one, um; NaN if nowhere."""
    depth, one = profile(flat)
    _, other = profile(pillar)
    above = other - one
    scale = _FEW * float(np.abs(above).max())
    for k in np.flatnonzero((above[:-1] < 0.0) & (above[1:] >= 0.0)):
        if above[k + 1 :].min() > -scale:
            return float(np.interp(0.0, above[k : k + 2], depth[k : k + 2]))
    return float("nan")


def readings() -> dict[str, tuple[Result, Result]]:
    """Pairs of a flat and a pillared cell, each at one current."""
    little = {"reaction.cathode.current_density": "0.01 mA/cm^2"}
    early = little | {
        "nernst_planck.mode": "transient", "time": {"end": "6 h", "rtol": 1e-3},
    }  # fmt: skip
    # the conduction of the pores stays as it is
    whole = {"porosity": 1.0, "tortuosity": 0.44**-1.5, "current_density": 1.0}
    plain = {"reaction.cathode": whole}
    return {
        "Butler–Volmer, as in the files": (run("flat"), run("pillar")),
        "even uptake": (run("flat", even=True), run("pillar", even=True)),
        "even uptake, flat cell with 1/20 of D₊, t₊ 0.42": (
            run("flat", slower() | little, even=True), run("pillar", little, even=True),
        ),
        "the same after 6 h": (
            run("flat", slower() | early, even=True), run("pillar", early, even=True),
        ),
        "even uptake, a cathode that is all electrolyte, as slow": (
            run("flat", plain, even=True), run("pillar", plain, even=True),
        ),
    }  # fmt: skip


def table(pairs: Mapping[str, tuple[Result, Result]]) -> str:
    """Ours beside the paper's, as Markdown."""
    rows = []
    for what, (flat, pillar) in pairs.items():
        told = [
            [r.quantities[n].value for n in ("concentration_drop", "min_concentration")]
            + [1e3 * r.quantities["overpotential"].value]
            for r in (flat, pillar)
        ]
        drops, lows, volts = (
            " / ".join(f"{v:.{digits}f}" for v in pair)
            for pair, digits in zip(zip(*told, strict=True), (0, 0, 1), strict=True)
        )
        rows.append(
            f"{what} | {crossing_depth(flat, pillar):.1f} | {PAPER:g} | {drops} | {lows} | {volts}"
        )
    heads = (
        "reading | crossing_depth, µm | paper | drop of c, flat / pillars, mol/m³ "
        "| smallest c | overpotential, mV"
    )
    return markdown(heads, rows)


def section(result: Result) -> tuple[Any, np.ndarray]:
    """The plane through a pillar's axis, mirrored about it: triangles (um) and c at their nodes."""
    from matplotlib.tri import Triangulation

    domain = result.domain
    assert domain is not None
    pieces = cut(domain, 1e-3 * domain.size[1], axis=1)
    places = pieces.corners.reshape(-1, 3)
    field = result.fields["concentration [mol/m^3]"]
    c = field.eval(places, np.repeat(pieces.cells, 3)).ravel()
    x, z = 1e6 * places[:, 0], 1e6 * places[:, 2] - FILM
    number = np.arange(len(x)).reshape(-1, 3)
    both = np.concatenate([number, number + len(x)])
    return Triangulation(np.concatenate([x, -x]), np.concatenate([z, z]), both), np.tile(c, 2)


def picture(file: Path, flat: Result, pillar: Result) -> Path:
    """Fields as in Fig. 7g and profiles as in Fig. 7h."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, 3, figsize=(11, 4.3), layout="constrained", width_ratios=(0.55, 1.5, 1.7)
    )
    cells = dict(zip(CELLS, (flat, pillar), strict=True))
    drawn = {name: section(result) for name, result in cells.items()}
    low = min(c.min() for _, c in drawn.values())
    high = max(c.max() for _, c in drawn.values())
    for axis, (name, (triangles, c)) in zip(axes, drawn.items(), strict=False):
        shown = axis.tripcolor(triangles, c, shading="gouraud", vmin=low, vmax=high)
        axis.axhline(0.0, color="white", lw=0.8, ls="--")
        axis.set(title=CELLS[name], xlabel="x [µm]", aspect="equal", ylim=(CATHODE, -FILM))
        axis.set_xticks([-100.0, 0.0, 100.0] if name == "pillar" else [0.0])
    axes[0].set_ylabel("depth [µm]")
    for x in (-50.0, 50.0):
        axes[1].plot([x, x], [0.0, 150.0], color="white", lw=0.8, ls="--")
    axes[1].plot([-50.0, 50.0], [150.0, 150.0], color="white", lw=0.8, ls="--")
    figure.colorbar(shown, ax=axes[1], label="Li⁺ concentration [mol/m³]")
    for name, result in cells.items():
        axes[2].plot(*profile(result), label=CELLS[name])
    found = crossing_depth(flat, pillar)
    axes[2].axvline(found, color="grey", lw=0.8, label=f"crossing, {found:.0f} µm")
    axes[2].axvline(PAPER, color="black", lw=0.8, ls=":", label=f"Mu 2024, {PAPER:g} µm")
    axes[2].set(xlabel="depth in the cathode [µm]", ylabel="Li⁺, mean of the section [mol/m³]")
    axes[2].legend(frameon=False)
    figure.suptitle("even uptake, 0.2 mA/cm²")
    figure.savefig(file, dpi=150)
    return file


def main(file: Path) -> None:
    pairs = readings()
    print(table(pairs))
    film = even_crossing(FILM, CATHODE, 0.44) * CATHODE
    bare = 1.0 - 1.0 / np.sqrt(3.0)
    print(
        f"\nClosed form, planar, even uptake, D alone differing: {film:.1f} µm with this film and "
        f"porosity; without a film {bare * CATHODE:.1f} µm in 200 µm, {bare * 150:.1f} µm in 150 µm"
    )
    print(picture(file, *pairs["even uptake"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/mu2024_fig7gh.png"))

"""Salt cells of RSE, ASE and LASE (Gou 2025, Fig. 2f): profiles together, and a table.

    python workflows/gou2025/fig2f.py [FOLDER]

The flux as printed, 0.025 mol/m^2/s, is 13 to 30 times what these cells can pass in the long
run. So two cases stand for the figure: a hundredth of it, steady; and as printed, at one time
before the first of the three is depleted.
"""

import sys
from pathlib import Path

from fem_spe.case import load
from fem_spe.comm import world
from fem_spe.job import run
from fem_spe.report import markdown
from fem_spe.results import Result, Table

HERE = Path(__file__).parent
CELLS = ("RSE", "ASE", "LASE")
TIME = "0.05 s"  # RSE has 0.006 s left then
LABELS = ("Li⁺ concentration (mol/m³)", "potential (mV)")
MINE = {
    "output.figures": False,
    "probe": {"cut": {"line": [["7.5 um", "0 um"], ["7.5 um", "45 um"]], "points": 1801}},
}


def main(folder: Path) -> None:
    comm = world()
    steady = {c: run(load(HERE / f"fig2f_{c.lower()}.toml", MINE), comm) for c in CELLS}
    at_time = MINE | {"time.end": TIME, "time.every": TIME}
    early = {c: run(load(HERE / f"fig2f_{c.lower()}_transient.toml", at_time), comm) for c in CELLS}
    if comm.rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
        text = table(steady, early)
        (folder / "fig2f.md").write_text(text + "\n", encoding="utf-8")
        print(f"{text}\n\n{picture(folder / 'fig2f.png', steady, early)}\n{folder / 'fig2f.md'}")


def curves(result: Result, height: float) -> tuple[Table, Table]:
    """Concentration and potential over that of the anode, up to `height` (um)."""
    along = result.solution.tables["probe_cut"]
    y = along["distance [um]"]
    near = y <= height
    # a transient's heads name the time, too
    c, phi = (
        next(values for head, values in along.items() if head.startswith(name))
        for name in ("concentration", "potential")
    )
    above = 1e3 * (phi - phi[0])  # mV
    return {"y [um]": y[near], "c": c[near]}, {"y [um]": y[near], "phi": above[near]}


def picture(file: Path, steady: dict[str, Result], early: dict[str, Result]) -> Path:
    """Both well-posed readings of Fig. 2f."""
    from fem_spe.plot import draw_together

    rows = [
        ("steady, 2.5e-4 mol/m²/s", {c: curves(r, 45.0) for c, r in steady.items()}),
        (f"0.025 mol/m²/s, {TIME}: at the anode", {c: curves(r, 4.0) for c, r in early.items()}),
    ]
    return draw_together(rows, LABELS, file)


def table(steady: dict[str, Result], early: dict[str, Result]) -> str:
    """What evens out with t+, as Markdown."""
    rows = []
    for cell in CELLS:
        one, two = ({n: q.value for n, q in r[cell].quantities.items()} for r in (steady, early))
        rows.append(
            f"{cell} | {one['transference_number']:.2f} "
            f"| {2.5e-4 / one['limiting_flux']:.2f} | {one['concentration_drop']:.0f} "
            f"| {1e3 * one['overpotential']:.1f} | {two['min_concentration']:.0f} "
            f"| {1e3 * two['overpotential']:.0f} | {two['sand_time']:.3f}"
        )
    return markdown(
        " | t₊ | flux / limit | drop of c, mol/m³ | voltage, mV | smallest c at "
        f"{TIME}, mol/m³ | voltage then, mV | Sand's time, s",
        rows,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/gou2025"))

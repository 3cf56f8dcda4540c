"""Salt and potential in RSE and ASE (Gou 2025, Fig. 5d-e): fields, and how even the anode is.

    python workflows/gou2025/fig5de.py [FOLDER]

Both sections hold the same electrolyte and pass the same current, so that what differs is where
the fibres lie. Other seeds of RSE, and seeds whose fibres keep inside, tell what is chance.
"""

import sys
from pathlib import Path

import numpy as np

from fem_spe.case import load
from fem_spe.comm import world
from fem_spe.job import run
from fem_spe.progress import show
from fem_spe.report import markdown
from fem_spe.results import Result, read_table

HERE = Path(__file__).parent
SEEDS = range(2, 6)  # the case has seed 1
INSIDE = range(1, 4)
NUMBERS = {  # column -> quantity, factor, digits
    "c, deviation / mean, %": ("concentration_uniformity", 100.0, 2),
    "c, max − min, mol/m³": ("concentration_range", 1.0, 1),
    "φ, deviation, mV": ("potential_uniformity", 25.69, 3),
    "φ, max − min, mV": ("potential_range", 1e3, 2),
    "current, deviation / mean, %": ("current_uniformity", 100.0, 1),
}
LINES = 50  # of current: two for each column of aligned fibres, so that none ends at one
FIELDS = {"concentration [mol/m^3]": "c (mol/m³)", "potential [V]": "φ (V)"}


def main(folder: Path) -> None:
    comm = world()
    show(enabled=comm.rank == 0)
    found: dict[str, list[Result]] = {}
    for name in ("rse", "ase"):
        case = load(HERE / f"fig5de_{name}.toml")
        found[name.upper()] = [run(case, comm, folder / f"fig5de_{name}", force=True)]
    found["RSE"] += [other(**{"geometry.seed": seed}) for seed in SEEDS]
    found["RSE, no fibre cut"] = [
        other(**{"geometry.seed": seed, "geometry.boundary": "inside"}) for seed in INSIDE
    ]
    if comm.rank == 0:
        text = table(found)
        (folder / "fig5de.md").write_text(text + "\n", encoding="utf-8")
        print(f"\n{text}\n\n{picture(folder)}\n{folder / 'fig5de.md'}")


def other(**changes: object) -> Result:
    """RSE with other values, without pictures."""
    return run(load(HERE / "fig5de_rse.toml", {"output.figures": False, **changes}), world())


def table(found: dict[str, list[Result]]) -> str:
    """What varies along the anode, as Markdown: means over sections ± standard deviations."""
    rows = []
    for name, results in found.items():
        cells = []
        for quantity, factor, digits in NUMBERS.values():
            values = factor * np.array([r.quantities[quantity].value for r in results])
            off = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.{digits}f}{off}")
        rows.append(f"{name} | {len(results)} | {' | '.join(cells)}")
    return markdown(f"along the anode | sections | {' | '.join(NUMBERS)}", rows)


def picture(folder: Path) -> Path:
    """Both fields of both sections with lines of current, and both along the anode."""
    from fem_spe.figures import panel
    from fem_spe.render import limits
    from fem_spe.render.field import image
    from fem_spe.render.style import COLORMAP, style

    panels = {name: panel(folder / f"fig5de_{name.lower()}").field for name in ("RSE", "ASE")}
    file = folder / "fig5de.png"
    with style() as plt:
        figure, axes = plt.subplots(
            3, 2, figsize=(8.4, 4.5), layout="constrained", sharex=True,
            gridspec_kw={"height_ratios": [1, 1, 0.9]},
        )  # fmt: skip
        for column, (name, label) in zip(axes.T, FIELDS.items(), strict=True):
            shown = limits(field.values[name] for field in panels.values())
            for axis, (title, field) in zip(column, panels.items(), strict=False):
                axis.imshow(image(field, name, shown, LINES), extent=field.extent)
                axis.set_title(f"{title}: {label}", loc="left")
                axis.set_ylabel("y (µm)")
            colors = plt.cm.ScalarMappable(plt.Normalize(*shown), COLORMAP)
            bar = figure.colorbar(colors, ax=column[:2], fraction=0.04, pad=0.02)
            bar.outline.set_linewidth(0.5)
            for title, color in (("RSE", "#a50f15"), ("ASE", "#08519c")):
                along = read_table(
                    folder / f"fig5de_{title.lower()}" / "tables" / "anode_state.csv"
                )
                x, value = along["x [um]"], along[name]
                gaps = np.diff(x) > 3.0  # cut fibres
                column[2].plot(
                    np.insert(x, np.flatnonzero(gaps) + 1, np.nan),
                    np.insert(value, np.flatnonzero(gaps) + 1, np.nan),
                    color=color, lw=1.0, label=title,
                )  # fmt: skip
            column[2].set(xlabel="x (µm)", ylabel=label)
            column[2].set_title("along the anode, y = 0", loc="left")
            column[2].legend(loc="upper right", ncols=2)
            column[2].margins(y=0.25)
        figure.savefig(file)
    return file


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/gou2025"))

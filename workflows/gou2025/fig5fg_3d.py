"""A dendrite ball pressed into random and aligned fibres in space: who resists better?

    python workflows/gou2025/fig5fg_3d.py [FOLDER] [--seeds N] [--quick]

RSE and ASE (Gou 2025, Fig. 5f-g) as networks of fibres in a box, each for many seeds, on one
mesh, some on a finer one, and RSE with moduli of its own. Resumes where it ended.
FOLDER gets `fig5fg_3d.md`, `fig5fg_3d.csv` (a row for each member) and `fig5fg_3d.png`.
--quick: a few small boxes, linear cells.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from campaign import asked, column
from fig5fg_3d_campaign import (
    ENERGY,
    FIBRES_ENERGY,
    FORCE,
    FRACTION,
    LEAST,
    NEAR,
    QUICK,
    SHARE,
    Data,
    Plan,
    Pressed,
    at_equal,
    campaign,
    middle,
    more_often,
    ratio,
    stress,
)
from fig5fg_3d_picture import picture
from fig5fg_campaign import PAPER

from fem_spe.comm import world
from fem_spe.ensemble.statistics import Estimate, spearman
from fem_spe.progress import show
from fem_spe.report import markdown

P99, P999, MAX = (stress(measure, "fiber") for measure in ("p99", "p999", "max"))
SOFT_P99, SOFT_P999, SOFT_MAX = (stress(measure, "matrix") for measure in ("p99", "p999", "max"))
TOLD = (FORCE, ENERGY, P99, P999, MAX, SOFT_P99, SOFT_P999, SOFT_MAX, SHARE, FIBRES_ENERGY)
SETTLING = (FORCE, ENERGY, P99, P999, MAX, SOFT_P99, SOFT_P999, SOFT_MAX)


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    data = campaign(folder, plan)
    if world().rank == 0:
        text = "\n\n".join([pair(data), meshes(plan, data), own(data), under(data)])
        (folder / "fig5fg_3d.md").write_text(text + "\n", encoding="utf-8")
        write(folder / "fig5fg_3d.csv", plan, data)
        print(f"\n{text}\n\n{picture(folder / 'fig5fg_3d.png', data)}")
        print(folder / "fig5fg_3d.csv", folder / "fig5fg_3d.md", sep="\n")


def spread(rows: Sequence[Pressed], name: str) -> str:
    """Geometric mean with its interval, and the range."""
    values = column(rows, name)
    return f"{middle(rows, name):.3g}; {values.min():.3g} to {values.max():.3g}"


def larger(found: Estimate) -> str:
    """Which of RSE and ASE has more, where the interval of RSE / ASE tells them apart."""
    if found.low > 1.0:
        return "RSE"
    return "ASE" if found.high < 1.0 else "not told apart"


def pair(data: Data) -> str:
    """Each number of both, and their ratio, beside the paper's."""
    ase, rse = data.pair["ASE"], data.pair["RSE"]
    rows = []
    for name in TOLD:
        found = ratio(rse, ase, name)
        paper = " |  | "
        if name == MAX:
            paper = f" | {PAPER['ASE']}, {PAPER['RSE']} | {PAPER['RSE'] / PAPER['ASE']:.2f}"
        rows.append(
            f"{name} | {spread(ase, name)} | {spread(rse, name)} | {found:.2f} | {larger(found)} "
            f"| {more_often(rse, ase, name):.0%}{paper}"
        )
    fractions = ", ".join(
        f"{name} {column(found, FRACTION).min():.4f} to {column(found, FRACTION).max():.4f}"
        for name, found in data.pair.items()
    )
    return markdown(
        f"2 µm deep | ASE, {len(ase)} seeds: geometric mean [95 %]; range | RSE, {len(rse)} seeds "
        "| RSE / ASE [95 %] | more | pairs with more in RSE | paper: ASE, RSE | RSE / ASE",
        rows,
        "Intervals: Student's and Welch's, of the logarithms. Pairs: of one seed of each. p99, "
        "p999: 99 and 99.9 % of the region have less; maxima are numbers of the mesh. Fibre "
        f"fraction: {fractions}.",
    )


def meshes(plan: Plan, data: Data) -> str:
    """What a finer mesh changes."""
    rows = []
    for name, found in data.finer.items():
        for coarse, fine in zip(data.pair[name], found, strict=False):
            changes = (fine.values[what] / coarse.values[what] - 1 for what in SETTLING)
            rows.append(f"{name}, seed {fine.seed} | " + " | ".join(f"{c:+.1%}" for c in changes))
    return markdown(
        f"cells of {plan.cells[1]:g} instead of {plan.cells[0]:g} µm | " + " | ".join(SETTLING),
        rows,
    )


def own(data: Data) -> str:
    """RSE with its own moduli, over ASE and over itself with those of the table."""
    rows = []
    for name in (FORCE, ENERGY, P99, P999, SOFT_P99):
        over = column(data.own, name) / column(data.pair["RSE"], name)
        found = ratio(data.own, data.pair["ASE"], name)
        rows.append(
            f"{name} | {spread(data.own, name)} | {over.mean():.2f} ({over.min():.2f} to "
            f"{over.max():.2f}) | {found:.2f} | {larger(found)}"
        )
    return markdown(
        f"RSE with E_f = 472 MPa | {len(data.own)} seeds: geometric mean [95 %]; range "
        "| over the same seeds with 1138 MPa | over ASE [95 %] | more",
        rows,
    )


def under(data: Data) -> str:
    """What of the force is a matter of the fibres that happen to lie under the ball."""
    both = [row for rows in data.pair.values() for row in rows]
    rows = []
    for what, found in (*data.pair.items(), ("both", both)):
        if len(found) > LEAST:
            told = (spearman(column(found, NEAR), column(found, n)) for n in (FORCE, P99, SOFT_P99))
            rows.append(f"rank correlation, {what} | " + " | ".join(f"{r:+.2f}" for r in told))
    ratios = (at_equal(data.pair["RSE"], data.pair["ASE"], n) for n in (FORCE, P99, SOFT_P99))
    rows.append("RSE / ASE at the same share | " + " | ".join(f"{r:.2f}" for r in ratios))
    return markdown(
        f"share of fibre under the ball, with [95 %] | {FORCE} | {P99} | {SOFT_P99}",
        rows,
        "Share of fibre under the ball: in half a ball of its radius about the point it touches "
        "first, before it moves. At the same share: logarithms linear in it, one slope for both.",
    )


def write(file: Path, plan: Plan, data: Data) -> None:
    """A row for each member."""
    cells, fine = plan.cells
    groups = [
        *((name, "table", cells, rows) for name, rows in data.pair.items()),
        *((name, "table", fine, rows) for name, rows in data.finer.items()),
        ("RSE", "own", cells, data.own),
    ]
    heads = list(data.pair["ASE"][0].values)
    with file.open("w", newline="", encoding="utf-8") as stream:
        lines = csv.writer(stream)
        lines.writerow(["structure", "moduli", "cells [um]", "seed", *heads])
        for name, moduli, size, rows in groups:
            for row in rows:
                numbers = (f"{row.values[head]:.6g}" for head in heads)
                lines.writerow([name, moduli, size, row.seed, *numbers])


if __name__ == "__main__":
    place, chosen = asked(
        __doc__, "gou2025_fig5_3d", Plan(), QUICK, LEAST, "a few small boxes, linear cells"
    )
    main(place, chosen)

"""Dendrite balls pressed into RSE and ASE (Gou 2025, Fig. 5f-g): what the ordering hangs on.

    python workflows/gou2025/fig5fg.py [FOLDER] [--seeds N] [--quick]

The two cases on three meshes, RSE for many seeds; then one assumption changed at a time, on
the coarsest. Both resume where they ended. FOLDER gets `fig5.md`, `fig5fg.png` (fields) and
`fig5_seeds.png`. --quick: a few small sections on coarse meshes.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from campaign import asked, column
from fig5fg_campaign import FILES, LEAST, MEASURES, PAPER, QUICK, Plan, Samples, campaign
from fig5fg_picture import fields, picture

from fem_spe.comm import world
from fem_spe.ensemble.statistics import mean
from fem_spe.progress import show
from fem_spe.report import markdown

GROWTH = 0.05  # of a maximum on half the cells: from here on it is singular


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    data = campaign(folder, plan)
    if world().rank == 0:
        text = "\n\n".join([comparison(plan, data.levels), sensitivity(plan, data.choices)])
        (folder / "fig5.md").write_text(text + "\n", encoding="utf-8")
        print(f"\n{text}\n")
        print(fields(folder / "fig5fg.png", data.levels[-1]))
        print(picture(folder / "fig5_seeds.png", plan, data))
        print(folder / "fig5.md")


def comparison(plan: Plan, levels: Sequence[Samples]) -> str:
    """Each measure on each mesh beside the paper's maximum."""
    last = levels[-1]
    rows = []
    for name in FILES:
        for measure in MEASURES:
            values = [column(level[name], measure) for level in levels]
            change = values[-1] / values[-2] - 1
            grows, end = change > GROWTH, values[-1]
            row = f"{name} | {measure} | " + " | ".join(f"{v.mean():.1f}" for v in values)
            row += f" | {change.mean():+.1%}"
            row += f", grows in {grows.sum()} of {len(grows)}" if grows.any() else ""
            row += (
                f" | {mean(end):.1f}; {end.min():.1f} to {end.max():.1f}"
                if name == "RSE"
                else " | "
            )
            rows.append(f"{row} | {PAPER[name] if measure == 'maximum' else ''}")
    peaks = [row.peak for row in last["RSE"]]
    below = {m: np.sum(column(last["RSE"], m) < last["ASE"][0].values[m]) for m in MEASURES}
    ordering = ", ".join(f"{count} at the {m}" for m, count in below.items())
    cells = " | ".join(f"cells of {cells:g} µm" for cells in plan.cells)
    return markdown(
        f"von Mises stress in the fibres, MPa | of | {cells} | last halving "
        "| mean over seeds [95 %]; smallest to largest | paper",
        rows,
        f"RSE: means of {len(last['RSE'])} seeds. p99, p99.9: 99 and 99.9 % of the fibres have "
        f"less. A maximum that grows by more than {GROWTH:.0%} on half the cells is singular: it "
        "is a number of the mesh, not of the material. RSE lies below ASE in so many of "
        f"{len(last['RSE'])} seeds: {ordering}. The maximum of RSE lies "
        f"where fibres join in {peaks.count('junction')} seeds, where the surface cuts a fibre in "
        f"{peaks.count('surface')}, elsewhere in {peaks.count('elsewhere')}. The displacement is "
        "given, so all stresses are proportional to the moduli: the ratio of both electrolytes is "
        "a matter of geometry and of E_f / E_m alone.",
    )


def sensitivity(plan: Plan, choices: dict[tuple[str, str], Samples]) -> str:
    """One assumption at a time: does the order turn round?"""
    rows = []
    for (what, value), found in choices.items():
        row = f"{what} | {value}"
        for measure in ("force", "p99.9", "maximum"):
            ase, rse = found["ASE"][0].values[measure], column(found["RSE"], measure)
            row += f" | {ase:.1f} | {rse.mean():.1f} ({rse.min():.1f} to {rse.max():.1f})"
            row += f" | {ase / rse.mean():.2f}"
            if measure != "force":
                row += f" | {np.sum(rse < ase)} of {len(rse)}"
        rows.append(row)
    heads = "ASE | RSE | ASE / RSE"
    return markdown(
        f"choice | value | force, N/m: {heads} | p99.9, MPa: {heads} | seeds below ASE "
        f"| maximum, MPa: {heads} | seeds below ASE",
        rows,
        f"On the mesh of {plan.cells[0]:g} µm; RSE: mean and range of {plan.replicas} seeds. "
        f"The paper: maximum {PAPER['ASE']} over {PAPER['RSE']} MPa, a ratio of "
        f"{PAPER['ASE'] / PAPER['RSE']:.2f}. Maxima hang on the mesh; their ratios too.",
    )


if __name__ == "__main__":
    place, chosen = asked(
        __doc__, "gou2025_fig5", Plan(), QUICK, LEAST, "a few small sections, coarse meshes"
    )
    chosen = replace(chosen, replicas=min(chosen.replicas, chosen.seeds))
    main(place, chosen)

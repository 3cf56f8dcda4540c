"""Lithium that grows among random and aligned fibres (Gou 2025, Fig. 5c-e): how rough it gets.

    python workflows/gou2025/fig5c.py [FOLDER] [--seeds N] [--quick]

Fibre fraction and charge are equal. A large cell tells roughness and coverage over the charge, a
deep one what follows behind the first row of fibres, both for RSE and for aligned fibres scattered
at random with several seeds: is it direction or place that matters? A small cell tells the error of
the mesh, and one assumption at a time. All resume where they ended, also after a kill.
FOLDER gets `fig5c.md`, `fig5c.png` (growth and curves), `fig5c_deep.png`, `fig5c_fields.png` and
`fig5c.gif`.
--quick: small cells alone, less charge.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from campaign import asked
from fig5c_campaign import (
    COVERAGE,
    LEAST,
    PAIR,
    PAPER,
    QUICK,
    ROUGHNESS,
    Plan,
    Samples,
    campaign,
    column,
)
from fig5c_picture import deep_picture, fields, movie, picture

from fem_spe.comm import world
from fem_spe.ensemble.statistics import mean, ratio
from fem_spe.progress import show
from fem_spe.report import markdown

PARTS = (0.25, 0.5, 0.75, 1.0)  # of the charge
ROUGH = 0.1  # um: what is smoother is not compared between meshes


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    data = campaign(folder, plan)
    if world().rank == 0:
        parts = [
            *(
                table(samples, cell)
                for cell, samples in (("The large cell", data.large), ("The deep cell", data.deep))
                for table in (comparison, direction_or_place)
                if samples
            ),
            meshes(plan, data.levels),
            sensitivity(plan, data.choices),
        ]
        text = "\n\n".join(parts)
        (folder / "fig5c.md").write_text(text + "\n", encoding="utf-8")
        print(f"\n{text}\n")
        print(picture(folder / "fig5c.png", data.large))
        if data.deep:
            print(deep_picture(folder / "fig5c_deep.png", data.deep))
        print(fields(folder / "fig5c_fields.png", data.large))
        print(movie(folder / "fig5c.gif", data.large))
        print(folder / "fig5c.md")


def comparison(large: Samples, cell: str) -> str:
    """R_a and coverage at equal charges, and over all of it, beside the paper."""
    ase, rse = large["ASE"][0], large["RSE"]
    rows = []
    for charge in ase.end * np.array(PARTS):
        rows.append(
            f"{charge:.3g}"
            + compared(ase.at(charge, ROUGHNESS), column(rse, charge, ROUGHNESS))
            + f" | {ase.at(charge, COVERAGE):.2f} | {mean(column(rse, charge, COVERAGE)):.2f}"
        )
    over = [row.average(ROUGHNESS) for row in rse]
    covered = [row.average(COVERAGE) for row in rse]
    rows.append(
        f"mean from 0 to {ase.end:.3g}"
        + compared(ase.average(ROUGHNESS), np.array(over))
        + f" | {ase.average(COVERAGE):.2f} | {mean(covered):.2f}"
    )
    rows.append(
        f"paper | {PAPER['ASE']} | {PAPER['RSE']} | | {PAPER['RSE'] / PAPER['ASE']:.2f} | | | "
    )
    uneven = [row.unevenness() for row in rse]
    return markdown(
        "charge, mA h/cm² | R_a, µm: ASE | RSE, mean [95 %] | smallest to largest | RSE / ASE "
        "| rougher than ASE | coverage: ASE | RSE",
        rows,
        f"{cell}; RSE: {len(rse)} seeds. R_a = mean |y - ȳ| of the front where it is seen from "
        "above; coverage: the share of the width that has a front, the rest is fibre. […]: 95 % "
        "interval of the mean by Student's t; that of the ratio holds for this one ASE. c along "
        f"the front at the end, deviation / mean: ASE {ase.unevenness():.2f}, RSE "
        f"{mean(uneven):.2f}.",
    )


def compared(ase: float | np.ndarray, rse: np.ndarray) -> str:
    """Cells for one roughness."""
    ratio = mean(rse / ase)
    return (
        f" | {ase:.3f} | {mean(rse):.3f} | {rse.min():.2f} to {rse.max():.2f} | {ratio:.2f} "
        f"| {np.sum(rse > ase)} of {len(rse)}"
    )


def direction_or_place(samples: Samples, cell: str) -> str:
    """Aligned fibres on a lattice, the same scattered at random, and random directions as well."""
    measures = {
        "R_a, mean over the charge, µm": lambda row: row.average(ROUGHNESS),
        "R_a at the end, µm": lambda row: row.at(row.end, ROUGHNESS),
        "coverage, mean over the charge": lambda row: row.average(COVERAGE),
        "c along the front at the end, deviation / mean": lambda row: row.unevenness(),
    }
    rows = []
    for name, tell in measures.items():
        found = {n: np.array([tell(row) for row in own]) for n, own in samples.items()}
        rse, scattered = found["RSE"], found["SCATTERED"]
        rows.append(
            f"{name} | {found['ASE'][0]:.3f} | {mean(scattered):.3f} | {mean(rse):.3f} "
            f"| {ratio(rse, scattered):.2f}"
        )
    return markdown(
        "| ASE, on a lattice | ASE, scattered | RSE | RSE / scattered",
        rows,
        f"{cell}: is it the fibres' direction that matters, or their places? Scattered: aligned "
        "fibres (circles) at random places, with the narrowest gap of RSE; "
        f"{len(samples['SCATTERED'])} and {len(samples['RSE'])} seeds. Means with Student's, "
        "ratios of geometric means with Welch's interval of 95 %.",
    )


def meshes(plan: Plan, levels: Sequence[Samples]) -> str:
    """What smaller cells change, for one section of each."""
    rows = []
    for name in PAIR:
        found = [level[name][0] for level in levels]
        charge = np.linspace(0, found[0].end, 101)
        curves = [row.at(charge, ROUGHNESS) for row in found]
        rough = curves[-1] > ROUGH
        off = np.abs(curves[-2] / curves[-1] - 1)[rough].max(initial=0.0)
        # a curve that rises steeply is off by little charge
        apart = np.abs(curves[-2] - curves[-1]).max()
        values = " | ".join(f"{curve[-1]:.4f}" for curve in curves)
        rows.append(
            f"{name} | {values} | {curves[-2][-1] / curves[-1][-1] - 1:+.1%} | {off:.1%} "
            f"| {apart:.4f}"
        )
    sizes = " | ".join(f"cells of {h:g} µm" for h in plan.cells)
    return markdown(
        f"R_a at {found[0].end:.3g} mA h/cm², µm | {sizes} | the coarser is off by "
        f"| at most, where R_a > {ROUGH:g} µm | at most, µm",
        rows,
        "The small cell, one section of each.",
    )


def sensitivity(plan: Plan, choices: dict[tuple[str, str], Samples]) -> str:
    """One assumption at a time: what becomes of the ratio?"""
    rows = []
    for (what, value), found in choices.items():
        ase, rse = found["ASE"][0], found["RSE"]
        end = column(rse, ase.end, ROUGHNESS)
        over = np.array([row.average(ROUGHNESS) for row in rse])
        row = f"{what} | {value}"
        for one, many in ((ase.at(ase.end, ROUGHNESS), end), (ase.average(ROUGHNESS), over)):
            row += f" | {one:.3f} | {many.mean():.3f} ({many.min():.2f} to {many.max():.2f})"
            row += f" | {many.mean() / one:.2f}"
        covered = column(rse, ase.end, COVERAGE).mean()
        rows.append(f"{row} | {ase.at(ase.end, COVERAGE):.2f}, {covered:.2f}")
    heads = "ASE | RSE | RSE / ASE"
    return markdown(
        f"choice | value | R_a at {ase.end:.3g} mA h/cm², µm: {heads} "
        f"| mean over the charge, µm: {heads} | coverage at the end: ASE, RSE",
        rows,
        f"The small cell, cells of {plan.cells[0]:g} µm unless the choice says otherwise; RSE: "
        f"mean and range, seeds 1 to {plan.replicas}.",
    )


if __name__ == "__main__":
    place, chosen = asked(
        __doc__, "gou2025_fig5c", Plan(), QUICK, LEAST, "small cells alone, less charge"
    )
    main(place, chosen)

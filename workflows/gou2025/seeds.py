"""Random sections as data: 30 RSE seeds beside ASE, and what orientation and aspect explain.

    python workflows/gou2025/seeds.py [FOLDER] [--seeds N] [--quick]

The 30 sections differ in nothing but the seed that places the fibres. A second campaign
changes the fibres' aspect and directions. Both resume where they ended, also after a kill.
FOLDER gets `seeds.md` and `seeds.png`. --quick: a few small sections on coarse meshes.
"""

from pathlib import Path

import numpy as np
from campaign import asked, column
from seeds_campaign import (
    DEFF,
    FLUX,
    LEAST,
    LINE,
    MEASURED,
    QUICK,
    Data,
    Plan,
    campaign,
    expected,
    orders,
)
from seeds_picture import picture

from fem_spe.comm import world
from fem_spe.ensemble.statistics import distance, mean, pearson, spearman, spread
from fem_spe.progress import show
from fem_spe.report import markdown


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    data = campaign(folder, plan)
    if world().rank == 0:
        text = "\n\n".join(
            [scatter(data), references(data), correlations(data), medium_table(data)]
        )
        (folder / "seeds.md").write_text(text + "\n", encoding="utf-8")
        print(f"\n{text}\n\n{picture(folder / 'seeds.png', data)}\n{folder / 'seeds.md'}")


def scatter(data: Data) -> str:
    """Mean and spread over the seeds, and how little of it the mesh can be blamed for."""
    rows = []
    bounded = sum(not np.isnan(row.error) for row in data.rse)
    for name in (DEFF, FLUX, LINE):
        values, errors = column(data.rse, name), data.errors(name)[1:]
        typical = np.sqrt(np.mean(errors**2))
        rows.append(
            f"{name} | {mean(values):.4f} | {spread(values):.4f} | {values.min():.3f}, "
            f"{values.max():.3f} | {typical:.1e}, {errors.max():.1e} "
            f"| {spread(values).value / typical:.0f}"
        )
    return markdown(
        f"RSE, {len(data.rse)} seeds | mean | standard deviation | smallest, largest "
        "| numerical error: rms, largest | deviation / rms error",
        rows,
        "Unevenness: standard deviation over mean, where the electrolyte touches the anode or "
        "crosses the line. […]: 95 % interval, of the mean by Student's t, of the deviation by "
        "bootstrap. Numerical error: the change from a mesh 1.6 times coarser at the fibres, "
        "for D_eff the larger of it and the distance of two bounds, which are known where the "
        f"electrolyte is in one piece ({bounded} seeds).",
    )


def references(data: Data) -> str:
    """Where ASE and the measured ratio lie among the random sections."""
    known = [
        ("ASE", name, data.ase.values[name], data.errors(name)[0]) for name in (DEFF, FLUX, LINE)
    ]
    needed = MEASURED * data.ase.values[DEFF]
    known.append(("measured σ(RSE) / σ(ASE)", DEFF, needed, MEASURED * data.errors(DEFF)[0]))
    rows = []
    for who, name, value, error in known:
        values = column(data.rse, name)
        rows.append(
            f"{who} | {name} | {value:.4f} ± {error:.4f} | {distance(values, value):+.1f} "
            f"| {np.sum(values < value)} of {len(values)}"
        )
    return markdown(
        "beside | of | value | standard deviations above the mean of RSE | seeds below it",
        rows,
        "±: numerical error. […]: 95 % interval by the noncentral t. The last row is the D_eff "
        f"that RSE would need, {MEASURED:.3f} of ASE's, without the error of the measurement.",
    )


def correlations(data: Data) -> str:
    """What orientation and aspect explain."""
    shapes = data.sampled
    flat = [row for row in shapes if row.order > 0.9 or row.aspect == 1.0]
    samples = [("S", orders(shapes), shapes, "all shapes")]
    for aspect in dict.fromkeys(aspect for aspect, _ in data.shapes if aspect > 1):
        rows = data.of_aspect(aspect)
        samples.append(("S", orders(rows), rows, f"aspect {aspect:g}"))
    samples += [
        ("aspect", [row.aspect for row in shapes], shapes, "all shapes"),
        ("aspect", [row.aspect for row in flat], flat, "axes along x, and circles"),
        ("effective medium", list(expected(shapes)), shapes, "all shapes"),
        ("S", orders(data.rse), data.rse, "RSE seeds"),
    ]
    return markdown(
        "of | with | sections | Pearson | Spearman",
        [
            f"{name} | {over} | {len(rows)}, {which} | {pearson(x, column(rows, name)):+.2f} "
            f"| {spearman(x, column(rows, name)):+.2f}"
            for name in (DEFF, FLUX)
            for over, x, rows, which in samples
        ],
        "S = ⟨2 cos² θ - 1⟩ of the long axes: 1 along the electrodes, -1 along the flux. […]: "
        "95 % interval by Fisher's transformation. The shapes are set on a grid, not drawn from "
        "a population: the numbers describe this grid.",
    )


def medium_table(data: Data) -> str:
    """D_eff beside the effective medium, shape by shape."""
    rows = []
    for (aspect, way), found in data.shapes.items():
        off = column(found, DEFF) / expected(found) - 1
        rows.append(
            f"{aspect:g} | {way} | {np.mean(orders(found)):+.2f} | {mean(column(found, DEFF)):.3f} "
            f"| {expected(found).mean():.3f} | {off.mean():+.1%}"
        )
    off = column(data.sampled, DEFF) / expected(data.sampled) - 1
    return markdown(
        "aspect | long axes | S | D_eff / D_matrix | effective medium | difference",
        rows,
        f"D_eff: mean of {len(found)} seeds with its 95 % interval by Student's t. Over all "
        f"sections the difference is {mean(off):+.1%}. Between parallel axes and axes in any "
        "direction the medium is interpolated.",
    )


if __name__ == "__main__":
    place, chosen = asked(
        __doc__, "gou2025_seeds", Plan(), QUICK, LEAST, "a few small sections, coarse meshes"
    )
    main(place, chosen)

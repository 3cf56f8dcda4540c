"""The picture of a ball on random and aligned fibres: cut open, and over the seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from campaign import column
from fig5fg_3d_campaign import FORCE, NEAR, Data, Pressed, middle, stress
from fig5fg_picture import BLUE, RED, plain

from fem_spe.render import stressed_panels
from fem_spe.render.mechanical import stressed_solid
from fem_spe.render.style import style

P99 = stress("p99", "fiber")
SHOWN = {
    FORCE: "force (mN)",
    P99: "p99 in the fibres (MPa)",
    stress("p99", "matrix"): "p99 in the matrix (MPa)",
}
OWN = "#e08214"


def picture(file: Path, data: Data) -> Path:
    """The seed in the middle of each, cut open; below, all seeds and what decides the force."""
    solids = []
    for name in ("RSE", "ASE"):
        row = typical(data.pair[name])
        title = f"{name}, seed {row.seed}: p99 in the fibres {row.values[P99]:.3g} MPa"
        solids.append(stressed_solid(row.folder, title))
    with style() as plt:
        figure = plt.figure(figsize=(8.0, 6.0), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=[3.6, 2.1])
        stressed_panels(plt, upper, upper.subplots(1, 2), solids)
        axes = lower.subplots(1, 4, width_ratios=[1, 1, 1, 1.5])
        for axis, (head, label) in zip(axes, SHOWN.items(), strict=False):
            draw_seeds(axis, data, head)
            axis.set_ylabel(label)
        draw_under(axes[-1], data)
        for axis, letter in zip(axes, "abcd", strict=True):
            axis.set_title(letter, loc="left", fontweight="bold")
        figure.savefig(file)
    return file


def typical(rows: Sequence[Pressed]) -> Pressed:
    """The seed in the middle of all, by the p99 in the fibres."""
    return sorted(rows, key=lambda row: row.values[P99])[len(rows) // 2]


def draw_seeds(axis: Any, data: Data, head: str) -> None:
    """Each seed; the geometric mean and its interval."""
    groups = {"ASE": (data.pair["ASE"], BLUE), "RSE": (data.pair["RSE"], RED),
              "RSE,\nown": (data.own, OWN)}  # fmt: skip
    for at, (rows, color) in enumerate(groups.values()):
        values = column(rows, head)
        sideways = np.random.default_rng(0).uniform(-0.25, 0.05, len(values))
        axis.scatter(at + sideways, values, s=10, color=color, alpha=0.5, lw=0)
        value, low, high = middle(rows, head)
        axis.errorbar(at + 0.25, value, [[value - low], [high - value]], color=color, lw=1.2,
                      fmt="o", ms=3, capsize=2)  # fmt: skip
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    plain(axis.yaxis, steps=(1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 4, 6))
    axis.set_xticks(range(len(groups)), list(groups))
    axis.set_xlim(-0.5, len(groups) - 0.4)


def draw_under(axis: Any, data: Data) -> None:
    """The force over the share of fibre under the ball."""
    for name, color in (("ASE", BLUE), ("RSE", RED)):
        rows = data.pair[name]
        axis.plot(column(rows, NEAR), column(rows, FORCE), "o", ms=4, color=color, mec="white",
                  mew=0.4, label=name)  # fmt: skip
    axis.set_yscale("log")
    plain(axis.yaxis)
    axis.set(xlabel="share of fibre under the ball", ylabel=SHOWN[FORCE])
    axis.legend()

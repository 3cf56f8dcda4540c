"""The pictures of dendrite balls on RSE and ASE."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from campaign import column
from fig5fg_campaign import MEASURES, PAPER, Data, Plan, Samples
from matplotlib.ticker import LogLocator, NullFormatter

from fem_spe.figures import deformed
from fem_spe.render import draw_deformed
from fem_spe.render.style import style

BLUE, RED = "#08519c", "#a50f15"


def fields(file: Path, level: Samples) -> Path:
    """ASE, and the seed of RSE in the middle of all, deformed and with balls, as in Fig. 5f-g."""
    rse = sorted(level["RSE"], key=lambda row: row.values["p99.9"])[len(level["RSE"]) // 2]
    seed = rse.folder.name.partition("=")[2]
    sections = []
    for row, name in ((rse, f"RSE, seed {seed}"), (level["ASE"][0], "ASE")):
        title = f"{name}: p99.9 in the fibres {row.values['p99.9']:.1f} MPa"
        sections.append(deformed(row.folder, title))
    return draw_deformed(sections, file)


def picture(file: Path, plan: Plan, data: Data) -> Path:
    """The seeds on each mesh beside ASE and the paper; below, one assumption at a time."""
    with style() as plt:
        figure = plt.figure(
            figsize=(6.7, 2.3 + 0.155 * (len(data.choices) + 5)), layout="constrained"
        )
        upper, lower = figure.subfigures(2, 1, height_ratios=[2.3, 0.155 * (len(data.choices) + 5)])
        draw_seeds(upper.subplots(), plan, data.levels)
        draw_choices(lower.subplots(1, 3, sharey=True), data.choices)
        for part, letter in ((upper, "a"), (lower, "b")):
            part.axes[0].set_title(letter, loc="left", fontweight="bold")
        figure.savefig(file)
    return file


def draw_seeds(axis: Any, plan: Plan, levels: Sequence[Samples]) -> None:
    """Each seed, and ASE, measure by measure, from the coarse mesh to the fine one."""
    ticks: list[tuple[float, str]] = []
    sideways = np.random.default_rng(0).uniform(-0.2, 0.2, plan.seeds)
    for group, measure in enumerate(MEASURES):
        for k, (cells, level) in enumerate(zip(plan.cells, levels, strict=True)):
            at = group * (len(levels) + 0.8) + k
            rse = column(level["RSE"], measure)
            axis.scatter(at + sideways, rse, s=9, color=RED, alpha=0.5, lw=0, label="RSE, a seed")
            axis.plot([at - 0.3, at + 0.3], [rse.mean()] * 2, color=RED, lw=1.2, label="RSE, mean")
            ase = level["ASE"][0].values[measure]
            axis.plot(at, ase, "D", ms=4.5, mec="white", mew=0.4, color=BLUE, label="ASE")
            middle = k == (len(levels) - 1) // 2
            ticks.append((at, f"{cells:g}" + (f"\n{measure}" if middle else "")))
    for name, color in (("ASE", BLUE), ("RSE", RED)):
        axis.axhline(PAPER[name], color=color, lw=0.8, ls="--")
        axis.annotate(f"paper, {name}: maximum {PAPER[name]}", (1, PAPER[name]), (-2, 2),
                      xycoords=("axes fraction", "data"), textcoords="offset points",
                      ha="right", va="bottom", fontsize=6.5, color=color)  # fmt: skip
    axis.set_yscale("log")
    plain(axis.yaxis)
    axis.set_xticks(*zip(*ticks, strict=True))
    axis.set(ylabel="von Mises stress in the fibres (MPa)", xlabel="cells at the fibres (µm)")
    axis.legend(*each_once(axis), loc="upper left", bbox_to_anchor=(1.0, 0.95))


def plain(axis: Any, steps: Sequence[float] = (1, 2, 5)) -> None:
    """Ticks at these parts of each decade, in plain figures."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def each_once(axis: Any) -> tuple[list[Any], list[str]]:
    """Each name once."""
    named = dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    return list(named.values()), list(named)


def draw_choices(axes: Any, choices: dict[tuple[str, str], Samples]) -> None:
    """ASE, and the mean and range of RSE, for each choice."""
    labels = [f"{what}: {value}" if value else what for what, value in choices]
    labels = [re.sub("E_([fm])", r"$E_\\mathrm{\1}$", label) for label in labels]
    y = np.arange(len(choices))
    heads = {"p99.9": "p99.9 (MPa)", "maximum": "maximum (MPa)", "force": "force (N/m)"}
    for axis, (measure, head) in zip(axes, heads.items(), strict=True):
        for at, found in zip(y, choices.values(), strict=True):
            rse = column(found["RSE"], measure)
            axis.plot([rse.min(), rse.max()], [at, at], color=RED, lw=1.2)
            axis.plot(rse.mean(), at, "o", ms=3.5, color=RED)
            axis.plot(found["ASE"][0].values[measure], at, "D", ms=4, mec="white", mew=0.4,
                      color=BLUE)  # fmt: skip
        if measure == "maximum":
            axis.axvline(PAPER["ASE"], color=BLUE, lw=0.8, ls="--")
            axis.axvline(PAPER["RSE"], color=RED, lw=0.8, ls="--")
        axis.set_xlabel(head)
        axis.set_xscale("log")
        plain(axis.xaxis, steps=(1, 3))
        axis.grid(axis="y", color="0.92", lw=0.6)
        axis.set_axisbelow(True)
    axes[0].set_yticks(y, labels)
    axes[0].set_ylim(len(choices) - 0.5, -0.5)

"""The picture of the campaign over random sections."""

from pathlib import Path
from typing import Any

import numpy as np
from campaign import column
from seeds_campaign import DEFF, FLUX, LINE, MEASURED, RELATIVE, Data, medium, orders

from fem_spe.ensemble.statistics import mean, spread
from fem_spe.render.style import COLORMAP, HOLE, style

BLUE, RED = "#08519c", "#a50f15"


def picture(file: Path, data: Data) -> Path:
    """Scatter, orientation, and the concentration next to the anode."""
    with style() as plt:
        figure = plt.figure(figsize=(6.7, 4.9), layout="constrained")
        upper, lower = figure.add_gridspec(2, 1, height_ratios=[1.35, 1.0])
        first, second, third = upper.subgridspec(1, 3, width_ratios=[1, 1, 1.75]).subplots()
        needed = MEASURED * data.ase.values[DEFF]
        first.axhline(needed, color="0.45", lw=0.8, ls="--")
        first.annotate("measured ratio", (1.48, needed), (0, 2), textcoords="offset points",
                       ha="right", va="bottom", fontsize=6.5, color="0.35")  # fmt: skip
        draw_scatter(first, data, DEFF)
        first.set_ylabel(RELATIVE)
        draw_scatter(second, data, FLUX)
        second.set_ylabel("unevenness of the anode flux")
        second.set_ylim(bottom=0)
        draw_order(plt, third, data)
        draw_line(figure.add_subplot(lower), data)
        for axis, letter in zip(figure.axes, "abcd", strict=True):
            axis.set_title(letter, loc="left", fontweight="bold")
        figure.savefig(file)
    return file


def draw_scatter(axis: Any, data: Data, name: str) -> None:
    """Each seed, their deviation (thin) and the interval of their mean (thick), and ASE."""
    values = column(data.rse, name)
    middle, low, high = mean(values)
    sideways = np.random.default_rng(0).uniform(-0.3, 0.05, len(values))
    axis.scatter(sideways, values, s=9, color=RED, alpha=0.5, lw=0)
    axis.errorbar(0.25, middle, spread(values).value, color=RED, lw=0.8, capsize=2.5)
    axis.errorbar(0.25, middle, [[middle - low], [high - middle]], color=RED, lw=3.5)
    axis.plot([0.15, 0.35], [middle, middle], color=RED, lw=1.2)
    axis.plot(1, data.ase.values[name], "D", ms=4.5, color=BLUE)
    axis.set_xticks([0, 1], [f"RSE\n{len(values)} seeds", "ASE"])
    axis.set_xlim(-0.5, 1.5)


def draw_order(plt: Any, axis: Any, data: Data) -> None:
    """D_eff over the order parameter, with the effective medium."""
    aspects = list(dict.fromkeys(aspect for aspect, _ in data.shapes))
    colors = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.85, len(aspects)))
    line = np.linspace(-1, 1, 101)
    for aspect, color, mark in zip(aspects, colors, "os^D", strict=False):
        rows = data.of_aspect(aspect)
        axis.plot(orders(rows), column(rows, DEFF), mark, ms=3.5, color=color, mec="white",
                  mew=0.3, label=f"{aspect:g}", zorder=3)  # fmt: skip
        axis.plot(line, medium(aspect, line, data.ase.fraction), color=color, lw=1.0)
    axis.plot([], [], color="0.4", lw=1.0, label="medium")
    axis.set(xlabel="order parameter S of the long axes", ylabel=RELATIVE)
    axis.set_xticks(
        [-1, -0.5, 0, 0.5, 1], ["-1\nalong the flux", "-0.5", "0", "0.5", "1\nacross it"]
    )
    axis.legend(title="aspect", title_fontsize=7, loc="lower left", handlelength=1.2)


def draw_line(axis: Any, data: Data) -> None:
    """c over its mean along the line, for ASE and the seed in the middle of all."""
    ranked = sorted(data.rse, key=lambda row: row.values[LINE])
    rse = ranked[len(ranked) // 2]
    cut = np.concatenate([[False], np.isnan(rse.c), [False]])
    ends = np.flatnonzero(np.diff(cut.astype(int))).reshape(-1, 2)
    label = "fibre of RSE on the line"
    for first, last in ends:
        axis.axvspan(rse.x[first], rse.x[last - 1], color=HOLE, lw=0, label=label)
        label = ""  # one name for all
    for row, color, name in (
        (data.ase, BLUE, "ASE"),
        (rse, RED, f"RSE, seed {rse.name.partition('=')[2]}"),
    ):
        told = f"{name}, unevenness {row.values[LINE]:.2f}"
        axis.plot(row.x, row.c / np.nanmean(row.c), color=color, lw=1.2, label=told)
    axis.set(xlabel="x (µm)", ylabel="c / mean, 1 µm above anode", xlim=(0, rse.x[-1]))
    axis.set_ylim(bottom=0)
    axis.legend(ncols=3, loc="lower right", bbox_to_anchor=(1.0, 0.98))

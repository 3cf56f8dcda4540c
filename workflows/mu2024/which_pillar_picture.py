"""The picture of the campaign over pillars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from which_pillar_campaign import OWN, PAPER, Data, Optimum, Pillar

from fem_spe.render.style import COLORMAP, style

PAPER_COLOR, OWN_COLOR = "#a50f15", "#08519c"
MARKS = {1: "o", 2: "s"}  # one side, two sides


def picture(file: Path, data: Data) -> Path:
    """Overpotential and evenness over the printed volume; where pillars pay."""
    with style() as plt:
        figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.7), layout="constrained")
        draw_front(plt, axes[0], data)
        draw_evenness(axes[1], data)
        draw_regimes(axes[2], data)
        for axis, letter in zip(axes, "abc", strict=True):
            axis.set_title(letter, loc="left", fontweight="bold")
        figure.savefig(file)
    return file


def draw_front(plt: Any, axis: Any, data: Data) -> None:
    """All pillars, the lowest of each volume, the paper's, and the optima."""
    axis.axhline(data.flat, color="0.4", lw=0.9, ls="--")
    axis.annotate("flat film", (1, data.flat), (-3, -2), textcoords="offset points",
                  xycoords=("axes fraction", "data"), ha="right", va="top", fontsize=7,
                  color="0.3")  # fmt: skip
    widths = sorted({pillar.width for pillar in data.found})
    colors = dict(
        zip(widths, plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.8, len(widths))), strict=True)
    )
    for pillar, told in data.found.items():
        axis.plot(pillar.volume, 1e3 * told["mean"], MARKS[pillar.sides], ms=4,
                  color=colors[pillar.width], mec="white", mew=0.3)  # fmt: skip
    for sides, way in ((1, "-"), (2, ":")):
        front = data.front(sides)
        if front:
            values = [1e3 * data.found[p]["mean"] for p in front]
            axis.plot([p.volume for p in front], values, color="0.5", lw=0.8, ls=way, zorder=0)
    for width, color in colors.items():
        axis.plot([], [], "o", ms=4, color=color, label=f"{width:.0f} µm wide")
    if any(pillar.sides == 2 for pillar in data.found):
        axis.plot([], [], "s", ms=4, color="0.6", label="both sides")
    _paper(axis, data)
    _optima(axis, data.optima)
    axis.set(xlabel="printed per footprint (µm)", ylabel="overpotential, mean of a cycle (mV)")
    axis.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)


def draw_evenness(axis: Any, data: Data) -> None:
    """Deviation of the current along the interface over its mean."""
    for pillar, told in data.found.items():
        saved = data.flat - 1e3 * told["mean"]
        axis.plot(saved, told["current_uniformity"], MARKS[pillar.sides], ms=4, color="0.55",
                  mec="white", mew=0.3)  # fmt: skip
    for lengths in PAPER:
        told = data.found.get(Pillar(*lengths))
        if told:
            saved = data.flat - 1e3 * told["mean"]
            axis.plot(saved, told["current_uniformity"], "D", ms=4.5, mfc="none", color=PAPER_COLOR)
    axis.set(
        xlabel="saved against the flat film, mean of a cycle (mV)",
        ylabel="current at the anode, deviation / mean",
    )
    axis.set_ylim(bottom=0)


def draw_regimes(axis: Any, data: Data) -> None:
    """Saving over the exchange current, for films and conductivities."""
    colors = ["#74c476", OWN_COLOR, "#6a51a3", "#d94801"]
    for regime, color in zip(data.regimes, colors, strict=False):
        warm = "" if regime.conductivity == 1 else f", σ × {regime.conductivity:.2g}"
        x = regime.exchanges / 10.0
        for values, way in ((regime.own, "-"), (regime.dense, "--")):
            label = f"film {regime.base:.0f} µm{warm}" if way == "-" else ""
            axis.semilogx(x, 100 * (1 - values / regime.flat), way, color=color, lw=1.1,
                          label=label, marker=".", ms=3)  # fmt: skip
    axis.plot(
        [], [], "--", color="0.4", lw=1.1, label=f"best one-sided, {data.dense.area:.1f} × area"
    )
    axis.axvline(0.1815, color="0.6", lw=0.7, ls=":")
    axis.annotate(
        "fresh", (0.1815, 1), (2, -2), textcoords="offset points",
        xycoords=("data", "axes fraction"), va="top", fontsize=6.5, color="0.4",
    )  # fmt: skip
    axis.set(
        xlabel="exchange current (mA/cm²)", ylabel="saved of the flat film's overpotential (%)"
    )
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)


def _paper(axis: Any, data: Data) -> None:
    label = "printed by Mu 2024"
    for lengths in PAPER:
        pillar = Pillar(*lengths)
        if pillar in data.found:
            own = lengths == OWN
            axis.plot(
                pillar.volume, 1e3 * data.found[pillar]["mean"], "D", ms=6 if own else 4.5,
                mfc="none", mew=1.2 if own else 0.8, color=PAPER_COLOR, label=label,
            )  # fmt: skip
            label = ""


def _optima(axis: Any, optima: list[Optimum]) -> None:
    label = "best of a volume"
    for found in optima:
        axis.plot(found.best.volume, found.value, "*", ms=8, color="gold", mec="black", mew=0.5,
                  label=label, zorder=4)  # fmt: skip
        label = ""

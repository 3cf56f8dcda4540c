"""`sweep.png`: the main quantity over the first swept key."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fem_spe.ensemble.keys import Swept
from fem_spe.ensemble.members import Member, Outcome
from fem_spe.render.style import COLORMAP, style

NAME = "sweep.png"
_MAIN = "relative_diffusivity"
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)")
_SAME = 1e-9  # of a value: what round-off makes of it is no change
_MOST_TICKS = 8  # that fit side by side
_MOST_LABELS = 16  # curves that a legend can name


def main_quantity(outcomes: Mapping[str, Outcome]) -> str | None:
    """The quantity that a sweep is about: the first that changes; None before one is known."""
    found: dict[str, list[float]] = {}
    for outcome in outcomes.values():
        for name, quantity in outcome.quantities.items():
            found.setdefault(name, []).append(quantity["value"] or 0.0)
    changing = [n for n, v in found.items() if np.ptp(v) > _SAME * np.abs(v).max()]
    return _MAIN if _MAIN in found else next(iter(changing or found), None)


def numbers(swept: Swept) -> tuple[list[float], str] | None:
    """The numbers of `swept` as written, and their unit; None where they are not comparable."""
    found, units = [], set()
    for value in swept.values:
        match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
        if match:
            found.append(float(match[1]))
            units.add(match[2])
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found.append(float(value))
            units.add("")
        else:
            return None
    return (found, units.pop()) if len(units) == 1 else None


def draw_sweep(
    file: Path,
    sweeps: Sequence[Swept],
    members: Sequence[Member],
    outcomes: Mapping[str, Outcome],
) -> Path | None:
    """One curve, or one row of points, for each combination of the other keys.

    Returns:
        `file`, or None where there is no number to draw.
    """
    name = main_quantity(outcomes)
    if name is None:
        return None
    first, *others = sweeps
    scale = numbers(first)
    places = scale[0] if scale else [float(k) for k in range(len(first.texts))]
    place = dict(zip(first.texts, places, strict=True))
    curves: dict[tuple[str, ...], list[tuple[float, float]]] = {
        texts: [] for texts in itertools.product(*(other.texts for other in others))
    }
    unit = ""
    for member in members:
        quantity = outcomes[member.name].quantities.get(name)
        if quantity is not None and quantity["value"] is not None:
            unit = f" ({quantity['unit']})" if quantity["unit"] else ""
            curve = curves[tuple(member.texts[other.key] for other in others)]
            curve.append((place[member.texts[first.key]], quantity["value"]))
    curves = {texts: points for texts, points in curves.items() if points}
    with style() as plt:
        figure, axis = plt.subplots(figsize=(4.6, 2.8), layout="constrained")
        colors = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.85, len(curves)))
        # between two seeds there is nothing that a line could show
        marks = "o-" if scale and not first.key.endswith("seed") else "o"
        for (texts, points), color in zip(curves.items(), colors, strict=True):
            x, y = np.array(sorted(points)).T
            axis.plot(x, y, marks, ms=3, lw=1.2, color=color, label=", ".join(texts))
        axis.set(xlabel=first.key, ylabel=f"{name.replace('_', ' ')}{unit}")
        if scale and len(places) <= _MOST_TICKS:
            axis.set_xticks(places, [f"{p:g}" for p in places])
        if scale is None:
            axis.set_xticks(places, [textwrap.shorten(t, 24) for t in first.texts])
            axis.tick_params("x", rotation=30 if sum(map(len, first.texts)) > 40 else 0)
            axis.margins(x=0.2)
        elif scale[1]:
            axis.set_xlabel(f"{first.key} ({scale[1]})")
        if others and len(curves) <= _MOST_LABELS:
            title = ", ".join(other.key for other in others)
            axis.legend(title=title, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(file)
    return file

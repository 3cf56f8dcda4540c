"""Scales of colours for stresses, which differ by decades between soft and stiff regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.style import COLORMAP

_LOW, _HIGH = 0.01, 0.9999  # shares of the area that the ends of a scale are chosen by
_DECADES = 4  # at most
_STEPS = (1, 2, 5)  # round numbers of a decade
_LINEAR_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`.

    Attributes:
        low: Lower end.
        high: Upper end.
        logarithmic: Whether equal steps of colour mean equal ratios.
        below: Share of the area or volume with less than `low`.
        above: Share of the area or volume with more than `high`.
    """

    low: float
    high: float
    logarithmic: bool = False
    below: float = 0.0
    above: float = 0.0

    def norm(self) -> Any:
        """Matplotlib's: value -> 0 to 1."""
        from matplotlib.colors import LogNorm, Normalize

        return (LogNorm if self.logarithmic else Normalize)(self.low, self.high, clip=True)

    def clipped(self, whole: str) -> str:
        """What of the `whole` lies beyond the ends, a line for each; nothing where nothing does."""
        beyond = [
            f"{_percent(share)} of the {whole} {side} {end:g}"
            for share, side, end in (
                (self.below, "below", self.low),
                (self.above, "above", self.high),
            )
            if share
        ]
        return "\n".join(beyond)

    def ticks(self) -> list[float] | None:
        """Round numbers from `low` to `high`; None where the scale is linear."""
        if not self.logarithmic:
            return None
        exponents = range(int(np.floor(np.log10(self.low))), int(np.log10(self.high)) + 2)
        every = [float(f"{step}e{k}") for k in exponents for step in _STEPS]
        return [t for t in every if 0.999 * self.low <= t <= 1.001 * self.high]


def fitting(values: Sequence[NDArray[np.float64]], sizes: Sequence[NDArray[np.float64]]) -> Scale:
    """One scale for all fields, each of `values` >= 0 on cells of `sizes`.

    It is logarithmic where the values differ by more than a decade, and leaves out the least
    hundredth of the area and singular points.
    """
    ends = [_ends(value, size) for value, size in zip(values, sizes, strict=True)]
    least, most = min(low for low, _ in ends), max(high for _, high in ends)
    if most <= 0.0:
        return Scale(0.0, 1.0)
    logarithmic = most > 10.0 * least
    low, high = 0.0, _next_round(most, _LINEAR_STEPS)
    if logarithmic:
        high = _next_round(most, _STEPS)
        low = max(_nearest_round(least), high * 10.0**-_DECADES)
    value, size = np.concatenate(values), np.concatenate(sizes)
    below, above = (
        float(size[beyond].sum() / size.sum()) for beyond in (value < low, value > high)
    )
    return Scale(low, high, logarithmic, below, above)


def _ends(value: NDArray[np.float64], size: NDArray[np.float64]) -> tuple[float, float]:
    """What the least hundredth is below, and all but singular points."""
    order = np.argsort(value)
    part = np.cumsum(size[order]) / size.sum()
    low, high = np.minimum(np.searchsorted(part, (_LOW, _HIGH)), len(part) - 1)
    return float(value[order[low]]), float(value[order[high]])


def _next_round(value: float, steps: Sequence[float]) -> float:
    """The first of the round numbers that is not less than `value` > 0."""
    numbers = _round_numbers(value, steps)
    return float(numbers[numbers >= 0.999 * value][0])


def _nearest_round(value: float) -> float:
    """The nearest of 1, 2, 5, 10, ... by ratio; 0 for 0."""
    if value <= 0.0:
        return 0.0
    numbers = _round_numbers(value, _STEPS)
    return float(numbers[np.argmin(np.abs(np.log(numbers / value)))])


def _round_numbers(value: float, steps: Sequence[float]) -> NDArray[np.float64]:
    """Those of the decade of `value` > 0."""
    exponent = int(np.floor(np.log10(value)))
    return np.array([float(f"{step}e{exponent}") for step in (*steps, 10)])


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= 1e-4 else "< 0.01 %"


def color_bar(plt: Any, figure: Any, axes: Any, scale: Scale, label: str, **places: Any) -> None:
    """A colour bar with pointed ends where values lie beyond.

    Args:
        plt: From `style`.
        figure: That it stands in.
        axes: That it stands beside.
        scale: What it shows.
        label: With unit.
        places: For `figure.colorbar`.
    """
    ends = (scale.below > 0, scale.above > 0)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(ends, "neither")
    colors = plt.cm.ScalarMappable(scale.norm(), COLORMAP)
    bar = figure.colorbar(colors, ax=axes, extend=extend, extendfrac=0.03, **places)
    ticks = scale.ticks()
    if ticks is not None:
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)

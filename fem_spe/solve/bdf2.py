"""Variable-step BDF2 with error control; output times are met exactly.

With steps h (new), h1, h2 (before) and w = h/h1,

    u' ~ [ (1+2w)/(1+w) u - (1+w) u_n + w^2/(1+w) u_{n-1} ] / h.

The local error is u''' h^2 (h+h1)^2 / (6 (2h+h1)), estimated from the distance to the
quadratic through the last three values, whose own error is u''' h (h+h1)(h+h1+h2) / 6.
The first step is backward Euler, the second has a linear predictor.
(Hairer, Norsett & Wanner, Solving ODEs I, III.5.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError

Array = NDArray[np.float64]

_SAFETY, _GROWTH, _SHRINK = 0.9, 1.8, 0.2  # BDF2 is zero-stable for ratios below 2.41
_SMALLEST = 1e-14  # step over duration below which the step has collapsed


@dataclass(frozen=True)
class Rate:
    """u' ~ weight * u + rest, with `rest` from the values before."""

    weight: float
    rest: Array


@dataclass(frozen=True)
class Step:
    """An accepted step.

    Attributes:
        index: From 1.
        time: At its end, s.
        size: s.
        values: The unknowns at its end.
        rate: The formula that it was solved with.
        error: Estimated local error over the tolerance.
        rejected: Attempts thrown away before it.
        is_output: True where an output time is met.
    """

    index: int
    time: float
    size: float
    values: Array
    rate: Rate
    error: float
    rejected: int
    is_output: bool


def rate(time: float, times: Sequence[float], values: Sequence[Array]) -> Rate:
    """The formula at `time` from the last one or two values (latest last)."""
    h = time - times[-1]
    if len(times) == 1:
        return Rate(1.0 / h, -values[-1] / h)
    w = h / (times[-1] - times[-2])
    rest = (w * w / (1 + w) * values[-2] - (1 + w) * values[-1]) / h
    return Rate((1 + 2 * w) / ((1 + w) * h), rest)


def extrapolate(time: float, times: Sequence[float], values: Sequence[Array]) -> Array:
    """The polynomial through all the given values at `time` (Lagrange)."""
    total = np.zeros_like(values[-1])
    for i, (t, u) in enumerate(zip(times, values, strict=True)):
        others = [s for j, s in enumerate(times) if j != i]
        total += math.prod((time - s) / (t - s) for s in others) * u
    return total


def error_share(time: float, times: Sequence[float]) -> float:
    """The local error over the distance from the extrapolated value."""
    h = time - times[-1]
    if len(times) == 1:
        return 1.0  # backward Euler against a constant: the whole change counts
    h1 = times[-1] - times[-2]
    own = h * h * (h + h1) ** 2 / (2 * h + h1)
    if len(times) == 2:
        # BDF2 against a line: u'' h (h+h1) / 2; one order too cautious
        return own / (own + h * (h + h1) * (h + h1))
    predicted = h * (h + h1) * (time - times[-3])
    return own / (own + predicted)


def integrate(
    advance: Callable[[float, Rate, Array], Array],
    initial: Array,
    *,
    end: float,
    outputs: Sequence[float] = (),
    rtol: float,
    norm: Callable[[Array], float],
    first: float | None = None,
    fixed: bool = False,
) -> Iterator[Step]:
    """The accepted steps from 0 to `end`.

    Args:
        advance: Solves for the values at a time, given the rate and a first guess; raises
            ConvergenceError where it cannot, and is then asked for a shorter step.
        initial: Values at time 0.
        end: s.
        outputs: Times that are met exactly, s, rising.
        rtol: Local error in `norm` that a step may make.
        norm: Size of a difference over that of the solution; the same on all ranks.
        first: First step, s; default `end` / 1e6.
        fixed: Take steps of `first` throughout, whatever their error.

    Raises:
        ConvergenceError: if the step collapses; the message names the time.
    """
    times, values = [0.0], [initial]
    size = first or 1e-6 * end
    marks = [*(t for t in outputs if t < end), end]
    index = rejected = 0
    while marks:
        step, lands = _to_mark(size, marks[0] - times[-1], fixed=fixed)
        time = marks[0] if lands else times[-1] + step
        guess = extrapolate(time, times, values)
        formula = rate(time, times[-2:], values[-2:])
        order = min(len(times), 2)
        try:
            new = advance(time, formula, guess)
            error = error_share(time, times) * norm(new - guess) / rtol
        except ConvergenceError:
            if fixed:
                raise
            error = math.inf
        if error > 1.0 and not fixed:
            rejected += 1
            size = step * max(_SHRINK, _SAFETY * error ** (-1 / (order + 1)))
            if size < _SMALLEST * end:
                raise ConvergenceError(
                    f"the time step collapsed at t = {times[-1]:.6g} s; give a larger [time] rtol "
                    "or look at the fields written so far"
                )
            continue
        index += 1
        yield Step(index, time, step, new, formula, error, rejected, lands)
        rejected = 0
        times, values = [*times[-2:], time], [*values[-2:], new]
        if lands:
            marks.pop(0)
        if not fixed:
            size = step * min(_GROWTH, _SAFETY * max(error, 1e-12) ** (-1 / (order + 1)))


def _to_mark(size: float, left: float, *, fixed: bool) -> tuple[float, bool]:
    """The step to take when `left` remains to the next output, and whether it lands there."""
    if size >= left * (1 - 1e-9):
        return left, True
    # two even steps rather than one and a rest
    return (left / 2 if size > left / 2 and not fixed else size), False

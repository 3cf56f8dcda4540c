"""Steps of second order towards marks of a quantity that the solution itself tells.

The marks are times, or charges, or whatever rises along the way; each is met within a tolerance
by steps whose length is corrected (secant). The formulas are those of `bdf`: NDF 2, which is BDF 2
with half of its error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fem_spe.errors import ConvergenceError
from fem_spe.solve.bdf import Array, Past, Rate, Step, local_error, rate

_ORDER = 2
_GROWTH, _SHRINK, _SAFETY = 1.5, 0.2, 0.8
_FAILED = 0.4  # of a step that had no solution
_SMALLEST = 1e-9  # of the longest step so far: below it the step has collapsed
_AHEAD = 3  # steps before a mark that are made even
_CORRECTIONS = 6  # of a step that is to end at a mark
_STILL = 1e9  # times so far that the next mark would take at the pace of now


@dataclass(frozen=True)
class State:
    """All that the next step depends on.

    Attributes:
        past: Values so far.
        size: Of the next step, s.
        longest: Step so far, s.
        index: Steps so far.
        slope: Progress over time in the last step; 0 before the first.
    """

    past: Past
    size: float
    longest: float
    index: int = 0
    slope: float = 0.0

    @property
    def time(self) -> float:
        """Of the last values, s."""
        return self.past.times[-1]

    @property
    def values(self) -> Array:
        """The last values."""
        return self.past.values[-1]


def start(values: Array, size: float) -> State:
    """At time 0, with a first step of `size` s."""
    return State(Past((0.0,), (values,)), size, size)


def march(
    advance: Callable[[float, Rate, Array], Array],
    state: State,
    *,
    marks: Sequence[float],
    progress: Callable[[float, Array], float],
    tolerance: float,
    rtol: float,
    norm: Callable[[Array], float],
    culprit: Callable[[Array | None], str],
) -> Iterator[tuple[Step, State]]:
    """The accepted steps, each with the state after it, until the last mark is met.

    Args:
        advance: As for `bdf.integrate`.
        state: Where to go on from.
        marks: Values of the progress that are met, rising.
        progress: Of a time and values there; rises.
        tolerance: How near to a mark is at it.
        rtol: Local error in `norm` that a step may make.
        norm: Size of a difference; the same on all ranks.
        culprit: What and where the largest error is, given it; where Newton's method stands,
            given None. For messages.

    Raises:
        ConvergenceError: if the step collapses; it names the time, the variable and the place;
            if nothing rises any more.
    """
    level, rejected = progress(state.time, state.values), 0
    left = [m for m in marks if m > level + tolerance]
    while left:
        wanted = left[0] - level
        step, aimed = _towards(wanted, state.slope, state.size)
        corrections, told = 0, ""
        while True:
            time = state.time + step
            # without a failure a mark is that near
            if time <= state.time or (told and step < _SMALLEST * state.longest):
                raise _collapsed(state, step, told or "no step is left to the next mark")
            order = min(_ORDER, len(state.past))
            formula = rate(time, state.past, order)
            try:
                new = advance(time, formula, state.past.last(order + 1).extrapolate(time))
            except ConvergenceError:
                told = told or culprit(None)
                step, aimed, rejected = _FAILED * step, False, rejected + 1
                continue
            error = 0.0
            if len(state.past) > 1:
                errors = local_error(time, new, state.past, order)
                error = norm(errors) / rtol
                if not error <= 1.0:
                    told = told or culprit(errors)
                    step, aimed = step * max(_SHRINK, _growth(error)), False
                    rejected += 1
                    continue
            reached = progress(time, new)
            gained = reached - level
            aimed = aimed or gained > wanted
            miss = abs(gained - wanted)
            if not aimed or miss <= tolerance or corrections == _CORRECTIONS or gained <= 0.0:
                break
            step, corrections = step * wanted / gained, corrections + 1
        lands = miss <= tolerance or gained > wanted
        done = Step(state.index + 1, time, step, new, formula, error, rejected, lands)
        state = State(
            state.past.and_then(time, new),
            step * _growth(error) if len(state.past) > 1 else step,
            max(state.longest, step),
            done.index,
            gained / step,
        )
        level, rejected = reached, 0
        if lands:  # a leap may have passed more than one
            left = [m for m in left[1:] if m > level + tolerance]
        yield done, state
        if left and abs(state.slope) * _STILL * time < left[0] - level:
            raise ConvergenceError(
                f"the front stands still at t = {time:.3g} s, its curvature holds it against the "
                "overpotential; give a larger one, or wider gaps between the fibres"
            )


def _towards(left: float, slope: float, size: float) -> tuple[float, bool]:
    """The step to take when `left` remains to the next mark, and whether it is to land there."""
    if slope <= 0.0 or (count := math.ceil(left / slope / size * (1 - 1e-9))) > _AHEAD:
        return size, False
    return left / slope / count, count == 1


def _growth(error: float) -> float:
    """By how much the next step may be longer."""
    if not math.isfinite(error):
        return 0.5
    return min(_GROWTH, _SAFETY * float(max(error, 1e-12) ** (-1.0 / (_ORDER + 1))))


def _collapsed(state: State, step: float, told: str) -> ConvergenceError:
    return ConvergenceError(
        f"the time step collapsed to {step:.1e} s at t = {state.time:.6g} s: {told}; give a "
        "smaller overpotential, finer cells or a larger [dendrite] tolerance"
    )

"""Backward differentiation with steps and orders as the error allows; output times are met exactly.

The rate at the new time t is the derivative of the polynomial through the new value and
the last k ones, blended with that of order k + 1:

    u' ~ sum_j (u - c_j u_j) / (t - t_j) + s_k (u - p) / (t - t_k),      j = 0 .. k-1,

where sum_j c_j u_j extrapolates the k values u_j to t, and p all k + 1. With s = 0 this is
BDF k, with s = 1 BDF k + 1, and with s = -kappa gamma_k (k + 1) on even steps NDF k, whose
error is smaller and which damps stiff parts as well (Shampine & Reichelt, The MATLAB ODE
suite, SIAM J. Sci. Comput. 18, 1997, table 1: up to order 4 stable within 66 degrees of the
negative axis).

The exact solution leaves the formula short by (1 - s) (u - p) / (t - t_k), and the step turns that
into a local error of (1 - s) / (1 + (t - t_k) sum_j 1 / (t - t_j)) times the computed u - p.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError

Array = NDArray[np.float64]

ORDERS = (1, 2, 3, 4)
_BLEND = (0.37, 0.5, 0.6035, 0.4323)  # s_k for kappa = -0.185, -1/9, -0.0823, -0.0415
GROWTH = (2.0, 1.9, 1.35, 1.2)  # zero-stable for ever below 3.9, 1.91, 1.37, 1.21
_SAFETY, _SHRINK = 0.8, 0.2
_DOWN, _UP = 0.9, 1.3  # favour the higher order: its steps go on growing after the change
_SMALLEST = 1e-14  # step over duration below which the step has collapsed
_AHEAD = 4  # steps before an output that are made even


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
        error: Estimated local error over the tolerance; 0 for the first, which has no estimate.
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


@dataclass(frozen=True)
class Past:
    """The values so far, as many as the formulas need, the latest last."""

    times: tuple[float, ...]
    values: tuple[Array, ...]

    def __len__(self) -> int:
        return len(self.times)

    def and_then(self, time: float, values: Array) -> Past:
        """With one more, and the oldest dropped where there are enough."""
        keep = ORDERS[-1]
        return Past((*self.times[-keep:], time), (*self.values[-keep:], values))

    def last(self, count: int) -> Past:
        """Only the last `count`."""
        return Past(self.times[-count:], self.values[-count:])

    def coefficients(self, time: float) -> list[float]:
        """What the polynomial through all the values at `time` weighs each with (Lagrange)."""
        return [math.prod((time - s) / (t - s) for s in self.times if s != t) for t in self.times]

    def extrapolate(self, time: float) -> Array:
        """That polynomial at `time`."""
        weighed = zip(self.coefficients(time), self.values, strict=True)
        return np.asarray(sum(c * u for c, u in weighed))


@dataclass(frozen=True)
class State:
    """All that the next step depends on.

    Attributes:
        past: Values so far.
        size: Of the next step, s.
        order: Of its formula.
        index: Steps so far.
    """

    past: Past
    size: float
    order: int = 1
    index: int = 0


def start(values: Array, size: float) -> State:
    """At time 0, with a first step of `size` s."""
    return State(Past((0.0,), (values,)), size)


def rate(time: float, past: Past, order: int) -> Rate:
    """The formula of `order` at `time`; without the blend where there is no value for it."""
    used = past.last(order)
    inverse = [1.0 / (time - t) for t in used.times]
    weighed = zip(used.coefficients(time), inverse, used.values, strict=True)
    rest = -np.asarray(sum(c * i * u for c, i, u in weighed))
    if len(past) == order:
        return Rate(sum(inverse), rest)
    wider = past.last(order + 1)
    blend = _BLEND[order - 1] / (time - wider.times[0])
    return Rate(sum(inverse) + blend, rest - blend * wider.extrapolate(time))


def local_error(time: float, values: Array, past: Past, order: int) -> Array:
    """Estimated error of a step of `order` that has led to `values`."""
    wider = past.last(order + 1)
    weight = sum(1.0 / (time - t) for t in wider.times[1:])
    share = (1.0 - _BLEND[order - 1]) / (1.0 + (time - wider.times[0]) * weight)
    return share * (values - wider.extrapolate(time))


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
    highest: int = ORDERS[-1],
) -> Iterator[Step]:
    """The accepted steps from 0 to `end`, as `march` gives them.

    Args:
        advance, end, outputs, rtol, norm, fixed, highest: As for `march`.
        initial: Values at time 0.
        first: First step, s; default sqrt(rtol) times a hundredth of the first output.

    Raises:
        ConvergenceError: if the step collapses; the message names the time.
    """
    size = first or 0.01 * math.sqrt(rtol) * min([*outputs, end])
    walk = march(
        advance, start(initial, size), end=end, outputs=outputs, rtol=rtol, norm=norm,
        fixed=fixed, highest=highest,
    )  # fmt: skip
    return (step for step, _ in walk)


def march(
    advance: Callable[[float, Rate, Array], Array],
    state: State,
    *,
    end: float,
    outputs: Sequence[float] = (),
    rtol: float,
    norm: Callable[[Array], float],
    fixed: bool = False,
    highest: int = ORDERS[-1],
) -> Iterator[tuple[Step, State]]:
    """The accepted steps to `end`, each with the state after it.

    Nothing before the first step tells its error, so it is taken as it is. After a jump, as
    where a face is charged, the error of this start fades as (first / t)^2 (Thomee, Galerkin
    Finite Element Methods for Parabolic Problems, 2006, ch. 10), and where the solution is
    smooth over a time t it is of that order too: sqrt(rtol) t leaves about `rtol` from t on.

    Args:
        advance: Solves for the values at a time, given the rate and a first guess; raises
            ConvergenceError where it cannot, and is then asked for half the step.
        state: Where to go on from.
        end: s.
        outputs: Times that are met exactly, s, rising.
        rtol: Local error in `norm` that a step may make.
        norm: Size of a difference over that of the solution; the same on all ranks.
        fixed: Take steps of the state's size throughout, whatever their error.
        highest: Order up to which the formulas go.

    Raises:
        ConvergenceError: if the step collapses; the message names the time.
    """
    past, size, order, index = state.past, state.size, state.order, state.index
    marks = [t for t in (*(t for t in outputs if t < end), end) if t > past.times[-1]]
    rejected = 0
    while marks:
        now = past.times[-1]
        step, lands = _to_mark(size, marks[0] - now, fixed=fixed)
        time = marks[0] if lands else now + step
        formula = rate(time, past, order)
        orders = range(max(1, order - 1), min(order + 1, highest, len(past) - 1) + 1)
        try:
            new = advance(time, formula, past.last(order + 1).extrapolate(time))
            errors = {k: norm(local_error(time, new, past, k)) / rtol for k in orders}
        except ConvergenceError:
            if fixed:
                raise
            errors = {order: math.inf}
        growth = {k: _growth(error, k) for k, error in errors.items()}
        error = errors.get(order, 0.0)
        if not (fixed or error <= 1.0):
            size = step * max(_SHRINK, growth[order])
            rejected += 1
            if size < _SMALLEST * end:
                raise ConvergenceError(
                    f"the time step collapsed at t = {now:.6g} s; give a larger [time] rtol "
                    "or look at the fields written so far"
                )
            if rejected > 1:
                order = max(1, order - 1)  # what lies behind does not tell what comes
            continue
        index += 1
        done = Step(index, time, step, new, formula, error, rejected, lands)
        rejected = 0
        past = past.and_then(time, new)
        if lands:
            marks.pop(0)
        if fixed:
            order = min(len(past) - 1, highest)
        elif errors:  # the first step has none, and is repeated
            liking = {order - 1: _DOWN, order: 1.0, order + 1: _UP}
            order = max(errors, key=lambda k: growth[k] * liking[k])
            size = step * growth[order]
        yield done, State(past, size, order, index)


def _growth(error: float, order: int) -> float:
    """By how much the next step may be longer; half where a step failed."""
    if not math.isfinite(error):
        return 0.5
    return min(GROWTH[order - 1], _SAFETY * float(max(error, 1e-12) ** (-1 / (order + 1))))


def _to_mark(size: float, left: float, *, fixed: bool) -> tuple[float, bool]:
    """The step to take when `left` remains to the next output, and whether it lands there."""
    count = math.ceil(left / size * (1 - 1e-9))
    if count <= 1:
        return left, True
    # even steps rather than full ones and a rest
    return (left / count if count <= _AHEAD and not fixed else size), False

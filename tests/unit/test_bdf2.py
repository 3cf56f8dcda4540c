"""Adaptive BDF2 on scalar problems."""

from collections.abc import Callable

import numpy as np
import pytest

from fem_spe.errors import ConvergenceError
from fem_spe.solve.bdf2 import Array, Rate, Step, error_share, extrapolate, integrate, rate


def decay(speed: float) -> Callable[[float, Rate, Array], Array]:
    return lambda time, formula, guess: -formula.rest / (formula.weight + speed)


def steps(advance, **options) -> list[Step]:
    norm = lambda difference: float(np.abs(difference).max())  # noqa: E731
    return list(integrate(advance, np.ones(1), norm=norm, **{"end": 2.0, "rtol": 1e-5} | options))


def test_output_times_are_met_exactly_and_the_end_is_the_last() -> None:
    taken = steps(decay(3.0), outputs=[0.1, 0.7, 1.9])
    assert [s.time for s in taken if s.is_output] == [0.1, 0.7, 1.9, 2.0]


def test_a_tighter_tolerance_gives_a_smaller_error() -> None:
    errors = [
        abs(steps(decay(3.0), rtol=rtol)[-1].values[0] - np.exp(-6.0)) for rtol in (1e-4, 1e-6)
    ]
    assert errors[1] < errors[0] / 5
    assert errors[0] < 1e-3


def test_the_rate_is_exact_for_parabolas_on_uneven_steps() -> None:
    times = [0.3, 1.0]
    formula = rate(1.4, times, [np.array([t**2]) for t in times])
    assert formula.weight * 1.4**2 + formula.rest[0] == pytest.approx(2 * 1.4)


def test_the_error_share_is_right_for_cubics() -> None:
    times = [0.0, 0.5, 0.8]
    cubes = [np.array([t**3]) for t in times]
    formula = rate(1.2, times[-2:], cubes[-2:])
    # u' = 3 t^2 is given, so that the formula's own error is that of its solution
    solved = (3 * 1.2**2 - formula.rest[0]) / formula.weight
    guess = extrapolate(1.2, times, cubes)[0]
    assert error_share(1.2, times) * (solved - guess) == pytest.approx(solved - 1.2**3)


def test_a_failed_step_is_tried_again_shorter() -> None:
    def moody(time: float, formula: Rate, guess: Array) -> Array:
        if 1.0 / formula.weight > 0.05:
            raise ConvergenceError("too long a step")
        return decay(1.0)(time, formula, guess)

    taken = steps(moody, rtol=1e-2)
    assert taken[-1].time == 2.0
    assert sum(s.rejected for s in taken) > 0


def test_a_collapsing_step_ends_with_the_time_in_the_message() -> None:
    def never(time: float, formula: Rate, guess: Array) -> Array:
        raise ConvergenceError("no")

    with pytest.raises(ConvergenceError, match=r"collapsed at t = 0 s"):
        steps(never)

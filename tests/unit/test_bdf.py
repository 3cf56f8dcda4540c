"""Steps and orders as the error allows, on scalar problems."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from fem_spe.errors import ConvergenceError
from fem_spe.solve.bdf import GROWTH, ORDERS, Array, Past, Rate, Step, integrate, local_error, rate


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


def powers(power: int, count: int) -> Past:
    times = (0.0, 0.5, 0.8, 1.0, 1.3)[-count:]
    return Past(times, tuple(np.array([t**power]) for t in times))


@pytest.mark.parametrize("order", ORDERS)
def test_the_rate_is_exact_for_polynomials_of_its_order_on_uneven_steps(order: int) -> None:
    for count in (order, order + 1):
        formula = rate(1.4, powers(order, count), order)
        value = formula.weight * 1.4**order + formula.rest[0]
        assert value == pytest.approx(order * 1.4 ** (order - 1))


@pytest.mark.parametrize("order", ORDERS)
def test_the_estimate_is_exact_for_polynomials_of_one_order_more(order: int) -> None:
    past = powers(order + 1, order + 1)
    formula = rate(1.4, past, order)
    # the rate is given, so that the formula's own error is that of its solution
    solved = ((order + 1) * 1.4**order - formula.rest) / formula.weight
    estimate = local_error(1.4, solved, past, order)
    assert estimate == pytest.approx(solved - 1.4 ** (order + 1))


@pytest.mark.parametrize("order", ORDERS)
def test_stiff_parts_fade_at_even_steps_of_every_order(order: int) -> None:
    for speed in (1e2, 1e4, 1e8):
        past = Past((0.0,), (np.ones(1),))
        for k in range(1, 60):
            formula = rate(float(k), past, min(order, k))
            past = past.and_then(float(k), -formula.rest / (formula.weight + speed))
        assert abs(past.values[-1][0]) < 1e-12


@pytest.mark.parametrize("order", ORDERS)
def test_round_off_does_not_grow_with_steps_that_grow_as_they_may(order: int) -> None:
    past = Past((0.0,), (np.ones(1),))
    size = 1.0
    for k in range(1, 60):
        now = past.times[-1] + size
        formula = rate(now, past, min(order, k))
        off = 1e-3 if k == 5 else 0.0
        past = past.and_then(now, -formula.rest / formula.weight + off)
        size *= GROWTH[order - 1]
    assert abs(past.values[-1][0] - 1.0) < 5e-3


def test_nothing_is_lost_where_nothing_flows() -> None:
    """The formulas have no weight on constants: what is stored stays, to round-off."""
    exchange = np.array([[1.0, -1.0], [-1.0, 1.0]])

    def advance(time: float, formula: Rate, guess: Array) -> Array:
        return np.linalg.solve(formula.weight * np.eye(2) + exchange, -formula.rest)

    taken = integrate(advance, np.array([1.0, 0.0]), end=5.0, rtol=1e-6, norm=np.linalg.norm)
    assert max(abs(s.values.sum() - 1.0) for s in taken) < 1e-13


def test_the_first_step_shrinks_with_the_tolerance_and_the_first_output() -> None:
    first = [steps(decay(1.0), rtol=r, outputs=[0.5])[0].size for r in (1e-4, 1e-6)]
    assert first == pytest.approx([5e-5, 5e-6])


def test_a_jump_on_the_way_is_caught_by_shorter_steps_of_lower_order() -> None:
    def kicked(time: float, formula: Rate, guess: Array) -> Array:
        source = 100.0 if time > 1.0 else 0.0
        return (source - formula.rest) / (formula.weight + 50.0)

    taken = steps(kicked)
    assert sum(s.rejected for s in taken) > 0
    expected = 2.0 * (1 - np.exp(-50.0 * (taken[-1].time - 1.0)))
    assert taken[-1].values[0] == pytest.approx(expected, abs=1e-3)
    assert max(s.values[0] for s in taken) < 2.0 + 1e-3


def test_a_stiff_cycle_keeps_its_period() -> None:
    """Van der Pol's oscillator at mu = 30, period from a tight Radau run."""

    def advance(time: float, formula: Rate, guess: Array) -> Array:
        u = guess.copy()
        for _ in range(20):
            x, y = u
            residual = formula.weight * u + formula.rest - [y, 30 * (1 - x * x) * y - x]
            slopes = [[0.0, 1.0], [-60 * x * y - 1, 30 * (1 - x * x)]]
            change = np.linalg.solve(formula.weight * np.eye(2) - slopes, residual)
            u -= change
            if np.abs(change).max() < 1e-11:
                return u
        raise ConvergenceError("Newton")

    start = np.array([2.0, 0.0])
    norm = lambda difference: float(np.abs(difference / [2.0, 40.0]).max())  # noqa: E731
    taken = list(integrate(advance, start, end=60.0, rtol=1e-6, norm=norm))
    expected = solve_ivp(
        lambda t, u: [u[1], 30 * (1 - u[0] ** 2) * u[1] - u[0]],
        (0.0, 60.0),
        start,
        method="Radau",
        rtol=1e-10,
        atol=1e-12,
    ).y[:, -1]
    assert taken[-1].values[0] == pytest.approx(expected[0], abs=2e-3)


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

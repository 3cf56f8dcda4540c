"""The shape of a front from a field on triangles, and steps that meet marks."""

import numpy as np
import pytest

from fem_spe.errors import ConvergenceError
from fem_spe.materials.deposition import deposition
from fem_spe.measure.front import contour, front, heights
from fem_spe.solve.march import march, start


def grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of the unit square."""
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1), indexing="ij")
    node = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = (m.ravel() for m in (node[:-1, :-1], node[1:, :-1], node[1:, 1:], node[:-1, 1:]))
    lower, upper = np.column_stack([a, b, c]), np.column_stack([a, c, d])
    return np.column_stack([x.ravel(), y.ravel()]), np.concatenate([lower, upper])


def test_a_straight_front_lies_where_it_is_and_is_smooth():
    points, cells = grid(10)
    order = 0.5 - (points[:, 1] - 0.43)
    pieces = contour(points, cells, order, points[:, :1])
    assert pieces[:, :, 2] == pytest.approx(pieces[:, :, 0])  # what goes along is interpolated
    found = front(pieces, 0.0, 1.0, 0.01)
    assert found.height == pytest.approx(0.43)
    assert found.roughness < 1e-15
    assert (found.coverage, found.tips) == (1.0, 0)
    assert found.length == pytest.approx(1.0)


def test_the_roughness_of_a_wave_and_its_tips():
    points, cells = grid(80)
    order = 0.5 - (points[:, 1] - 0.5 - 0.1 * np.sin(6 * np.pi * points[:, 0]))
    found = front(contour(points, cells, order), 0.0, 1.0, 0.05)
    assert found.roughness == pytest.approx(0.1 * 2 / np.pi, rel=5e-3)
    assert found.height == pytest.approx(0.5, abs=1e-3)
    assert found.top == pytest.approx(0.6, abs=2e-3)
    assert found.tips == 3
    x = np.linspace(0, 1, 10_001)
    length = np.hypot(np.diff(x), np.diff(0.1 * np.sin(6 * np.pi * x))).sum()
    assert found.length == pytest.approx(length, rel=5e-3)


def test_an_overhang_hides_what_lies_below():
    points, cells = grid(80)
    away = np.hypot(points[:, 0] - 0.5, points[:, 1] - 0.6)
    layer, ball = 0.2 - points[:, 1], 0.25 - away
    pieces = contour(points, cells, 0.5 + np.maximum(layer, ball))
    y = heights(pieces, 0.0, 1.0, 100)
    x = (np.arange(100) + 0.5) / 100
    covered = np.abs(x - 0.5) < 0.24
    assert y[covered] == pytest.approx(0.6 + np.sqrt(0.25**2 - (x[covered] - 0.5) ** 2), abs=5e-3)
    assert y[np.abs(x - 0.5) > 0.26] == pytest.approx(0.2)


def test_columns_without_a_front_are_left_out():
    points, cells = grid(20)
    middle = points[cells].mean(axis=1)
    open_ = cells[np.abs(middle[:, 0] - 0.5) > 0.25]  # a fibre stands in the way
    order = 0.5 - (points[:, 1] - 0.33 - 0.2 * (points[:, 0] > 0.5))
    found = front(contour(points, open_, order), 0.0, 1.0, 0.05)
    assert found.coverage == pytest.approx(0.5, abs=1e-3)
    assert found.height == pytest.approx(0.43)
    assert found.roughness == pytest.approx(0.1)
    assert front(contour(points, open_, order + 1.0), 0.0, 1.0, 0.05) is None


def test_marks_of_what_the_solution_tells_are_met():
    """u' = u from 1: the times at which u is 2 and 3."""
    steps = list(
        march(
            lambda _, rate, guess: -rate.rest / (rate.weight - 1.0),
            start(np.ones(1), 1e-3),
            marks=[2.0, 3.0],
            progress=lambda _, u: float(u[0]),
            tolerance=1e-9,
            rtol=1e-7,
            norm=lambda e: float(np.abs(e).max()),
            culprit=lambda _: "u",
        )
    )
    met = [(s.values[0], s.time) for s, _ in steps if s.is_output]
    assert [u for u, _ in met] == pytest.approx([2.0, 3.0], abs=1e-8)
    assert [t for _, t in met] == pytest.approx([np.log(2), np.log(3)], rel=1e-3)
    sizes = np.array([s.size for s, _ in steps])
    assert (sizes[1:] / sizes[:-1]).max() <= 1.5 + 1e-9
    # going on from a state in the middle leads to the same values
    _, state = steps[len(steps) // 2]
    again = list(
        march(
            lambda _, rate, guess: -rate.rest / (rate.weight - 1.0), state, marks=[2.0, 3.0],
            progress=lambda _, u: float(u[0]), tolerance=1e-9, rtol=1e-7,
            norm=lambda e: float(np.abs(e).max()), culprit=lambda _: "u",
        )
    )  # fmt: skip
    assert again[-1][0].values[0] == pytest.approx(3.0, abs=1e-8)


def test_a_mark_that_is_very_near_is_no_collapse():
    steps = list(
        march(
            lambda _, rate, guess: (1.0 - rate.rest) / rate.weight, start(np.zeros(1), 1e-3),
            marks=[1e-14], progress=lambda t, _: t, tolerance=1e-26, rtol=1.0,
            norm=lambda e: float(np.abs(e).max()), culprit=lambda _: "u",
        )
    )  # fmt: skip
    assert [s.time for s, _ in steps] == pytest.approx([1e-14])
    assert steps[-1][0].values[0] == pytest.approx(1e-14)


def test_a_leap_over_several_marks_goes_on_to_the_next_one():
    steps = list(
        march(
            lambda time, rate, guess: np.full(1, time), start(np.zeros(1), 1e-3),
            marks=[1.0, 2.0, 4.0, 6.0], tolerance=1e-6, rtol=1.0,
            progress=lambda t, _: 1e-3 * t + (5.0 if t >= 0.5 else 0.0),
            norm=lambda e: float(np.abs(e).max()), culprit=lambda _: "u",
        )
    )  # fmt: skip
    assert [s.is_output for s, _ in steps].count(True) == 2
    assert steps[-1][0].time == pytest.approx(1000.0)
    assert min(s.size for s, _ in steps) > 0.0


def test_a_collapsed_step_tells_when_and_what():
    def advance(time, rate, guess):
        if time > 0.5:
            raise ConvergenceError("no")
        return np.full(1, time)

    with pytest.raises(ConvergenceError, match=r"collapsed .* at t = 0\.\d+ s: the potential at"):
        list(
            march(
                advance, start(np.zeros(1), 0.01), marks=[1.0], progress=lambda t, _: t,
                tolerance=1e-12, rtol=1.0, norm=lambda e: float(np.abs(e).max()),
                culprit=lambda _: "the potential at (1, 2) um",
            )
        )  # fmt: skip


@pytest.mark.parametrize(("name", "barrier", "gradient"), [("A", 1.78, 0.5), ("B", 2.4, 0.3)])
def test_parameter_sets_in_normalised_units(name, barrier, gradient):
    """W and kappa over 2.5e6 J/m^3 and 1 um, L_eta in 1/s: as the literature prints them."""
    metal = deposition(name)
    assert metal.barrier / 2.5e6 == pytest.approx(barrier, rel=1e-3)
    assert metal.gradient_energy / 2.5e6 / 1e-12 == pytest.approx(gradient, rel=2e-3)
    assert metal.reaction_rate == pytest.approx({"A": 1.81e-3, "B": 1e-3}[name], rel=1e-3)


def test_another_width_keeps_planar_and_curved_motion():
    metal = deposition("A")
    thin = metal.with_width(0.3e-6)
    assert thin.interface_width * thin.reaction_rate == pytest.approx(
        metal.interface_width * metal.reaction_rate
    )
    assert thin.mobility * thin.gradient_energy == pytest.approx(
        metal.mobility * metal.gradient_energy
    )
    assert thin.surface_energy == metal.surface_energy

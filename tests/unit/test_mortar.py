"""Weights between two lines that do not match, and the ties that they make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fem_spe.errors import ConvergenceError
from fem_spe.solve.solids.mortar.lines import Weights, weigh


def line(xs: np.ndarray, height: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of a line and its edges; of three nodes the middles come last."""
    corners = np.column_stack([xs, height])
    ends = np.column_stack([np.arange(len(xs) - 1), np.arange(1, len(xs))])
    if nodes == 2:
        return corners, ends
    middles = 0.5 * (corners[1:] + corners[:-1])
    number = len(xs) + np.arange(len(ends))
    return np.vstack([corners, middles]), np.column_stack([ends, number])


def over(nodes: int, below: int, tilt: float = 0.0) -> Weights:
    """Weights of two lines of different cells, one a constant height over the other."""
    lower = np.array([0.0, 0.11, 0.35, 0.5, 0.83, 1.0])
    upper = np.array([0.05, 0.2, 0.3, 0.52, 0.9])
    return weigh(*line(upper, tilt * upper + 0.01, nodes), *line(lower, tilt * lower, below))


@pytest.mark.parametrize("nodes", [2, 3])
@pytest.mark.parametrize("below", [2, 3])
@pytest.mark.parametrize("tilt", [0.0, 0.4])
def test_a_constant_gap_and_a_constant_pressure_are_exact(
    nodes: int, below: int, tilt: float
) -> None:
    weights = over(nodes, below, tilt)
    assert weights.share.sum(axis=1) == pytest.approx(1.0, rel=1e-13)
    across = 0.01 / np.hypot(1.0, tilt)
    assert weights.gap == pytest.approx(across, rel=1e-12)
    assert weights.area.sum() == pytest.approx(0.85 * np.hypot(1.0, tilt), rel=1e-13)
    assert np.all(weights.area > 0.0)
    assert weights.normal == pytest.approx(
        np.tile([-tilt, 1.0], (len(weights.gap), 1)) / np.hypot(1.0, tilt), abs=1e-13
    )


@given(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_forces_keep_their_sum_and_their_moment(a: float, b: float) -> None:
    """Pressures that are linear along the line come down with the same moment."""
    weights = over(3, 3)
    lower = np.array([0.0, 0.11, 0.35, 0.5, 0.83, 1.0])
    x_below = np.concatenate([lower, 0.5 * (lower[1:] + lower[:-1])])
    upper = np.array([0.05, 0.2, 0.3, 0.52, 0.9])
    x_above = np.concatenate([upper, 0.5 * (upper[1:] + upper[:-1])])
    force = (a + b * x_above) * weights.area
    down = weights.share.T @ force
    assert down.sum() == pytest.approx(force.sum(), abs=1e-15)
    # dual weights find the place under each slave up to the edge's quadratic part
    assert down @ x_below == pytest.approx(force @ x_above, abs=1e-15)


def test_edges_that_stand_upright_are_left_out() -> None:
    """A round end: what is steep cannot touch, and has no length to bear a pressure."""
    upper = np.array([[0.2, 0.5], [0.2, 0.1], [0.5, 0.0], [0.8, 0.1], [0.81, 0.6]])
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    lower = line(np.linspace(0.0, 1.0, 4), np.full(4, -0.1), 2)
    weights = weigh(upper, edges, *lower)
    assert list(weights.area > 0.0) == [False, True, True, True, False]
    assert np.isinf(weights.gap[[0, 4]]).all()
    assert np.isfinite(weights.gap[1:4]).all()


def test_a_fold_below_and_a_ball_beyond_the_surface_are_refused() -> None:
    upper = line(np.linspace(0.2, 0.8, 4), np.zeros(4), 2)
    folded = line(np.array([0.0, 0.6, 0.4, 1.0]), np.full(4, -0.1), 2)
    with pytest.raises(ConvergenceError, match="folds"):
        weigh(*upper, *folded)
    short = line(np.linspace(0.0, 0.7, 4), np.full(4, -0.1), 2)
    with pytest.raises(ConvergenceError, match="beyond the surface"):
        weigh(*upper, *short)

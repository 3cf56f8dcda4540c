"""Weights between two surfaces that do not match, and the ties that they make."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fem_spe.errors import ConvergenceError
from fem_spe.solve.solids.mortar.faces import Face, weigh
from fem_spe.solve.solids.mortar.lines import Weights
from fem_spe.solve.solids.mortar.parts import at, cut
from fem_spe.solve.solids.mortar.ties import tie

LOWER = np.array([-0.1, 0.2, 0.5, 0.62, 1.1])
UPPER = np.array([0.0, 0.3, 0.55, 0.9])
TILT = np.array([0.3, -0.2])


def surface(
    xs: np.ndarray, degree: int, height: float = 0.0, tilt: float = 0.0, bend: float = 0.0
) -> Face:
    """A square of triangles on lines at xs; `bend` bows sides in the plane."""
    n = len(xs)
    corners = np.stack(np.meshgrid(xs, xs, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(n * n).reshape(n, n)
    a, b, c, d = (
        q.ravel() for q in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])
    )
    facets = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    places, ends = corners, np.zeros((0, 2), dtype=np.int64)
    if degree == 2:
        sides = np.concatenate([facets[:, [i, j]] for i, j in ((0, 1), (1, 2), (2, 0))])
        ends, inverse = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
        facets = np.column_stack([facets, n * n + inverse.reshape(3, -1).T])
        places = np.vstack([corners, corners[ends].mean(axis=1)])
    low, size = xs[0], np.ptp(xs)
    bump = bend * np.prod(np.sin(np.pi * (places - low) / size), axis=1)
    places = places + np.column_stack([bump, -bump])
    z = height + tilt * places @ TILT
    nodes = np.arange(len(places))
    return Face(nodes, facets, np.column_stack([places, z]), n * n, ends, cut(places[facets]))


def turn(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cross product in the plane."""
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


def weights(upper: Face, lower: Face) -> Weights:
    return weigh(upper, upper.at, lower, lower.at)


@pytest.mark.parametrize("above", [1, 2])
@pytest.mark.parametrize("below", [1, 2])
@pytest.mark.parametrize("tilt", [0.0, 1.0])
@pytest.mark.parametrize("bend", [0.0, 0.04])
def test_a_constant_gap_and_a_constant_pressure_are_exact(
    above: int, below: int, tilt: float, bend: float
) -> None:
    upper, lower = surface(UPPER, above, 0.01, tilt, bend), surface(LOWER, below, 0.0, tilt, bend)
    found = weights(upper, lower)
    steep = np.sqrt(1.0 + tilt * TILT @ TILT)
    assert found.share.sum(axis=1) == pytest.approx(1.0, rel=1e-12)
    assert found.gap == pytest.approx(0.01 / steep, rel=1e-11)
    assert found.area.sum() == pytest.approx(0.81 * steep, rel=1e-12)
    assert np.all(found.area > 0.0)
    expected = np.array([*(-tilt * TILT), 1.0]) / steep
    assert found.normal == pytest.approx(np.tile(expected, (upper.slaves, 1)), abs=1e-12)


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
@settings(max_examples=20)
def test_forces_keep_their_sum_and_their_moments(a: float, b: float, c: float) -> None:
    """Pressures that are linear in the plane come down with the same moments."""
    upper, lower = surface(UPPER, 1), surface(LOWER, 2)
    found = weights(upper, lower)
    force = (a + upper.at[:, :2] @ np.array([b, c])) * found.area
    down = found.share.T @ force
    assert down.sum() == pytest.approx(force.sum(), abs=1e-14)
    assert down @ lower.at == pytest.approx(force @ upper.at, abs=1e-14)


def test_an_even_pressure_comes_down_as_on_a_matching_mesh() -> None:
    """On quadratic triangles: a third to the middle of each side, nothing to corners."""
    upper, lower = surface(np.array([-0.1, 0.33, 1.1]), 2), surface(LOWER, 2)
    found = weights(upper, lower)
    down = found.share.T @ found.area
    expected = np.zeros(len(lower.at))
    a, b, c = np.moveaxis(lower.at[lower.facets[:, :3], :2], 1, 0)
    area = 0.5 * turn(b - a, c - a)
    np.add.at(expected, lower.facets[:, 3:], area[:, None] / 3.0)
    assert down == pytest.approx(expected, abs=1e-14)


def test_slaves_of_quadratic_triangles_keep_their_weighted_gap_closed() -> None:
    """What T makes of any unknowns moves with the surface below, in the weighted mean."""
    upper, lower = surface(UPPER, 2, 0.01), surface(LOWER, 2)
    found = weights(upper, lower)
    active = upper.at[: upper.slaves, 0] > 0.4
    normal = found.normal[: upper.slaves]
    T, shift, bent = tie(upper, lower, found, normal, active)
    u = (T @ np.random.default_rng(1).normal(size=T.shape[1])).reshape(-1, 3)
    n, slaves = len(upper.at), upper.slaves
    for moved, wanted in ((u, 0.0), (shift, -found.gap)):
        bow = moved[slaves:n] - moved[upper.ends].mean(axis=1)
        over = moved[:slaves, 2] + found.bow @ bow[:, 2] - found.share @ moved[n:, 2]
        assert over[active] == pytest.approx((wanted + np.zeros(slaves))[active], abs=1e-13)
    # a middle keeps its own unknown where no slave beside it touches
    far = upper.at[upper.ends, 0].max(axis=1) < 0.2
    assert far.any()
    assert not bent[far].any()
    rigid = np.tile([0.0, 0.0, 1.0], (len(u), 1))
    rigid[:slaves][active] = 0.0
    rigid[slaves:n][bent] = 0.0
    assert (T @ rigid.ravel()).reshape(-1, 3)[:, 2] == pytest.approx(1.0, abs=1e-13)


def test_bent_triangles_are_cut_until_their_parts_are_straight() -> None:
    straight, bent = surface(UPPER, 2), surface(UPPER, 2, bend=0.05)
    assert len(straight.parts.of) == len(straight.facets)
    places = bent.at[bent.facets][:, :, :2]
    parts = cut(places)
    assert len(parts.of) > 2 * len(places)
    a, b, c = np.moveaxis(at(places, parts, parts.places), 1, 0)
    area = 0.5 * turn(b - a, c - a)
    assert np.all(area > 0.0)
    # no gap and no overlap: the boundary is straight
    assert area.sum() == pytest.approx(0.81, rel=1e-13)


def test_triangles_that_stand_upright_are_left_out() -> None:
    upper, lower = surface(UPPER, 1), surface(LOWER, 1, -0.1)
    moved = upper.at.copy()
    steep = moved[:, 0] == 0.0
    moved[steep] += [0.299, 0.0, 0.5]
    found = weigh(upper, moved, lower, lower.at)
    assert np.array_equal(found.area == 0.0, steep)
    assert np.array_equal(np.isinf(found.gap), steep)
    assert found.share.sum(axis=1)[~steep] == pytest.approx(1.0, rel=1e-12)


def test_a_fold_below_and_a_ball_beyond_the_surface_are_refused() -> None:
    upper, lower = surface(UPPER, 1), surface(LOWER, 1)
    folded = lower.at.copy()
    folded[6, 0] = 0.7
    with pytest.raises(ConvergenceError, match="folds"):
        weigh(upper, upper.at, lower, folded)
    with pytest.raises(ConvergenceError, match="beyond the surface"):
        weigh(upper, upper.at + np.array([0.3, 0.0, 0.0]), lower, lower.at)


def test_parts_of_neighbours_meet() -> None:
    """Sides are cut alike from both sides, so that parts tile the plane without hanging ends."""
    bent = surface(UPPER, 2, bend=0.05)
    places = bent.at[bent.facets][:, :, :2]
    parts = cut(places)
    corners = np.round(at(places, parts, parts.places), 12)
    count: dict[tuple[tuple[float, ...], ...], int] = {}
    for triangle in corners:
        for one, other in pairwise([*triangle, triangle[0]]):
            side = tuple(sorted((tuple(one), tuple(other))))
            count[side] = count.get(side, 0) + 1
    for (one, other), times in count.items():
        middle = 0.5 * (np.array(one) + np.array(other))
        outside = np.isclose(middle, 0.0).any() or np.isclose(middle, 0.9).any()
        assert times == (1 if outside else 2)

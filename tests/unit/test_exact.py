"""The closed forms agree with each other and with known special cases."""

import math

import pytest

from fem_spe.exact import conduction as exact

FRACTIONS = (0.05, 0.2, 0.35, 0.5)
CONTRASTS = (0.0, 0.01, 0.5, 2.0, 50.0)


@pytest.mark.parametrize("fraction", FRACTIONS)
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_square_arrays_lie_within_hashin_shtrikman_and_those_within_wiener(
    fraction: float, contrast: float
) -> None:
    low, high = exact.hashin_shtrikman_bounds(fraction, contrast)
    wide_low, wide_high = exact.wiener_bounds(fraction, contrast)
    assert wide_low <= low <= exact.square_array(fraction, contrast) <= high * (1 + 1e-12)
    assert high <= wide_high


@pytest.mark.parametrize("fraction", FRACTIONS)
@pytest.mark.parametrize("contrast", [0.01, 0.5, 7.0])
def test_square_arrays_are_reciprocal(fraction: float, contrast: float) -> None:
    product = exact.square_array(fraction, contrast) * exact.square_array(fraction, 1 / contrast)
    assert product == pytest.approx(1.0, abs=1e-12)


def test_square_array_is_maxwell_for_few_insulating_circles() -> None:
    assert exact.square_array(0.01) == pytest.approx((1 - 0.01) / (1 + 0.01), rel=1e-8)


def test_inclusions_like_the_matrix_change_nothing() -> None:
    assert exact.square_array(0.3, 1.0) == 1.0
    assert exact.hashin_shtrikman_bounds(0.3, 1.0) == (1.0, 1.0)


@pytest.mark.parametrize("across", [True, False])
def test_differential_medium_gives_the_square_for_circles(across: bool) -> None:
    value = exact.differential_ellipses(0.3, 1.0, across_long_axis=across)
    assert value == pytest.approx(0.7**2)


def test_required_aspect_inverts_the_differential_medium() -> None:
    relative = exact.differential_ellipses(0.2, 1.83, across_long_axis=True)
    assert exact.differential_aspect(0.2, relative) == pytest.approx(1.83)


def test_mean_aspect_of_fibres_in_a_plane_is_the_mean_over_those_met() -> None:
    steps = 20_000
    angles = [(-0.5 + (k + 0.5) / steps) * math.pi for k in range(steps)]
    weights = [math.cos(a) for a in angles]
    mean = sum(w / math.cos(a) for w, a in zip(weights, angles, strict=True)) / sum(weights)
    assert exact.mean_aspect_in_plane() == pytest.approx(mean, rel=1e-6)


def test_layers_in_series_are_led_by_the_worst_and_in_parallel_by_the_best() -> None:
    assert exact.layers_in_series([1, 1], [1.0, 3.0]) == pytest.approx(1.5)
    assert exact.layers_in_parallel([1, 1], [1.0, 3.0]) == pytest.approx(2.0)

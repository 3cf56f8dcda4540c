"""The closed forms agree with each other and with known special cases."""

import math

import numpy as np
import pytest

from fem_spe.exact import conduction as exact
from fem_spe.exact import transient

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


POSITIONS = np.linspace(0.0, 1.0, 11)
LAYERS = (
    transient.Layer(0.3, 1.0),
    transient.Layer(0.5, 0.1, 24.0),
    transient.Layer(0.2, 2.0, 0.3),
)


@pytest.mark.parametrize("fourier", [0.01, 0.1, 0.5])
def test_layers_alike_are_one_slab_in_time(fourier: float) -> None:
    alike = (transient.Layer(0.3, 1.0), transient.Layer(0.7, 1.0))
    value = transient.layered(alike, POSITIONS, fourier)
    assert value == pytest.approx(transient.slab(POSITIONS, fourier), abs=1e-12)
    assert transient.layered_mean(alike, fourier) == pytest.approx(transient.slab_mean(fourier))
    outflow = transient.layered_outflow(alike, fourier)
    assert outflow == pytest.approx(transient.slab_outflow(fourier))


def test_a_slab_is_at_first_as_deep_as_it_likes() -> None:
    value = transient.slab(POSITIONS, 0.005)
    deep = transient.half_space(1.0 - POSITIONS, 0.005, 1.0)
    assert value == pytest.approx(deep, abs=1e-9)


def test_u_and_the_flux_go_on_across_layers_in_time() -> None:
    step = 1e-5
    for bound, below, above in ((0.3, *LAYERS[:2]), (0.8, *LAYERS[1:])):
        around = np.array([bound - 2 * step, bound - step, bound - 1e-13, bound + 1e-13])
        around = np.append(around, [bound + step, bound + 2 * step])
        u = transient.layered(LAYERS, around, 0.3)
        assert u[2] == pytest.approx(u[3], abs=1e-10)
        flux_below = below.diffusivity * below.partition * (3 * u[2] - 4 * u[1] + u[0])
        flux_above = above.diffusivity * above.partition * (-3 * u[3] + 4 * u[4] - u[5])
        assert flux_below == pytest.approx(flux_above, rel=1e-5)


def test_the_mean_of_layers_in_time_is_that_of_their_values() -> None:
    middles = (np.arange(5000) + 0.5) / 5000
    partition = np.select([middles < 0.3, middles < 0.8], [1.0, 24.0], 0.3)
    stored = (partition * transient.layered(LAYERS, middles, 0.3)).mean()
    mean = stored / partition.mean()
    assert transient.layered_mean(LAYERS, 0.3) == pytest.approx(mean, rel=1e-6)


def test_layers_are_empty_at_first_and_steady_in_the_end() -> None:
    assert transient.layered(LAYERS, POSITIONS[:6], 0.005) == pytest.approx(0.0, abs=1e-9)
    resistance = 0.3 + 0.5 / 2.4 + 0.2 / 0.6
    assert transient.layered_outflow(LAYERS, np.inf) == pytest.approx(1 / resistance)
    steady = transient.layered(LAYERS, np.array([0.3, 0.8]), np.inf)
    assert steady == pytest.approx([0.3 / resistance, 1 - (0.2 / 0.6) / resistance])

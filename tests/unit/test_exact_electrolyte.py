"""The closed forms of the electrolyte against each other and against quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fem_spe.exact import electrolyte as exact


def test_voltage_and_flux_are_inverse_and_bruce_vincent_tends_to_t_plus():
    assert exact.steady_flux(exact.steady_voltage(0.7)) == pytest.approx(0.7, rel=1e-14)
    small = 1e-4
    ratio = exact.steady_flux(small) / exact.ohmic_flux(small, 0.41)
    assert ratio == pytest.approx(0.41, rel=1e-8)


def test_sands_time_of_the_paper():
    # PHYSICS: 0.056 s for RSE at 0.025 mol/m^2/s
    up, down = 5.82e-12, 1.18e-11
    found = exact.sand_time(0.025, 1600.0, 2 * up * down / (up + down), up / (up + down))
    assert found == pytest.approx(0.056, rel=0.01)


def test_fixed_anions_keep_the_mean_and_vanish_continuously():
    x = np.linspace(0.0, 1.0, 2001)
    mobile, _ = exact.fixed_anions(x, 1.2, 0.4)
    assert np.trapezoid(mobile, x) == pytest.approx(0.6, rel=1e-7)
    few, voltage = exact.fixed_anions(x, 1.2, 1e-9)
    assert np.abs(few - exact.profile(x, 0.3)).max() < 1e-8
    assert voltage == pytest.approx(exact.steady_voltage(0.3), rel=1e-8)


def test_fixed_anions_carry_more_than_the_limiting_flux():
    mobile, voltage = exact.fixed_anions(np.array([0.0, 1.0]), 6.0, 0.4)
    assert 0.0 < mobile[1] < 1e-2
    assert math.isfinite(voltage)


def test_impedance_has_its_limits():
    assert exact.impedance(1e-9, 0.33) == pytest.approx(1 / 0.33, rel=1e-8)
    assert exact.impedance(1e9, 0.33) == pytest.approx(1.0, rel=1e-4)

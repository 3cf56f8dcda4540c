"""The closed forms of plasticity agree with one another and know their limits."""

from __future__ import annotations

import math

import pytest

from fem_spe.exact.plasticity import Metal, limit_pressure, plastic_radius

METAL = Metal(7.8e9, 0.38, 0.8e6, 50e6)


def test_each_closed_form_is_elastic_just_at_yield() -> None:
    first, E, mu = METAL.yield_stress, METAL.youngs_modulus, METAL.mu
    assert METAL.tension(first / E) == pytest.approx((first, 0.0), abs=1e-12 * first)
    strain = first / (2 * mu)
    stress, plastic = METAL.confined(strain)
    assert stress == pytest.approx((METAL.bulk + 4 / 3 * mu) * strain, rel=1e-12)
    assert plastic == pytest.approx(0.0, abs=1e-15)
    stress, plastic = METAL.shear(first / (math.sqrt(3) * mu))
    assert stress == pytest.approx(first / math.sqrt(3), rel=1e-12)
    assert plastic == pytest.approx(0.0, abs=1e-15)


def test_hardening_is_what_the_von_mises_stress_rises_by() -> None:
    stress, plastic = METAL.tension(5e-3)
    assert stress == pytest.approx(METAL.yield_stress + METAL.hardening * plastic, rel=1e-12)
    stress, plastic = METAL.shear(5e-3)
    now = METAL.yield_stress + METAL.hardening * plastic
    assert math.sqrt(3) * stress == pytest.approx(now, rel=1e-12)


def test_all_of_a_thick_cylinder_yields_at_its_limit() -> None:
    limit = limit_pressure(1.0, 1.0, 2.0)
    assert plastic_radius(limit * (1 - 1e-12), 1.0, 1.0, 2.0) == pytest.approx(
        2.0, rel=1e-5
    )  # a double root
    first = (1.0 - 0.25) / math.sqrt(3.0)
    assert plastic_radius(first * (1 + 1e-12), 1.0, 1.0, 2.0) == pytest.approx(1.0, rel=1e-9)
    for pressure in (0.9 * first, 1.1 * limit):
        with pytest.raises(ValueError, match="no part, or all"):
            plastic_radius(pressure, 1.0, 1.0, 2.0)

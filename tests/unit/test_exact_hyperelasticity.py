"""Closed forms of the neo-Hookean solid, by its energy."""

from __future__ import annotations

import math

import pytest

from fem_spe.exact.hyperelasticity import simple_shear, uniaxial


@pytest.mark.parametrize("plane", [False, True])
def test_the_nominal_stress_is_the_slope_of_the_energy(plane: bool) -> None:
    lam, mu, step = 3.0, 1.5, 1e-5
    for stretch in (0.4, 0.9, 1.0, 1.3, 3.0):
        high, low = (uniaxial(stretch + s, lam, mu, plane=plane) for s in (step, -step))
        slope = (high.energy - low.energy) / (2 * step)
        found = uniaxial(stretch, lam, mu, plane=plane)
        assert slope == pytest.approx(found.stress, abs=1e-8)
        # the sides are free
        t, volume = found.lateral, stretch * found.lateral ** (1 if plane else 2)
        assert mu * (t**2 - 1.0) + lam * math.log(volume) == pytest.approx(0.0, abs=1e-14)


def test_shear_stress_is_the_slope_of_the_energy() -> None:
    mu, shear, step = 1.5, 0.5, 1e-5
    slope = (simple_shear(shear + step, mu).energy - simple_shear(shear - step, mu).energy) / 2
    assert slope / step == pytest.approx(simple_shear(shear, mu).stress, rel=1e-9)

"""Arrhenius' law through values over temperature."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fem_spe.ensemble.arrhenius import arrhenius
from fem_spe.units import AVOGADRO, ELEMENTARY_CHARGE, GAS_CONSTANT

BOLTZMANN = GAS_CONSTANT / AVOGADRO
KELVIN = np.array([283.15, 298.15, 313.15, 328.15, 343.15])


def law(energy: float, temperature: np.ndarray) -> np.ndarray:
    return 7.0 * np.exp(-energy * ELEMENTARY_CHARGE / (BOLTZMANN * temperature))


@pytest.mark.parametrize("energy", [0.071, 0.094, 0.107, -0.05])
def test_exact_values_give_the_energy_and_the_prefactor_with_no_doubt(energy: float) -> None:
    found = arrhenius(KELVIN, law(energy, KELVIN))
    assert found.energy.value / ELEMENTARY_CHARGE == pytest.approx(energy, rel=1e-12)
    assert found.prefactor == pytest.approx(7.0, rel=1e-11)
    assert found.energy.high - found.energy.low < 1e-9 * ELEMENTARY_CHARGE
    assert np.allclose(found.at(KELVIN), law(energy, KELVIN), rtol=1e-12)


def test_the_interval_is_that_of_the_textbook() -> None:
    # ln y = 1, 2, 4 over 1/T = 1, 2, 3: slope 3/2, residuals 1/6, -1/3, 1/6, s^2 = 1/6,
    # error of the slope 1/sqrt(12), t(0.975, 1) = 12.7062
    found = arrhenius(1.0 / np.array([1.0, 2.0, 3.0]), np.exp([1.0, 2.0, 4.0]))
    low, high = (e / BOLTZMANN for e in found.energy[1:])
    assert found.energy.value / BOLTZMANN == pytest.approx(-1.5, rel=1e-12)
    assert (high - low) / 2 == pytest.approx(12.7062047 / math.sqrt(12), rel=1e-8)
    assert str(found).endswith("(95 %, 3 temperatures)")


def test_the_interval_holds_the_truth_in_ninety_five_of_a_hundred_samples() -> None:
    rng, true, held = np.random.default_rng(1), 0.1 * ELEMENTARY_CHARGE, 0
    for _ in range(2000):
        noisy = law(0.1, KELVIN) * np.exp(0.05 * rng.standard_normal(len(KELVIN)))
        _, low, high = arrhenius(KELVIN, noisy).energy
        held += low <= true <= high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("kelvin", "values", "what"),
    [
        ([300.0, 310.0], [1.0, 2.0], "needs 3 or more"),
        ([300.0, 310.0, 320.0], [1.0, 2.0], "3 temperatures and 2 values"),
        ([300.0, 310.0, 320.0], [1.0, 0.0, 2.0], "above zero"),
        ([300.0, 310.0, math.nan], [1.0, 1.0, 2.0], "above zero"),
        ([300.0, 300.0, 300.0], [1.0, 1.0, 2.0], "all temperatures are the same"),
    ],
)
def test_numbers_without_a_line_are_refused(
    kelvin: list[float], values: list[float], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        arrhenius(kelvin, values)

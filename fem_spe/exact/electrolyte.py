"""Closed forms for a binary 1:1 electrolyte between electrodes that only the cation passes.

Concentrations are over the mean c0, lengths over the thickness L, voltages over RT/F, and
fluxes over the limiting one, 4 D+ c0 / L, unless said otherwise. The cation leaves at x = 1.

Derived from dilute-solution theory (Newman & Thomas-Alyea, Electrochemical Systems, 3rd ed.
2004, ch. 11) where no other source is named.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import scipy
from numpy.typing import NDArray


def profile(x: NDArray[np.float64], flux: float) -> NDArray[np.float64]:
    """Steady concentration 1 + j (1 - 2x) at the flux j."""
    return np.asarray(1.0 + flux * (1.0 - 2.0 * x))


def steady_flux(voltage: float) -> float:
    """Flux at a difference of the cation's electrochemical potential: tanh(V / 4)."""
    return math.tanh(voltage / 4.0)


def steady_voltage(flux: float) -> float:
    """Its inverse, 2 ln((1 + j) / (1 - j))."""
    return 4.0 * math.atanh(flux)


def ohmic_flux(voltage: float, transference: float) -> float:
    """Flux at first, while the concentration is even: sigma V / L, that is V / (4 t+)."""
    return voltage / (4.0 * transference)


def charge_transfer(flux: float, exchange: float) -> float:
    """Overpotential of one electrode with alpha = 1/2: 2 asinh(j / 2 j0) (Butler & Volmer)."""
    return 2.0 * math.asinh(flux / (2.0 * exchange))


def limiting_flux(diffusivity: float, concentration: float, length: float) -> float:
    """4 D+ c0 / L = 4 t+ sigma R T / (F^2 L), mol/m^2/s; arguments in SI."""
    return 4.0 * diffusivity * concentration / length


def sand_time(flux: float, concentration: float, ambipolar: float, transference: float) -> float:
    """When the concentration at the electrode of a deep cell reaches zero, s; arguments in SI.

    pi D [c0 / (2 J (1 - t+))]^2 with D the ambipolar diffusivity (Sand, Phil. Mag. 1, 1901, 45).
    """
    return math.pi * ambipolar * (concentration / (2.0 * flux * (1.0 - transference))) ** 2


def fixed_anions(
    x: NDArray[np.float64], flux: float, fixed: float
) -> tuple[NDArray[np.float64], float]:
    """Steady concentration of the mobile anions where others are fixed, and the voltage.

    2 a + f ln a = C - J x with a the mobile anions, f the `fixed` fraction, and J = `flux` in
    units of D+ c0 / L; C is such that the mean of a is 1 - f. The voltage is the difference of
    ln(a c), the cation's electrochemical potential, with c = a + f the cations.
    """

    def mobile(right: float) -> float:
        def excess(log: float) -> float:
            return 2.0 * math.exp(log) + fixed * log - right

        return math.exp(scipy.optimize.brentq(excess, -700.0, 10.0, xtol=1e-15, rtol=1e-15))

    def mean(ends: tuple[float, float]) -> float:
        # dx = -(2 + f / a) da / J, so that the integral of a dx is one of a polynomial
        high, low = ends
        return ((high**2 - low**2) + fixed * (high - low)) / flux

    def ends(constant: float) -> tuple[float, float]:
        return mobile(constant), mobile(constant - flux)

    def short(constant: float) -> float:
        return mean(ends(constant)) - (1.0 - fixed)

    constant = scipy.optimize.brentq(
        short, flux - 200.0 * fixed, flux + 10.0, xtol=1e-15, rtol=1e-15
    )
    high, low = ends(constant)
    # the anions rest, so that F phi / RT is ln a
    voltage = math.log(high * (high + fixed) / (low * (low + fixed)))
    return np.array([mobile(constant - flux * s) for s in x]), voltage


def impedance(frequency: float, transference: float) -> complex:
    """Z over L / sigma of the symmetric cell; `frequency` is omega L^2 / (4 D), D ambipolar.

    1 + (t-/t+) tanh(s) / s with s = sqrt(i omega L^2 / 4 D) (Ross Macdonald, J. Chem. Phys. 58,
    1973, 4982, for the electroneutral limit).
    """
    s = cmath.sqrt(1j * frequency)
    return 1.0 + (1.0 - transference) / transference * cmath.tanh(s) / s


def charged_impedance(
    frequency: float, transference: float, resistance: float, time: float
) -> complex:
    """Z over L / sigma of the symmetric cell whose reactions have a double layer beside them.

    Each electrode has the `resistance` R (over L / sigma) of a reaction driven by mu, and a
    capacitance C driven by psi, charged by cations; `time` is 4 D R C / L^2, the others are as
    in `impedance`. With T = tanh(s) / s half the cell is [1 + (t-/t+) T] / 2 - W from the
    middle up to psi at the electrode, and (R + W) / (1 + i omega R C) beyond it, with
    W = T / (4 t+) what the concentration there adds (Randles, Discuss. Faraday Soc. 1, 1947, 11).
    Where `time` is small this is `impedance` + 2 R / (1 + i omega R C), arcs in a row.
    """
    s = cmath.sqrt(1j * frequency)
    concentration = cmath.tanh(s) / s / (4.0 * transference)
    beyond = (resistance + concentration) / (1.0 + 1j * frequency * time)
    return impedance(frequency, transference) + 2.0 * (beyond - concentration)


def depletion_time(flux: float) -> float:
    """When the concentration at the electrode of a closed cell reaches zero, over L^2 / D.

    The constant `flux` is over the limiting one, above 1, and D the ambipolar diffusivity. With
    j the flux the concentration there is 1 - j [1 - sum of 8 / (n pi)^2 e^(-(n pi)^2 t)] over odd
    n (Carslaw & Jaeger 1959, sect. 3.8, for equal flux in and out); far above 1 this is Sand's
    pi / (16 j^2).

    Raises:
        ValueError: unless the flux is above 1, where nothing is ever depleted.
    """
    if flux <= 1.0:
        raise ValueError("at or below the limiting flux nothing is depleted")
    sand = math.pi / (16.0 * flux**2)
    n = math.pi * np.arange(1.0, 40.0 * math.ceil(flux), 2.0)  # e^-(n^2 sand) vanishes at the last

    def left(time: float) -> float:
        lost = 1.0 - float(np.sum(8.0 / n**2 * np.exp(-(n**2) * time)))
        return 1.0 - flux * lost

    latest = 1.0 + math.log(flux / (flux - 1.0)) / math.pi**2
    return float(scipy.optimize.brentq(left, 0.5 * sand, latest, xtol=1e-12 * sand, rtol=1e-12))

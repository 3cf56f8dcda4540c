"""Closed forms of the phase-field front: profile, surface energy, planar law, circle.

Of E = integral of W phi^2 (1 - phi)^2 + kappa |grad phi|^2 / 2 and
d phi/dt = -L (g' - kappa laplace phi) - L_eta h' R (Allen & Cahn, Acta Metall. 27 (1979) 1085;
Liang et al., Appl. Phys. Lett. 101 (2012) 233904, for the reaction).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def width(barrier: float, gradient_energy: float) -> float:
    """delta = 2 sqrt(2 kappa / W), m."""
    return float(2.0 * np.sqrt(2.0 * gradient_energy / barrier))


def profile(distance: Floats, width: float) -> Floats:
    """phi = (1 - tanh(2 x / delta)) / 2 at the signed distance x from the metal."""
    return np.asarray(0.5 * (1.0 - np.tanh(2.0 * distance / width)))


def surface_energy(barrier: float, gradient_energy: float) -> float:
    """sqrt(2 W kappa) / 6, J/m^2."""
    return float(np.sqrt(2.0 * barrier * gradient_energy) / 6.0)


def planar_speed(width: float, rate: float, reaction: float) -> float:
    """v = -(3 delta / 2) L_eta R, m/s; R < 0 deposits.

    From the equation tested with the profile's own derivative: the energy does no work on a
    profile that only moves, and the square of the derivative has the integral 2 / (3 delta).
    """
    return -1.5 * width * rate * reaction


def reaction(concentration: float, overpotential: float, alpha: float) -> float:
    """R = e^((1 - alpha) u) - c e^(-alpha u), u in RT/F (Butler & Volmer)."""
    forward = np.exp((1.0 - alpha) * overpotential)
    return float(forward - concentration * np.exp(-alpha * overpotential))


def circle_area(start: float, mobility: float, gradient_energy: float, time: float) -> float:
    """Area of a shrinking circle, m^2: dA/dt = -2 pi L kappa."""
    return float(start - 2.0 * np.pi * mobility * gradient_energy * time)

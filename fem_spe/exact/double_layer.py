"""Closed forms of the layer of an electrolyte at a charged wall, 1:1 unless said otherwise.

Potentials are over RT/F and lengths over the Debye length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def potential(x: NDArray[np.float64], zeta: float) -> NDArray[np.float64]:
    """4 artanh(tanh(zeta / 4) e^-x) (Gouy 1910, Chapman 1913)."""
    return np.asarray(4.0 * np.arctanh(math.tanh(zeta / 4.0) * np.exp(-x)))


def wall_charge(zeta: float) -> float:
    """Charge of the wall, over sqrt(8 eps R T c0): sinh(zeta / 2) (Grahame, Chem. Rev. 41, 1947,
    441)."""
    return math.sinh(zeta / 2.0)


def wall_potential(charge: float) -> float:
    """Its inverse."""
    return 2.0 * math.asinh(charge)


def wall_field(zeta: float, charges: Sequence[int], shares: Sequence[float], fixed: float) -> float:
    """|grad psi| at the wall, times the Debye length, for any ions and a fixed charge.

    sqrt(sum c (e^(-z zeta) - 1) - f zeta), the first integral of Poisson's and Boltzmann's
    equations; the `shares` c and f are over sum z^2 c / 2.
    """
    ions = sum(c * math.expm1(-z * zeta) for z, c in zip(charges, shares, strict=True))
    return math.sqrt(ions - fixed * zeta)

"""Closed forms of J2 plasticity with linear isotropic hardening, each with its source.

Stresses and moduli in any consistent units; tension is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq


@dataclass(frozen=True)
class Metal:
    """An elastic-plastic solid.

    Attributes:
        youngs_modulus, poisson_ratio: Elastic constants.
        yield_stress: Of the virgin material in tension.
        hardening: Rise of the yield stress with the plastic strain.
    """

    youngs_modulus: float
    poisson_ratio: float
    yield_stress: float
    hardening: float = 0.0

    @property
    def mu(self) -> float:
        """Shear modulus."""
        return self.youngs_modulus / (2.0 * (1.0 + self.poisson_ratio))

    @property
    def bulk(self) -> float:
        """Bulk modulus."""
        return self.youngs_modulus / (3.0 * (1.0 - 2.0 * self.poisson_ratio))

    def tension(self, strain: float) -> tuple[float, float]:
        """Stress and plastic strain of a bar pulled to a strain beyond yield.

        sigma = sigma_0 + E H / (E + H) (eps - sigma_0 / E). Simo & Hughes, Computational
        Inelasticity (1998), 1.2.
        """
        E, H, first = self.youngs_modulus, self.hardening, self.yield_stress
        stress = first + E * H / (E + H) * (strain - first / E)
        return stress, strain - stress / E

    def confined(self, strain: float) -> tuple[float, float]:
        """Stress along and accumulated plastic strain, without strain across, beyond yield.

        The elastic von Mises stress 2 mu |eps| returns by 3 mu times the plastic strain
        (2 mu |eps| - sigma_0) / (3 mu + H); the mean stress stays K eps. By hand.
        """
        grown = (2.0 * self.mu * abs(strain) - self.yield_stress) / (3.0 * self.mu + self.hardening)
        left = 2.0 * self.mu * abs(strain) - 3.0 * self.mu * grown
        return self.bulk * strain + math.copysign(2.0 / 3.0 * left, strain), grown

    def shear(self, angle: float) -> tuple[float, float]:
        """Shear stress and accumulated plastic strain at a shear angle beyond yield.

        As `confined`, with the elastic von Mises stress sqrt(3) mu gamma. By hand.
        """
        root = math.sqrt(3.0)
        grown = (root * self.mu * angle - self.yield_stress) / (3.0 * self.mu + self.hardening)
        return (root * self.mu * angle - 3.0 * self.mu * grown) / root, grown


def limit_pressure(yield_stress: float, inner: float, outer: float) -> float:
    """Inner pressure at which a perfectly plastic thick cylinder bursts, in plane strain.

    p = 2 sigma_0 / sqrt(3) ln(b/a). Hill, The Mathematical Theory of Plasticity (1950), V.2.
    """
    return 2.0 / math.sqrt(3.0) * yield_stress * math.log(outer / inner)


def plastic_radius(pressure: float, yield_stress: float, inner: float, outer: float) -> float:
    """To where a perfectly plastic thick cylinder has yielded, in plane strain.

    p = sigma_0 / sqrt(3) (1 - c^2/b^2 + 2 ln(c/a)) of an incompressible solid; compressible ones
    come near for Poisson's ratios near 1/2. Hill (1950), V.2.

    Raises:
        ValueError: if the pressure is below that at which the bore yields, or above the limit.
    """
    k = yield_stress / math.sqrt(3.0)

    def excess(c: float) -> float:
        return k * (1.0 - (c / outer) ** 2 + 2.0 * math.log(c / inner)) - pressure

    if not excess(inner) <= 0.0 <= excess(outer):
        raise ValueError(f"no part, or all, of the cylinder yields under a pressure of {pressure}")
    return float(brentq(excess, inner, outer, xtol=1e-14 * outer))

"""Uniform deformations of a neo-Hookean solid, from its energy (`physics.hyperelasticity`).

Moduli, stresses and energies in any consistent units; stresses are per undeformed area. With
principal stretches l_i and J = l_1 l_2 l_3 the nominal stresses are

    P_i = mu (l_i - 1/l_i) + lambda ln J / l_i     (Bonet & Wood 2008, 6.4.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Uniaxial:
    """A block that is stretched along one axis, its sides free.

    Attributes:
        lateral: Stretch across.
        stress: Nominal, along.
        von_mises: Of the Cauchy stress.
        energy: Per undeformed volume.
    """

    lateral: float
    stress: float
    von_mises: float
    energy: float


def uniaxial(stretch: float, lam: float, mu: float, *, plane: bool = False) -> Uniaxial:
    """Free sides at a given stretch: mu (t^2 - 1) + lambda ln J = 0 for the lateral stretch t.

    Args:
        stretch: Along the axis, positive.
        lam, mu: Lamé's moduli.
        plane: Plane strain: one side alone is free, J = l t in place of l t^2.
    """
    free = 1 if plane else 2
    # in y = ln t: mu (exp(2y) - 1) + lambda (ln l + free y) rises and is convex; Newton's
    # method from a root of the linear part or from above falls onto the solution
    y = max(0.0, -lam * math.log(stretch) / (2.0 * mu + free * lam))
    for _ in range(100):
        value = mu * math.expm1(2.0 * y) + lam * (math.log(stretch) + free * y)
        step = value / (2.0 * mu * math.exp(2.0 * y) + free * lam)
        y -= step
        if abs(step) <= 1e-16 * max(1.0, abs(y)):
            break
    t, log = math.exp(y), math.log(stretch) + free * y
    stress = mu * (stretch - 1.0 / stretch) + lam * log / stretch
    first = stretch**2 + free * t**2 + (1.0 if plane else 0.0)
    energy = 0.5 * mu * (first - 3.0 - 2.0 * log) + 0.5 * lam * log**2
    along = stress / t**free
    across = lam * log / math.exp(log) if plane else 0.0
    strength = math.sqrt(along**2 + across**2 - along * across)
    return Uniaxial(t, stress, strength, energy)


@dataclass(frozen=True)
class Shear:
    """Simple shear x -> x + g y; the volume stays.

    Attributes:
        stress: Shear stress, nominal and Cauchy alike.
        normal: Cauchy stress along x; those along y and z are zero.
        von_mises: Of the Cauchy stress.
        energy: Per volume.
    """

    stress: float
    normal: float
    von_mises: float
    energy: float


def simple_shear(shear: float, mu: float) -> Shear:
    """sigma = mu (F F^T - I) with F = I + g e_x e_y: the stress along x is mu g^2."""
    stress, normal = mu * shear, mu * shear**2
    return Shear(stress, normal, math.sqrt(normal**2 + 3.0 * stress**2), 0.5 * mu * shear**2)

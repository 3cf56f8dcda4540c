"""Closed forms of electrostatics, each with its source; lengths in m, potentials in V.

Permittivities are relative to the vacuum's unless said otherwise. For steady currents the same
hold with the conductivity in place of eps0 eps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_spe.units import VACUUM_PERMITTIVITY

Floats = NDArray[np.float64]


def layered_capacitor(thicknesses: Sequence[float], permittivities: Sequence[float]) -> float:
    """Capacitance per area of layers between plates, F/m^2 (Jackson 1999, section 4.4)."""
    stacked = sum(d / eps for d, eps in zip(thicknesses, permittivities, strict=True))
    return VACUUM_PERMITTIVITY / stacked


def charged_interface(
    thicknesses: tuple[float, float], permittivities: tuple[float, float], charge: float
) -> float:
    """Potential of a charged interface between two layers on grounded plates, V.

    The charge per area (C/m^2) sits on two capacitors in parallel: q = (C1 + C2) V.
    """
    first, second = (
        VACUUM_PERMITTIVITY * eps / d for d, eps in zip(thicknesses, permittivities, strict=True)
    )
    return charge / (first + second)


def coaxial_capacitor(radii: Sequence[float], permittivities: Sequence[float]) -> float:
    """Capacitance per length of coaxial layers, F/m (Jackson 1999, problem 1.6).

    Args:
        radii: Of the inner conductor, the interfaces, the outer conductor.
        permittivities: Of the layers, one less than `radii`.
    """
    layers = zip(radii[:-1], radii[1:], permittivities, strict=True)
    stacked = sum(math.log(b / a) / eps for a, b, eps in layers)
    return 2 * math.pi * VACUUM_PERMITTIVITY / stacked


def spherical_capacitor(radii: Sequence[float], permittivities: Sequence[float]) -> float:
    """Capacitance of concentric layers, F (Jackson 1999, problem 1.6); arguments as above."""
    layers = zip(radii[:-1], radii[1:], permittivities, strict=True)
    stacked = sum((1 / a - 1 / b) / eps for a, b, eps in layers)
    return 4 * math.pi * VACUUM_PERMITTIVITY / stacked


@dataclass(frozen=True)
class Inclusion:
    """A cylinder (dimension 2) or a sphere (3) in a field that is uniform far away.

    Jackson 1999, sections 2.5 and 4.4, for the sphere; problem 4.8 for the cylinder.

    Attributes:
        radius: m; its middle is the origin.
        far: The uniform field, V/m, along the last axis.
        contrast: Its permittivity or conductivity over that around it; infinite for a conductor.
        dimension: 2 or 3.
    """

    radius: float
    far: float
    contrast: float
    dimension: int

    @property
    def polarised(self) -> float:
        """Dipole moment over that of a conductor."""
        if math.isinf(self.contrast):
            return 1.0
        return (self.contrast - 1.0) / (self.contrast + self.dimension - 1.0)

    @property
    def inside(self) -> float:
        """The field inside, which is uniform, V/m."""
        return self.far * (1.0 - self.polarised)

    @property
    def enhancement(self) -> float:
        """The largest field outside, at the poles, over the far one: 2 or 3 on a conductor."""
        return 1.0 + (self.dimension - 1) * self.polarised

    def potential(self, x: Floats) -> Floats:
        """The potential at points of shape (dimension or more, n), zero in the middle, V."""
        r = np.sqrt(np.sum(x[: self.dimension] ** 2, axis=0))
        dipole = self.polarised * (self.radius / np.maximum(r, self.radius)) ** self.dimension
        return np.asarray(-self.far * (1.0 - dipole) * x[self.dimension - 1])

"""Effective transport properties of a box driven between two opposite faces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ufl

from fem_spe.domain import Domain
from fem_spe.physics import diffusion


@dataclass(frozen=True)
class Effective:
    """What a unit difference across one axis drives.

    Attributes:
        coefficient: Effective diffusivity or conductivity, from the flux.
        energy_error: Relative difference from that of the dissipated energy.
    """

    coefficient: float
    energy_error: float


def effective(
    domain: Domain, u: Any, mobility: Any, scale: float, inflow: float, axis: int
) -> Effective:
    """Q L / (A du) for a unit difference du. Collective.

    Args:
        domain: The mesh.
        u: The solution, 0 and 1 on the two faces.
        mobility: Coefficient over `scale`.
        scale: Unit of `mobility`.
        inflow: Total flux Q in units of `scale`, by residual.
        axis: Direction of the drive.
    """
    energy = domain.integrate(-ufl.inner(diffusion.flux(u, mobility), ufl.grad(u)) * domain.dx)
    length = domain.size[axis]
    area = math.prod(domain.size) / length
    error = abs(energy - inflow) / abs(inflow) if inflow else math.inf
    return Effective(scale * inflow * length / area, error)


def shares(domain: Domain) -> dict[str, float]:
    """Share of each meshed region in the bounding box. Collective."""
    one = 1.0 / math.prod(domain.size)
    return {
        name: one * domain.integrate(1.0 * domain.dx(tag)) for name, tag in domain.regions.items()
    }

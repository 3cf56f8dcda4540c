"""How far a deformed body is squeezed: volume over undeformed volume, by region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import basix
import numpy as np
import ufl
from dolfinx import fem

from fem_spe.domain import Domain
from fem_spe.units import in_um

HALF = 0.5  # of its volume: what has less somewhere in a cell counts as squeezed


@dataclass(frozen=True)
class Squeezed:
    """The squeezed cells of a region.

    Attributes:
        share: Their part of its undeformed volume.
        least: The smallest volume ratio in it; not positive where a cell is inside out.
        place: Where that is, before the deformation, m.
    """

    share: float
    least: float
    place: tuple[float, ...]

    @property
    def where(self) -> str:
        """The coordinates of `place` in um, for a person."""
        return in_um(self.place)


def squeezed(domain: Domain, ratio: Any, degree: int) -> dict[str, Squeezed]:
    """The cells whose volume ratio falls below a half somewhere. Collective.

    Args:
        domain: The undeformed mesh.
        ratio: Volume over undeformed volume, a UFL scalar.
        degree: Of the quadrature at whose points it is looked at, and at the nodes of
            second-order cells, where equilibrium does not keep it positive.

    Returns:
        Region -> what is squeezed there, the same on all ranks.
    """
    cell, dimension = domain.mesh.basix_cell(), domain.dimension
    points, _ = basix.make_quadrature(cell, degree)
    nodes = basix.create_lattice(cell, 2, basix.LatticeType.equispaced, exterior=True)
    place = ufl.SpatialCoordinate(domain.mesh)
    volume = abs(ufl.JacobianDeterminant(domain.mesh))
    at = np.vstack([points, nodes])
    evaluate = fem.Expression(ufl.as_vector([ratio, volume, *place]), at)
    owned = domain.mesh.topology.index_map(dimension).size_local
    found = {}
    for name, tag in domain.regions.items():
        cells = domain.cell_tags.find(tag)
        table = evaluate.eval(domain.mesh, cells[cells < owned])
        table = table.reshape(-1, len(at), 2 + dimension)
        lowest = table[:, :, 0].min(axis=1)
        size = table[:, :, 1].mean(axis=1)
        of = np.array([size[lowest < HALF].sum(), size.sum()])
        part, whole = sum(domain.mesh.comm.allgather(of))
        here = (np.inf, (np.nan,) * dimension)
        if len(lowest):
            worst = np.unravel_index(np.argmin(table[:, :, 0]), table.shape[:2])
            here = (float(table[worst][0]), tuple(map(float, table[worst][2:])))
        least, where = min(domain.mesh.comm.allgather(here))
        found[name] = Squeezed(float(part / whole), least, where)
    return found

"""Profiles across the thickness: mean and spread of a field in thin slices."""

from __future__ import annotations

from dataclasses import dataclass

import basix
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain

_DEGREE = 4  # of the quadrature: 6 points per triangle, 24 per tetrahedron


@dataclass(frozen=True)
class Profile:
    """Slices along an axis.

    Attributes:
        position: Middle of each slice, m, shape (n,).
        mean, low, high: Volume-weighted mean and the extremes in it, shape (n,).
    """

    position: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def columns(self, axis: int, unit: str) -> dict[str, NDArray[np.float64]]:
        """The slices as a table; `unit` is appended to the heads of the values."""
        return {
            f"{'xyz'[axis]} [um]": self.position * 1e6,
            f"mean{unit}": self.mean,
            f"min{unit}": self.low,
            f"max{unit}": self.high,
        }

    def at(self, time: float, axis: int, unit: str) -> dict[str, NDArray[np.float64]]:
        """The means as columns of an output time, s."""
        position = {f"{'xyz'[axis]} [um]": self.position * 1e6}
        return position | {f"mean at {time:.6g} s{unit}": self.mean}


def profile(domain: Domain, u: fem.Function, axis: int, slices: int = 40) -> Profile:
    """Sort the quadrature points into `slices` along `axis` and average. Collective."""
    mesh = domain.mesh
    points, weights = basix.make_quadrature(mesh.basix_cell(), _DEGREE)
    position = ufl.SpatialCoordinate(mesh)[axis]
    jacobian = abs(ufl.JacobianDeterminant(mesh))
    sample = fem.Expression(ufl.as_vector([u, position, jacobian]), points)
    cells = np.arange(mesh.topology.index_map(domain.dimension).size_local, dtype=np.int32)
    values = sample.eval(mesh, cells).reshape(-1, len(points), 3)
    value, where = values[..., 0].ravel(), values[..., 1].ravel()
    weight = (values[..., 2] * weights).ravel()

    low, length = domain.origin[axis], domain.size[axis]
    slot = np.clip(((where - low) / length * slices).astype(int), 0, slices - 1)
    total = np.bincount(slot, weight, slices)
    moment = np.bincount(slot, weight * value, slices)
    smallest, largest = np.full(slices, np.inf), np.full(slices, -np.inf)
    np.minimum.at(smallest, slot, value)
    np.maximum.at(largest, slot, value)
    comm = mesh.comm
    for array, op in ((total, MPI.SUM), (moment, MPI.SUM), (smallest, MPI.MIN), (largest, MPI.MAX)):
        comm.Allreduce(MPI.IN_PLACE, array, op=op)
    full = total > 0
    middle = low + (np.arange(slices) + 0.5) * length / slices
    return Profile(middle[full], moment[full] / total[full], smallest[full], largest[full])

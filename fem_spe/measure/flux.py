"""Fluxes from assembled residuals: exact balance, and the rate of energy, by construction.

-K grad u . n on the facets would not balance by some 0.1 to 3 % on usual meshes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.solve.linear import as_load, solve


def through(domain: Domain, residual: fem.Function, face: str) -> float:
    """Total inflow through `face`, where u is fixed. Collective.

    Args:
        domain: The mesh.
        residual: From `solve.residual_vector`.
        face: Name of the face.
    """
    space = residual.function_space
    dofs = domain.face_dofs(space, face)
    owned = dofs[dofs < space.dofmap.index_map.size_local]
    local = float(residual.x.array[owned].sum())
    return float(domain.mesh.comm.allreduce(local, op=MPI.SUM))


@dataclass(frozen=True)
class FaceFlux:
    """The normal flux density along a face.

    Attributes:
        position: Coordinates of the face's nodes on rank 0, m, shape (n, gdim), by
            rising x; empty on other ranks.
        density: Inflow per area there, shape (n,).
        mean: Over the face.
        uniformity: Standard deviation over mean; 0 is uniform.
    """

    position: NDArray[np.float64]
    density: NDArray[np.float64]
    mean: float
    uniformity: float


def along(domain: Domain, residual: fem.Function, face: str) -> FaceFlux:
    """Distribute the residual over `face` through the face's mass matrix. Collective."""
    space = residual.function_space
    on_face = domain.face_dofs(space, face)
    num_local = space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts
    off_face = np.setdiff1d(np.arange(num_local, dtype=np.int32), on_face)
    zero = fem.Function(space)
    fixed = fem.dirichletbc(zero, off_face)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    ds = domain.ds(domain.face(face))
    load = fem.Function(space)
    load.x.array[on_face] = residual.x.array[on_face]
    density = solve(
        u * v * ds, as_load(load), space, [fixed], rtol=1e-12, method="jacobi", name="face"
    ).u

    length = domain.integrate(fem.Constant(domain.mesh, 1.0) * ds)
    mean = through(domain, residual, face) / length
    variance = domain.integrate((density - mean) ** 2 * ds) / length
    owned = on_face[on_face < space.dofmap.index_map.size_local]
    x = space.tabulate_dof_coordinates()[owned, : domain.dimension]
    position, values = gather(domain.mesh.comm, x, density.x.array[owned])
    order = np.lexsort(position.T[::-1])
    return FaceFlux(
        position[order], values[order], mean, float(np.sqrt(max(variance, 0.0)) / abs(mean))
    )


def gather(comm: MPI.Intracomm, *arrays: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The arrays of all ranks one after the other on rank 0; empty ones elsewhere."""
    parts: Any = comm.gather(arrays)
    if parts is None:
        return tuple(a[:0] for a in arrays)
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

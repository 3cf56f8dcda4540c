"""Fluxes from assembled residuals: exact balance, and the rate of energy, by construction.

-K grad u . n on the facets would not balance by some 0.1 to 3 % on usual meshes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.solve.constraints import Ties
from fem_spe.solve.linear import as_load, solve
from fem_spe.solve.periodic import face_dofs


def through(
    domain: Domain, residual: fem.Function, faces: Iterable[str], ties: Ties | None = None
) -> dict[str, float]:
    """Total inflow through each of `faces`, on which u is fixed. Collective.

    An edge that two faces share counts for the first of them, so that the sum is right.

    Args:
        domain: The mesh.
        residual: From `solve.residual_vector`.
        faces: Their names.
        ties: Those of periodic sides.
    """
    space = residual.function_space
    counted = np.zeros(space.dofmap.index_map.size_local, dtype=bool)
    flows = {}
    for name in faces:
        dofs = _owned(space, face_dofs(domain, space, name, ties))
        dofs = dofs[~counted[dofs]]
        counted[dofs] = True
        local = float(residual.x.array[dofs].sum())
        flows[name] = float(domain.mesh.comm.allreduce(local, op=MPI.SUM))
    return flows


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


def along_face(
    domain: Domain, residual: fem.Function, face: str, ties: Ties | None = None
) -> FaceFlux:
    """Distribute the residual over `face` through the face's mass matrix. Collective.

    `ties` are those of periodic sides; the density is periodic then, too.
    """
    space = residual.function_space
    on_face = face_dofs(domain, space, face, ties)
    num_local = space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts
    off_face = np.setdiff1d(np.arange(num_local, dtype=np.int32), on_face)
    zero = fem.Function(space)
    fixed = fem.dirichletbc(zero, off_face)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    ds = domain.ds(domain.face(face))
    load = fem.Function(space)
    load.x.array[on_face] = residual.x.array[on_face]
    density = solve(
        u * v * ds, as_load(load), space, [fixed], rtol=1e-12, method="jacobi", name="face",
        ties=ties,
    ).u  # fmt: skip

    length = domain.integrate(fem.Constant(domain.mesh, 1.0) * ds)
    mean = through(domain, residual, [face], ties)[face] / length
    middle = fem.Constant(domain.mesh, mean)  # a plain number would be compiled into the kernel
    variance = domain.integrate((density - middle) ** 2 * ds) / length
    owned = _owned(space, on_face)
    x = space.tabulate_dof_coordinates()[owned, : domain.dimension]
    position, values = gather(domain.mesh.comm, x, density.x.array[owned])
    order = np.lexsort(position.T[::-1])
    return FaceFlux(
        position[order],
        values[order],
        mean,
        float(np.sqrt(max(variance, 0.0)) / abs(mean)) if mean else np.nan,
    )


def gather(comm: MPI.Intracomm, *arrays: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The arrays of all ranks one after the other on rank 0; empty ones elsewhere."""
    parts: Any = comm.gather(arrays)
    if parts is None:
        return tuple(a[:0] for a in arrays)
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _owned(space: fem.FunctionSpace, dofs: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(dofs[dofs < space.dofmap.index_map.size_local])

"""Linear constraints between unknowns: u = g + P w, by one mechanism for all of them.

P has the size of the system. The row of a tied unknown has a one at its master, its column is
empty; all other rows are those of the identity. The reduced matrix P^T A P keeps the numbering
and the parallel layout of A.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc


@dataclass(frozen=True)
class Ties:
    """Unknowns of this rank that equal others: one master each, in blocks of the space.

    Attributes:
        slaves: Owned blocks in local numbers, shape (n,), each once.
        masters: Global numbers of the blocks that they equal, which are no slaves; shape (n,).
    """

    slaves: NDArray[np.int64]
    masters: NDArray[np.int64]


def prolongation(space: fem.FunctionSpace, ties: Ties) -> PETSc.Mat:
    """The matrix P of `ties`. Collective."""
    rows, bs = space.dofmap.index_map, space.dofmap.index_map_bs
    owned = rows.size_local
    columns = np.arange(owned, dtype=np.int64) + rows.local_range[0]
    columns[ties.slaves] = ties.masters
    columns = (bs * columns[:, None] + np.arange(bs)).ravel()
    layout = (owned * bs, rows.size_global * bs)
    start = np.arange(owned * bs + 1)
    index = PETSc.IntType
    matrix = PETSc.Mat().createAIJ(
        (layout, layout),
        csr=(start.astype(index), columns.astype(index), np.ones(owned * bs)),
        comm=space.mesh.comm,
    )
    matrix.setBlockSize(bs)
    return matrix


def reduced(
    matrix: PETSc.Mat, prolong: PETSc.Mat, space: fem.FunctionSpace, ties: Ties
) -> PETSc.Mat:
    """P^T A P with A's own diagonal in the rows of the slaves, which are empty else. Collective."""
    bs = space.dofmap.index_map_bs
    slaves = (bs * ties.slaves[:, None] + np.arange(bs)).ravel()
    diagonal = matrix.getDiagonal()
    kept = diagonal.array[slaves].copy()
    diagonal.set(0.0)
    diagonal.array_w[slaves] = kept
    small = matrix.PtAP(prolong)
    rest = PETSc.Mat().createDiagonal(diagonal).convert("aij")
    small.axpy(1.0, rest, PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    rest.destroy()
    diagonal.destroy()
    return small

"""Two levels for the tangents of quadratic displacements, some of them tied by a contact.

As in `multigrid` the coarse matrix is assembled, of linear displacements on the same mesh, and
algebraic multigrid solves it. Slaves follow the masters below on the coarse level, too: with T
of the contact, P the interpolation and S the values at the corners of cells,

    T' = S T L P,    K' = T'^T K1 T',    P' = L P T',    L = I - N N^T

with N the normals of the slaves, whose unknowns hang on nothing else. Were they held on both
levels, as under a rigid ball, the coarse level would nail the one body to the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import csr_array, eye_array

from fem_spe.solve.solids.elastic import rigid_motions
from fem_spe.solve.solids.multigrid import interpolation, same_nodes
from fem_spe.solve.solids.seam import SeamSystem

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ties:
    """Slaves that follow masters along their normals: u = T w + t.

    Attributes:
        T: Square; I - n n^T for a slave itself.
        rows: The slaves among the blocks that this rank owns, shape (n,).
        normals: Their unit normals n, shape (n, gdim).
        bows: Blocks of middles of sides whose unknown is by how much they bow out of their ends,
            shape (m,): nothing in linear displacements.
        seam: Blocks of all ranks that T ties to others, or others to them, rising, shape (k,).
    """

    T: PETSc.Mat
    rows: NDArray[np.int64]
    normals: Floats
    bows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    seam: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def unknowns(self) -> NDArray[np.int64]:
        """Of the seam."""
        size = self.normals.shape[1]
        return np.asarray(size * self.seam[:, None] + np.arange(size)).ravel()

    def reduce(self, matrix: PETSc.Mat) -> PETSc.Mat:
        """T^T K T, with K's own size along the normals, which hang on nothing else. Collective.

        With T = I + E it is K + K E + E^T K + E^T K E: E is all but empty, and to multiply every
        row with ones takes several times as long.
        """
        small, E = matrix.copy(), _beyond_identity(self.T)
        right, left = matrix.matMult(E), PETSc.Mat()
        right.transpose(left)  # K is symmetric
        both = E.transposeMatMult(right)
        for part in (right, left):
            both.axpy(1.0, part, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        small.axpy(1.0, both, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        for thing in (E, right, left, both):
            thing.destroy()
        diagonal, size = matrix.getDiagonal(), self.normals.shape[1]
        first = matrix.getOwnershipRange()[0]
        for row, normal in zip(self.rows, self.normals, strict=True):
            rows = size * row + np.arange(size, dtype=PETSc.IntType)
            own = float(diagonal.array[rows].mean())
            at = (rows + first).astype(PETSc.IntType)
            small.setValues(at, at, own * np.outer(normal, normal), PETSc.InsertMode.ADD)
        small.assemble()
        diagonal.destroy()
        return small

    def near_null(self, space: fem.FunctionSpace) -> PETSc.NullSpace:
        """The rigid motions of both bodies, for multigrid. Collective."""
        whole = rigid_motions(space)
        vectors, size = [v.copy() for v in whole.getVecs()], self.normals.shape[1]
        for vector in vectors:
            own = vector.array_w.reshape(-1, size)[self.rows]
            along = np.sum(own * self.normals, axis=1)
            vector.array_w.reshape(-1, size)[self.rows] -= along[:, None] * self.normals
            vector.array_w.reshape(-1, size)[self.bows] = 0.0
        for k, vector in enumerate(vectors):
            for other in vectors[:k]:
                vector.axpy(-vector.dot(other), other)
            vector.normalize()
        return PETSc.NullSpace().create(vectors=vectors, comm=space.mesh.comm)


class TiedLevels:
    """Linear systems over quadratic displacements; matrix and ties are new in each.

    Args:
        space: Of the displacement, quadratic.
        coarse: Linear, on its mesh.
        fixed: Which owned unknowns are.
    """

    def __init__(self, space: fem.FunctionSpace, coarse: fem.FunctionSpace, fixed: Bools) -> None:
        self.size = space.dofmap.bs
        self.space, self.coarse = space, coarse
        self.marks = fem.Function(space)
        self.same = same_nodes(space, coarse)
        held = self._at_corners(fixed.astype(float))
        self.fixed = np.flatnonzero(held.ravel()).astype(PETSc.IntType)
        self.plain = interpolation(space, coarse, ~fixed.reshape(-1, self.size), held == 0.0)

    def solver(
        self, matrix: PETSc.Mat, stiffness: PETSc.Mat, ties: Ties | None, name: str
    ) -> SeamSystem:
        """Of one matrix. Collective.

        Args:
            matrix: Of the unknowns that are left, boundary values in it.
            stiffness: The tangent of linear displacements, nothing held or tied in it.
            ties: What is tied in `matrix`.
            name: Prefix of the PETSc options.
        """
        if ties is None:
            small, between, null = stiffness, self.plain, rigid_motions(self.coarse)
        else:
            left = self._left(ties)
            loose = left.matMult(self.plain)
            tied = self._tied(ties, loose)
            small, null = tied.reduce(stiffness), tied.near_null(self.coarse)
            between = loose.matMult(tied.T)
            for thing in (left, loose, tied.T):
                thing.destroy()
        first = small.getOwnershipRange()[0]
        small.zeroRowsColumns(self.fixed + first, diag=_mean_diagonal(small))
        small.setBlockSize(self.size)
        small.setNearNullSpace(null)
        seam = np.zeros(0, dtype=np.int64) if ties is None else ties.unknowns
        system = SeamSystem(matrix, "tied-levels", name, seam)
        pc = system.multigrid
        pc.setMGInterpolation(1, between)
        pc.getMGCoarseSolve().setOperators(small)
        small.destroy()
        if ties is not None:
            between.destroy()
        return system

    def _at_corners(self, owned: Floats) -> Floats:
        """Values of the fine nodes in the places of the coarse ones, shape (nodes, gdim)."""
        self.marks.x.array[: len(owned)] = owned
        self.marks.x.scatter_forward()
        return np.asarray(self.marks.x.array.reshape(-1, self.size)[self.same])

    def _tied(self, ties: Ties, loose: PETSc.Mat) -> Ties:
        """The ties of the coarse level; `loose` is L P."""
        normals = np.zeros(self.space.dofmap.index_map.size_local * self.size)
        normals.reshape(-1, self.size)[ties.rows] = ties.normals
        along = self._at_corners(normals)
        rows = np.flatnonzero(np.any(along != 0.0, axis=1))
        spread = ties.T.matMult(loose)
        T = self._corners.matMult(spread)
        # rows of fixed unknowns are empty so far: their diagonal must be there to be set
        T.axpy(1.0, self._held, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
        spread.destroy()
        return Ties(T, rows, along[rows])

    @cached_property
    def _corners(self) -> PETSc.Mat:
        """S: fine displacements at the coarse nodes."""
        at = self.space.dofmap.index_map.local_to_global(self.same)
        columns = (self.size * at[:, None] + np.arange(self.size)).ravel()
        starts = np.arange(len(columns) + 1, dtype=PETSc.IntType)
        return PETSc.Mat().createAIJ(
            ((len(columns), None), (self.plain.getLocalSize()[0], None)),
            csr=(starts, columns.astype(PETSc.IntType), np.ones(len(columns))),
            comm=self.space.mesh.comm,
        )

    @cached_property
    def _held(self) -> PETSc.Mat:
        """The identity of the fixed coarse unknowns."""
        size = self.plain.getLocalSize()[1]
        first = self.plain.getOwnershipRangeColumn()[0]
        values = np.zeros(size)
        values[self.fixed] = 1.0
        starts = np.arange(size + 1, dtype=PETSc.IntType)
        columns = np.arange(first, first + size, dtype=PETSc.IntType)
        layout = ((size, None), (size, None))
        csr = (starts, columns, values)
        return PETSc.Mat().createAIJ(layout, csr=csr, comm=self.space.mesh.comm)

    def _left(self, ties: Ties) -> PETSc.Mat:
        """I - N N^T, without the middles of sides that count by their bow."""
        size, owned = self.size, self.space.dofmap.index_map.size_local
        blocks = np.tile(np.eye(size), (owned, 1, 1))
        blocks[ties.rows] -= ties.normals[:, :, None] * ties.normals[:, None, :]
        blocks[ties.bows] = 0.0
        first = self.space.dofmap.index_map.local_range[0]
        columns = size * (first + np.arange(owned))[:, None, None] + np.arange(size)[None, None, :]
        columns = np.broadcast_to(columns, blocks.shape)
        starts = size * np.arange(size * owned + 1, dtype=PETSc.IntType)
        return PETSc.Mat().createAIJ(
            ((size * owned, None), (size * owned, None)),
            csr=(starts, columns.ravel().astype(PETSc.IntType), blocks.ravel()),
            comm=self.space.mesh.comm,
        )


def _beyond_identity(matrix: PETSc.Mat) -> PETSc.Mat:
    """A square matrix less the identity, without zeros. Collective."""
    (rows, _), (_, width) = matrix.getSizes()
    starts, columns, values = matrix.getValuesCSR()
    own = csr_array((values, columns, starts), shape=(rows, width))
    own = csr_array(own - eye_array(rows, width, k=matrix.getOwnershipRange()[0]))
    own.eliminate_zeros()
    own.sort_indices()  # as PETSc takes them to be
    csr = (own.indptr.astype(PETSc.IntType), own.indices.astype(PETSc.IntType), own.data)
    return PETSc.Mat().createAIJ(matrix.getSizes(), csr=csr, comm=matrix.comm)


def _mean_diagonal(matrix: PETSc.Mat) -> float:
    diagonal = matrix.getDiagonal()
    mean: float = diagonal.sum() / diagonal.getSize()
    diagonal.destroy()
    return mean

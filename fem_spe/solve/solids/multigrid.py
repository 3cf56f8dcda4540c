"""Two levels for quadratic displacements: linear ones on the same mesh are the coarse level.

The coarse matrix is assembled, not a triple product, and algebraic multigrid solves it. On
both levels the same directions of the same nodes are held, and the interpolation leads from
the free displacements of one level to those of the other:

    P' = (I - N N^T) P (I - M M^T)

with the directions N of the fine nodes, M of the coarse ones, and without rows and columns of
fixed components: rows alone would cost several times the iterations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.solve.solids.elastic import System
from fem_spe.solve.solids.normals import components, constrained, directions, project

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class TwoLevels(System):
    """Linear systems of a constrained matrix over quadratic displacements.

    Args:
        matrix: Of the fine level, see `normals.constrained`.
        space, coarse: The spaces of the two levels, on one mesh.
        free, coarse_free: False where a component is fixed, shapes (owned nodes, gdim).
        stiffness: The coarse matrix under boundary values, with its rigid motions; constrained
            while nodes are held.
        name: Prefix of the PETSc options.
    """

    def __init__(
        self,
        matrix: PETSc.Mat,
        space: fem.FunctionSpace,
        coarse: fem.FunctionSpace,
        free: Bools,
        coarse_free: Bools,
        stiffness: PETSc.Mat,
        name: str,
    ) -> None:
        self.marks = fem.Function(space)
        self.stiffness, self.free = stiffness, coarse_free
        self.same = same_nodes(space, coarse)
        self.interpolation = _Free(interpolation(space, coarse, free, coarse_free))
        super().__init__(matrix, "two-level", name)
        pc = self.ksp.getPC()
        pc.setMGInterpolation(1, self.interpolation.matrix)
        self.coarse = pc.getMGCoarseSolve()

    @contextmanager
    def held(self, N: PETSc.Mat, nodes: NDArray[np.int32], along: Floats | None) -> Iterator[None]:
        """Inside, nodes are held on both levels. Collective.

        Args:
            N: Their directions on the fine level.
            nodes: Blocks that this rank owns, shape (n,).
            along: Unit directions that are held, shape (n, gdim); None holds every component.
        """
        size = self.free.shape[1]
        self.marks.x.array[:] = 0.0
        self.marks.x.array.reshape(-1, size)[nodes] = 1.0 if along is None else along
        self.marks.x.scatter_forward()
        marks = self.marks.x.array.reshape(-1, size)[self.same]
        marked = np.any(marks != 0.0, axis=1) & self.free.any(axis=1)
        held = np.asarray(np.flatnonzero(marked), dtype=np.int32)
        if along is None:
            M = components(self.stiffness, held, self.free[held])
        else:
            M = directions(self.stiffness, held, _unit(marks[held] * self.free[held]))
        self.interpolation.fine, self.interpolation.coarse = N, M
        try:
            with constrained(self.stiffness, M):
                yield
        finally:
            M.destroy()

    def update(self) -> None:
        self.coarse.setOperators(self.stiffness)
        self.ksp.setOperators(self.matrix)


def _unit(vectors: Floats) -> Floats:
    """Rows of length one; those without length stay zero."""
    length = np.linalg.norm(vectors, axis=1)
    return np.asarray(vectors / np.where(length > 0.0, length, 1.0)[:, None])


class _Free:
    """The interpolation between the free displacements, as a PETSc matrix.

    Attributes:
        fine, coarse: Directions that are held on each level.
    """

    def __init__(self, plain: PETSc.Mat) -> None:
        self.plain = plain
        self.fine: PETSc.Mat = None
        self.coarse: PETSc.Mat = None
        self.matrix = PETSc.Mat().createPython(plain.getSizes(), self, comm=plain.comm)
        self.matrix.setUp()
        self.above, self.below = plain.createVecs()

    def mult(self, _: PETSc.Mat, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Fine displacements y of the coarse ones x."""
        x.copy(self.above)
        project(self.coarse, self.above)
        self.plain.mult(self.above, y)
        project(self.fine, y)

    def multTranspose(self, _: PETSc.Mat, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Coarse forces y of the fine ones x."""
        x.copy(self.below)
        project(self.fine, self.below)
        self.plain.multTranspose(self.below, y)
        project(self.coarse, y)


def interpolation(
    space: fem.FunctionSpace, coarse: fem.FunctionSpace, free: Bools, coarse_free: Bools
) -> PETSc.Mat:
    """The matrix that gives a coarse displacement in the fine space. Collective.

    Args:
        space, coarse: Lagrange spaces of vectors on one mesh.
        free, coarse_free: Rows and columns of other components are empty, shapes
            (owned nodes, gdim).
    """
    size = space.dofmap.bs
    owned = space.dofmap.index_map.size_local
    cells, coarse_cells = space.dofmap.list, coarse.dofmap.list
    weights = _weights(space, coarse)
    weights[np.abs(weights) < 1e-12] = 0.0
    # any cell of a node gives the same row
    nodes, first = np.unique(cells.ravel(), return_index=True)
    nodes, first = nodes[:owned], first[:owned]
    cell, place = np.divmod(first, cells.shape[1])
    values = weights[place]  # (owned, coarse nodes of a cell)
    index = coarse_cells[cell]
    present = values != 0.0
    # which coarse components are free is known by their owners
    marks = fem.Function(coarse)
    marks.x.array[: coarse_free.size] = coarse_free.ravel()
    marks.x.scatter_forward()
    moves = marks.x.array.reshape(-1, size) != 0.0
    row, column = np.nonzero(present)
    target = index[row, column].astype(np.int32)
    number = coarse.dofmap.index_map.local_to_global(target)
    kept = free[row] & moves[target]  # (entries, size)
    entry, axis = np.nonzero(kept)
    rows = row[entry] * size + axis
    columns = number[entry] * size + axis
    order = np.argsort(rows, kind="stable")
    starts = np.zeros(owned * size + 1, dtype=PETSc.IntType)
    starts[1:] = np.cumsum(np.bincount(rows, minlength=owned * size))
    num_columns = coarse.dofmap.index_map.size_local * size
    return PETSc.Mat().createAIJ(
        ((owned * size, None), (num_columns, None)),
        csr=(
            starts,
            columns[order].astype(PETSc.IntType),
            values[row, column][entry][order],
        ),
        comm=space.mesh.comm,
    )


def _weights(space: fem.FunctionSpace, coarse: fem.FunctionSpace) -> Floats:
    """Coarse basis functions at the fine nodes of a cell, shape (fine nodes, coarse nodes)."""
    element: Any = coarse.sub(0).element.basix_element
    return np.array(element.tabulate(0, space.element.interpolation_points)[0, :, :, 0])


def same_nodes(space: fem.FunctionSpace, coarse: fem.FunctionSpace) -> NDArray[np.int32]:
    """Of each coarse node that this rank owns, the fine node in its place, shape (n,)."""
    weights = _weights(space, coarse)
    fine_place, coarse_place = np.nonzero(np.abs(weights - 1.0) < 1e-12)
    same = np.empty(
        coarse.dofmap.index_map.size_local + coarse.dofmap.index_map.num_ghosts, dtype=np.int32
    )
    same[coarse.dofmap.list[:, coarse_place]] = space.dofmap.list[:, fine_place]
    return same[: coarse.dofmap.index_map.size_local]


def choose(degree: int, dimension: int) -> str:
    """The preset for contact of elements of this degree: factorised in the plane."""
    if dimension == 2:
        return "direct"
    return "two-level" if degree == 2 else "elastic"

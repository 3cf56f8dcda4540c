"""Multigrid for two bodies that are tied, with their seam solved exactly in each iteration.

Where a stiff body hangs on a soft one, masters bear stiff springs that join many of them: nothing
that smooths point by point finds the soft motions between these, and no coarse level has them. The
unknowns that ties touch are few. With Q their exact solution and M^-1 multigrid, the iteration
starts at Q b, so that no residual is ever left on the seam, and is preconditioned by

    (I - Q A) M^-1 + Q

which then is as good as the symmetric form: R-BNN2 of Tang, Nabben, Vuik & Erlangga, J. Sci.
Comput. 39 (2009) 340.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.solve.presets import preset
from fem_spe.solve.solids.elastic import System


class SeamSystem(System):
    """Linear systems of one matrix of two bodies that are tied.

    Args:
        matrix: Symmetric and positive definite.
        method: Preset of the multigrid.
        name: Prefix of the PETSc options.
        seam: Global unknowns of the seam, rising, the same on all ranks.
    """

    def __init__(self, matrix: PETSc.Mat, method: str, name: str, seam: NDArray[np.int64]) -> None:
        super().__init__(matrix, method, name)
        self.multigrid = self.ksp.getPC()
        self.seam: _Seam | None = None
        if len(seam):
            self.seam = _Seam(matrix, seam, self.multigrid, method, name)
            self.ksp.setPC(self.seam.around(matrix))

    def solve(
        self, right: PETSc.Vec, goal: float, loose: float = 0.0
    ) -> tuple[PETSc.Vec, int, float]:
        """As of `System`; `loose` is a part of what the seam's own solution leaves. Collective."""
        if self.seam is None:
            return super().solve(right, goal, loose)
        start, rest = right.duplicate(), right.duplicate()
        self.seam.correct(right, start)
        self.matrix.mult(start, rest)
        rest.aypx(-1.0, right)
        step, iterations, residual = super().solve(rest, goal, loose)
        step.axpy(1.0, start)
        start.destroy()
        rest.destroy()
        return step, iterations, residual


class _Seam:
    """The exact solution on the seam, and the preconditioner with it, as PETSc calls it."""

    def __init__(
        self, matrix: PETSc.Mat, rows: NDArray[np.int64], inner: PETSc.PC, method: str, name: str
    ) -> None:
        self.matrix, self.inner, self._preset = matrix, inner, (method, name)
        here = PETSc.IS().createGeneral(rows.astype(PETSc.IntType), comm=PETSc.COMM_SELF)
        # every rank has the whole seam: it is small against the bodies
        (self._block,) = matrix.createSubMatrices(here, here)
        self._left = matrix.createVecLeft()
        self._given, self._found = self._block.createVecs()
        self._to = PETSc.Scatter().create(self._left, here, self._given, None)
        first, end = matrix.getOwnershipRange()
        self._mine = np.flatnonzero((rows >= first) & (rows < end))
        self._own = rows[self._mine] - first
        self._factor = PETSc.PC().create(PETSc.COMM_SELF)
        self._factor.setOperators(self._block)
        self._factor.setType("cholesky")
        self._factor.setFactorSolverType("mumps")
        self._factor.setUp()
        here.destroy()

    def around(self, matrix: PETSc.Mat) -> PETSc.PC:
        """This as a preconditioner of the matrix."""
        pc = PETSc.PC().createPython(self, comm=matrix.comm)
        pc.setOperators(matrix)
        return pc

    def correct(self, residual: PETSc.Vec, solution: PETSc.Vec) -> None:
        """Add Q times the residual to a solution. Collective."""
        self._to.scatter(residual, self._given)
        self._factor.apply(self._given, self._found)
        solution.array_w[self._own] += self._found.array_r[self._mine]

    def setUp(self, _: PETSc.PC) -> None:
        """Set the multigrid up."""
        with preset(*self._preset):
            self.inner.setUp()

    def apply(self, _: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Precondition. Collective."""
        self.inner.apply(x, y)
        self.matrix.mult(y, self._left)
        self._left.aypx(-1.0, x)
        self.correct(self._left, y)

    def destroy(self, _: PETSc.PC) -> None:
        """Free all that PETSc holds of it."""
        things: list[Any] = [
            self._block,
            self._left,
            self._given,
            self._found,
            self._to,
            self._factor,
            self.inner,
        ]
        for thing in things:
            thing.destroy()

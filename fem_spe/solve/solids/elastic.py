"""Linear elastic problems: factorised in the plane, multigrid with rigid motions in space.

The tolerance holds on the reduced residual, as in `linear`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import basix.ufl
import numpy as np
from dolfinx import fem, la
from dolfinx.la.petsc import create_vector_wrap
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.domain import Domain
from fem_spe.errors import ConvergenceError
from fem_spe.solve import linear
from fem_spe.solve.linear import Problem, Solved, as_load
from fem_spe.solve.presets import preset


def choose(num_dofs: int, dimension: int) -> str:
    """The preset for a positive definite elastic problem of this size."""
    return "direct" if dimension == 2 and num_dofs < linear.DIRECT_LIMIT else "elastic"


def taylor_hood(mesh: Any) -> fem.FunctionSpace:
    """Quadratic displacements with linear pressures."""
    cell, dimension = mesh.basix_cell(), mesh.geometry.dim
    pair = [
        basix.ufl.element("P", cell, 2, shape=(dimension,)),
        basix.ufl.element("P", cell, 1),
    ]
    return fem.functionspace(mesh, basix.ufl.mixed_element(pair))


def clamped(domain: Domain, space: fem.FunctionSpace, face: str) -> fem.DirichletBC:
    """No displacement on a face. Collective."""
    zero = np.zeros(domain.dimension)
    return fem.dirichletbc(zero, domain.face_dofs(space, face), space)


def prescribed(
    domain: Domain, space: fem.FunctionSpace, face: str, axis: int, value: float = 0.0
) -> fem.DirichletBC:
    """One component of the displacement on a face, m; zero along its normal lets it slide."""
    part = space.sub(axis)
    return fem.dirichletbc(np.float64(value), domain.face_dofs(part, face), part)


def solve(
    a: Any,
    load: Any,
    space: fem.FunctionSpace,
    bcs: Sequence[fem.DirichletBC],
    *,
    rtol: float,
    method: str,
    name: str = "elasticity",
) -> Solved:
    """Solve a(u, v) = load(v) with u = given on the boundary. Collective.

    Args:
        a: Bilinear form, symmetric and positive definite under `bcs`.
        load: Linear form, or None.
        space: Vector space of u.
        bcs: Boundary values; they must hold every rigid motion.
        rtol: On the reduced residual.
        method: `direct` or `elastic` (CG with multigrid), see `choose`.
        name: Prefix of the PETSc options.

    Raises:
        ConvergenceError: if the tolerance is not met.
    """
    load = as_load(fem.Function(space)) if load is None else load
    return _Elastic(a, load, space, tuple(bcs), rtol, method, name).solve()


def solve_mixed(
    a: Any,
    load: Any,
    space: fem.FunctionSpace,
    bcs: Sequence[fem.DirichletBC],
    *,
    rtol: float,
    name: str = "elasticity",
) -> Solved:
    """Solve for displacement and pressure, symmetric but indefinite, by factorisation.

    Collective. The arguments are those of `solve`; `space` holds both unknowns.

    Raises:
        ConvergenceError: if the tolerance is not met.
    """
    return linear.solve(a, load, space, bcs, rtol=rtol, method="direct-newton", name=name)


class _Elastic(Problem):
    """A linear problem whose multigrid knows the rigid motions."""

    def assembled(self) -> PETSc.Mat:
        matrix = super().assembled()
        if self.method == "elastic":
            matrix.setNearNullSpace(rigid_motions(self.space))
        return matrix


def rigid_motions(space: fem.FunctionSpace) -> PETSc.NullSpace:
    """Translations and rotations, orthonormal: what multigrid must carry to coarse levels."""
    vectors = [la.vector(space.dofmap.index_map, space.dofmap.bs) for _ in range(_number(space))]
    x = space.tabulate_dof_coordinates()[:, : space.dofmap.bs]
    for vector, motion in zip(vectors, _motions(x), strict=True):
        vector.array[:] = motion.ravel()
    la.orthonormalize(vectors)
    return PETSc.NullSpace().create(
        vectors=[create_vector_wrap(v).copy() for v in vectors], comm=space.mesh.comm
    )


def _number(space: fem.FunctionSpace) -> int:
    return {2: 3, 3: 6}[space.dofmap.bs]


def _motions(x: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Displacements of the rigid motions at the points `x`, each of shape (n, gdim)."""
    dimension = x.shape[1]
    motions = [np.tile(axis, (len(x), 1)) for axis in np.eye(dimension)]
    for i in range(dimension):
        for j in range(i + 1, dimension):
            turn = np.zeros_like(x)
            turn[:, i], turn[:, j] = -x[:, j], x[:, i]
            motions.append(turn)
    return motions


class System:
    """Linear systems of one matrix pattern, solved to an absolute residual.

    A matrix whose values change is given again by `update`; a factorisation keeps its
    symbolic part.

    Attributes:
        most: Iterations after which the linear solver gives up.
    """

    def __init__(self, matrix: PETSc.Mat, method: str, name: str) -> None:
        self.most = 2000
        self.matrix, self.method, self.name = matrix, method, name
        self.ksp = linear.krylov(matrix, 1.0, 1.0, method, name)

    def update(self) -> None:
        """Take notice of new values in the matrix."""
        self.ksp.setOperators(self.matrix)

    def solve(
        self, right: PETSc.Vec, goal: float, loose: float = 0.0
    ) -> tuple[PETSc.Vec, int, float]:
        """The solution, the iterations and the residual's norm. Collective.

        Args:
            right: Right-hand side.
            goal: Norm that the residual must come below.
            loose: Part of the right-hand side that may be left, too.

        Raises:
            ConvergenceError: if it stays above ten times as much.
        """
        goal = max(goal, loose * right.norm())
        step, left = right.duplicate(), right.duplicate()
        if right.norm() == 0.0:
            return step, 0, 0.0
        self.ksp.setTolerances(rtol=1e-50, atol=goal, max_it=self.most)
        with preset(self.method, self.name):
            self.ksp.setUp()
        self.ksp.solve(right, step)
        if self.method == "direct":
            linear.refine(self.ksp, self.matrix, right, step)
        self.matrix.mult(step, left)
        left.aypx(-1.0, right)
        residual, reason = left.norm(), self.ksp.getConvergedReason()
        iterations = int(self.ksp.getIterationNumber())
        left.destroy()
        if reason < 0 or not residual <= 10 * goal:
            raise ConvergenceError(
                f"the linear solver of {self.name} stopped after {iterations} iterations at a "
                f"residual of {residual:.1e} instead of {goal:.1e} (PETSc reason {reason}); give "
                "a larger [solver] rtol, or a mesh of better quality"
            )
        return step, iterations, residual

    def destroy(self) -> None:
        """Free all that PETSc holds of it, the matrix aside. Collective."""
        self.ksp.destroy()

"""Symmetric positive definite linear problems: assemble, solve, and tell the residual.

The tolerance holds on the *reduced* residual: that of the free unknowns, with the
boundary values as initial guess. A tolerance against a right-hand side that carries
boundary values would be up to a hundred times looser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.errors import ConvergenceError
from fem_spe.solve.constraints import Ties, prolongation, reduced
from fem_spe.solve.presets import FACTORISE, INEXACT, preset

DIRECT_LIMIT = 300_000  # unknowns up to which a 2-D problem is factorised


@dataclass(frozen=True)
class Solved:
    """A solution and how it was reached.

    Attributes:
        u: The solution.
        iterations: Of the Krylov method; 1 for a factorisation.
        residual: Reduced residual over that of the initial guess.
        method: The preset used.
    """

    u: fem.Function
    iterations: int
    residual: float
    method: str


def choose(num_dofs: int, dimension: int) -> str:
    """The preset for a scalar elliptic problem of this size."""
    return "direct" if dimension == 2 and num_dofs < DIRECT_LIMIT else "multigrid"


def solve(
    a: Any,
    load: Any,
    space: fem.FunctionSpace,
    bcs: Sequence[fem.DirichletBC] = (),
    *,
    rtol: float,
    method: str,
    name: str,
    ties: Ties | None = None,
    lift: NDArray[np.float64] | None = None,
) -> Solved:
    """Solve a(u, v) = load(v) with u = given on the boundary. Collective.

    Args:
        a: Bilinear form, symmetric and positive definite under `bcs`.
        load: Linear form, or an assembled PETSc vector without boundary values.
        space: Space of u.
        bcs: Boundary values.
        rtol: On the reduced residual.
        method: One of `presets.PRESETS` for symmetric problems.
        name: Prefix of this solver's PETSc options, for example `diffusion` for
            `-diffusion_ksp_monitor`.
        ties: Unknowns of u - lift that equal others.
        lift: Owned unknowns of a function that has the jumps that u is to have across ties;
            zero by default.

    Raises:
        ConvergenceError: if the tolerance is not met.
    """
    return Problem(a, load, space, tuple(bcs), rtol, method, name, ties, lift).solve()


class Problem:
    """A linear problem whose forms are compiled once, for coefficients that change.

    The arguments are those of `solve`.
    """

    def __init__(
        self,
        a: Any,
        load: Any,
        space: fem.FunctionSpace,
        bcs: tuple[fem.DirichletBC, ...],
        rtol: float,
        method: str,
        name: str,
        ties: Ties | None = None,
        lift: NDArray[np.float64] | None = None,
    ) -> None:
        self.space, self.bcs = space, bcs
        self.rtol, self.method, self.name = rtol, method, name
        self.ties, self.lift = ties, lift
        self.prolong = None if ties is None else prolongation(space, ties)
        self.guess = fem.Function(space)
        self.a, self.form = a, fem.form(a)
        self.load = load if isinstance(load, PETSc.Vec) else fem.form(load)

    def solve(self, guess: NDArray[np.float64] | None = None) -> Solved:
        """Assemble with today's coefficients and solve; `guess` holds the owned unknowns.

        The tolerance stays that of the guess zero inside: a good guess saves iterations,
        it does not tighten the tolerance. Collective.

        Raises:
            ConvergenceError: if the tolerance is not met.
        """
        matrix = self.assembled()
        matrix.setOption(PETSc.Mat.Option.SPD, True)
        right = self._residual(None)
        start = scale = right.norm()
        if guess is not None:
            right.destroy()
            right = self._residual(guess)
            start = right.norm()
        step = right.duplicate()
        ksp = krylov(matrix, self.rtol, scale, self.method, self.name)
        if start > 0.0:
            ksp.solve(right, step)
            if self.method == "direct":
                refine(ksp, matrix, right, step)
        reason = ksp.getConvergedReason() if start > 0.0 else 1
        left = right.duplicate()
        matrix.mult(step, left)
        left.aypx(-1.0, right)
        residual = left.norm() / scale if scale > 0.0 else 0.0
        iterations = int(ksp.getIterationNumber())
        if self.prolong is not None:
            self.prolong.mult(step.copy(left), step)
        u = fem.Function(self.space)
        u.x.array[:] = self.guess.x.array
        u.x.array[: len(step.array)] += step.array
        u.x.scatter_forward()
        for thing in (ksp, matrix, step, left, right):
            thing.destroy()
        # the recursively updated residual of CG drifts from the true one by a small factor
        if reason < 0 or not residual <= 10 * self.rtol:
            raise ConvergenceError(
                f"the linear solver of {self.name} stopped after {iterations} iterations at a "
                f"relative residual of {residual:.1e} instead of {self.rtol:.1e} (PETSc reason "
                f"{reason}); give a larger [solver] rtol, or a mesh of better quality"
            )
        return Solved(u, iterations, residual, self.method)

    def direct(self) -> fem.Function:
        """The solution for today's coefficients by factorisation, symmetric or not. Collective.

        Raises:
            ConvergenceError: if the matrix is singular.
        """
        u = fem.Function(self.space)
        with self.corrections(1.0) as correction:
            dofmap = self.space.dofmap
            start = np.zeros(dofmap.index_map.size_local * dofmap.index_map_bs)
            step = correction(start)
            u.x.array[:] = self.guess.x.array
            u.x.array[: len(step)] += step
            u.x.scatter_forward()
        return u

    def residual_norm(self, guess: NDArray[np.float64] | None) -> float:
        """Of the reduced residual that `guess` leaves. Collective."""
        right = self._residual(guess)
        norm = float(right.norm())
        right.destroy()
        return norm

    @contextmanager
    def corrections(
        self, scale: float, update: Callable[[PETSc.Mat], PETSc.Mat] | None = None
    ) -> Iterator[Callable[[NDArray[np.float64]], Any]]:
        """What to add to given owned unknowns, for today's matrix, symmetric or not. Collective.

        Inside, each call assembles the residual anew, or the linear form that it is given in its
        place, and solves with the one matrix, to `rtol` times `scale`; it raises
        ConvergenceError if it cannot. Where `update` makes another operator of the matrix, that is
        solved with, and the matrix preconditions.
        """
        matrix = self.assembled()
        operator = matrix if update is None else update(matrix)
        ksp = krylov(matrix, self.rtol, scale, self.method, self.name)
        ksp.setOperators(operator, matrix)

        def correction(values: NDArray[np.float64] | fem.Form) -> NDArray[np.float64]:
            if isinstance(values, fem.Form):
                right = assemble(values)
                for bc in self.bcs:
                    bc.set(right.array_w, alpha=0.0)
            else:
                right = self._residual(values)
            step = right.duplicate()
            ksp.solve(right, step)
            if self.prolong is not None:
                self.prolong.mult(step.copy(right), step)
            found = np.array(step.array)
            for thing in (right, step):
                thing.destroy()
            reason = ksp.getConvergedReason()
            if reason < 0:
                raise ConvergenceError(
                    f"a step of Newton's method of {self.name} found no solution (PETSc reason "
                    f"{reason}); its matrix may be singular"
                )
            return found

        try:
            yield correction
        finally:
            ksp.destroy()
            if update is not None:
                operator.destroy()
            matrix.destroy()

    def assembled(self) -> PETSc.Mat:
        """The matrix of the free unknowns; rows of the others hold a diagonal alone."""
        if self.prolong is None or self.ties is None:
            matrix = fem_petsc.assemble_matrix(self.form, bcs=list(self.bcs))
            matrix.assemble()
            return matrix
        whole = fem_petsc.assemble_matrix(self.form)
        whole.assemble()
        matrix = reduced(whole, self.prolong, self.space, self.ties)
        whole.destroy()
        for bc in self.bcs:
            dofs, owned = bc.dof_indices()
            first = matrix.getOwnershipRange()[0]
            matrix.zeroRowsColumns((dofs[:owned] + first).astype(PETSc.IntType))
        return matrix

    def _residual(self, guess: NDArray[np.float64] | None) -> PETSc.Vec:
        """load - a(guess, .) at the free unknowns, boundary values set in the guess."""
        self.guess.x.array[:] = 0.0
        start = self.lift if guess is None else guess
        if start is not None:
            self.guess.x.array[: len(start)] = start
        for bc in self.bcs:
            bc.set(self.guess.x.array)
        self.guess.x.scatter_forward()
        right = self._left_over()
        if self.prolong is not None:
            whole = right.copy()
            self.prolong.multTranspose(whole, right)
            whole.destroy()
        for bc in self.bcs:
            bc.set(right.array_w, alpha=0.0)
        return right

    @cached_property
    def _action(self) -> fem.Form:
        return fem.form(ufl.action(self.a, self.guess))

    def _left_over(self) -> PETSc.Vec:
        """load - a(guess, .) as assembled."""
        right = self.load.copy() if isinstance(self.load, PETSc.Vec) else assemble(self.load)
        applied = assemble(self._action)
        right.axpy(-1.0, applied)
        applied.destroy()
        return right


def residual_vector(a: Any, load: Any, u: fem.Function) -> fem.Function:
    """a(u, v) - load(v) for every basis function v: at a fixed value, the inflow there.

    Collective. `load` may be None.
    """
    applied = ufl.action(a, u)
    form = applied if load is None else applied - load
    vector = assemble(fem.form(form))
    residual = fem.Function(u.function_space)
    residual.x.array[: len(vector.array)] = vector.array
    residual.x.scatter_forward()
    vector.destroy()
    return residual


def as_load(function: fem.Function) -> PETSc.Vec:
    """The values of `function` as an assembled load."""
    vector = fem_petsc.create_vector(function.function_space)
    vector.array_w[:] = function.x.array[: len(vector.array)]
    return vector


def assemble(form: fem.Form) -> PETSc.Vec:
    """The vector of a linear form, without boundary values. Collective."""
    vector = fem_petsc.assemble_vector(form)
    vector.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    return vector


def krylov(matrix: PETSc.Mat, rtol: float, scale: float, method: str, name: str) -> PETSc.KSP:
    """A solver that stops at the absolute residual `rtol` * `scale`, with the user's options."""
    ksp = PETSc.KSP().create(matrix.comm)
    ksp.setOptionsPrefix(f"{name}_")
    ksp.setOperators(matrix)
    inexact = INEXACT.get(method)
    if inexact:
        # on the preconditioned residual, which is about the error: in the plain one the level of
        # a closed cell hardly shows
        ksp.setTolerances(rtol=inexact, atol=0.0, max_it=2000)
    else:
        if method not in FACTORISE:
            # on the residual itself, not on a preconditioned one
            ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
        ksp.setTolerances(rtol=1e-50, atol=rtol * scale, max_it=2000)
    with preset(method, name):
        ksp.setFromOptions()
    return ksp


def refine(ksp: PETSc.KSP, matrix: PETSc.Mat, right: PETSc.Vec, step: PETSc.Vec) -> None:
    """One round of iterative refinement: takes a factorisation to round-off."""
    rest, correction = right.duplicate(), right.duplicate()
    matrix.mult(step, rest)
    rest.aypx(-1.0, right)
    ksp.solve(rest, correction)
    step.axpy(1.0, correction)
    rest.destroy()
    correction.destroy()

"""Damped Newton for a(u; u, v) = load(v), where the form depends on its solution.

Each step is the linear problem J w = -F(u) for what is added to u, with F(u) = a(u; u, .) -
load and J its derivative: boundary values, ties and tolerances are those of `linear.Problem`.

A step is shortened until the correction that the same J would make next is smaller than
the step (Deuflhard, Newton Methods for Nonlinear Problems, 2004, 3.3). Residuals would not do
as a measure: where D bends within a cell they grow on the way to the solution, the more the
finer the mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.errors import ConvergenceError
from fem_spe.solve.constraints import Ties
from fem_spe.solve.linear import Problem, Solved, assemble
from fem_spe.solve.shared import updated, with_shared

_MAX_STEPS = 50
_NEAR = 1e-9  # relative residual that only round-off keeps from the tolerance
_LOOSEST = 1e-10  # relative residual beyond which fluxes would not balance to 1e-10
_SHORTEST = 2.0**-12  # of a full step
_ALIKE = 0.05  # of a correction: below that what is left wants no other matrix
_DECREASE = 0.25  # of the next correction, per length of the step


class _Step(Problem):
    """A step's linear problem: its load is what is left over at the guess, which is `u`."""

    def _left_over(self) -> PETSc.Vec:
        return assemble(self.load)


class Newton:
    """A nonlinear problem whose forms are compiled once, for coefficients that change.

    Args:
        a: Form in `u` and a test function, linear in the latter.
        load: Linear form; may depend on other functions.
        u: The unknown, which holds the last iterate afterwards.
        bcs: Boundary values.
        rtol: On the reduced residual, relative to that of the guess zero inside; never
            looser than 1e-10.
        method: `direct`, `multigrid` or `coupled`, for the steps; the last is for unknowns in
            blocks, with inexact steps that use a matrix as long as it brings them near.
        name: Prefix of the steps' PETSc options.
        ties: Unknowns that equal others.
        settled: Where given, the solution is reached when no unknown would change by more than
            this, whatever the residual: that of one equation may hide those of the others.
        before: Where given, called whenever `u` has changed: what the forms hold besides `u`,
            and what the derivative of `a - load` does not know, follows it then.
        shared: Linear forms b and r, two for each number s that the forms hold and that `before`
            finds from `u` as one that many unknowns share: the load changes by b ds, and s by
            the sum of r dv over the sum of b where the unknowns change by dv.
    """

    def __init__(
        self,
        a: Any,
        load: Any,
        u: fem.Function,
        bcs: tuple[fem.DirichletBC, ...],
        rtol: float,
        method: str,
        name: str,
        ties: Ties | None = None,
        settled: float | None = None,
        before: Callable[[], None] | None = None,
        shared: Sequence[tuple[Any, Any]] = (),
    ) -> None:
        self.settled, self.before = settled, before
        self.chord = method == "coupled"
        self.shared = [(fem.form(b), fem.form(r)) for b, r in shared]
        self.u, self.bcs, self.name, self.method = u, bcs, name, f"{method}-newton"
        self.rtol = min(rtol, _LOOSEST)
        residual = a - load
        tangent = ufl.derivative(residual, u, ufl.TrialFunction(u.function_space))
        self.step = _Step(
            tangent, -residual, u.function_space, bcs, self.rtol, self.method, name, ties
        )

    def solve(self, guess: NDArray[np.float64]) -> Solved:
        """The solution nearest to `guess`, the owned unknowns to start from. Collective.

        Raises:
            ConvergenceError: if the tolerance is not met; `u` holds the last iterate.
        """
        scale = self._residual(np.zeros_like(guess))
        if scale == 0.0:
            return Solved(self.u.copy(), 0, 0.0, self.method)
        norm = self._residual(guess)
        for steps in range(1, _MAX_STEPS + 1):
            start = self._owned()
            with self._corrections(scale) as correction:
                change = correction(start)
                size, length = self._size(change), 1.0
                while True:
                    shorter = self._residual(start + length * change)
                    if np.isfinite(shorter):
                        rest = correction(self._owned())
                        done = self._reached(shorter, scale, rest)
                        if done or self._size(rest) <= (1.0 - _DECREASE * length) * size:
                            break
                    length /= 2
                    if length < _SHORTEST:
                        self._residual(start)
                        raise self._stopped(steps, norm / scale, "no step leads nearer")
                while self.chord and not done and self._size(rest) <= _ALIKE * size:
                    start, change, size = self._owned(), rest, self._size(rest)
                    further = self._residual(start + change)
                    rest = correction(self._owned())
                    if not self._size(rest) < size:
                        rest = change
                        self._residual(start)
                        break
                    shorter, done = further, self._reached(further, scale, rest)
            norm = shorter
            if done:
                return self._polished(rest, steps, norm, scale)
        raise self._stopped(_MAX_STEPS, norm / scale, "too many steps")

    @contextmanager
    def _corrections(self, scale: float) -> Iterator[Callable[[NDArray[np.float64]], Any]]:
        """Those of `step`, with the shared numbers found anew."""
        update = None
        if self.chord and self.shared:
            update = partial(updated, shared=self.shared, bcs=self.bcs)
        with self.step.corrections(scale, update) as plain:
            yield plain if self.chord else with_shared(plain, self.shared, self.u)

    def _reached(self, residual: float, scale: float, rest: NDArray[np.float64]) -> bool:
        """True where what is left is within the tolerance."""
        if self.settled is None:
            return residual <= self.rtol * scale
        largest = float(np.abs(rest).max(initial=0.0))
        return bool(max(self.u.function_space.mesh.comm.allgather(largest)) <= self.settled)

    def _polished(self, rest: NDArray[np.float64], steps: int, norm: float, scale: float) -> Solved:
        """The solution with one more correction, which costs no matrix: to round-off."""
        last = self._owned()
        better = self._residual(last + rest)
        if self.settled is None and not better < norm:
            better = self._residual(last)
        return Solved(self.u.copy(), steps, better / scale, self.method)

    def _size(self, values: NDArray[np.float64]) -> float:
        with np.errstate(over="ignore"):  # of a step that is refused
            own = float(values @ values)
        return float(self.u.function_space.mesh.comm.allreduce(own) ** 0.5)

    def _owned(self) -> NDArray[np.float64]:
        dofmap = self.u.function_space.dofmap
        return np.array(self.u.x.array[: dofmap.index_map.size_local * dofmap.index_map_bs])

    def _residual(self, values: NDArray[np.float64]) -> float:
        """Norm of the reduced residual at `values`, boundary values set; `u` becomes them."""
        self.u.x.array[: len(values)] = values
        for bc in self.bcs:
            bc.set(self.u.x.array)
        self.u.x.scatter_forward()
        if self.before is not None:
            self.before()
        return self.step.residual_norm(self._owned())

    def _stopped(self, steps: int, residual: float, reason: str) -> ConvergenceError:
        near = residual <= _NEAR
        hint = "a larger [solver] rtol" if near else "coefficients that change less steeply"
        return ConvergenceError(
            f"Newton's method of {self.name} stopped after {steps} steps at a relative residual of "
            f"{residual:.1e} instead of {self.rtol:.1e} ({reason}); give {hint}"
        )

"""Newton's method for a body that yields, held by supports and, maybe, by a contact.

A step moves the supports by all that they lack: the tangent spreads it over the body, where
prescribed values alone would tear the first row of cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.errors import ConvergenceError
from fem_spe.solve import linear
from fem_spe.solve.solids.plastic import Yielding

Floats = NDArray[np.float64]

_MAX_STEPS = 30
_ROUND_OFF = 4e-15  # of stiffness times displacement: forces in a body that moves freely
_IN_PLACE = 1e-9  # of the largest prescribed value, that a support may lack
_SEARCHES = 8  # parts of a step that are tried
_SLACK = 0.5  # of the work before a step, that may be left after it
_PATIENCE = 12  # steps without a residual smaller than all before
_INEXACT = 1e-8  # of each right-hand side, that multigrid leaves


class Constraint(Protocol):
    """Unknowns that depend on others, anew in each iteration: u = T w + t."""

    def update(self, u: Floats, residual: Floats) -> bool:
        """Look at the state, owned unknowns; True where nothing has changed. Collective."""

    def reduce(self, matrix: PETSc.Mat) -> PETSc.Mat:
        """The matrix of the unknowns that are left. Collective."""

    def collect(self, vector: PETSc.Vec) -> None:
        """T^T times the vector, in place. Collective."""

    def spread(self, vector: PETSc.Vec) -> None:
        """T times the vector, in place. Collective."""

    def shift(self) -> Floats:
        """The part t of the next correction, owned unknowns."""


@dataclass(frozen=True)
class Supports:
    """Boundary values, of which a share is prescribed.

    Attributes:
        fixed: Which owned unknowns are.
        values: Theirs under the whole load, m; zero elsewhere.
        rows: Their local numbers.
    """

    fixed: NDArray[np.bool_]
    values: Floats
    rows: NDArray[np.int32]

    @classmethod
    def of(cls, space: fem.FunctionSpace, bcs: Sequence[fem.DirichletBC]) -> Supports:
        """The supports that boundary values make."""
        owned = space.dofmap.index_map.size_local * space.dofmap.index_map_bs
        values, fixed = np.zeros(owned), np.zeros(owned, dtype=bool)
        whole = fem.Function(space)
        for bc in bcs:
            bc.set(whole.x.array)
            dofs, count = bc.dof_indices()
            fixed[dofs[:count]] = True
        values[fixed] = whole.x.array[:owned][fixed]
        return cls(fixed, values, np.flatnonzero(fixed).astype(np.int32))


def balance(
    body: Yielding,
    supports: Supports,
    share: float,
    *,
    rtol: float,
    method: str = "direct",
    name: str = "elasticity",
    contact: Constraint | None = None,
) -> list[float]:
    """Bring the body into equilibrium under a share of its load. Collective.

    Args:
        body: Its displacement is the guess, and the solution afterwards; not yet committed.
        supports: What is prescribed under the whole load.
        share: Of the load and of the prescribed values.
        rtol: Of the residual, over the norm of the internal forces.
        method: `direct` or `elastic`.
        name: Prefix of the PETSc options.
        contact: What ties unknowns to others besides.

    Returns:
        Relative residuals, from the first tangent's solution on.

    Raises:
        ConvergenceError: if there is no equilibrium within reach; the body is left where the
            iteration ended.
    """
    comm = body.space.mesh.comm

    def largest(values: Floats) -> float:
        return float(comm.allreduce(float(np.max(np.abs(values), initial=0.0)), op=MPI.MAX))

    body.share.value = share
    owned = len(supports.values)
    u, residuals, noise = body.u, list[float](), 0.0
    for steps in range(_MAX_STEPS + 1):
        residual = body.residual()
        now = u.x.array[:owned].copy()
        settled = contact is None or contact.update(now, residual.array.copy())
        lacking = np.where(supports.fixed, share * supports.values - now, 0.0)
        scale = body.force()
        if steps > 0:
            residuals.append(out_of_balance(body, supports, contact))
            best = int(np.argmin(residuals)) if np.isfinite(residuals[-1]) else -_PATIENCE
            done = settled and residuals[-1] * scale <= max(rtol * scale, noise)
            if done or len(residuals) - best > _PATIENCE:
                residual.destroy()
                if done:
                    return residuals
                break
        step, free, stiffness = _correction(
            body, supports, contact, residual, lacking, rtol * scale, method, name
        )
        # of what is prescribed: displacements themselves have no bound beyond a limit load
        noise = _ROUND_OFF * stiffness * share * largest(supports.values)
        torn = largest(lacking) > _IN_PLACE * largest(supports.values)
        _go(body, supports, contact, now, step, free, whole=torn)
        free.destroy()
    raise ConvergenceError(
        f"Newton's method of {name} found no equilibrium in {len(residuals)} steps (relative "
        f"residual {min(residuals):.1e}): the load may be beyond what the "
        "structure bears; give a smaller one, more steps, or a hardening_modulus"
    )


def _correction(
    body: Yielding,
    supports: Supports,
    contact: Constraint | None,
    residual: PETSc.Vec,
    lacking: Floats,
    goal: float,
    method: str,
    name: str,
) -> tuple[Floats, PETSc.Vec, float]:
    """What the tangent adds to the displacement, owned unknowns, and its part that is free.

    And the norm of the tangent's diagonal. Frees `residual`.
    """
    matrix = body.tangent()
    diagonal = matrix.getDiagonal()
    stiffness = float(diagonal.norm())
    diagonal.destroy()
    given = residual.duplicate()
    given.array_w[:] = lacking + (contact.shift() if contact is not None else 0.0)
    right = residual.duplicate()
    matrix.mult(given, right)
    right.axpy(1.0, residual)
    right.scale(-1.0)
    system = matrix
    if contact is not None:
        contact.collect(right)
        system = contact.reduce(matrix)
    right.array_w[supports.rows] = 0.0
    first = system.getOwnershipRange()[0]
    system.zeroRowsColumns((supports.rows + first).astype(PETSc.IntType))
    if method == "elastic":
        system.setNearNullSpace(body.near_null())
    step = right.duplicate()
    goal = goal if method == "direct" else max(goal, _INEXACT * right.norm())
    ksp = linear.krylov(system, 1.0, goal, method, name)
    if right.norm() > 0.0:
        ksp.solve(right, step)
        if method == "direct":
            linear.refine(ksp, system, right, step)
    reason = ksp.getConvergedReason()
    free = step.copy()
    if contact is not None:
        contact.spread(step)
        system.destroy()
    step.axpy(1.0, given)
    found = np.array(step.array)
    for thing in (ksp, matrix, given, right, step, residual):
        thing.destroy()
    finite = body.space.mesh.comm.allreduce(bool(np.isfinite(found).all()), op=MPI.LAND)
    if reason < 0 or not finite:
        raise ConvergenceError(
            f"a step of Newton's method of {name} found no solution (PETSc reason {reason}); "
            "the structure may have reached its limit load"
        )
    return found, free, stiffness


def _go(
    body: Yielding,
    supports: Supports,
    contact: Constraint | None,
    start: Floats,
    step: Floats,
    free: PETSc.Vec,
    *,
    whole: bool,
) -> None:
    """Move by the step, or by the part of it where the energy is least. Collective.

    The energy of a step of plastic flow is convex: what is sought is a part where the forces out
    of balance do little work along `free`. A step that is to move supports is taken whole.
    """

    def work(part: float) -> float:
        body.u.x.array[: len(start)] = start + part * step
        body.u.x.scatter_forward()
        if whole:
            return 0.0
        residual = body.residual()
        if contact is not None:
            contact.collect(residual)
        residual.array_w[supports.rows] = 0.0
        found = float(residual.dot(free))
        residual.destroy()
        return found

    if whole:
        work(1.0)
        return
    before = work(0.0)
    low, at_low, high, at_high = 0.0, before, 1.0, work(1.0)
    for _ in range(_SEARCHES):
        # beyond the least energy the work changes its sign
        if not at_high > _SLACK * abs(before):
            return
        middle = max(low - at_low * (high - low) / (at_high - at_low), low + 0.1 * (high - low))
        at_middle = work(middle)
        if at_middle < -_SLACK * abs(before):
            low, at_low = middle, at_middle
            work(high)
        else:
            high, at_high = middle, at_middle


def out_of_balance(body: Yielding, supports: Supports, contact: Constraint | None = None) -> float:
    """Norm of the forces that neither supports nor ties bear, over inner ones. Collective."""
    left, scale = body.residual(), body.force()
    if contact is not None:
        contact.collect(left)
    left.array_w[supports.rows] = 0.0
    norm = float(left.norm())
    left.destroy()
    return norm / scale if scale > 0.0 else 0.0

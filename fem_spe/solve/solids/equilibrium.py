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
from fem_spe.solve.solids.elastic import System, rigid_motions
from fem_spe.solve.solids.plastic import Yielding
from fem_spe.solve.solids.seam import SeamSystem
from fem_spe.solve.solids.tied_levels import TiedLevels, Ties

Floats = NDArray[np.float64]

_MAX_STEPS = 30
_ROUND_OFF = 4e-15  # of stiffness times displacement: forces in a body that moves freely
_IN_PLACE = 1e-9  # of the largest prescribed value, that a support may lack
_OPEN = 1e-3  # of the way so far, beyond which gaps are to be closed before all else
_SEARCHES = 8  # parts of a step that are tried
_SLACK = 0.5  # of the work before a step, that may be left after it
_SINGULAR = (
    "a step of Newton's method of {name} found no solution ({reason}); "
    "the structure may have reached its limit load; give a hardening_modulus"
)
_PATIENCE = 12  # steps without a residual smaller than all before
# Of each right-hand side, that multigrid leaves: at first, at most and at least; between them a
# tenth of what Newton's last step left. Eisenstat & Walker, SIAM J. Sci. Comput. 17 (1996) 16.
_FIRST, _LOOSEST, _TIGHTEST = 1e-3, 1e-2, 1e-5
_FORCING = 0.1
_SMALL = 25_000  # unknowns in space up to which a factorisation is the faster


class Constraint(Protocol):
    """Unknowns that depend on others, anew in each iteration: u = T w + t."""

    def update(self, u: Floats, residual: Floats) -> bool:
        """Look at the state, owned unknowns; True where nothing has changed. Collective."""

    def ties(self) -> Ties:
        """T, as it is in this iteration."""

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


def choose(num_dofs: int, degree: int, dimension: int) -> str:
    """The preset for tangents of so many unknowns."""
    if num_dofs < (linear.DIRECT_LIMIT if dimension == 2 else _SMALL):
        return "direct"
    return "two-level" if degree == 2 else "elastic"


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
        method: See `choose`.
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
    levels = None
    if method == "two-level":
        levels = TiedLevels(body.space, body.coarse, supports.fixed)
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
            body, supports, contact, residual, lacking, rtol * scale, _loose(residuals), method,
            levels, name,
        )  # fmt: skip
        # of what is prescribed: displacements themselves have no bound beyond a limit load
        noise = _ROUND_OFF * stiffness * share * largest(supports.values)
        torn = largest(lacking) > _IN_PLACE * largest(supports.values)
        if contact is not None:  # a part of a step would leave gaps open
            torn |= largest(contact.shift()) > _OPEN * share * largest(supports.values)
        _go(body, supports, contact, now, step, free, whole=torn)
        free.destroy()
    raise ConvergenceError(
        f"Newton's method of {name} found no equilibrium in {len(residuals)} steps (relative "
        f"residual {min(residuals):.1e}): the load may be beyond what the "
        "structure bears; give a smaller one, more steps, or a hardening_modulus"
    )


def _loose(residuals: Sequence[float]) -> float:
    """What the next linear solve may leave of its right-hand side."""
    if len(residuals) < 2:
        return _FIRST
    return min(_LOOSEST, max(_TIGHTEST, _FORCING * residuals[-1] / residuals[-2]))


def _correction(
    body: Yielding,
    supports: Supports,
    contact: Constraint | None,
    residual: PETSc.Vec,
    lacking: Floats,
    goal: float,
    loose: float,
    method: str,
    levels: TiedLevels | None,
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
    system, ties = matrix, None
    if contact is not None:
        contact.collect(right)
        ties = contact.ties()
        system = ties.reduce(matrix)
    right.array_w[supports.rows] = 0.0
    first = system.getOwnershipRange()[0]
    system.zeroRowsColumns((supports.rows + first).astype(PETSc.IntType))
    step = _solved(body, system, ties, right, goal, loose, method, levels, name)
    free = step.copy()
    if contact is not None:
        contact.spread(step)
        system.destroy()
    step.axpy(1.0, given)
    found = np.array(step.array)
    for thing in (matrix, given, right, step, residual):
        thing.destroy()
    if not body.space.mesh.comm.allreduce(bool(np.isfinite(found).all()), op=MPI.LAND):
        raise ConvergenceError(_SINGULAR.format(name=name, reason="not a number"))
    return found, free, stiffness


def _solved(
    body: Yielding,
    system: PETSc.Mat,
    ties: Ties | None,
    right: PETSc.Vec,
    goal: float,
    loose: float,
    method: str,
    levels: TiedLevels | None,
    name: str,
) -> PETSc.Vec:
    """The solution of one linear system, to `goal` or a `loose` part. Collective.

    Raises:
        ConvergenceError: if there is none.
    """
    solver: System
    if levels is not None:
        solver = levels.solver(system, body.coarse_tangent(), ties, name)
    elif method == "direct":
        solver, loose = System(system, method, name), 1.0  # it does what it can; Newton judges
    elif ties is None:
        system.setNearNullSpace(rigid_motions(body.space))
        solver = System(system, method, name)
    else:
        system.setNearNullSpace(ties.near_null(body.space))
        solver = SeamSystem(system, method, name, ties.unknowns)
    try:
        step, _, _ = solver.solve(right, goal, loose)
    except ConvergenceError as error:
        raise ConvergenceError(_SINGULAR.format(name=name, reason=error)) from None
    finally:
        solver.destroy()
    return step


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

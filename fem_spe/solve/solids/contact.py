"""Contact of an elastic body with rigid balls, by a primal-dual active set on nodes.

Nodes where a ball presses are held on its surface, all others are free; then nodes that
would be pulled are released and nodes that penetrate are caught, until neither exists.
Hintermüller, Ito & Kunisch, SIAM J. Optim. 13 (2002) 865.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.solve import linear
from fem_spe.solve.solids.active_set import ActiveSet, greatest, total
from fem_spe.solve.solids.gap import (
    TOUCHING,
    Ball,
    Gaps,
    Normal,
    carried,
    gaps,
    touching,
)
from fem_spe.solve.solids.held import HeldSystem, Hold
from fem_spe.solve.solids.pressed import PENETRATION, SLIP, Kind, Pressed, require
from fem_spe.units import in_um

Floats = NDArray[np.float64]

_INSIDE = 1e3  # radius over distance from the centre, where the normal loses its sense
MOST_SETS = 60  # active sets tried; 4 to 10 are usual
# A ball is taken to touch at first where it is deeper than this part of its depth: of the
# zone in which it would overlap the undeformed body, about half comes to touch.
_START = 0.5
# The geometric stiffness is that of the final normals: switched on from the start it makes
# the iteration diverge, left out it makes it converge linearly.
_SETTLED = 0.02  # share of the active nodes that may still change
TURNING = 0.05  # how far normals may still move
# As long as more nodes than that change, multigrid leaves this part of the right-hand side.
LOOSE = 1e-2


@dataclass(frozen=True)
class State:
    """A displacement, its residual and the gaps of the candidates."""

    u: fem.Function
    residual: Floats  # (owned nodes, gdim)
    at: Gaps
    push: Floats  # normal force on each candidate if a ball made it


class Contact:
    """A linear elastic body that may touch balls on one face.

    Args:
        a: Bilinear form, symmetric and positive definite under `bcs`.
        load: Linear form of the other loads, or None.
        space: Vector space of Lagrange elements.
        bcs: Boundary values.
        face: Nodes that may touch, as local blocks of the space (`Domain.face_dofs`).
        rtol: On the reduced residual.
        method: `direct`, `elastic`, or `two-level` with a `coarse` one, see
            `multigrid.choose`.
        name: Prefix of the PETSc options.
        coarse: The same body with fewer unknowns (P1 on the same mesh for P2), on which
            the contact is sought first. It takes an eighth of the time and leaves four to
            six sets to try here where there would be up to twenty.
        trial, residual: Where the body is not linear: the displacement that `a` is taken at,
            and the linear form of its inner forces there; see `large_contact`.
    """

    def __init__(
        self,
        a: Any,
        load: Any,
        space: fem.FunctionSpace,
        bcs: Sequence[fem.DirichletBC],
        face: NDArray[np.int32],
        *,
        rtol: float = 1e-12,
        method: str = "direct",
        name: str = "contact",
        coarse: Contact | None = None,
        trial: fem.Function | None = None,
        residual: Any = None,
    ) -> None:
        self.coarse = coarse
        self.space, self.bcs, self.rtol, self.method, self.name = space, bcs, rtol, method, name
        self.comm, self.bs = space.mesh.comm, space.dofmap.bs
        self.owned = space.dofmap.index_map.size_local
        self.form = fem.form(a)
        below = None if coarse is None else coarse.stiffness
        self.stiffness: HeldSystem = HeldSystem(self.form, space, bcs, rtol, method, name, below)
        self.A, self.system = self.stiffness.A, self.stiffness.system
        self.free = self.stiffness.free
        candidates, x = face[face < self.owned], space.tabulate_dof_coordinates()[:, : self.bs]
        moves = self.free[candidates].any(axis=1)
        self.nodes, pinned = candidates[moves], candidates[~moves]
        self.points = x[self.nodes]
        self._pinned = x[pinned] + self._first(None).x.array.reshape(-1, self.bs)[pinned]
        # distinct, and the same however the mesh is spread over ranks
        self._order = self.points @ np.sqrt([2.0, 3.0, 5.0])[: self.bs]
        self.trial = fem.Function(space) if trial is None else trial
        out_of_balance = ufl.action(a, self.trial) if residual is None else residual
        self.load = None if load is None else fem.form(load)
        self.residual = fem.form(out_of_balance if load is None else out_of_balance - load)

    def press(
        self,
        balls: Sequence[Ball],
        *,
        kind: Kind = "frictionless",
        normal: Normal = "updated",
        start: Pressed | None = None,
    ) -> Pressed:
        """The body in contact with the balls. Collective.

        Args:
            balls: Where they are now.
            kind: `frictionless`, or `bonded`: nodes that a ball meets move with it. In the
                step in which it meets them, those that it would pull are released, once;
                afterwards none is.
            normal: As in `gaps`; all but `updated` make a linear complementarity problem.
            start: The step before: its displacement, and what is bonded.

        Raises:
            ConvergenceError: if no consistent set is found, or a check of it fails.
            CaseError: if the centre of a ball reaches the surface, or a ball meets what is held
                in place.
        """
        self.require_clear(balls)
        return self._checked(*self._seek(balls, kind, normal, start), balls, kind)

    def require_clear(self, balls: Sequence[Ball]) -> None:
        """Raise where a ball would go into nodes that cannot make way. Collective.

        Raises:
            CaseError: with the place.
        """
        gap = gaps(self._pinned, np.zeros_like(self._pinned), balls, "updated").gap
        found: tuple[float, tuple[float, ...]] = (-np.inf, ())
        if len(gap):
            worst = int(np.argmin(gap))
            found = -float(gap[worst]), tuple(map(float, self._pinned[worst]))
        deepest, place = max(self.comm.allgather(found))
        if deepest > TOUCHING * max(ball.radius for ball in balls):
            raise CaseError(
                f"[balls] a ball would go {deepest * 1e6:.4g} um into the place "
                f"({in_um(place)}) um, which [boundary.*] holds; give another position, "
                "or sliding = true there"
            )

    def _met(
        self, before: State, balls: Sequence[Ball], bonded: bool, start: Pressed | None
    ) -> tuple[NDArray[np.bool_], Floats]:
        """The nodes that stick to a ball, and where it takes them."""
        target = resting = self._at_nodes(before.u)
        held = np.zeros(len(self.nodes), dtype=bool)
        if bonded:
            held = touching(self.points, resting, before.at.ball, balls)
            if start is not None:
                held |= np.isin(self.nodes, start.nodes)
            target = carried(self.points, resting, before.at.ball, balls, held)
        return held, target

    def _seek(
        self,
        balls: Sequence[Ball],
        kind: Kind,
        normal: Normal,
        start: Pressed | None,
        rough: bool = False,
    ) -> tuple[State, NDArray[np.bool_], int]:
        """The state in contact, the nodes that touch, and how many sets were tried.

        Where multigrid solves, a `rough` one is what it would go on from with its full
        tolerance: enough for a first guess.
        """
        bonded = kind == "bonded"
        state = before = self._state(self._first(start and start.u), balls, normal)
        active = self._deep(state.at, len(balls))
        # what is bonded depends on the way, a frictionless contact does not
        if self.coarse is not None and (start is None or not bonded):
            found, _, _ = self.coarse._seek(balls, kind, normal, None, rough=True)
            guess = self._first(found.u)
            state = self._state(guess, balls, normal)
            active = state.at.gap <= PENETRATION * self._largest(guess)
        stuck, target = self._met(before, balls, bonded, start)
        contacts = ActiveSet(self.comm, self._order, active, stuck, bonded=bonded)
        # a linear problem but for the set: its normals neither turn nor add to the stiffness
        still = bonded or normal != "updated"
        scale, geometric = 0.0, False
        # what sticks depends on the way there, which must not hang on what solvers leave
        loose = self.method != "direct" and not bonded
        for tried in range(1, MOST_SETS + 1):
            active = contacts.nodes
            given = target - self._at_nodes(state.u) if bonded else None
            u, scale, goal = self._solve(state, active, given, geometric, LOOSE * loose, scale)
            last, state = state, self._state(u, balls, normal)
            depth = PENETRATION * self._largest(u)
            # a pull below what the linear solver leaves is none
            pull = 1e-12 * self._max(state.push)
            if self.method != "direct" and not loose:
                pull = max(pull, goal)
            changes = contacts.judge(state.push, state.at.gap, pull, depth)
            closed = still or (
                self._max(np.abs(state.at.gap[active])) <= depth
                and self._slip(state, active) <= SLIP
            )
            if not loose and changes == 0 and closed:
                return state, active, tried
            few = changes <= _SETTLED * contacts.size
            # the first step of Newton's method with all terms is loose: the next one corrects it
            solved = few and (still or geometric)
            if rough and loose and solved:
                return state, active, tried
            loose = loose and not solved
            turned = self._max(np.abs(state.at.normal - last.at.normal)[active])
            geometric = not still and few and turned <= TURNING
            contacts.exchange()
        left = f"still changes at {changes} nodes" if changes else "does not close its gaps"
        raise ConvergenceError(
            f"the contact {left} after {MOST_SETS} active sets; give more [indentation] steps, or "
            "a smaller displacement"
        )

    @property
    def krylov(self) -> int:
        """Iterations of the linear solver, in all presses."""
        return self.stiffness.krylov

    @property
    def all_krylov(self) -> int:
        """The same, on both levels."""
        return self.krylov + (0 if self.coarse is None else self.coarse.all_krylov)

    def _first(self, start: fem.Function | None) -> fem.Function:
        u = fem.Function(self.space)
        if start is not None:
            u.interpolate(start)
        for bc in self.bcs:
            bc.set(u.x.array)
        u.x.scatter_forward()
        return u

    def _deep(self, at: Gaps, balls: int) -> NDArray[np.bool_]:
        """The first guess of the nodes in contact."""
        deepest = np.array([np.min(at.gap[at.ball == k], initial=0.0) for k in range(balls)])
        self.comm.Allreduce(MPI.IN_PLACE, deepest, op=MPI.MIN)
        return np.asarray(at.gap < _START * deepest[at.ball])

    def _at_nodes(self, u: fem.Function) -> Floats:
        return np.asarray(u.x.array.reshape(-1, self.bs)[self.nodes])

    def _state(self, u: fem.Function, balls: Sequence[Ball], normal: Normal) -> State:
        self.trial.x.array[:] = u.x.array
        vector = linear.assemble(self.residual)
        residual = vector.array.reshape(-1, self.bs).copy()
        vector.destroy()
        at = gaps(self.points, self._at_nodes(u), balls, normal)
        if (
            self._max(
                np.array([b.radius for b in balls])[at.ball] / np.maximum(at.distance, 1e-300)
            )
            > _INSIDE
        ):
            raise CaseError(
                "a ball reaches the surface with its centre in one step, whence no direction "
                "leads out; give a smaller displacement or more [indentation] steps"
            )
        along = at.normal * self.free[self.nodes]
        # where a component is fixed its residual is a reaction, and says nothing
        weight = np.maximum(np.sum(along**2, axis=1), 1e-6)
        push = np.sum(residual[self.nodes] * along, axis=1) / weight
        return State(u, residual, at, push)

    def _solve(
        self,
        state: State,
        active: NDArray[np.bool_],
        given: Floats | None,
        geometric: bool,
        loose: float,
        scale: float,
    ) -> tuple[fem.Function, float, float]:
        """The next displacement: the active nodes on the ball, or moved by `given`.

        Returns:
            It, the largest norm of a right-hand side so far, and the residual's norm that
            was asked for.
        """
        way, normals, curvature = given, None, None
        if given is None:
            way, normals = -state.at.gap, state.at.normal[active]
            if geometric:
                curvature = state.push[active] / state.at.distance[active]
        assert way is not None
        hold = Hold(self.nodes[active], way[active], normals, curvature)
        step, scale, goal = self.stiffness.step(state.residual, hold, loose=loose, scale=scale)
        u = fem.Function(self.space)
        u.x.array[:] = state.u.x.array
        u.x.array[: len(step)] += step
        u.x.scatter_forward()
        return u, scale, goal

    def _evened(self, push: Floats) -> Floats:
        """What tells from the nodes' normal forces which of them are pulled. Collective."""
        return push

    def _outer(self) -> Floats:
        """Outer forces but for those of balls, on owned nodes, N, shape (n, gdim). Collective."""
        if self.load is None:
            return np.zeros((self.owned, self.bs))
        vector = linear.assemble(self.load)
        forces = vector.array.reshape(-1, self.bs).copy()
        vector.destroy()
        return np.asarray(forces)

    def _slip(self, state: State, active: NDArray[np.bool_]) -> float:
        residual = state.residual[self.nodes] * self.free[self.nodes]
        along = state.at.normal * self.free[self.nodes]
        tangential = np.abs(residual - state.push[:, None] * along)
        return self._max(tangential[active]) / max(self._max(state.push[active]), 1e-300)

    def _checked(
        self,
        state: State,
        active: NDArray[np.bool_],
        tried: int,
        balls: Sequence[Ball],
        kind: Kind,
    ) -> Pressed:
        """The result, if it is in balance and nothing penetrates or is pulled."""
        forces = state.push[:, None] * state.at.normal
        if kind == "bonded":
            forces = np.where(self.free[self.nodes], state.residual[self.nodes], 0.0)
        forces[~active] = 0.0
        force = fem.Function(self.space)
        force.x.array.reshape(-1, self.bs)[self.nodes] = forces
        force.x.scatter_forward()
        per_ball = np.array([forces[state.at.ball == k].sum(axis=0) for k in range(len(balls))])
        per_ball = self.comm.allreduce(per_ball, op=MPI.SUM)

        by_contact = np.zeros_like(state.residual)
        by_contact[self.nodes] = forces
        support = np.where(self.free, 0.0, state.residual - by_contact).sum(axis=0)
        loads = self.comm.allreduce(self._outer().sum(axis=0), op=MPI.SUM)
        rest = self.comm.allreduce(support, op=MPI.SUM) + loads + per_ball.sum(axis=0)
        total = float(np.linalg.norm(per_ball, axis=1).sum() + np.linalg.norm(loads))

        pressing = self._evened(state.push)[active]
        strongest = max(self._max(pressing), 1e-300)
        found = Pressed(
            u=state.u,
            force=force,
            nodes=self.nodes[active],
            ball=state.at.ball[active],
            per_ball=per_ball,
            iterations=tried,
            penetration=self._max(-state.at.gap) / max(self._largest(state.u), 1e-300),
            least_pressure=-self._max(-pressing) / strongest,
            slip=0.0 if kind == "bonded" else self._slip(state, active),
            imbalance=float(np.linalg.norm(rest)) / total if total > 0.0 else 0.0,
        )
        require(found, kind)
        return found

    def _max(self, values: Floats) -> float:
        return greatest(self.comm, values)

    def _largest(self, u: fem.Function) -> float:
        return self._max(np.abs(u.x.array))

    def _sum(self, number: Any) -> int:
        return total(self.comm, number)

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
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.solve import linear
from fem_spe.solve.solids.elastic import System, rigid_motions
from fem_spe.solve.solids.gap import Ball, Gaps, Normal, carried, gaps, touching
from fem_spe.solve.solids.multigrid import TwoLevels
from fem_spe.solve.solids.normals import components, constrain, directions, project, turn
from fem_spe.solve.solids.pressed import PENETRATION, SLIP, Kind, Pressed, require

Floats = NDArray[np.float64]

_INSIDE = 1e3  # radius over distance from the centre, where the normal loses its sense
MOST_SETS = 60  # active sets tried; 4 to 10 are usual
# A ball is taken to touch at first where it is deeper than this part of its depth: of the
# zone in which it would overlap the undeformed body, about half comes to touch.
_START = 0.5
# Sets that exchange all wrong nodes at once may come back in a circle. Where so many in a row
# bring no improvement, only the last wrong node is exchanged, which ends for every positive
# definite problem: Júdice & Pires, Comput. Oper. Res. 21 (1994) 587.
PATIENCE = 3
# The geometric stiffness is that of the final normals: switched on from the start it makes
# the iteration diverge, left out it makes it converge linearly.
_SETTLED = 0.02  # share of the active nodes that may still change
TURNING = 0.05  # how far normals may still move
# As long as more nodes than that change, multigrid solves to this part of the right-hand side.
_LOOSE = 1e-2


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
        self.free = np.ones((self.owned, self.bs), dtype=bool)
        for bc in bcs:
            dofs = bc.dof_indices()[0]
            self.free.reshape(-1)[dofs[dofs < self.free.size]] = False
        self.nodes = face[face < self.owned]
        self.nodes = self.nodes[self.free[self.nodes].any(axis=1)]
        self.points = space.tabulate_dof_coordinates()[self.nodes, : self.bs]
        # distinct, and the same however the mesh is spread over ranks
        self._order = self.points @ np.sqrt([2.0, 3.0, 5.0])[: self.bs]
        self.trial = fem.Function(space) if trial is None else trial
        out_of_balance = ufl.action(a, self.trial) if residual is None else residual
        self.load = None if load is None else fem.form(load)
        self.residual = fem.form(out_of_balance if load is None else out_of_balance - load)
        self.form = fem.form(a)
        self.A = fem_petsc.assemble_matrix(self.form, bcs=list(bcs))
        self.A.assemble()
        self.B = self.A.copy()
        self.krylov = 0  # iterations of the linear solver, in all presses
        self.levels: TwoLevels | None = None
        if method == "elastic":
            for matrix in (self.A, self.B):
                matrix.setNearNullSpace(rigid_motions(space))
        if method == "two-level":
            assert coarse is not None
            self.levels = TwoLevels(
                self.B, space, coarse.space, self.free, coarse.free, coarse.A, name
            )
        self.system = self.levels or System(self.B, method, name)

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
            normal: As in `gaps`; `vertical` makes a linear complementarity problem.
            start: The step before: its displacement, and what is bonded.

        Raises:
            ConvergenceError: if no consistent set is found, or a check of it fails.
            CaseError: if the centre of a ball reaches the surface.
        """
        return self._checked(*self._seek(balls, kind, normal, start), balls, kind, normal)

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
        held, target = self._met(before, balls, bonded, start)
        active |= held
        released = np.zeros_like(held)
        scale, geometric, fewest, patience = 0.0, False, np.inf, PATIENCE
        loose = self.method != "direct"
        for tried in range(1, MOST_SETS + 1):
            given = target - self._at_nodes(state.u) if bonded else None
            u, scale, goal = self._solve(state, active, given, geometric, loose, scale)
            last, state = state, self._state(u, balls, normal)
            depth = PENETRATION * self._largest(u)
            # a pull below what the linear solver leaves is none
            pull = 1e-12 * self._max(state.push)
            if self.method != "direct" and not loose:
                pull = max(pull, goal)
            keep = np.where(active, state.push >= -pull, state.at.gap < -depth)
            wrong = (keep | held) != active
            changes = self._sum(np.count_nonzero(wrong))
            turned = self._max(np.abs(state.at.normal - last.at.normal)[active])
            slip = 0.0 if bonded else self._slip(state, active)
            closed = bonded or self._max(np.abs(state.at.gap[active])) <= depth
            settled = not loose and changes == 0
            if settled and (normal == "vertical" or (closed and slip <= SLIP)):
                return state, active, tried
            if bonded:
                # free it would penetrate, held where it landed it would be pulled a little: held
                held = held | released & keep & ~active
                released |= active & ~keep
            elif changes >= fewest and patience == 0:
                wrong &= self._order == self._max(self._order[wrong])
            patience = PATIENCE if changes < fewest else max(0, patience - 1)
            fewest = min(fewest, changes)
            size = self._sum(np.count_nonzero(active))
            few = changes <= _SETTLED * size
            # the first step of Newton's method with all terms is loose: the next one corrects it
            solved = few and (bonded or normal == "vertical" or geometric)
            if rough and loose and solved:
                return state, active, tried
            loose = loose and not solved
            geometric = not bonded and normal == "updated" and few and turned <= TURNING
            active = active ^ wrong | held
        raise ConvergenceError(
            f"the contact of {self.name} still changes at {changes} nodes after {MOST_SETS} active "
            "sets; give more [indentation] steps, or a smaller displacement"
        )

    @property
    def all_krylov(self) -> int:
        """Iterations of the linear solver on both levels, in all presses."""
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
        loose: bool,
        scale: float,
    ) -> tuple[fem.Function, float, float]:
        """The next displacement: the active nodes on the ball, or moved by `given`.

        Returns:
            It, the largest norm of a right-hand side so far, and the residual's norm that
            was asked for.
        """
        right = self.A.createVecLeft()
        right.array_w[:] = np.where(self.free, -state.residual, 0.0).ravel()
        nodes, free = self.nodes[active], self.free[self.nodes[active]]
        if given is None:
            along = state.at.normal[active] * free
            length = np.maximum(np.linalg.norm(along, axis=1), 1e-3)
            along /= length[:, None]
            N = directions(self.A, nodes, along)
            value = -state.at.gap[active] / length
        else:
            N, along = components(self.A, nodes, free), None
            value = given[active][free]
        constrain(self.A, N, self.B).destroy()
        if geometric:
            curvature = state.push[active] / state.at.distance[active]
            turn(self.B, nodes, state.at.normal[active], free, curvature)
        lift, prescribed, moved = N.createVecRight(), right.duplicate(), right.duplicate()
        lift.array_w[:] = value
        N.mult(lift, prescribed)
        self.A.mult(prescribed, moved)
        right.axpy(-1.0, moved)
        project(N, right)
        scale = max(scale, right.norm(), moved.norm())
        goal = max(self.rtol * scale, _LOOSE * right.norm() if loose else 0.0)
        if self.method == "elastic":
            self.B.setNearNullSpace(self.A.getNearNullSpace())
        if self.levels is not None:
            self.levels.hold(N, nodes, along)
        self.system.update()
        step, iterations, _ = self.system.solve(right, goal)
        self.krylov += iterations
        # where nothing may move, a loose solution still does a little
        project(N, step)
        step.axpy(1.0, prescribed)
        step.array_w[~self.free.ravel()] = 0.0
        u = fem.Function(self.space)
        u.x.array[:] = state.u.x.array
        u.x.array[: len(step.array)] += step.array
        u.x.scatter_forward()
        if self.levels is None:
            N.destroy()
        for thing in (right, lift, prescribed, moved, step):
            thing.destroy()
        return u, scale, goal

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
        normal: Normal,
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
        loads = np.zeros(self.bs)
        if self.load is not None:
            vector = linear.assemble(self.load)
            loads = vector.array.reshape(-1, self.bs).sum(axis=0)
            vector.destroy()
        loads = self.comm.allreduce(loads, op=MPI.SUM)
        rest = self.comm.allreduce(support, op=MPI.SUM) + loads + per_ball.sum(axis=0)
        total = float(np.linalg.norm(per_ball, axis=1).sum() + np.linalg.norm(loads))

        strongest = max(self._max(state.push[active]), 1e-300)
        found = Pressed(
            u=state.u,
            force=force,
            nodes=self.nodes[active],
            ball=state.at.ball[active],
            per_ball=per_ball,
            iterations=tried,
            penetration=self._max(-state.at.gap) / max(self._largest(state.u), 1e-300),
            least_pressure=-self._max(-state.push[active]) / strongest,
            slip=0.0 if kind == "bonded" or normal == "vertical" else self._slip(state, active),
            imbalance=float(np.linalg.norm(rest)) / total if total > 0.0 else 0.0,
        )
        require(found, kind)
        return found

    def _max(self, values: Floats) -> float:
        """The largest over all ranks; of none, 0."""
        local = float(np.max(values, initial=-np.inf))
        largest = float(self.comm.allreduce(local, op=MPI.MAX))
        return largest if np.isfinite(largest) else 0.0

    def _largest(self, u: fem.Function) -> float:
        return self._max(np.abs(u.x.array))

    def _sum(self, number: Any) -> int:
        return int(self.comm.allreduce(number, op=MPI.SUM))

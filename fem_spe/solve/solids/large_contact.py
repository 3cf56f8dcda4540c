"""Contact with rigid balls at finite strain: Newton's method and the active set in one loop.

Each step linearises the body and the balls' surfaces about the displaced nodes, holds the nodes
in contact on the tangent planes, and then exchanges nodes as `contact` does: the semi-smooth
Newton method of Hintermüller, Ito & Kunisch, SIAM J. Optim. 13 (2002) 865.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import basix
import numpy as np
from dolfinx import fem, la
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError
from fem_spe.solve.solids.active_set import ActiveSet
from fem_spe.solve.solids.contact import LOOSE, TURNING, Contact, State
from fem_spe.solve.solids.gap import Ball, Normal
from fem_spe.solve.solids.large_strain import REST, Upright, forcing, of_any_sign
from fem_spe.solve.solids.pressed import PENETRATION, SLIP, Kind, Pressed

Floats = NDArray[np.float64]

_MOST = 25  # steps of Newton's method: more mean that the load step is too long
# Where a step leaves more forces than that many times those before it, it is taken back and the
# next ones are held back, more and more, then less and less: about a snap of the surface the
# tangent has no sign.
_WORSE = 3.0
_SMALL = 1e-2  # of the most forces so far: as many may come with a node that changes sides
_HOLD_BACK, _MOST_BACK, _LEAST_BACK, _CHANGE = 0.25, 1.0, 0.02, 4.0
# Steps of Newton's method that cells bear in part only, and steps in a row that leave no fewer
# forces than the best so far: more mean that the load step is too long, long before `_MOST`.
_SHORTENED, _STRAYED = 3, 6
_PULL = 1e-9  # of the largest nodal force, below which a node counts as free of force


class LargeContact(Contact):
    """A body at finite strain that may touch balls on one face.

    Args:
        u: Its displacement, that the forms hold.
        residual: Inner forces, a linear form.
        tangent: Its derivative, symmetric.
        load: Of the outer forces, or None.
        part: Constant in `load` that it grows with.
        held_back: Constant in `tangent`, of steps that are held back, see `hyperelasticity`.
        bcs, face, rtol, method, name: As in `Contact`.
        upright: The test of the cells.
        coarse: For `two-level`: the same tangent on linear elements, held alike.
    """

    def __init__(
        self,
        u: fem.Function,
        residual: Any,
        tangent: Any,
        load: Any,
        part: fem.Constant,
        held_back: fem.Constant,
        bcs: Sequence[fem.DirichletBC],
        face: NDArray[np.int32],
        upright: Upright,
        *,
        rtol: float = 1e-12,
        method: str = "direct",
        name: str = "contact",
        coarse: Contact | None = None,
    ) -> None:
        self.upright, self.part, self.held_back = upright, part, held_back
        self.rests: list[float] = []  # of the last press: what its steps left, N
        self._further: Floats | None = None
        self._whole = False
        super().__init__(
            tangent, load, u.function_space, bcs, face, rtol=rtol, method=method, name=name,
            coarse=coarse, trial=u, residual=residual,
        )  # fmt: skip
        of_any_sign(self.system)
        self._middles = _middles(self.space, self.nodes)  # none in the plane

    def press(
        self,
        balls: Sequence[Ball],
        *,
        kind: Kind = "frictionless",
        normal: Normal = "updated",
        start: Pressed | None = None,
        further: Floats | None = None,
        whole: bool = False,
    ) -> Pressed:
        """The body in contact with the balls. Collective.

        Args:
            balls, kind, normal, start: As in `Contact.press`.
            further: How `start` may go on, local values, m: the first guess, as far as no cell
                turns inside out.
            whole: Whether a guess that cells do not bear as a whole is one of too long a step.

        Raises:
            ConvergenceError: if Newton's method does not get there, a cell turns inside out, or a
                ball has slipped through the surface.
        """
        self._further, self._whole = further, whole
        found = super().press(balls, kind=kind, normal=normal, start=start)
        for k, (ball, force) in enumerate(zip(balls, found.per_ball, strict=True)):
            if kind == "frictionless" and force @ ball.motion < 0.0:
                raise ConvergenceError(f"the surface closes behind ball {k + 1} and draws it in")
        return found

    def _seek(
        self,
        balls: Sequence[Ball],
        kind: Kind,
        normal: Normal,
        start: Pressed | None,
        rough: bool = False,
    ) -> tuple[State, NDArray[np.bool_], int]:
        """The state in contact, the nodes that touch, and how many steps it took."""
        bonded = kind == "bonded"
        state = before = self._state(self._first(start and start.u), balls, normal)
        if start is not None and self._further is not None:
            state = self._state(self._ahead(before.u, self._further), balls, normal)
        active = self._deep(state.at, len(balls))
        if start is not None:
            active |= np.isin(self.nodes, start.nodes)
        stuck, target = self._met(before, balls, bonded, start)
        contacts = ActiveSet(self.comm, self._order, active, stuck, bonded=bonded)
        # from a state in contact the forces of its nodes are known, else they are not
        geometric = not bonded and start is not None
        # the forces that act; where the first guess is good, its steps tell nothing of them
        scale = self._norm(np.where(self.free, self._outer(), 0.0))
        if start is not None:
            scale = max(scale, self._norm(state.push[active]))
        loose, self.held_back.value = LOOSE, 0.0
        rests: list[float] = []
        rest, changes = np.inf, 0
        shortened = strayed = 0
        for tried in range(1, _MOST + 1):
            active = contacts.nodes
            self._linearise()
            given = target - self._at_nodes(state.u) if bonded else None
            try:
                u, scale, _ = self._solve(state, active, given, geometric, loose, scale)
                shortened += self.upright.approach(state.u.x.array, u.x.array) < 1.0
            except ConvergenceError:
                if not self._hold_back(np.inf, rests, 0.0):
                    raise
                self.trial.x.array[:] = state.u.x.array
                continue
            goal = REST * self.rtol * scale
            u.x.array[:] = self.trial.x.array
            last, state = state, self._state(u, balls, normal)
            depth = PENETRATION * self._largest(u)
            pull = _PULL * self._max(np.abs(state.push[active]))
            push, gap = state.push, state.at.gap
            if not bonded:
                amid = self._amid(active)
                push, gap = self._evened(push), np.where(amid, -np.inf, gap)
                push[amid] = np.maximum(push[amid], 0.0)
            changes = contacts.judge(push, gap, pull, depth)
            rest = self._rest(state, active, bonded=bonded)
            if not np.isfinite(rest):
                break
            astray = rests and rest >= max(min(rests), _SMALL * max(rests))
            strayed = strayed + 1 if astray else 0
            if shortened > _SHORTENED or strayed > _STRAYED:
                break
            if self._hold_back(rest, rests, goal):
                state = last
                self.trial.x.array[:] = state.u.x.array
                continue
            rests.append(rest)
            closed = bonded or self._max(np.abs(state.at.gap[active])) <= depth
            slip = 0.0 if bonded else self._slip(state, active)
            balanced = rest <= goal and slip <= SLIP
            if changes == 0 and balanced and closed:
                self.rests = rests
                return state, active, tried
            contacts.exchange()
            turned = self._max(np.abs(state.at.normal - last.at.normal)[active])
            geometric = not bonded and turned <= TURNING
            loose = LOOSE if changes else forcing(rests, goal)
        raise ConvergenceError(
            f"Newton's method of {self.name} is left with {rest / scale:.1e} of the forces and "
            f"{changes} nodes that change after {tried} steps"
        )

    def _evened(self, push: Floats) -> Floats:
        """The forces, at corners of quadratic triangles those on their linear hats. Collective.

        A corner's own force vanishes under an even pressure and has any sign under another: were
        it to count, corners amid a contact would come off the ball, and cells at them be squeezed
        flat. Its linear hat is its own function and half of those of the middles about it.
        """
        return push + 0.5 * self._of_middles(push)

    def _amid(self, active: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The corners of quadratic triangles about which all middles touch. Collective."""
        every = self._of_middles(np.ones(len(self.nodes)))
        touching = self._of_middles(active.astype(np.float64))
        return np.asarray((every > 0.0) & (touching == every))

    def _of_middles(self, values: Floats) -> Floats:
        """At each node the sum over the middles that it is an end of, in 3-D. Collective."""
        at = la.vector(self.space.dofmap.index_map, 1)
        at.array[:] = 0.0
        own = np.zeros_like(at.array)
        own[self.nodes] = values
        middle, *ends = self._middles.T
        for end in ends:
            np.add.at(at.array, end, own[middle])
        at.scatter_reverse(la.InsertMode.add)
        return np.asarray(at.array[self.nodes])

    def _hold_back(self, rest: float, rests: Sequence[float], goal: float) -> bool:
        """Set how much the next step is held back; True where the last one is to be taken back."""
        back = float(self.held_back.value)
        least = max(goal, _SMALL * max(rests, default=0.0))
        worse = len(rests) > 0 and rest > max(_WORSE * rests[-1], least) and back < _MOST_BACK
        if worse:
            back = max(_CHANGE * back, _HOLD_BACK)
        else:
            back = back / _CHANGE if back > _CHANGE * _LEAST_BACK else 0.0
        self.held_back.value = back
        return worse

    def _ahead(self, u: fem.Function, further: Floats) -> fem.Function:
        """`u` and as much more as cells bear; none where they hardly bear any. Collective."""
        found = u.copy()
        try:
            share = self.upright.approach(u.x.array, u.x.array + further)
        except ConvergenceError:
            if self._whole:
                raise
            return found
        if self._whole and share < 1.0:
            raise ConvergenceError("cells would turn inside out if all went on as before")
        found.x.array[:] = self.trial.x.array
        return found

    def _linearise(self) -> None:
        """The tangents about the displacement of the last `_state`."""
        for level in (self, self.coarse):
            if level is not None:
                level.A.zeroEntries()
                fem_petsc.assemble_matrix(level.A, level.form, bcs=list(level.bcs))
                level.A.assemble()

    def _rest(self, state: State, active: NDArray[np.bool_], *, bonded: bool) -> float:
        """Norm of the forces that neither balls nor supports bear. Collective."""
        rest = np.where(self.free, state.residual, 0.0)
        if bonded:
            rest[self.nodes[active]] = 0.0
        else:
            along = state.at.normal * self.free[self.nodes]
            rest[self.nodes[active]] -= (state.push[:, None] * along)[active]
        return self._norm(rest)

    def _norm(self, values: Floats) -> float:
        return float(np.sqrt(self.comm.allreduce(float(np.sum(values**2)))))


def _middles(space: fem.FunctionSpace, nodes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Middles of edges among the nodes of a solid, and the edges' ends, shape (n, 3).

    In the plane a corner's own force is positive under an even pressure.
    """
    if space.dofmap.bs == 2:
        return np.zeros((0, 3), dtype=np.int32)
    layout, dofs = space.dofmap.dof_layout, space.dofmap.list
    found = []
    for edge, ends in enumerate(basix.topology(space.mesh.basix_cell())[1]):
        for middle in layout.entity_dofs(1, edge):
            corners = [layout.entity_dofs(0, end)[0] for end in ends]
            found.append(dofs[:, [middle, *corners]])
    if not found:
        return np.zeros((0, 3), dtype=np.int32)
    every = np.unique(np.concatenate(found), axis=0)
    return every[np.isin(every[:, 0], nodes)]

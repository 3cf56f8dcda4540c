"""Contact with rigid balls at finite strain: Newton's method and the active set in one loop.

Each step linearises the body and the balls' surfaces about the displaced nodes, holds the nodes
in contact on the tangent planes, and then exchanges nodes as `contact` does: the semi-smooth
Newton method of Hintermüller, Ito & Kunisch, SIAM J. Optim. 13 (2002) 865.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from dolfinx import fem
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
_HOLD_BACK, _MOST_BACK, _LEAST_BACK, _CHANGE = 0.25, 1.0, 0.02, 4.0
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
        super().__init__(
            tangent, load, u.function_space, bcs, face, rtol=rtol, method=method, name=name,
            coarse=coarse, trial=u, residual=residual,
        )  # fmt: skip
        of_any_sign(self.system)

    def press(
        self,
        balls: Sequence[Ball],
        *,
        kind: Kind = "frictionless",
        normal: Normal = "updated",
        start: Pressed | None = None,
        further: Floats | None = None,
    ) -> Pressed:
        """The body in contact with the balls. Collective.

        Args:
            balls, kind, normal, start: As in `Contact.press`.
            further: How `start` may go on, local values, m: the first guess, as far as no cell
                turns inside out.

        Raises:
            ConvergenceError: if Newton's method does not get there, a cell turns inside out, or a
                ball has slipped through the surface.
        """
        self._further = further
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
        # the forces in the contact; where the first guess is good, its steps tell nothing of them
        scale = self._norm(state.push[active]) if start is not None else 0.0
        loose, self.held_back.value = LOOSE, 0.0
        rests: list[float] = []
        rest, changes = np.inf, 0
        for tried in range(1, _MOST + 1):
            active = contacts.nodes
            self._linearise()
            given = target - self._at_nodes(state.u) if bonded else None
            try:
                u, scale, _ = self._solve(state, active, given, geometric, loose, scale)
                self.upright.approach(state.u.x.array, u.x.array)
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
            changes = contacts.judge(state.push, state.at.gap, pull, depth)
            rest = self._rest(state, active, bonded=bonded)
            if not np.isfinite(rest):
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

    def _hold_back(self, rest: float, rests: Sequence[float], goal: float) -> bool:
        """Set how much the next step is held back; True where the last one is to be taken back."""
        back = float(self.held_back.value)
        worse = len(rests) > 0 and rest > max(_WORSE * rests[-1], goal) and back < _MOST_BACK
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
            self.upright.approach(u.x.array, u.x.array + further)
        except ConvergenceError:
            return found
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

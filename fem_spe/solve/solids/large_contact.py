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
from fem_spe.solve.solids.contact import PATIENCE, TURNING, Contact, State
from fem_spe.solve.solids.gap import Ball, Normal
from fem_spe.solve.solids.large_strain import REST, Upright, of_any_sign
from fem_spe.solve.solids.pressed import PENETRATION, SLIP, Kind, Pressed

Floats = NDArray[np.float64]

_MOST = 15  # steps of Newton's method: more mean that the load step is too long
_PULL = 1e-9  # of the largest nodal force, below which a node counts as free of force


class LargeContact(Contact):
    """A body at finite strain that may touch balls on one face.

    Args:
        u: Its displacement, that the forms hold.
        residual: Inner forces, a linear form.
        tangent: Its derivative, symmetric.
        load: Of the outer forces, or None.
        part: Constant in `load` that it grows with.
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
        bcs: Sequence[fem.DirichletBC],
        face: NDArray[np.int32],
        upright: Upright,
        *,
        rtol: float = 1e-12,
        method: str = "direct",
        name: str = "contact",
        coarse: Contact | None = None,
    ) -> None:
        self.upright, self.part = upright, part
        self.rests: list[float] = []  # of the last press, over the largest in it
        super().__init__(
            tangent, load, u.function_space, bcs, face, rtol=rtol, method=method, name=name,
            coarse=coarse, trial=u, residual=residual,
        )  # fmt: skip
        of_any_sign(self.system)

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
        active = self._deep(state.at, len(balls))
        if start is not None:
            active |= np.isin(self.nodes, start.nodes)
        held, target = self._met(before, balls, bonded, start)
        active |= held
        released = np.zeros_like(held)
        # from a state in contact the forces of its nodes are known, else they are not
        geometric = not bonded and start is not None
        scale, fewest, patience = 0.0, np.inf, PATIENCE
        rests: list[float] = []
        for tried in range(1, _MOST + 1):
            self._linearise()
            given = target - self._at_nodes(state.u) if bonded else None
            u, scale, _ = self._solve(state, active, given, geometric, True, scale)
            self.upright.approach(state.u.x.array, u.x.array)
            u.x.array[:] = self.trial.x.array
            last, state = state, self._state(u, balls, normal)
            depth = PENETRATION * self._largest(u)
            pull = _PULL * self._max(np.abs(state.push[active]))
            keep = np.where(active, state.push >= -pull, state.at.gap < -depth)
            wrong = (keep | held) != active
            changes = self._sum(np.count_nonzero(wrong))
            turned = self._max(np.abs(state.at.normal - last.at.normal)[active])
            rests.append(self._rest(state, active, bonded=bonded) / scale)
            if not np.isfinite(rests[-1]):
                break
            closed = bonded or self._max(np.abs(state.at.gap[active])) <= depth
            slip = 0.0 if bonded else self._slip(state, active)
            balanced = rests[-1] <= REST * self.rtol and slip <= SLIP
            if changes == 0 and balanced and closed:
                self.rests = rests
                return state, active, tried
            if bonded:
                held = held | released & keep & ~active
                released |= active & ~keep
            elif changes >= fewest and changes > 0 and patience == 0:
                wrong &= self._order == self._max(self._order[wrong])
            patience = PATIENCE if changes < fewest else max(0, patience - 1)
            fewest = min(fewest, changes)
            geometric = not bonded and turned <= TURNING
            active = active ^ wrong | held
        raise ConvergenceError(
            f"Newton's method of {self.name} is left with {rests[-1]:.1e} of the forces and "
            f"{changes} nodes that change after {tried} steps"
        )

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
        return float(np.sqrt(self.comm.allreduce(float(np.sum(rest**2)))))

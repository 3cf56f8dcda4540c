"""What a contact computation found, and the checks that it must pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError

Kind = Literal["frictionless", "bonded"]

PENETRATION = 1e-9  # of the largest displacement, at which the gap counts as closed
SLIP = 1e-7  # tangential over normal nodal force, at which the normal counts as found
PULL = 1e-7  # of the largest nodal force: below it a node is not pulled
BALANCE = 1e-6  # of contact forces and loads, that the reactions may differ from them by


@dataclass(frozen=True)
class Pressed:
    """A body in contact.

    Attributes:
        u: Displacement, m.
        force: Nodal forces of the balls on the body, N (N/m in two dimensions).
        nodes: Nodes in contact, owned by this rank, as local blocks of the space.
        ball: The ball that each of them touches.
        per_ball: Force of each ball on the body, over all ranks, shape (balls, gdim).
        iterations: Active sets tried.
        penetration: Deepest, over the largest displacement.
        least_pressure: Smallest normal nodal force over the largest; not negative unless
            nodes are bonded.
        slip: Largest tangential nodal force over the largest normal one; 0 when bonded.
        imbalance: Of contact forces, loads and support reactions, over contact forces and loads.
    """

    u: fem.Function
    force: fem.Function
    nodes: NDArray[np.int32]
    ball: NDArray[np.int64]
    per_ball: NDArray[np.float64]
    iterations: int
    penetration: float
    least_pressure: float
    slip: float
    imbalance: float


def require(found: Pressed, kind: Kind) -> None:
    """Raise where a contact contradicts itself."""
    wrong = []
    if not found.penetration <= 10 * PENETRATION:
        wrong.append(f"nodes penetrate by {found.penetration:.1e} of the displacement")
    if kind == "frictionless" and not found.least_pressure >= -PULL:
        wrong.append(f"nodes are pulled by {-found.least_pressure:.1e} of the largest force")
    if not found.slip <= 10 * SLIP:
        wrong.append(f"tangential forces of {found.slip:.1e} of the normal ones are left")
    if not found.imbalance <= BALANCE:
        wrong.append(f"contact forces and reactions differ by {found.imbalance:.1e}")
    if wrong:
        raise ConvergenceError(f"the contact does not hold: {'; '.join(wrong)}")

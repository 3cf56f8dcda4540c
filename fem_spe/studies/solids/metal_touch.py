"""What is told of balls of metal: forces and sizes of their contacts, and how they give way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.measure.stress import Mask
from fem_spe.results import Check, Quantity, Table
from fem_spe.solve.solids.mortar.constraint import Touch
from fem_spe.studies.solids import pushes

_RIM = 0.1  # of the radius: the zone about the rim of a flat that is left out
_PENETRATION = 1e-8  # of the displacement
_PULL = 1e-6  # of the largest pressure
_ONE = 1e-8  # of the force: action less reaction
_TINY = 1e-300  # for quotients where nothing touches yet

Centres = Sequence[tuple[float, ...]]


@dataclass(frozen=True)
class Touches:
    """Balls that touch a structure.

    Attributes:
        touch: The contact, at last.
        centres: Of the balls at first, from the lower left corner of the structure, m.
        parts: Into how many parts planes of symmetry cut each ball, shape (balls,).
        rows: The displacement, m, and the force of each ball, N (N/m in 2-D), step by step.
        top: Where the structure's surface was at first, m.
    """

    touch: Touch
    centres: Centres
    parts: NDArray[np.int64]
    rows: Sequence[tuple[float, ...]]
    top: float

    @property
    def plane(self) -> bool:
        """True in two dimensions."""
        return len(self.centres[0]) == 2

    @property
    def unit(self) -> str:
        """Of forces."""
        return "N/m" if self.plane else "N"

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """Of each contact, m^2; in 2-D its width, m: to midway to the next node."""
        owner, areas = owners(self.touch, self.centres), np.zeros(len(self.centres))
        for k in range(len(areas)):
            active = self.touch.active[owner == k]
            if not self.plane:
                areas[k] = self.touch.area[owner == k][active].sum()
            elif active.any():
                x, on = self.touch.at[owner == k, 0], np.flatnonzero(active)
                first, end = on[0], on[-1]
                low, high = x[max(first - 1, 0)], x[min(end + 1, len(x) - 1)]
                areas[k] = 0.5 * (high - low + x[end] - x[first])
        return areas

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Half width, or radius of the circle of equal area, of each contact, m."""
        return 0.5 * self.areas if self.plane else np.sqrt(self.areas * self.parts / np.pi)

    @property
    def depth(self) -> float:
        """How deep the surface in contact has come, m: mean, weighted by force."""
        return self._mean(self.top - self.touch.at[:, -1])

    @property
    def way(self) -> float:
        """Of the balls' surface in contact, m: what the force has done work along."""
        return self._mean(-self.touch.moved[:, -1])

    def _mean(self, values: NDArray[np.float64]) -> float:
        upward = self.touch.nodal[:, -1]
        return float(upward @ values) / max(float(upward.sum()), _TINY)

    @property
    def penetration(self) -> float:
        """Of a node of a ball into the structure, m."""
        return max(0.0, -float(self.touch.gap.min()))

    def quantities(self) -> dict[str, Quantity]:
        """The numbers of the contact."""
        deep, *forces = self.rows[-1]
        what = "half width" if self.plane else "radius of a circle of its area"
        return {
            "contact_force": Quantity(float(sum(forces)), self.unit, "of all balls together"),
            "contact_radius": Quantity(
                pushes.mean_size(self.sizes), "m", f"{what}, mean of the balls that touch"
            ),
            "contact_pressure": Quantity(
                float(sum(forces) / max(self.areas.sum(), _TINY)), "Pa", "mean in contact"
            ),
            "max_penetration": Quantity(self.penetration, "m", "weighted, of nodes"),
            "indented_depth": Quantity(
                self.depth, "m", "how deep the surface in contact is pressed in, weighted by force"
            ),
            "ball_flattening": Quantity(
                deep - self.way, "m", "by how much the balls' surface in contact has moved less"
            ),
            "reached_displacement": Quantity(deep, "m", "of the balls"),
        }

    def checks(self, wanted: float) -> dict[str, Check]:
        """What a contact must fulfil; `wanted` is the displacement asked for, m."""
        pressed = self.touch.pressure[self.touch.active]
        strongest = max(float(pressed.max(initial=0.0)), _TINY)
        force = max(float(np.abs(self.rows[-1][1:]).sum()), _TINY)
        lost = float(np.linalg.norm(self.touch.force.sum(axis=0))) / force
        return {
            "penetration": Check(self.penetration / wanted, _PENETRATION),
            "pulled_nodes": Check(float(pressed.min(initial=0.0)) / strongest, _PULL),
            "action_reaction": Check(lost, _ONE),
            "unreached": Check(1.0 - self.rows[-1][0] / wanted, 0.0),
        }

    def tables(self) -> dict[str, Table]:
        """Those of rigid balls."""
        return pushes.tables(self.rows, self.centres, self.sizes)


def owners(touch: Touch, centres: Centres) -> NDArray[np.int64]:
    """The ball of each slave: that whose centre is nearest, from above."""
    base = np.array(centres)[:, :-1]
    away = np.linalg.norm(touch.at[:, None, :-1] - base, axis=2)
    return np.asarray(np.argmin(away, axis=1))


def on_balls(
    centres: NDArray[np.float64], radius: float, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The nearest points of balls: middles of straight sides lie within them.

    Args:
        centres: In the mesh, m, shape (balls, gdim).
        radius: Theirs, m.
        points: Near their surfaces, m, shape (n, gdim).
    """
    away = points[:, None] - centres
    nearest = np.argmin(np.linalg.norm(away, axis=2), axis=1)
    outward = away[np.arange(len(points)), nearest]
    length = np.linalg.norm(outward, axis=1)
    return np.asarray(centres[nearest] + radius * outward / length[:, None])


def per_ball(touch: Touch, centres: Centres) -> list[float]:
    """Upward force on each ball, N (N/m in 2-D)."""
    owner = owners(touch, centres)
    return [float(touch.nodal[owner == k, -1].sum()) for k in range(len(centres))]


def near_rims(domain: Domain, centres: Centres, radius: float, others: Mask | None) -> Mask:
    """Points near the rims of the flats, where these are clamped, and `others`."""
    middles = np.array(domain.origin) + np.array(centres)

    def near(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        found = np.zeros(len(points), dtype=bool) if others is None else others(points)
        for middle in middles:
            away = points - middle
            outward = np.linalg.norm(away[:, :-1], axis=1) - radius
            found = found | (np.hypot(outward, away[:, -1]) < _RIM * radius)
        return found

    return near

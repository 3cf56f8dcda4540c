"""A wall along an Archimedean spiral, seen from above."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fem_spe.errors import GeometryError
from fem_spe.geometry.section import Floats

_START = math.pi  # polar angle where the wall begins: half a pitch from the middle
_WIDEST = 0.9  # of the pitch: beyond it the inner side folds where the wall begins


@dataclass(frozen=True)
class Spiral:
    """A wall of constant width whose middle line is r = pitch * angle / (2 pi).

    The middle line starts half a pitch from the origin; the ends are cut square.

    Attributes:
        width: Thickness of the wall, m.
        pitch: Distance of neighbouring turns, m.
        turns: How often it winds.
    """

    width: float
    pitch: float
    turns: int

    def require_apart(self) -> None:
        """Raise where neighbouring turns, or the inner side with itself, come too close.

        Raises:
            GeometryError: with the largest width there may be.
        """
        if self.width > _WIDEST * self.pitch:
            raise GeometryError(
                f"width = {self.width * 1e6:g} um leaves next to no gap between turns "
                f"{self.pitch * 1e6:g} um apart; give a width up to "
                f"{_WIDEST * self.pitch * 1e6:g} um or a larger pitch"
            )

    @property
    def angles(self) -> tuple[float, float]:
        """Polar angles of the two ends, rad."""
        return _START, _START + 2 * math.pi * self.turns

    @property
    def length(self) -> float:
        """Of the middle line, m: b/2 [t sqrt(1 + t^2) + arsinh t] between the ends."""
        first, last = (t * math.hypot(1.0, t) + math.asinh(t) for t in self.angles)
        return self.pitch / (4 * math.pi) * (last - first)

    @property
    def area(self) -> float:
        """Of the wall seen from above, m^2: exact for offset curves (Steiner)."""
        return self.width * self.length

    @property
    def perimeter(self) -> float:
        """Of its outline, m: what one side is longer the other is shorter; and the two ends."""
        return 2 * self.length + 2 * self.width

    @property
    def reach(self) -> float:
        """Largest coordinate of the outline, m: half the side of the square around it."""
        last = self.angles[1]
        t = np.linspace(last - 2 * math.pi, last, 7201)
        return float(max(np.abs(self.points(t, 0.5)).max(), np.abs(self.points(t, -0.5)).max()))

    def points(self, angle: Floats, offset: float) -> Floats:
        """Points at polar angles of the middle line, `offset` widths to its outside.

        Returns:
            m, shape (len(angle), 2).
        """
        c, s = np.cos(angle), np.sin(angle)
        middle = angle[:, None] * np.column_stack([c, s]) * (self.pitch / (2 * math.pi))
        # the tangent is (c - t s, s + t c); the outside lies to its right
        outward = np.column_stack([s + angle * c, -c + angle * s])
        outward /= np.hypot(1.0, angle)[:, None]
        return np.asarray(middle + offset * self.width * outward)

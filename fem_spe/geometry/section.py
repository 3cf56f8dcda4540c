"""A cross-section through fibres as plain data: what is placed, free of any mesher."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = Literal["ellipse", "rod"]


@dataclass(frozen=True)
class Inclusions:
    """Cross-sections of fibres or particles, one row each, lengths in metres.

    Attributes:
        shape: `ellipse`, or `rod` (a stadium: a rectangle with round ends).
        x, y: Centres, shape (n,).
        a: Half of the longest extent (a rod's caps included), shape (n,).
        b: Half of the width, shape (n,); `b <= a`.
        angle: Direction of the long axis from x, rad, shape (n,).
        phase: Index into `regions`, shape (n,).
        regions: Names of the phases, for example ("fiber", "filler").
    """

    shape: Shape
    x: Floats
    y: Floats
    a: Floats
    b: Floats
    angle: Floats
    phase: NDArray[np.int64]
    regions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Inclusions:
        """The inclusions at `index`, in that order."""
        return replace(
            self,
            **{k: getattr(self, k)[index] for k in ("x", "y", "a", "b", "angle", "phase")},
        )

    @property
    def areas(self) -> Floats:
        """Area of each inclusion, m^2, shape (n,)."""
        if self.shape == "ellipse":
            return np.pi * self.a * self.b
        return np.pi * self.b**2 + 4.0 * self.b * (self.a - self.b)

    @property
    def half_extents(self) -> tuple[Floats, Floats]:
        """Half width and half height of each bounding box, m, shapes (n,)."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        if self.shape == "ellipse":
            return np.hypot(self.a * c, self.b * s), np.hypot(self.a * s, self.b * c)
        straight = self.a - self.b
        return straight * np.abs(c) + self.b, straight * np.abs(s) + self.b

    def points(self, t: Floats) -> NDArray[np.float64]:
        """Boundary points at the parameters `t` in [0, 1), shape (n, len(t), 2), metres.

        An ellipse is parametrised by its eccentric angle 2 pi t, a rod by arc length
        from the start of its upper side.
        """
        c, s = np.cos(self.angle)[:, None], np.sin(self.angle)[:, None]
        if self.shape == "ellipse":
            u = self.a[:, None] * np.cos(2 * np.pi * t)
            v = self.b[:, None] * np.sin(2 * np.pi * t)
        else:
            u, v = _stadium(self.a - self.b, self.b, t)
        return np.stack([self.x[:, None] + c * u - s * v, self.y[:, None] + s * u + c * v], axis=-1)


@dataclass(frozen=True)
class Section:
    """Inclusions in a rectangle [0, width] x [0, height].

    Attributes:
        size: Width and height, m.
        inclusions: What lies in it. One that crosses a side is cut there; its other part
            re-enters on the opposite side when `wrapped`.
        wrapped: True when inclusions continue through opposite sides.
        periodic: True when opposite sides are to be meshed alike.
        fused: True when inclusions may overlap and count as their union.
        seed: The seed that placed them, or None for a regular arrangement.
    """

    size: tuple[float, float]
    inclusions: Inclusions
    wrapped: bool = False
    periodic: bool = False
    fused: bool = False
    seed: int | None = None

    @property
    def area(self) -> float:
        """Area of the rectangle, m^2."""
        return self.size[0] * self.size[1]

    def with_images(self) -> Inclusions:
        """The inclusions with every copy that reaches into the rectangle."""
        if not self.wrapped:
            return self.inclusions
        width, height = self.size
        body = self.inclusions
        ex, ey = body.half_extents
        copies = []
        for dx in (0.0, -width, width):
            for dy in (0.0, -height, height):
                x, y = body.x + dx, body.y + dy
                inside = (x + ex > 0) & (x - ex < width) & (y + ey > 0) & (y - ey < height)
                copies.append(replace(body, x=x, y=y).take(inside))
        x, y, a, b, angle = (
            np.concatenate([getattr(c, name) for c in copies])
            for name in ("x", "y", "a", "b", "angle")
        )
        phase = np.concatenate([c.phase for c in copies])
        return Inclusions(body.shape, x, y, a, b, angle, phase, body.regions)


def _stadium(straight: Floats, radius: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Local coordinates on stadiums of half length `straight` + `radius` at arc fractions `t`."""
    side, cap = 2.0 * straight[:, None], np.pi * radius[:, None]
    r = radius[:, None]
    s = t[None, :] * (2.0 * (side + cap))
    s1, s2, s3 = s - side, s - side - cap, s - 2.0 * side - cap
    left, right = np.pi / 2 + s1 / r, -np.pi / 2 + s3 / r
    conditions = [s1 < 0, s2 < 0, s3 < 0]
    half = side / 2
    u = np.select(
        conditions, [half - s, -half + r * np.cos(left), -half + s2], half + r * np.cos(right)
    )
    v = np.select(conditions, [r + 0 * s, r * np.sin(left), -r + 0 * s], r * np.sin(right))
    return u, v

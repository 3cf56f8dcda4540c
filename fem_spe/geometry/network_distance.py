"""Distances to tubes, compiled: onto a grid, and between tubes.

A tube is a row of pieces, round at both ends: its distance is that from the pieces' axes less the
radius, exact outside all tubes and next to their surface. Pieces are short, so that the boxes in
which they are evaluated hold little else.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True)  # type: ignore[untyped-decorator]
def stamp(
    field: NDArray[np.float32],
    spacing: Floats,
    start: Floats,
    end: Floats,
    radius: Floats,
    reach: float,
    curvature: float,
) -> float:
    """Lower `field` to the distance from tubes, and tell the volume that they add, m^3.

    Args:
        field: Distance on the points of a grid whose ends lie on the box's faces, m; changed.
        spacing: Of the grid, m, shape (3,).
        start, end: Ends of the pieces' axes, m, shape (n, 3).
        radius: m, shape (n,).
        reach: How far from the tubes their distance is wanted, m.
        curvature: One over the mean radius, 1/m: the volume of such tubes is exact up to the
            rule of integration, for a layer about them is thicker outside than inside.
    """
    n0, n1, n2 = field.shape
    width = (spacing[0] * spacing[1] * spacing[2]) ** (1.0 / 3.0)
    gained = 0.0
    for n in range(len(radius)):
        far = radius[n] + reach
        a0, a1, a2 = start[n, 0], start[n, 1], start[n, 2]
        d0, d1, d2 = end[n, 0] - a0, end[n, 1] - a1, end[n, 2] - a2
        length2 = max(d0 * d0 + d1 * d1 + d2 * d2, 1e-300)
        i0 = max(0, math.ceil((min(a0, a0 + d0) - far) / spacing[0]))
        i1 = min(n0 - 1, math.floor((max(a0, a0 + d0) + far) / spacing[0]))
        j0 = max(0, math.ceil((min(a1, a1 + d1) - far) / spacing[1]))
        j1 = min(n1 - 1, math.floor((max(a1, a1 + d1) + far) / spacing[1]))
        k0 = max(0, math.ceil((min(a2, a2 + d2) - far) / spacing[2]))
        k1 = min(n2 - 1, math.floor((max(a2, a2 + d2) + far) / spacing[2]))
        for i in range(i0, i1 + 1):
            x = i * spacing[0] - a0
            side0 = 0.5 if i in (0, n0 - 1) else 1.0
            for j in range(j0, j1 + 1):
                y = j * spacing[1] - a1
                side1 = 0.5 * side0 if j in (0, n1 - 1) else side0
                for k in range(k0, k1 + 1):
                    z = k * spacing[2] - a2
                    t = min(max((x * d0 + y * d1 + z * d2) / length2, 0.0), 1.0)
                    u, v, w = x - t * d0, y - t * d1, z - t * d2
                    new = np.float32(math.sqrt(u * u + v * v + w * w) - radius[n])
                    old = field[i, j, k]
                    if new < old:
                        field[i, j, k] = new
                        share = _inside(new, width, curvature) - _inside(old, width, curvature)
                        gained += share * (0.5 * side1 if k in (0, n2 - 1) else side1)
    volume: float = gained * spacing[0] * spacing[1] * spacing[2]
    return volume


@njit(cache=True)  # type: ignore[untyped-decorator]
def _inside(distance: float, width: float, curvature: float) -> float:
    """Share of the grid's volume about a point that lies inside, by its distance.

    With s = d + d^2 c / 2 the volume of a layer ds is the same on both sides of a cylinder.
    """
    if distance >= width:
        return 0.0
    if distance <= -width:
        return 1.0
    layer = distance + 0.5 * curvature * distance * distance
    return min(max(0.5 - layer / width, 0.0), 1.0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def clear_of(
    start: Floats,
    end: Floats,
    radius: float,
    others_start: Floats,
    others_end: Floats,
    others_radius: Floats,
    gap: float,
) -> bool:
    """Whether a tube keeps `gap` (m) from all others.

    Args:
        start, end: Its pieces, m, shape (n, 3).
        radius: Its radius, m.
        others_start, others_end: Pieces of the others, m, shape (m, 3).
        others_radius: m, shape (m,).
        gap: m.
    """
    for n in range(len(start)):
        for m in range(len(others_radius)):
            near = radius + others_radius[m] + gap
            if _apart2(start[n], end[n], others_start[m], others_end[m]) < near * near:
                return False
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _apart2(p1: Any, q1: Any, p2: Any, q2: Any) -> float:
    """Squared distance of two segments (Ericson, Real-Time Collision Detection, 2005, 5.1.9)."""
    a = e = f = c = b = 0.0
    for i in range(3):
        u, v, r = q1[i] - p1[i], q2[i] - p2[i], p1[i] - p2[i]
        a += u * u
        e += v * v
        f += v * r
        c += u * r
        b += u * v
    a, e = max(a, 1e-300), max(e, 1e-300)
    denominator = a * e - b * b
    s = min(max((b * f - c * e) / denominator, 0.0), 1.0) if denominator > 1e-12 * a * e else 0.0
    t = (b * s + f) / e
    if t < 0.0:
        t, s = 0.0, min(max(-c / a, 0.0), 1.0)
    elif t > 1.0:
        t, s = 1.0, min(max((b - c) / a, 0.0), 1.0)
    total = 0.0
    for i in range(3):
        total += (p1[i] + s * (q1[i] - p1[i]) - p2[i] - t * (q2[i] - p2[i])) ** 2
    return total

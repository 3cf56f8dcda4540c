"""Integrals over the common parts of two surfaces of triangles, compiled.

Triangles of three or six nodes, corners first and then the middles of the sides 0-1, 1-2 and 2-0,
counter-clockwise as seen from above. They are cut into parts with straight sides in the plane of
the first two axes; what two parts have in common is clipped after Sutherland & Hodgman, Commun.
ACM 17 (1974) 32. Points on the two surfaces are exactly one over the other, also where sides are
bent; only where one pair ends and the next begins is then that of the straight sides.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NEWTON = 20
_FOUND = 1e-13  # of a triangle, within which a place is known
_SLIVER = 1e-12  # of the upper part: what is left out


def pairs(upper: Floats, lower: Floats) -> Ints:
    """Parts whose boxes overlap in the plane, shape (n, 2): upper and lower ones.

    Args:
        upper, lower: Corners in the plane, m, shape (parts, 3, 2).
    """
    order = np.argsort(lower[:, :, 0].min(axis=1), kind="stable")
    low, high = lower.min(axis=1)[order], lower.max(axis=1)[order]
    start, stop = upper.min(axis=1), upper.max(axis=1)
    # in the order of their left ends: those from the first that reaches so far
    first = np.searchsorted(np.maximum.accumulate(high[:, 0]), start[:, 0], side="right")
    end = np.searchsorted(low[:, 0], stop[:, 0], side="left")
    found = np.zeros((_overlapping(start, stop, low, high, first, end, None), 2), dtype=np.int64)
    _overlapping(start, stop, low, high, first, end, found)
    found[:, 1] = order[found[:, 1]]
    return found


@njit(cache=True)  # type: ignore[untyped-decorator]
def _overlapping(
    start: Floats, stop: Floats, low: Floats, high: Floats, first: Ints, end: Ints, found: Ints
) -> int:
    """Number of boxes that overlap; `found`, if there is one, tells which."""
    count = 0
    for s in range(len(start)):
        for m in range(first[s], end[s]):
            if high[m, 0] <= start[s, 0] or low[m, 1] >= stop[s, 1] or high[m, 1] <= start[s, 1]:
                continue
            if found is not None:
                found[count, 0], found[count, 1] = s, m
            count += 1
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _shapes(a: float, b: float, nodes: int, N: Floats, dN: Floats) -> None:
    """Basis functions of a triangle and their derivatives at (a, b)."""
    c = 1.0 - a - b
    if nodes == 3:
        N[0], N[1], N[2] = c, a, b
        dN[0, 0], dN[1, 0], dN[2, 0] = -1.0, 1.0, 0.0
        dN[0, 1], dN[1, 1], dN[2, 1] = -1.0, 0.0, 1.0
        return
    N[0], N[1], N[2] = c * (2.0 * c - 1.0), a * (2.0 * a - 1.0), b * (2.0 * b - 1.0)
    N[3], N[4], N[5] = 4.0 * c * a, 4.0 * a * b, 4.0 * b * c
    dN[0, 0] = dN[0, 1] = 1.0 - 4.0 * c
    dN[1, 0], dN[1, 1] = 4.0 * a - 1.0, 0.0
    dN[2, 0], dN[2, 1] = 0.0, 4.0 * b - 1.0
    dN[3, 0], dN[3, 1] = 4.0 * (c - a), -4.0 * a
    dN[4, 0], dN[4, 1] = 4.0 * b, 4.0 * a
    dN[5, 0], dN[5, 1] = -4.0 * b, 4.0 * (c - b)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _clipped(subject: Floats, clip: Floats, polygon: Floats, spare: Floats) -> int:
    """The common part of two triangles in the plane, in `polygon`; returns its corners."""
    count = 3
    for i in range(3):
        polygon[i, 0], polygon[i, 1] = subject[i, 0], subject[i, 1]
    for i in range(3):
        x, y = clip[i, 0], clip[i, 1]
        dx, dy = clip[(i + 1) % 3, 0] - x, clip[(i + 1) % 3, 1] - y
        kept = 0
        for j in range(count):
            px, py = polygon[j, 0], polygon[j, 1]
            qx, qy = polygon[(j + 1) % count, 0], polygon[(j + 1) % count, 1]
            p, q = dx * (py - y) - dy * (px - x), dx * (qy - y) - dy * (qx - x)
            if p >= 0.0:
                spare[kept, 0], spare[kept, 1] = px, py
                kept += 1
            if (p > 0.0 and q < 0.0) or (p < 0.0 and q > 0.0):
                t = p / (p - q)
                spare[kept, 0], spare[kept, 1] = px + t * (qx - px), py + t * (qy - py)
                kept += 1
        count = kept
        for j in range(count):
            polygon[j, 0], polygon[j, 1] = spare[j, 0], spare[j, 1]
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def integrate(
    upper: Floats,
    upper_of: Ints,
    upper_places: Floats,
    upper_corners: Floats,
    lower: Floats,
    lower_of: Ints,
    lower_places: Floats,
    lower_corners: Floats,
    couples: Ints,
    points: Floats,
    weights: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats, bool]:
    """Sums over the common parts, per upper triangle s; L are the hats of its corners.

    Args:
        upper, lower: Nodes of the triangles, m, shape (triangles, 3 or 6, 3).
        upper_of, lower_of: The triangle of each part, shape (parts,).
        upper_places, lower_places: Corners of the parts in their triangle, shape (parts, 3, 2).
        upper_corners, lower_corners: And in the plane, m.
        couples: Upper and lower parts that may overlap, shape (n, 2).
        points, weights: Quadrature on the unit triangle, shape (q, 2) and (q,).

    Returns:
        int L_i L_j, m^2, shape (s, 3, 3).
        int L_i B_e, B being the bubbles 4 L L of the sides, m^2, shape (s, 3, 3).
        int L_i h, h being the height over the lower surface, m^3, shape (s, 3).
        int L_i K_j of each couple, K being the functions of its lower triangle, m^2, shape
        (n, 3, 3 or 6).
        The share of each upper part that lies over a lower one, shape (parts,).
        Whether each place below was found.
    """
    k, j = upper.shape[1], lower.shape[1]
    mass, bows = np.zeros((len(upper), 3, 3)), np.zeros((len(upper), 3, 3))
    above, covered = np.zeros((len(upper), 3)), np.zeros(len(upper_of))
    cross = np.zeros((len(couples), 3, j))
    polygon, spare = np.zeros((9, 2)), np.zeros((9, 2))
    N, dN, K, dK = np.zeros(k), np.zeros((k, 2)), np.zeros(j), np.zeros((j, 2))
    L, B = np.zeros(3), np.zeros(3)
    found = True
    for n in range(len(couples)):
        one, other = couples[n]
        s, m = upper_of[one], lower_of[other]
        P, Q, R, S = upper[s], lower[m], upper_places[one], lower_places[other]
        p, q = upper_corners[one], lower_corners[other]
        count = _clipped(p, q, polygon, spare)
        ax, ay, bx, by = p[1, 0] - p[0, 0], p[1, 1] - p[0, 1], p[2, 0] - p[0, 0], p[2, 1] - p[0, 1]
        cx, cy, ex, ey = q[1, 0] - q[0, 0], q[1, 1] - q[0, 1], q[2, 0] - q[0, 0], q[2, 1] - q[0, 1]
        whole, below = ax * by - ay * bx, cx * ey - cy * ex
        inner = (R[1, 0] - R[0, 0]) * (R[2, 1] - R[0, 1]) - (R[1, 1] - R[0, 1]) * (
            R[2, 0] - R[0, 0]
        )
        for f in range(1, count - 1):
            ux, uy = polygon[f, 0] - polygon[0, 0], polygon[f, 1] - polygon[0, 1]
            vx, vy = polygon[f + 1, 0] - polygon[0, 0], polygon[f + 1, 1] - polygon[0, 1]
            share = (ux * vy - uy * vx) / whole
            if share < _SLIVER:
                continue
            covered[one] += share
            for g in range(len(weights)):
                # in the plane of straight sides, in the part, in the triangle, in space
                x = polygon[0, 0] + points[g, 0] * ux + points[g, 1] * vx - p[0, 0]
                y = polygon[0, 1] + points[g, 0] * uy + points[g, 1] * vy - p[0, 1]
                c, d = (x * by - y * bx) / whole, (ax * y - ay * x) / whole
                a = R[0, 0] + c * (R[1, 0] - R[0, 0]) + d * (R[2, 0] - R[0, 0])
                b = R[0, 1] + c * (R[1, 1] - R[0, 1]) + d * (R[2, 1] - R[0, 1])
                _shapes(a, b, k, N, dN)
                x = y = z = xa = ya = za = xb = yb = zb = 0.0
                for i in range(k):
                    x, y, z = x + N[i] * P[i, 0], y + N[i] * P[i, 1], z + N[i] * P[i, 2]
                    xa, xb = xa + dN[i, 0] * P[i, 0], xb + dN[i, 1] * P[i, 0]
                    ya, yb = ya + dN[i, 0] * P[i, 1], yb + dN[i, 1] * P[i, 1]
                    za, zb = za + dN[i, 0] * P[i, 2], zb + dN[i, 1] * P[i, 2]
                nx, ny, nz = ya * zb - za * yb, za * xb - xa * zb, xa * yb - ya * xb
                weight = weights[g] * share * inner * np.sqrt(nx * nx + ny * ny + nz * nz)
                L[0], L[1], L[2] = 1.0 - a - b, a, b
                B[0], B[1], B[2] = 4.0 * L[0] * a, 4.0 * a * b, 4.0 * b * L[0]
                # the place below: affine, then Newton where sides are bent
                dx, dy = x - q[0, 0], y - q[0, 1]
                c, d = (dx * ey - dy * ex) / below, (cx * dy - cy * dx) / below
                a = S[0, 0] + c * (S[1, 0] - S[0, 0]) + d * (S[2, 0] - S[0, 0])
                b = S[0, 1] + c * (S[1, 1] - S[0, 1]) + d * (S[2, 1] - S[0, 1])
                _shapes(a, b, j, K, dK)
                if j == 6:
                    step = 1.0
                    for _ in range(_NEWTON):
                        rx, ry, xa, xb, ya, yb = -x, -y, 0.0, 0.0, 0.0, 0.0
                        for i in range(j):
                            rx, ry = rx + K[i] * Q[i, 0], ry + K[i] * Q[i, 1]
                            xa, xb = xa + dK[i, 0] * Q[i, 0], xb + dK[i, 1] * Q[i, 0]
                            ya, yb = ya + dK[i, 0] * Q[i, 1], yb + dK[i, 1] * Q[i, 1]
                        turn = xa * yb - xb * ya
                        c, d = (rx * yb - ry * xb) / turn, (xa * ry - ya * rx) / turn
                        a, b = a - c, b - d
                        _shapes(a, b, j, K, dK)
                        step = abs(c) + abs(d)
                        if not step > _FOUND:
                            break
                    found = found and step <= np.sqrt(_FOUND)
                for i in range(j):
                    z -= K[i] * Q[i, 2]
                for r in range(3):
                    tested = weight * L[r]
                    above[s, r] += tested * z
                    for i in range(3):
                        mass[s, r, i] += tested * L[i]
                        bows[s, r, i] += tested * B[i]
                    for i in range(j):
                        cross[n, r, i] += tested * K[i]
    return mass, bows, above, cross, covered, found

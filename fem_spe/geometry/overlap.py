"""Signed distance between two ellipses or two rods, many pairs at a time.

The signed distance of two convex bodies is the largest separation along any direction,
gap = max_n [n.r - h1(n) - h2(n)], with h the support functions and r the vector between the
centres (Ericson, Real-Time Collision Detection, 2004, ch. 9); negative is the depth of an
overlap. Every direction n gives a lower bound, so a gap returned here is never larger than
the true one, however far the search for n went.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fem_spe.geometry.section import Floats, Inclusions

Ints = NDArray[np.int64]
TINY = 1e-300  # keeps quotients finite where numerator and denominator vanish together


class Contact(NamedTuple):
    """How far pairs are apart and how that changes, one row per pair, shape (pairs,).

    Attributes:
        gap: Signed distance, m; never more than the true one.
        nx, ny: Unit vector from the first to the second, along which `gap` is measured.
        turn1, turn2: Change of `gap` with the angle of the first and the second, m/rad.
    """

    gap: Floats
    nx: Floats
    ny: Floats
    turn1: Floats
    turn2: Floats


class Pairs(NamedTuple):
    """Pairs `i`, `j` with the shift (m) that brings `j` to the image meant, shape (pairs,)."""

    i: Ints
    j: Ints
    shift_x: Floats
    shift_y: Floats

    def take(self, keep: NDArray[np.bool_]) -> Pairs:
        """The pairs marked by `keep`."""
        return Pairs(self.i[keep], self.j[keep], self.shift_x[keep], self.shift_y[keep])


def contact(first: Inclusions, second: Inclusions, polish: int = 2) -> Contact:
    """Signed distance of each inclusion in `first` from its partner in `second`.

    Args:
        first, second: Inclusions of the same shape and number.
        polish: Newton steps on the direction of ellipses; rods need none.
    """
    if first.shape == "ellipse":
        return _ellipses(first, second, polish)
    return _rods(first, second)


def neighbours(
    size: tuple[float, float], body: Inclusions, reach: float, *, wrapped: bool
) -> Pairs:
    """Pairs whose circumscribed circles are less than `reach` apart, in a fixed order.

    When `wrapped`, images count, an inclusion's own too; centres must lie in the box.

    Args:
        size: Width and height, m.
        body: Inclusions, n of them.
        reach: Distance of the circles, m.
        wrapped: Whether the box is periodic.
    """
    n = len(body)
    cutoff = 2.0 * float(body.a.max()) + reach
    kx, ky = (int(np.ceil(cutoff / length)) if wrapped else 0 for length in size)
    sx, sy = (
        s.ravel()
        for s in np.meshgrid(
            np.arange(-kx, kx + 1) * size[0], np.arange(-ky, ky + 1) * size[1], indexing="ij"
        )
    )
    x, y = (body.x + sx[:, None]).ravel(), (body.y + sy[:, None]).ravel()
    near = (np.abs(x - size[0] / 2) < size[0] / 2 + cutoff) & (
        np.abs(y - size[1] / 2) < size[1] / 2 + cutoff
    )
    image = np.flatnonzero(near | (not wrapped))
    own = cKDTree(np.column_stack([body.x, body.y]))
    tree = cKDTree(np.column_stack([x[image], y[image]]))
    found = own.sparse_distance_matrix(tree, cutoff, output_type="ndarray")
    i, copy = found["i"].astype(np.int64), image[found["j"]]
    j, cell = copy % n, copy // n
    # of the two mirrored entries of a pair one is kept; so for an inclusion and its image
    once = (i < j) | ((i == j) & (cell > len(sx) // 2))
    keep = once & (found["v"] < body.a[i] + body.a[j] + reach)
    order = np.lexsort((cell[keep], j[keep], i[keep]))
    i, j, cell = (column[keep][order] for column in (i, j, cell))
    return Pairs(i, j, sx[cell], sy[cell])


def meet(body: Inclusions, pairs: Pairs, polish: int = 2) -> Contact:
    """Contact of the `pairs` of `body`."""
    second = body.take(pairs.j)
    second = replace(second, x=second.x + pairs.shift_x, y=second.y + pairs.shift_y)
    return contact(body.take(pairs.i), second, polish)


def sides(size: tuple[float, float], body: Inclusions) -> Iterator[tuple[Floats, Floats]]:
    """Signed distance from each side, shape (n,), and its change with x, y, angle, (3, n)."""
    c, s = np.cos(body.angle), np.sin(body.angle)
    ex, ey = body.half_extents
    if body.shape == "ellipse":
        tx, ty = (q * (body.a**2 - body.b**2) * s * c for q in (-1 / ex, 1 / ey))
    else:
        straight = body.a - body.b
        tx, ty = -straight * np.sign(c) * s, straight * np.sign(s) * c
    one, nil = np.ones_like(c), np.zeros_like(c)
    yield body.x - ex, np.stack([one, nil, -tx])
    yield size[0] - body.x - ex, np.stack([-one, nil, -tx])
    yield body.y - ey, np.stack([nil, one, -ty])
    yield size[1] - body.y - ey, np.stack([nil, -one, -ty])


def corners(size: tuple[float, float], body: Inclusions, reach: float) -> tuple[Ints, Contact]:
    """Inclusions nearer than `reach` to a corner of the box and their contact with it."""
    width, height = size
    cx, cy = np.array([0.0, width, 0.0, width]), np.array([0.0, 0.0, height, height])
    far = np.hypot(body.x - cx[:, None], body.y - cy[:, None])
    corner, index = np.nonzero(far < body.a + reach)
    near = body.take(index)
    dot = 1e-6 * near.b  # an inclusion too small to matter stands for the corner
    points = replace(near, x=cx[corner], y=cy[corner], a=dot, b=dot)
    return index, contact(near, points, polish=6)


def total(index: Ints, n: int, *columns: Floats) -> Floats:
    """Sums of `columns` by the inclusion in `index`, shape (columns, n)."""
    return np.stack([np.bincount(index, column, n).astype(np.float64) for column in columns])


def smallest_gap(size: tuple[float, float], body: Inclusions, *, wrapped: bool) -> float:
    """Smallest signed distance of any pair nearer than a mean width, else infinity, m."""
    if len(body) == 0:
        return np.inf
    pairs = neighbours(size, body, 2.0 * float(body.b.mean()), wrapped=wrapped)
    return float(np.min(meet(body, pairs, polish=8).gap, initial=np.inf))


def _ellipses(first: Inclusions, second: Inclusions, polish: int) -> Contact:
    """Contact of ellipses: the Perram-Wertheim direction, then Newton steps on it."""
    c1, s1 = np.cos(first.angle), np.sin(first.angle)
    c2, s2 = np.cos(second.angle), np.sin(second.angle)
    rx, ry = second.x - first.x, second.y - first.y
    nx, ny = _perram_wertheim(rx, ry, (first.a, first.b, c1, s1), (second.a, second.b, c2, s2))

    def along(nx: Floats, ny: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        h1, d1, k1 = _support(first.a, first.b, c1 * nx + s1 * ny, c1 * ny - s1 * nx)
        h2, d2, k2 = _support(second.a, second.b, c2 * nx + s2 * ny, c2 * ny - s2 * nx)
        return rx * nx + ry * ny - h1 - h2, d1, d2, k1 + k2

    gap, d1, d2, radii = along(nx, ny)
    for _ in range(polish):
        # d gap/d phi = slide and d2 gap/d phi2 = -(gap + both radii of curvature)
        slide = ry * nx - rx * ny - d1 - d2
        step = np.clip(slide / np.maximum(gap + radii, 0.1 * radii), -0.5, 0.5)
        norm = np.sqrt(1.0 + step**2)
        tx, ty = (nx - step * ny) / norm, (ny + step * nx) / norm
        trial = along(tx, ty)
        better = trial[0] > gap
        nx, ny = np.where(better, tx, nx), np.where(better, ty, ny)
        gap, d1, d2, radii = (
            np.where(better, new, old) for new, old in zip(trial, (gap, d1, d2, radii), strict=True)
        )
    return Contact(gap, nx, ny, d1, d2)


def _support(a: Floats, b: Floats, u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Support function of ellipses, its derivative and the radius of curvature, m.

    Args:
        a, b: Semi-axes.
        u, v: Components of the unit direction along both axes.
    """
    h = np.sqrt((a * u) ** 2 + (b * v) ** 2)
    return h, (b**2 - a**2) * u * v / h, (a * b) ** 2 / h**3


def _perram_wertheim(
    rx: Floats,
    ry: Floats,
    first: tuple[Floats, Floats, Floats, Floats],
    second: tuple[Floats, Floats, Floats, Floats],
) -> tuple[Floats, Floats]:
    """Unit normal where two ellipses, blown up alike about their centres, touch.

    Perram & Wertheim, J. Comput. Phys. 58 (1985) 409: with A and B the matrices of the
    ellipses, F(l) = l (1 - l) r^T [(1 - l) A + l B]^-1 r is concave in 0..1 and largest where
    they touch. In two dimensions adj((1 - l) A + l B) is linear in l, so F is a cubic over a
    quadratic and F' = 0 a quartic.

    Args:
        rx, ry: From the first centre to the second, m.
        first, second: Semi-axes (m), cosine and sine of the angle.
    """
    a1, b1, c1, s1 = first
    a2, b2, c2, s2 = second
    u1, v1 = rx * c1 + ry * s1, ry * c1 - rx * s1
    u2, v2 = rx * c2 + ry * s2, ry * c2 - rx * s2
    p, q = (b1 * u1) ** 2 + (a1 * v1) ** 2, (b2 * u2) ** 2 + (a2 * v2) ** 2
    sine2 = (s1 * c2 - c1 * s2) ** 2
    mixed = (1 - sine2) * ((a1 * b2) ** 2 + (b1 * a2) ** 2) + sine2 * (
        (a1 * a2) ** 2 + (b1 * b2) ** 2
    )
    d0, det2 = (a1 * b1) ** 2, (a2 * b2) ** 2
    d1, d2 = mixed - 2 * d0, d0 - mixed + det2
    n2, n3 = q - 2 * p, p - q
    g0, g1, g2 = p * d0, 2 * n2 * d0, n2 * d1 + 3 * n3 * d0 - p * d2
    g3, g4 = 2 * n3 * d1, n3 * d2

    r1, r2 = np.sqrt(a1 * b1), np.sqrt(a2 * b2)
    at = r1 / (r1 + r2)  # exact for circles
    low, high = np.zeros_like(at), np.ones_like(at)
    for _ in range(5):
        value = g0 + at * (g1 + at * (g2 + at * (g3 + at * g4)))
        slope = g1 + at * (2 * g2 + at * (3 * g3 + at * 4 * g4))
        low, high = np.where(value > 0, at, low), np.where(value > 0, high, at)
        newton = at - value / np.where(slope == 0, -TINY, slope)
        at = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))

    w1, w2 = 1.0 - at, at
    nx = w1 * (b1**2 * u1 * c1 - a1**2 * v1 * s1) + w2 * (b2**2 * u2 * c2 - a2**2 * v2 * s2)
    ny = w1 * (b1**2 * u1 * s1 + a1**2 * v1 * c1) + w2 * (b2**2 * u2 * s2 + a2**2 * v2 * c2)
    norm = np.hypot(nx, ny)
    here = norm > 0  # concentric pairs have no direction; any will do
    norm = np.where(here, norm, 1.0)
    return np.where(here, nx / norm, 1.0), np.where(here, ny / norm, 0.0)


def _rods(first: Inclusions, second: Inclusions) -> Contact:
    """Contact of rods: distance of the segments in their middle, less both radii."""
    rx, ry = second.x - first.x, second.y - first.y
    c1, s1, l1 = np.cos(first.angle), np.sin(first.angle), first.a - first.b
    c2, s2, l2 = np.cos(second.angle), np.sin(second.angle), second.a - second.b
    cosine, sine = c1 * c2 + s1 * s2, c1 * s2 - s1 * c2
    along1, along2 = rx * c1 + ry * s1, rx * c2 + ry * s2
    # segments that do not cross are nearest at an end of one of them: position of the point
    # on either segment for the four ends, shape (4, pairs)
    p1 = np.stack([l1, -l1, along1 + l2 * cosine, along1 - l2 * cosine])
    p2 = np.stack([l1 * cosine - along2, -l1 * cosine - along2, l2, -l2])
    p1, p2 = np.clip(p1, -l1, l1), np.clip(p2, -l2, l2)
    vx, vy = rx + p2 * c2 - p1 * c1, ry + p2 * s2 - p1 * s1
    best = np.argmin(vx**2 + vy**2, axis=0)[None, :]
    p1, p2, vx, vy = (np.take_along_axis(q, best, axis=0)[0] for q in (p1, p2, vx, vy))
    core = np.hypot(vx, vy)

    # crossing segments part along the normal of one of them
    across1, across2 = ry * c1 - rx * s1, ry * c2 - rx * s2
    part1 = np.abs(across1) - l2 * np.abs(sine)
    part2 = np.abs(across2) - l1 * np.abs(sine)
    by1 = part1 >= part2
    depth = np.where(by1, part1, part2)
    crossing = (depth < 0) | (core <= 1e-9 * (first.b + second.b))
    side = np.where(np.where(by1, across1, across2) >= 0, 1.0, -1.0)
    ox, oy = -side * np.where(by1, s1, s2), side * np.where(by1, c1, c2)
    # the end that has to leave: the far end of the other one against the push
    end1 = np.where(by1, 0.0, np.sign(c1 * ox + s1 * oy) * l1)
    end2 = np.where(by1, -np.sign(c2 * ox + s2 * oy) * l2, 0.0)

    scale = np.where(crossing, 1.0, core)
    nx, ny = np.where(crossing, ox, vx / scale), np.where(crossing, oy, vy / scale)
    p1, p2 = np.where(crossing, end1, p1), np.where(crossing, end2, p2)
    gap = np.where(crossing, np.minimum(depth, 0.0), core) - first.b - second.b
    return Contact(gap, nx, ny, -p1 * (c1 * ny - s1 * nx), p2 * (c2 * ny - s2 * nx))

"""Where inclusions meet the box: their outlines as pieces that lie inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_spe.geometry import Inclusions

Kind = Literal["ellipse", "circle", "line"]
_SAMPLES = np.linspace(0.0, 1.0, 513) + 7.07e-4  # an offset: not on the axes, where sides may be
_SAME = 1e-12  # parameters nearer to each other than this are one
_NEAR = 0.2  # of a quarter turn


@dataclass(frozen=True)
class Piece:
    """A stretch of the outline of inclusion `owner` from `start` to `end`, counter-clockwise.

    Attributes:
        owner: Index of the inclusion.
        kind: What curve it lies on.
        start, end: End points, m.
        center: Centre of the ellipse or circle, m.
        major: A point on the long axis, m.
        cut: True where the whole outline is not inside the box.
    """

    owner: int
    kind: Kind
    start: tuple[float, float]
    end: tuple[float, float]
    center: tuple[float, float]
    major: tuple[float, float]
    cut: bool


def pieces(body: Inclusions, size: tuple[float, float]) -> list[Piece]:
    """The outlines of `body` inside the box, split so that each piece turns less than pi."""
    ex, ey = body.half_extents
    cut = (body.x - ex < 0) | (body.x + ex > size[0]) | (body.y - ey < 0) | (body.y + ey > size[1])
    found: list[Piece] = []
    for i in range(len(body)):
        ends, turns = _joints(body, i)
        if cut[i]:
            crossings = _crossings(body, i, size)
            # a turn beside a crossing would leave an arc far shorter than the cells
            away = np.abs(np.mod(turns[:, None] - crossings + 0.5, 1.0) - 0.5)
            near = _NEAR * (0.25 if body.shape == "ellipse" else ends[2] - turns[0])
            turns = turns[np.all(away > near, axis=1)]
            ends = np.concatenate([ends, crossings])
        breaks = np.unique(np.concatenate([ends, turns]))
        breaks = breaks[np.diff(breaks, append=breaks[0] + 1.0) > _SAME]
        found += _split(body, i, breaks, size, cut=bool(cut[i]))
    return found


def _joints(body: Inclusions, i: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Parameters at which the outline must be split: where a line meets a cap; quarter turns."""
    if body.shape == "ellipse":
        return np.array([]), np.array([0.0, 0.25, 0.5, 0.75])
    side, cap = 2 * (body.a[i] - body.b[i]), np.pi * body.b[i]
    whole = 2 * (side + cap)
    ends = np.array([0.0, side, side + cap, 2 * side + cap]) / whole
    return ends, np.array([side + cap / 2, 2 * side + 1.5 * cap]) / whole


def _crossings(body: Inclusions, i: int, size: tuple[float, float]) -> NDArray[np.float64]:
    """Parameters at which the outline of inclusion `i` crosses a side of the box."""
    one = body.take(np.array([i]))
    outline = one.points(_SAMPLES % 1.0)[0]
    found = []
    for axis in (0, 1):
        for side in (0.0, size[axis]):
            beyond = outline[:, axis] - side
            for k in np.flatnonzero(beyond[:-1] * beyond[1:] < 0):
                t = scipy.optimize.brentq(
                    lambda t, i=axis, at=side: one.points(np.array([t % 1.0]))[0, 0, i] - at,
                    _SAMPLES[k],
                    _SAMPLES[k + 1],
                    xtol=1e-16,
                    rtol=8.9e-16,
                )
                along = one.points(np.array([t % 1.0]))[0, 0, 1 - axis]
                if 0 <= along <= size[1 - axis]:
                    found.append(t % 1.0)
    return np.array(found)


def _split(
    body: Inclusions, i: int, breaks: NDArray[np.float64], size: tuple[float, float], *, cut: bool
) -> list[Piece]:
    one = body.take(np.array([i]))
    after = np.append(breaks[1:], breaks[0] + 1.0)
    corners = one.points(breaks)[0]
    middles = one.points(((breaks + after) / 2) % 1.0)[0]
    kinds = _kinds(body, i, ((breaks + after) / 2) % 1.0)
    snap = 1e-12 * max(size)
    for axis in (0, 1):
        for side in (0.0, size[axis]):
            corners[np.abs(corners[:, axis] - side) < snap, axis] = side
    direction = np.array([np.cos(body.angle[i]), np.sin(body.angle[i])])
    middle = np.array([body.x[i], body.y[i]])
    found = []
    for k, kind in enumerate(kinds):
        if cut and not (0 < middles[k, 0] < size[0] and 0 < middles[k, 1] < size[1]):
            continue
        center = middle
        if body.shape == "rod" and kind == "circle":
            toward = np.sign((middles[k] - middle) @ direction)
            center = middle + toward * (body.a[i] - body.b[i]) * direction
        found.append(
            Piece(
                i,
                kind,
                _pair(corners[k]),
                _pair(corners[(k + 1) % len(corners)]),
                _pair(center),
                _pair(middle + body.a[i] * direction),
                cut,
            )
        )
    return found


def _kinds(body: Inclusions, i: int, t: NDArray[np.float64]) -> list[Kind]:
    if body.shape == "ellipse":
        round_ = body.a[i] - body.b[i] <= 1e-9 * body.a[i]
        return ["circle" if round_ else "ellipse"] * len(t)
    side, cap = 2 * (body.a[i] - body.b[i]), np.pi * body.b[i]
    s = (t % 0.5) * 2 * (side + cap)
    return ["line" if v < side else "circle" for v in s]


def _pair(point: NDArray[np.float64]) -> tuple[float, float]:
    return float(point[0]), float(point[1])

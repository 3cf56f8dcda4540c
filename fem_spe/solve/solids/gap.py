"""The gap between points and rigid balls, and its normal: plain geometry over numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Normal = Literal["updated", "fixed", "vertical"]

TOUCHING = 1e-9  # of the radius, below which a gap is closed


@dataclass(frozen=True)
class Ball:
    """A rigid disc (two dimensions) or ball, where it has been moved to.

    Attributes:
        centre: After the prescribed displacement, m.
        radius: m.
        moved: The displacement that brought it there in this step, m; only what sticks
            to the ball (bonded contact) needs it. Empty stands for none.
    """

    centre: tuple[float, ...]
    radius: float
    moved: tuple[float, ...] = ()

    @property
    def motion(self) -> Floats:
        """`moved` as an array, shape (gdim,)."""
        return np.array(self.moved or np.zeros(len(self.centre)))


@dataclass(frozen=True)
class Gaps:
    """Of each point, the ball nearest to it.

    Attributes:
        ball: Its index, shape (n,).
        gap: Distance to its surface, negative inside, m, shape (n,).
        normal: Unit vector from the ball to the point, shape (n, gdim).
        distance: From its centre along the normal, m, shape (n,); infinite where the
            normal does not turn with the point.
    """

    ball: NDArray[np.int64]
    gap: Floats
    normal: Floats
    distance: Floats


def gaps(points: Floats, displacement: Floats, balls: Sequence[Ball], normal: Normal) -> Gaps:
    """The gaps of points that have been displaced.

    Args:
        points: Places before, m, shape (n, gdim).
        displacement: m, shape (n, gdim).
        balls: At least one.
        normal: `updated` is the true distance to the nearest surface point. `fixed` measures
            along the direction from the centre, where the ball is now, to the place before
            displacement. `vertical` measures along the last axis at the abscissa before
            displacement; balls press from above then, and points beside them have an infinite
            gap. The last two make the gap linear in the displacement.
    """
    measure = _MEASURES[normal]
    each = [measure(points, displacement, ball) for ball in balls]
    ball = np.argmin([gap for gap, _, _ in each], axis=0)
    rows = np.arange(len(points))
    gap, direction, distance = (np.array(column)[ball, rows] for column in zip(*each, strict=True))
    return Gaps(ball, gap, direction, distance)


def _closest(points: Floats, displacement: Floats, ball: Ball) -> tuple[Floats, Floats, Floats]:
    arm = points + displacement - np.array(ball.centre)
    distance = np.linalg.norm(arm, axis=1)
    return distance - ball.radius, arm / np.maximum(distance, 1e-300)[:, None], distance


def _fixed(points: Floats, displacement: Floats, ball: Ball) -> tuple[Floats, Floats, Floats]:
    gap, normal, _ = _closest(points, np.zeros_like(points), ball)
    gap += np.sum(displacement * normal, axis=1)
    return gap, normal, np.full(len(points), np.inf)


def _vertical(points: Floats, displacement: Floats, ball: Ball) -> tuple[Floats, Floats, Floats]:
    aside = np.sum((points[:, :-1] - np.array(ball.centre[:-1])) ** 2, axis=1)
    below = ball.radius**2 - aside
    bottom = ball.centre[-1] - np.sqrt(np.maximum(below, 0.0))
    gap = np.where(below > 0.0, bottom - points[:, -1] - displacement[:, -1], np.inf)
    down = np.zeros_like(points)
    down[:, -1] = -1.0
    return gap, down, np.full(len(points), np.inf)


_MEASURES = {"updated": _closest, "fixed": _fixed, "vertical": _vertical}


def landing(points: Floats, displacement: Floats, ball: Ball) -> Floats:
    """Displacement of points that a ball in motion meets and takes along without slip.

    A point waits where it is until the ball's surface arrives, and moves with the ball
    from then on. Points that its path does not meet go straight to the surface.

    Args:
        points: Places before, m, shape (n, gdim).
        displacement: Before this motion of the ball, shape (n, gdim).
        ball: After its motion.

    Returns:
        The displacement after, shape (n, gdim); the points then lie on the surface.
    """
    place = points + displacement - np.array(ball.centre)
    motion = ball.motion
    # |place + share motion| = radius; of the two roots the larger lies on the leading side
    a = motion @ motion
    b = place @ motion
    c = np.sum(place**2, axis=1) - ball.radius**2
    root = b**2 - a * c
    share = (-b + np.sqrt(np.maximum(root, 0.0))) / a if a > 0.0 else np.zeros(len(place))
    met = (root >= 0.0) & (share >= 0.0) & (share <= 1.0) & (a > 0.0)
    straight = place * (ball.radius / np.linalg.norm(place, axis=1) - 1.0)[:, None]
    return displacement + np.where(met[:, None], share[:, None] * motion, straight)


def carried(
    points: Floats,
    displacement: Floats,
    nearest: NDArray[np.int64],
    balls: Sequence[Ball],
    held: NDArray[np.bool_],
) -> Floats:
    """Displacement of points if their balls take them along, shape (n, gdim).

    Args:
        points, displacement: As in `landing`.
        nearest: The ball of each point.
        balls: After their motion.
        held: True for points that stick already and move as their ball does.
    """
    target = displacement.copy()
    for k, ball in enumerate(balls):
        mine = nearest == k
        target[mine & held] += ball.motion
        free = mine & ~held
        target[free] = landing(points[free], displacement[free], ball)
    return target


def touching(
    points: Floats, displacement: Floats, nearest: NDArray[np.int64], balls: Sequence[Ball]
) -> NDArray[np.bool_]:
    """Which points lie on their ball before its motion: the initial footprint."""
    centre = np.array([np.array(ball.centre) - ball.motion for ball in balls])[nearest]
    radius = np.array([ball.radius for ball in balls])[nearest]
    gap = np.linalg.norm(points + displacement - centre, axis=1) - radius
    return np.asarray(np.abs(gap) <= TOUCHING * radius)

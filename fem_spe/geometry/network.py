"""A network of fibres as plain data: polylines with radii in a box, free of any mesher."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fem_spe.geometry.section import Floats

_REACH = 4.0  # grid spacings: how far from the fibres their distance is told
_PIECE = 6.0  # radii: length of the pieces that fibres are evaluated by
_ALONG = 1e-9  # of the whole length: fibres this little off one axis are all along it


@dataclass(frozen=True)
class Pieces:
    """Straight, round-ended pieces of tubes.

    Attributes:
        start, end: Ends of the axes, m, shape (n, 3).
        radius: m, shape (n,).
    """

    start: Floats
    end: Floats
    radius: Floats

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Pieces:
        """The pieces at `index`, in that order."""
        return Pieces(self.start[index], self.end[index], self.radius[index])


@dataclass(frozen=True)
class Network:
    """Fibres in the box [0, size]: tubes about polylines, which may overlap and count as one.

    Attributes:
        size: Extent of the box, m.
        points: Corners of the axes, all fibres one after the other, m, shape (n, 3). They may
            lie outside: the box cuts the fibres, or they re-enter opposite where it repeats.
        offsets: Where each fibre starts in `points`, and the end, shape (fibres + 1,).
        radii: m, shape (fibres,).
        periodic: Axes across which the network repeats.
        fraction: Volume fraction that was asked for, or None.
        seed: The seed that placed them.
    """

    size: tuple[float, float, float]
    points: Floats
    offsets: NDArray[np.int64]
    radii: Floats
    periodic: tuple[int, ...] = ()
    fraction: float | None = None
    seed: int | None = None

    def __len__(self) -> int:
        return len(self.radii)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions, the one outside the fibres first."""
        return ("matrix", "fiber")

    @property
    def thinnest(self) -> float:
        """Smallest diameter of a fibre, m."""
        return 2.0 * float(self.radii.min())

    def segments(self) -> Pieces:
        """The straight parts of all fibres."""
        inner = np.ones(len(self.points), dtype=bool)
        inner[self.offsets[1:] - 1] = False  # the last corner of a fibre starts nothing
        at = np.flatnonzero(inner)
        owner = np.searchsorted(self.offsets, at, side="right") - 1
        return Pieces(self.points[at], self.points[at + 1], self.radii[owner])

    def distance(self, shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """Signed distance to the fibres' surface on a grid, m, negative inside.

        Exact outside near the fibres and on their surface; elsewhere a lower bound: inside
        where fibres overlap, and farther than four grid spacings from all of them.

        Args:
            shape: Points of the grid along each axis, both ends on the box's faces.
        """
        from fem_spe.geometry.network_distance import stamp  # compiled: not to read a case

        spacing = np.asarray(self.size) / (np.asarray(shape) - 1)
        reach = max(_REACH * float(spacing.max()), self.thinnest / 2)
        pieces = evaluated(self.size, self.segments(), self.periodic, reach)
        field = np.full(shape, reach, dtype=np.float32)
        stamp(field, spacing, pieces.start, pieces.end, pieces.radius, reach, 0.0)
        for axis in self.periodic:  # equal to the last bit
            first, last = ([slice(None)] * 3 for _ in range(2))
            first[axis], last[axis] = slice(0, 1), slice(-1, None)
            field[tuple(last)] = field[tuple(first)]
        return field

    def lengths(self) -> tuple[Floats, Floats]:
        """Unit directions, shape (n, 3), and lengths in the box, m, shape (n,), of the parts."""
        parts = self.segments()
        along = parts.end - parts.start
        whole = np.linalg.norm(along, axis=1)
        inside = whole
        if not self.periodic:
            low, high = crossings(parts.start, along, np.zeros(3), np.asarray(self.size))
            inside = whole * np.maximum(np.minimum(high, 1.0) - np.maximum(low, 0.0), 0.0)
        return along / whole[:, None], inside

    @property
    def order_parameter_plane(self) -> float:
        """S = 2 <cos^2> - 1 of the directions in the plane x-y, weighted by length.

        The angle is that to the fibres' own mean axis; 0 for all directions alike, 1 for one.
        For an axial von Mises distribution I1(kappa) / I0(kappa).
        """
        angle, length = self._in_plane()
        return float(np.abs(np.sum(length * np.exp(2j * angle))) / length.sum())

    @property
    def order_parameter(self) -> float:
        """P2 = (3 <cos^2> - 1) / 2 of the directions in the plane, weighted by length.

        With the weight |sin| of the solid angle about the mean axis, as Hermans' function
        is found from a picture or a scattering pattern in the plane: 0 for all directions alike.
        """
        angle, length = self._in_plane()
        mean = 0.5 * np.angle(np.sum(length * np.exp(2j * angle)))
        weight = length * np.abs(np.sin(angle - mean))
        if weight.sum() < _ALONG * length.sum():
            return 1.0
        square = np.sum(weight * np.cos(angle - mean) ** 2) / weight.sum()
        return float(1.5 * square - 0.5)

    def _in_plane(self) -> tuple[Floats, Floats]:
        """Angles from x, rad, and lengths as seen along z, m."""
        direction, length = self.lengths()
        seen = length * np.hypot(direction[:, 0], direction[:, 1])
        return np.arctan2(direction[:, 1], direction[:, 0]), seen

    def table(self) -> dict[str, Floats]:
        """The corners of all fibres as columns, for a result folder."""
        owner = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        um = 1e6 * self.points
        return {
            "fiber": owner.astype(np.float64),
            "x [um]": um[:, 0],
            "y [um]": um[:, 1],
            "z [um]": um[:, 2],
            "radius [um]": 1e6 * self.radii[owner],
        }


def evaluated(
    size: tuple[float, float, float], parts: Pieces, periodic: tuple[int, ...], reach: float
) -> Pieces:
    """`parts` in short pieces, with their images, without what is `reach` from the box.

    Args:
        size: Of the box, m.
        parts: Straight parts of fibres.
        periodic: Axes across which the box repeats.
        reach: Distance from the surface, m.
    """
    box = np.asarray(size)
    longest = _PIECE * float(parts.radius.min())
    pieces = _short(parts, min(longest, float(box.min()) / 2) if periodic else longest)
    middle = 0.5 * (pieces.start + pieces.end)
    home = np.zeros_like(middle)
    for axis in periodic:
        home[:, axis] = np.floor(middle[:, axis] / box[axis]) * box[axis]
    steps = [(0, -1, 1) if axis in periodic else (0,) for axis in range(3)]
    found = []
    for step in product(*steps):
        shift = np.asarray(step) * box - home
        start, end = pieces.start + shift, pieces.end + shift
        far = (pieces.radius + reach)[:, None]
        near = np.all(
            (np.minimum(start, end) - far < box) & (np.maximum(start, end) + far > 0), axis=1
        )
        found.append(Pieces(start, end, pieces.radius).take(near))
    return Pieces(
        np.concatenate([p.start for p in found]),
        np.concatenate([p.end for p in found]),
        np.concatenate([p.radius for p in found]),
    )


def _short(parts: Pieces, longest: float) -> Pieces:
    """`parts` divided into pieces no longer than `longest` (m)."""
    along = parts.end - parts.start
    number = np.maximum(np.ceil(np.linalg.norm(along, axis=1) / longest), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(number)), number)
    first = np.repeat(np.cumsum(number) - number, number)
    k = (np.arange(len(owner)) - first)[:, None]
    step = along[owner] / number[owner, None]
    start = parts.start[owner] + k * step
    return Pieces(start, start + step, parts.radius[owner])


def crossings(start: Floats, along: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Where the lines start + t along enter and leave the box [low, high]: t, shapes (n,).

    Those that miss it leave before they enter.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (low - start) / along, (high - start) / along
    # 0 / 0: in a face and along it, which is inside
    first = np.where(np.isnan(one), -np.inf, np.fmin(one, two))
    last = np.where(np.isnan(two), np.inf, np.fmax(one, two))
    return first.max(axis=1), last.min(axis=1)

"""Random fibres added to a box until there are enough, or until the fraction is met."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import GeometryError
from fem_spe.geometry.network import Network, Pieces, evaluated
from fem_spe.geometry.network_distance import clear_of, stamp
from fem_spe.geometry.network_fibers import NetworkFibers
from fem_spe.geometry.random import Orientation
from fem_spe.geometry.section import Floats

_BATCH = 256
_SAMPLES = 96  # places along an axis where it is asked whether it lies in the box
_PER_WAVE = 24  # straight parts of a wave
_OUTSIDE = 0.5  # of the radius: how far outside an axis may run; beyond, a sliver would be left
_SHORTEST = 2.0  # diameters: shorter stretches through a corner of the box are none
_GRID = 6.0  # points per mean radius of the grid that volumes are measured on
_MOST_POINTS = 2e7
_TOLERANCE = 3e-4  # of the fraction
_ROUNDS = 8
_MOST_SHRINKING = 0.1  # of the diameter
_TRIES = 3000  # to place one more fibre where they may not cross


class _Fiber(NamedTuple):
    points: Floats  # m, shape (n, 3)
    radius: float  # m


def place(spec: NetworkFibers) -> Network:
    """The network that `spec` describes.

    Raises:
        GeometryError: if it cannot be reached; what would work.
    """
    supply = _candidates(spec, np.random.default_rng(spec.seed))
    if not spec.crossing:
        supply = _apart(spec, supply)
    if spec.fiber_count is None:
        return _filled(spec, supply)
    fibers = list(islice(supply, spec.fiber_count))
    if len(fibers) < spec.fiber_count:
        raise GeometryError(_jammed(len(fibers), "fiber_count", len(fibers), spec.fiber_count))
    return _network(spec, fibers)


def _network(spec: NetworkFibers, fibers: list[_Fiber]) -> Network:
    ends = np.cumsum([0, *(len(f.points) for f in fibers)])
    return Network(
        spec.size,
        np.concatenate([f.points for f in fibers]),
        np.asarray(ends, dtype=np.int64),
        np.array([f.radius for f in fibers]),
        periodic=(0, 1, 2) if spec.boundary == "periodic" else (),
        fraction=spec.fiber_fraction,
        seed=spec.seed,
    )


def _filled(spec: NetworkFibers, supply: Iterator[_Fiber]) -> Network:
    """Fibres added until their union is large enough; then all shrink until it fits."""
    assert spec.fiber_fraction is not None
    ruler = _Ruler(spec)
    wanted = spec.fiber_fraction * math.prod(spec.size)
    fibers: list[_Fiber] = []
    covered = 0.0
    while covered < wanted:
        fiber = next(supply, None)
        if fiber is None:
            reached = math.floor(1e3 * covered / math.prod(spec.size)) / 1e3
            raise GeometryError(
                _jammed(len(fibers), "fiber_fraction", reached, spec.fiber_fraction)
            )
        fibers.append(fiber)
        covered += ruler.add(_network(spec, fibers[-1:]))
    factor, missing, share = 1.0, 1.0 - covered / wanted, -math.log1p(-spec.fiber_fraction)
    # the first slope is that of 1 - exp(-share), with share growing as the square of the size
    slope = 2.0 * share * (1.0 - spec.fiber_fraction) / spec.fiber_fraction
    for _ in range(_ROUNDS):
        if abs(missing) < _TOLERANCE:
            break
        step = missing / slope
        factor, before = factor + step, missing
        if factor < 1.0 - _MOST_SHRINKING:
            raise GeometryError(
                f"{len(fibers)} fibres are more than fiber_fraction {spec.fiber_fraction:g} and "
                "one less is too few; give a smaller fiber_diameter, a larger size, or fiber_count"
            )
        ruler.clear()
        network = _network(spec, [_Fiber(f.points, factor * f.radius) for f in fibers])
        missing = 1.0 - ruler.add(network) / wanted
        slope = max((before - missing) / step, 0.2 * slope)
    return _network(spec, [_Fiber(f.points, factor * f.radius) for f in fibers])


class _Ruler:
    """Measures the volume of a union on a grid, fibre by fibre."""

    def __init__(self, spec: NetworkFibers) -> None:
        mean, spread = spec.diameter
        box = np.asarray(spec.size)
        spacing = max(mean / 2 / _GRID, float(np.prod(box) / _MOST_POINTS) ** (1 / 3))
        if spacing > mean / 2 - spread:
            raise GeometryError(
                f"a box of {' x '.join(f'{1e6 * q:g}' for q in box)} um is too large for fibres "
                f"{1e6 * mean:g} um thick: no mesh would hold them; give a smaller size"
            )
        shape = np.ceil(box / spacing).astype(int) + 1
        self.spacing = box / (shape - 1)
        self.reach = 2.0 * float(self.spacing.max())
        self.curvature = 2.0 / mean
        self.field = np.full(tuple(shape), self.reach, dtype=np.float32)

    def clear(self) -> None:
        self.field[:] = self.reach

    def add(self, network: Network) -> float:
        """The volume that `network` adds to what there is, m^3."""
        reach = self.reach
        p = evaluated(network.size, network.segments(), network.periodic, reach)
        return float(
            stamp(self.field, self.spacing, p.start, p.end, p.radius, reach, self.curvature)
        )


def _apart(spec: NetworkFibers, supply: Iterator[_Fiber]) -> Iterator[_Fiber]:
    """Those fibres of `supply` that cross none before; it ends where no more is found."""
    taken = Pieces(np.empty((0, 3)), np.empty((0, 3)), np.empty(0))
    tries = 0
    while tries < _TRIES:
        fiber = next(supply)
        one = _network(spec, [fiber])
        pieces = evaluated(spec.size, one.segments(), one.periodic, spec.gap)
        others = taken.start, taken.end, taken.radius
        tries += 1
        if clear_of(pieces.start, pieces.end, fiber.radius, *others, spec.gap):
            tries = 0
            taken = Pieces(
                np.concatenate([taken.start, pieces.start]),
                np.concatenate([taken.end, pieces.end]),
                np.concatenate([taken.radius, pieces.radius]),
            )
            yield fiber


def _jammed(number: int, key: str, reached: float, asked: float) -> str:
    return (
        f"there was room for {number} fibres that do not cross, {key} = {reached:g} and not "
        f"{asked:g}; give less, crossing = true, a larger kappa, a smaller min_gap or "
        "thinner fibres"
    )


def _candidates(spec: NetworkFibers, rng: np.random.Generator) -> Iterator[_Fiber]:
    """Fibres at random for ever: each stretch of the box is as likely to meet one."""
    wave = _wave(spec)
    orientation = Orientation(kappa=spec.kappa, mean=spec.mean_angle)
    while True:
        radius = _radii(spec, rng)
        angle = orientation.draw(_BATCH, rng)
        slope = rng.normal(0.0, 1.0, _BATCH) * spec.tilt
        c, s = np.cos(angle), np.sin(angle)
        along = np.stack([c * np.cos(slope), s * np.cos(slope), np.sin(slope)], axis=1)
        aside = np.stack([-s, c, np.zeros(_BATCH)], axis=1)
        middle, half = _middles(spec, along, aside, rng)
        phase = rng.uniform(0.0, 2 * np.pi, (_BATCH, 1))

        def axes(
            number: int,
            lines: tuple[Floats, Floats, Floats, Floats] = (middle, along, aside, phase),
            half: float = half,
        ) -> Floats:
            """Points at equal distances along all axes, m, shape (_BATCH, number, 3)."""
            middle, along, aside, phase = lines
            t = np.linspace(-half, half, number)
            swing = spec.waviness * wave * np.sin(2 * np.pi * t / wave + phase)
            points: Floats = middle[:, None] + t[:, None] * along[:, None]
            return points + swing[..., None] * aside[:, None]

        parts = math.ceil(2 * half / wave * _PER_WAVE) if spec.waviness else 1
        corners = axes(parts + 1)
        wanted = np.full(_BATCH, True)
        if spec.boundary == "cut":
            wanted = _seen(spec, axes(_SAMPLES), radius)
        for i in np.flatnonzero(wanted):
            yield _Fiber(corners[i], float(radius[i]))


def _wave(spec: NetworkFibers) -> float:
    """Wave length, m; of fibres that end, a whole part of their length."""
    wave = min(spec.size[:2])
    length = spec.axis_length
    return wave if length is None else length / max(1, round(length / wave))


def _radii(spec: NetworkFibers, rng: np.random.Generator) -> Floats:
    """A batch of radii, m."""
    from scipy.special import ndtr, ndtri

    mean, spread = spec.diameter
    drawn = ndtri(rng.uniform(ndtr(-2.0), ndtr(2.0), _BATCH))
    radii: Floats = (mean + spread * drawn) / 2
    return radii


def _middles(
    spec: NetworkFibers, along: Floats, aside: Floats, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Points in the middle of each axis, m, shape (n, 3), and half of the axes' length, m."""
    box = np.asarray(spec.size)
    length = spec.axis_length
    if length is not None:
        beyond = length / 2 if spec.boundary == "cut" else 0.0
        return rng.uniform(-beyond, box + beyond, (len(along), 3)), length / 2
    # lines through a ball about the box, by their foot on the disc across them
    ball = float(np.linalg.norm(box)) / 2 + sum(spec.diameter) + 2 * spec.waviness * _wave(spec)
    turn, far = (
        rng.uniform(0.0, 2 * np.pi, len(along)),
        ball * np.sqrt(rng.uniform(size=len(along))),
    )
    foot = (far * np.cos(turn))[:, None] * aside
    foot += (far * np.sin(turn))[:, None] * np.cross(along, aside)
    return box / 2 + foot, ball


def _seen(spec: NetworkFibers, points: Floats, radius: Floats) -> NDArray[np.bool_]:
    """Which fibres lie in the box for more than a sliver or a corner, shape (n,)."""
    beyond = np.maximum(np.maximum(-points, points - np.asarray(spec.size)), 0.0)
    inside = np.linalg.norm(beyond, axis=-1) <= _OUTSIDE * radius[:, None]
    step = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    shortest = np.minimum(2 * _SHORTEST * radius, min(spec.size))
    seen: NDArray[np.bool_] = inside.sum(axis=1) * step >= shortest
    return seen

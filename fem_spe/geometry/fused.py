"""Fused random inclusions: placed independently, overlapping, counted as their union."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import shapely

from fem_spe.errors import GeometryError
from fem_spe.geometry.placement import CLEARANCE, Boundary, Rule, Rules, broken, settle
from fem_spe.geometry.section import Inclusions, Section

TANGENCY = 0.05  # of b: how far two boundaries keep from just touching
_POINTS = 64  # of a polygon; equal areas leave an error of the union below 1e-4
_TOLERANCE = 5e-4  # of the fraction
_ROUNDS = 12
_MAX_COUNT = 100_000


def union_area(section: Section) -> float:
    """Area of the union of the inclusions inside the rectangle, images included, m^2.

    Each inclusion is a polygon of its own area, so that areas without overlap are exact but
    for those that a side cuts.
    """
    body = section.with_images()
    if len(body) == 0:
        return 0.0
    points = body.points(np.arange(_POINTS) / _POINTS)
    centre = np.stack([body.x, body.y], axis=-1)[:, None, :]
    local = points - centre
    x, y = local[..., 0], local[..., 1]
    polygon = 0.5 * np.sum(x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1), axis=1)
    local *= np.sqrt(body.areas / polygon)[:, None, None]
    union = shapely.union_all(shapely.polygons(centre + local))
    return float(shapely.area(shapely.intersection(union, shapely.box(0.0, 0.0, *section.size))))


def fuse_to_fraction(
    size: tuple[float, float],
    draw: Callable[[int], Inclusions],
    fraction: float,
    boundary: Boundary = "cut",
    *,
    tangency: float = TANGENCY,
    clearance: float = CLEARANCE,
    max_change: float = 0.1,
) -> Inclusions:
    """Inclusions at random, overlapping, whose union covers `fraction` within 1e-3.

    The number starts from the independent placement's 1 - exp(-n a / A), with a and A the
    areas of an inclusion and of the box; inclusions are added or left out until the union
    fits best, and all are scaled alike for the rest. Pairs that nearly touch from outside,
    which would enclose a cusp of the matrix, are moved apart or together; so are those that
    graze a side or a corner of the box. Angles stay as drawn.

    Args:
        size: Width and height of the box, m.
        draw: Returns that many independent inclusions with centres uniform in the box.
        fraction: Asked area fraction of the union.
        boundary: For "cut" and "periodic" they wrap around; "inside" keeps all in the box.
        tangency: How far boundaries of a pair are from touching, as a multiple of the
            smallest half width.
        clearance: The same for sides and corners of the box.
        max_change: Largest relative change of the size, which the result's `b` tells. Up to
            fraction 0.6 it is below 0.02 for 100 inclusions and below 0.06 for 20.

    Raises:
        GeometryError: if the size had to change more, or the near-tangent pairs remain.
    """
    wrapped = boundary != "inside"
    drawn = body = _choose(size, draw, fraction, wrapped)
    shaken = np.random.default_rng(len(body))  # `draw` keeps its own generator
    for _ in range(_ROUNDS):
        body = _scale(size, body, fraction, wrapped)
        change = float(body.b[0] / drawn.b[0]) - 1.0
        if abs(change) > max_change:
            raise GeometryError(
                f"{len(body)} fused {body.shape}s meet fraction {fraction:g} only with sizes "
                f"changed by {change:+.0%}; take a larger box, a smaller fiber_diameter or "
                "another seed"
            )
        met = abs(_fraction(size, body, wrapped) - fraction) < 2 * _TOLERANCE
        if met and not broken(_rules(size, body, wrapped, tangency, clearance), body).any():
            return body
        # a little more than asked, so that the scaling to come does not undo it
        wider = _rules(size, body, wrapped, 1.4 * tangency, 1.1 * clearance)
        settled = settle(wider, body, rng=shaken, angle_freedom=0.0)
        if settled is None:
            break
        body = settled
    raise GeometryError(
        f"{len(body)} fused {body.shape}s at fraction {fraction:g} keep touching each other or "
        "the sides; lower fiber_fraction, take another seed or a larger box"
    )


def _rules(
    size: tuple[float, float], body: Inclusions, wrapped: bool, tangency: float, clearance: float
) -> Rules:
    """No pair near touching, no side or corner grazed."""
    width = float(body.b.min())
    side = Rule(clearance * width, either=wrapped)
    return Rules(
        size, wrapped, Rule(tangency * width, either=True), side, side if wrapped else None
    )


def _choose(
    size: tuple[float, float], draw: Callable[[int], Inclusions], fraction: float, wrapped: bool
) -> Inclusions:
    """As many inclusions as come nearest to `fraction`."""
    if not 0.0 < fraction < 1.0:
        raise GeometryError(f"fiber_fraction {fraction:g} is not between 0 and 1")
    area = size[0] * size[1]
    body = _inside(size, draw(1), wrapped)
    guess = -np.log1p(-fraction) * area / float(body.areas.mean())
    if guess > _MAX_COUNT:
        raise GeometryError(
            f"fraction {fraction:g} takes about {guess:.3g} fused {body.shape}s, more than "
            f"{_MAX_COUNT}; take a smaller box or a larger fiber_diameter"
        )
    tried: dict[int, float] = {}
    number = max(1, round(guess))
    while number not in tried:
        if number > len(body):
            body = _joined(body, _inside(size, draw(number - len(body)), wrapped))
        first = body.take(np.arange(number))
        tried[number] = _fraction(size, first, wrapped)
        # one inclusion more covers its share of what is still bare
        gain = (1.0 - tried[number]) * float(first.areas.mean()) / area
        number = max(1, number + round((fraction - tried[number]) / max(gain, 1e-12)))
        number = min(number, _MAX_COUNT)
    best = min(tried, key=lambda n: (abs(tried[n] - fraction), n))
    return body.take(np.arange(best))


def _scale(
    size: tuple[float, float], body: Inclusions, fraction: float, wrapped: bool
) -> Inclusions:
    """The same with sizes scaled so that the union covers `fraction`, by secants."""
    missing = fraction - _fraction(size, body, wrapped)
    # the first slope is that of 1 - exp(-share), with share growing as the square of the size
    share = float(body.areas.sum()) / (size[0] * size[1])
    slope, factor, scaled = 2.0 * share * (1.0 - fraction), 1.0, body
    for _ in range(_ROUNDS):
        if abs(missing) < _TOLERANCE:
            break
        step = float(np.clip(missing / slope, -0.1, 0.1))
        factor, before = factor + step, missing
        scaled = replace(body, a=factor * body.a, b=factor * body.b)
        missing = fraction - _fraction(size, scaled, wrapped)
        slope = max((before - missing) / step, 0.1 * slope)
    return scaled


def _fraction(size: tuple[float, float], body: Inclusions, wrapped: bool) -> float:
    section = Section(size, body, wrapped=wrapped, fused=True)
    return union_area(section) / section.area


def _inside(size: tuple[float, float], body: Inclusions, wrapped: bool) -> Inclusions:
    """Inclusions with centres spread over where they lie inside, unless they wrap around."""
    if wrapped:
        return body
    centres = []
    for q, extent, length in zip((body.x, body.y), body.half_extents, size, strict=True):
        if np.any(2 * extent >= length):
            raise GeometryError(
                f"{body.shape}s up to {2 * extent.max() * 1e6:.3g} um long do not fit inside "
                f'{length * 1e6:.3g} um; lower the aspect, take a larger box or boundary = "cut"'
            )
        centres.append(extent + (length - 2 * extent) * q / length)
    return replace(body, x=centres[0], y=centres[1])


def _joined(first: Inclusions, second: Inclusions) -> Inclusions:
    """Both in one."""
    return Inclusions(
        first.shape,
        np.concatenate([first.x, second.x]),
        np.concatenate([first.y, second.y]),
        np.concatenate([first.a, second.a]),
        np.concatenate([first.b, second.b]),
        np.concatenate([first.angle, second.angle]),
        np.concatenate([first.phase, second.phase]),
        first.regions,
    )

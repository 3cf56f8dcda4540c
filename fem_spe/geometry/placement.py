"""Random inclusions moved apart until none overlaps: soft repulsion, small rotations.

Overlapping inclusions repel along their contact normal like springs, and the energy is
minimised with FIRE (Bitzek et al., Phys. Rev. Lett. 97 (2006) 170201). It works up to the
jamming of soft bodies (fraction 0.84 for circles, O'Hern et al., Phys. Rev. E 68 (2003)
011306), where random sequential addition ends near 0.5. Angles are left as they were drawn;
only where that leaves some stuck do they turn, each by no more than `angle_freedom` and all
together so that the order parameter stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import GeometryError
from fem_spe.geometry.overlap import Pairs, corners, meet, neighbours, sides, total
from fem_spe.geometry.section import Floats, Inclusions

Boundary = Literal["cut", "inside", "periodic"]

CLEARANCE = 0.15  # of b: how far a fibre keeps from grazing a side or a corner of the box
_MARGIN = 0.02  # of b: aimed at beyond the asked distances, so that they are reached soon
_SKIN = 0.6  # of b: how far centres move before neighbours are searched again
_DT, _STRIDE = 0.4, 0.3  # largest time step of FIRE and largest move per step, of b
_STEPS, _PATIENCE = 3000, 150  # of a descent: at most, and without a tenth less energy
_ATTEMPTS, _TURN_AFTER = 12, 2
_JAMMED_AFTER, _FEW = 3, 50  # attempts until half of more than so many stuck means jammed
_KICK = 0.5  # of b
_MANY = 20  # inclusions from which on their order parameter is kept
_ROUNDING = 1e-7  # of b
_DENSEST = {"ellipse": 0.91, "rod": 1.0}  # fraction of the densest packing


@dataclass(frozen=True)
class Rule:
    """What a signed distance must be: at least `distance`, or on either side of it.

    Attributes:
        distance: m.
        either: True when less than -`distance` will do as well (a clear crossing).
    """

    distance: float
    either: bool = False

    def push(self, signed: Floats, margin: float = 0.0) -> Floats:
        """How far the distances `signed` are to grow (negative: shrink) to obey, m."""
        if not self.either:
            return np.maximum(self.distance + margin - signed, 0.0)
        short = np.maximum(self.distance + margin - np.abs(signed), 0.0)
        return np.where(signed < 0, -short, short)


@dataclass(frozen=True)
class Rules:
    """The box and what is asked of pairs, of sides and of corners; lengths in m."""

    size: tuple[float, float]
    wrapped: bool
    pair: Rule
    side: Rule
    corner: Rule | None

    def scaled(self, unit: float) -> Rules:
        """The same with `unit` (m) as the unit of length."""
        pair, side = (Rule(r.distance / unit, r.either) for r in (self.pair, self.side))
        corner = self.corner and Rule(self.corner.distance / unit, self.corner.either)
        return Rules((self.size[0] / unit, self.size[1] / unit), self.wrapped, pair, side, corner)


def relax(
    size: tuple[float, float],
    start: Inclusions,
    *,
    gap: float,
    boundary: Boundary,
    rng: np.random.Generator,
    angle_freedom: float = 0.15,
    clearance: float = CLEARANCE,
) -> Inclusions:
    """Move inclusions apart until every pair is at least `gap` apart.

    Args:
        size: Width and height of the box, m.
        start: Inclusions at random, overlapping as they may.
        gap: Smallest distance of two inclusions, m; for "inside" also from the sides.
        boundary: "inside" keeps all wholly in the box. For "cut" and "periodic" they wrap
            around, and none grazes a side or a corner of the box.
        rng: Shakes those that are stuck.
        angle_freedom: Largest turn of an inclusion, rad; 0 keeps all angles.
        clearance: For "cut" and "periodic", how far sides and corners of the box are from
            touching an inclusion, as a multiple of its smallest half width.

    Returns:
        The inclusions in the order of `start`, with centres in the box.

    Raises:
        GeometryError: if they do not fit, or no way to place them was found.
    """
    if len(start) == 0:
        return start
    wrapped = boundary != "inside"
    clear = Rule(clearance * float(start.b.min()), either=True)
    side, corner = (clear, clear) if wrapped else (Rule(gap), None)
    rules = Rules(size, wrapped, Rule(gap), side, corner)
    _refuse_impossible(rules, start, gap, angle_freedom)
    placed = settle(rules, start, rng=rng, angle_freedom=angle_freedom)
    if placed is None:
        fraction = float(start.areas.sum()) / (size[0] * size[1])
        raise GeometryError(
            f"{len(start)} {start.shape}s of aspect {float(np.mean(start.a / start.b)):.3g} could "
            f"not be placed at fraction {fraction:.3g} with min_gap {gap * 1e6:.3g} um; "
            "lower fiber_fraction, min_gap or the aspect"
            + ("" if wrapped else ', or take boundary = "cut"')
        )
    return placed


def settle(
    rules: Rules, start: Inclusions, *, rng: np.random.Generator, angle_freedom: float
) -> Inclusions | None:
    """Move and, if they are stuck, turn inclusions until they obey `rules`, else None."""
    unit = float(start.b.mean())
    within, body = rules.scaled(unit), _scaled(start, unit)
    for attempt in range(_ATTEMPTS):
        freedom = angle_freedom if attempt >= _TURN_AFTER else 0.0
        body, stuck = _descend(within, body, start.angle, freedom)
        if not stuck.any():
            return _wrap(rules, replace(start, x=body.x * unit, y=body.y * unit, angle=body.angle))
        if attempt >= _JAMMED_AFTER and stuck.sum() > max(0.5 * len(body), _FEW):
            return None
        kick = stuck * rng.normal(0.0, _KICK * (attempt + 1), (2, len(body)))
        body = replace(body, x=body.x + kick[0], y=body.y + kick[1])
    return None


def broken(rules: Rules, body: Inclusions) -> NDArray[np.bool_]:
    """Which inclusions break one of `rules`, shape (n,)."""
    unit = float(body.b.mean())
    within, body = rules.scaled(unit), _scaled(body, unit)
    return _load(within, body, _near(within, body, 0.0)).broken


def _near(rules: Rules, body: Inclusions, skin: float) -> Pairs:
    """Pairs to look at while no centre moves by more than half of `skin`."""
    reach = rules.pair.distance + _MARGIN + skin
    return neighbours(rules.size, body, reach, wrapped=rules.wrapped)


def _scaled(body: Inclusions, unit: float) -> Inclusions:
    """The same with `unit` (m) as the unit of length."""
    return replace(body, x=body.x / unit, y=body.y / unit, a=body.a / unit, b=body.b / unit)


def _descend(
    rules: Rules, body: Inclusions, drawn: Floats, freedom: float
) -> tuple[Inclusions, NDArray[np.bool_]]:
    """Minimise the energy of repulsion with FIRE, in units of the mean half width.

    Args:
        rules: What is asked, in the same units.
        body: Where the inclusions are, n of them.
        drawn: Their first angles, rad, shape (n,).
        freedom: How far angles may go from `drawn`, rad.

    Returns:
        The inclusions at the end, and which of them still break a rule, shape (n,).
    """
    arm = np.sqrt((body.a**2 + body.b**2) / 4)  # radius of gyration: turns count as lengths
    lever = np.stack([np.ones_like(arm), np.ones_like(arm), (freedom > 0) / arm])
    velocity = np.zeros((3, len(body)))
    dt, blend, downhill = _DT / 4, 0.1, 0
    best, since = np.inf, 0
    moved = np.full(len(body), np.inf)
    for _ in range(_STEPS):
        if moved.max() > _SKIN / 2:
            body = _wrap(rules, body)
            pairs, moved = _near(rules, body, _SKIN), np.zeros(len(body))
        load = _load(rules, body, pairs)
        best, since = (load.energy, 0) if load.energy < 0.9 * best else (best, since + 1)
        if since > _PATIENCE or not load.broken.any():
            break
        force = load.force * lever
        power = float(np.sum(force * velocity))
        if power > 0:
            downhill += 1
            ratio = np.sqrt(np.sum(velocity**2) / np.sum(force**2))
            velocity = (1 - blend) * velocity + blend * ratio * force
            if downhill > 5:
                dt, blend = min(1.1 * dt, _DT), 0.99 * blend
        else:
            velocity[:] = 0.0
            dt, blend, downhill = max(0.5 * dt, _DT / 10), 0.1, 0
        velocity += dt * force
        step = np.clip(dt * velocity, -_STRIDE, _STRIDE)
        angle = body.angle
        if freedom > 0:
            angle = _same_order(angle + step[2] / arm, drawn)
            angle = np.clip(angle, drawn - freedom, drawn + freedom)
        body = replace(body, x=body.x + step[0], y=body.y + step[1], angle=angle)
        moved += np.hypot(step[0], step[1])
    body = _wrap(rules, body)
    return body, _load(rules, body, _near(rules, body, 0.0)).broken


def _same_order(angle: Floats, drawn: Floats) -> Floats:
    """The least change of `angle` (rad) that restores the mean of exp(2 i angle) as `drawn`.

    Without it, dense inclusions align: the order parameter grows by 0.03 to 0.05.
    """
    if len(angle) < _MANY:
        return angle
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    off_c, off_s = np.sum(c - np.cos(2 * drawn)), np.sum(s - np.sin(2 * drawn))
    cc, ss, cs = np.sum(c * c), np.sum(s * s), np.sum(c * s)
    # one Newton step of least norm; the floor leaves parallel axes, which must lose order, alone
    det = max(cc * ss - cs * cs, 0.01 * len(angle) ** 2)
    along_c, along_s = (cc * off_c + cs * off_s) / det, (cs * off_c + ss * off_s) / det
    restored: Floats = angle + (s * along_c - c * along_s) / 2
    return restored


class _Load(NamedTuple):
    """Generalised forces, shape (3, n), which inclusions break a rule, and the energy."""

    force: Floats
    broken: NDArray[np.bool_]
    energy: float


def _load(rules: Rules, body: Inclusions, pairs: Pairs) -> _Load:
    """What pushes and turns each inclusion at the moment."""
    n = len(body)
    dx = body.x[pairs.j] + pairs.shift_x - body.x[pairs.i]
    dy = body.y[pairs.j] + pairs.shift_y - body.y[pairs.i]
    reach = body.a[pairs.i] + body.a[pairs.j] + rules.pair.distance + _MARGIN
    pairs = pairs.take(dx**2 + dy**2 < reach**2)
    touch = meet(body, pairs)
    push = rules.pair.push(touch.gap, _MARGIN)
    force = total(pairs.j, n, push * touch.nx, push * touch.ny, push * touch.turn2)
    force -= total(pairs.i, n, push * touch.nx, push * touch.ny, -push * touch.turn1)
    bad = rules.pair.push(touch.gap, _ROUNDING) != 0
    broken = np.bincount(pairs.i[bad], minlength=n) + np.bincount(pairs.j[bad], minlength=n) > 0
    energy = float(np.sum(push**2))

    for signed, change in sides(rules.size, body):
        push = rules.side.push(signed, _MARGIN)
        force += push * change
        broken |= rules.side.push(signed, _ROUNDING) != 0
        energy += float(np.sum(push**2))

    if rules.corner is not None:
        index, touch = corners(rules.size, body, rules.corner.distance + _MARGIN)
        push = rules.corner.push(touch.gap, _MARGIN)
        force += total(index, n, -push * touch.nx, -push * touch.ny, push * touch.turn1)
        bad = rules.corner.push(touch.gap, _ROUNDING) != 0
        broken |= np.bincount(index[bad], minlength=n) > 0
        energy += float(np.sum(push**2))
    return _Load(force, broken, energy)


def _wrap(rules: Rules, body: Inclusions) -> Inclusions:
    """The same with centres in the box."""
    if not rules.wrapped:
        return body
    width, height = rules.size
    x, y = np.mod(body.x, width), np.mod(body.y, height)
    # the remainder of a tiny negative number is rounded up to the length itself
    return replace(body, x=np.where(x < width, x, 0.0), y=np.where(y < height, y, 0.0))


def _refuse_impossible(rules: Rules, start: Inclusions, gap: float, freedom: float) -> None:
    """Raise for what no arrangement can meet."""
    room = rules.size if rules.wrapped else (rules.size[0] - gap, rules.size[1] - gap)
    grown = replace(start, a=start.a + gap / 2, b=start.b + gap / 2)
    densest = _DENSEST[start.shape] * max(room[0], 0.0) * max(room[1], 0.0)
    if float(grown.areas.sum()) > densest:
        raise GeometryError(
            f"{len(start)} {start.shape}s with the gaps between them are larger than the box; "
            "lower fiber_fraction or min_gap"
        )
    if rules.wrapped:
        if float(start.a.max()) >= min(rules.size):
            raise GeometryError(
                f"{start.shape}s {start.a.max() * 2e6:.3g} um long do not fit into a box "
                f"{min(rules.size) * 1e6:.3g} um wide; lower the aspect or take a larger box"
            )
        return
    for extent, length in zip(start.half_extents, rules.size, strict=True):
        # turning by `freedom` shortens an extent by less than a times it
        if np.any(2 * (extent - freedom * start.a + gap) > length):
            raise GeometryError(
                f"{start.shape}s up to {2 * extent.max() * 1e6:.3g} um long do not fit inside "
                f'{length * 1e6:.3g} um; lower the aspect, take a larger box or boundary = "cut"'
            )

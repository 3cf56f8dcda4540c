"""Balls pressed into a body at finite strain, in steps that adapt to what they meet.

Each step starts where the body would be if it went on as in the one before: nodes under a ball
are then nearly on it, and cells about them do not crumple on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fem_spe.solve.solids.gap import Ball
from fem_spe.solve.solids.large_contact import LargeContact
from fem_spe.solve.solids.load_steps import climb
from fem_spe.solve.solids.pressed import Kind, Pressed

Floats = NDArray[np.float64]

_LONGEST = 0.5  # of the smallest ball's radius: its centre must not come below what it pressed on
_LONG = 2.0**-5  # of the way: longer steps must not begin with a guess that cells do not bear
_FURTHEST = 2.0  # times the last step, that a first guess goes on as it went


def press_in(
    contact: LargeContact,
    balls: Sequence[Ball],
    steps: int,
    *,
    kind: Kind = "frictionless",
    first: float = 0.1,
) -> Iterator[tuple[float, Pressed]]:
    """Press by the balls' `moved`, other loads in proportion: each part reached, and its state.

    Args:
        contact: The body.
        balls: Where they are to come to, with the way there.
        steps: Equal parts that are met.
        kind: As in `Contact.press`.
        first: Length of the first step, a part of the whole way.

    Raises:
        ConvergenceError: if a step fails however short it is.
    """

    zero = np.zeros_like(contact.trial.x.array)
    behind: list[tuple[float, Floats]] = [(0.0, zero)]  # the last two states

    def advance(at: float, to: float, start: Pressed | None) -> Pressed:
        contact.part.value = to
        moved = [between(ball, at, to) for ball in balls]
        further = None
        if start is not None:
            (before, past), (_, now) = behind
            further = min((to - at) / (at - before), _FURTHEST) * (now - past)
        whole = to - at > _LONG
        return contact.press(moved, kind=kind, start=start, further=further, whole=whole)

    marks = [k / steps for k in range(1, steps + 1)]
    longest = min(_LONGEST * ball.radius / float(np.linalg.norm(ball.motion)) for ball in balls)
    for part, found in climb(advance, marks, min(first, 1.0 / steps), longest):
        behind[:] = [behind[-1], (part, found.u.x.array)]
        yield part, found


def between(ball: Ball, at: float, to: float) -> Ball:
    """`ball` on its way, come from the part `at` to the part `to`."""
    centre = np.array(ball.centre) - (1.0 - to) * ball.motion
    return replace(ball, centre=tuple(centre), moved=tuple((to - at) * ball.motion))

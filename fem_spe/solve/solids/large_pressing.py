"""Balls pressed into a body at finite strain, in steps that adapt to what they meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fem_spe.solve.solids.gap import Ball
from fem_spe.solve.solids.large_contact import LargeContact
from fem_spe.solve.solids.load_steps import climb
from fem_spe.solve.solids.pressed import Kind, Pressed


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

    def advance(at: float, to: float, start: Pressed | None) -> Pressed:
        contact.part.value = to
        moved = [between(ball, at, to) for ball in balls]
        return contact.press(moved, kind=kind, start=start)

    return climb(advance, [k / steps for k in range(1, steps + 1)], min(first, 1.0 / steps))


def between(ball: Ball, at: float, to: float) -> Ball:
    """`ball` on its way, come from the part `at` to the part `to`."""
    centre = np.array(ball.centre) - (1.0 - to) * ball.motion
    return replace(ball, centre=tuple(centre), moved=tuple((to - at) * ball.motion))

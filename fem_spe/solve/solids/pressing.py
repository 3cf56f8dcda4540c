"""Contact in load steps, for a force-displacement curve or where bonds depend on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fem_spe.solve.solids.contact import Contact
from fem_spe.solve.solids.gap import Ball, Normal
from fem_spe.solve.solids.pressed import Kind, Pressed


def in_steps(
    contact: Contact,
    balls: Sequence[Ball],
    steps: int,
    *,
    kind: Kind = "frictionless",
    normal: Normal = "updated",
) -> Iterator[Pressed]:
    """Press in equal parts of the balls' `moved`: the states one after the other."""
    found: Pressed | None = None
    for k in range(1, steps + 1):
        found = contact.press(
            [_part(ball, k, steps) for ball in balls], kind=kind, normal=normal, start=found
        )
        yield found


def _part(ball: Ball, step: int, steps: int) -> Ball:
    centre = np.array(ball.centre) - (1.0 - step / steps) * ball.motion
    return replace(ball, centre=tuple(centre), moved=tuple(ball.motion / steps))

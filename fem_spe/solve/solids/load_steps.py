"""Loads in steps whose length follows from how hard they are; a step that fails is cut back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from fem_spe.errors import ConvergenceError
from fem_spe.progress import log

_SHORTEST = 2.0**-10  # of the whole load: below it the load counts as out of reach
# Iterations up to which the next step is doubled, though not right after one that was cut back,
# and beyond which it is halved
_EASY, _HARD = 6, 10


class State(Protocol):
    """What a step leads to."""

    @property
    def iterations(self) -> int:
        """Of Newton's method, in the step."""


def climb[S: State](
    advance: Callable[[float, float, S | None], S], marks: Sequence[float], first: float
) -> Iterator[tuple[float, S]]:
    """From no load to all of it: each part of the load that was reached, with its state.

    Args:
        advance: From one part of the load, its state (None without load) and the next part
            to the state there; a new object, for the old one is gone back to if it raises
            ConvergenceError.
        marks: Parts that are to be met, rising to 1.
        first: Length of the first step.

    Raises:
        ConvergenceError: if a step fails however short it is; it tells the last one's reason.
    """
    at, step = 0.0, first
    state: S | None = None
    cut = False
    for mark in marks:
        while at < mark:
            left = mark - at
            # no scrap of a step is left before a mark
            to = mark if left <= 1.01 * step else at + min(step, 0.5 * left)
            try:
                found = advance(at, to, state)
            except ConvergenceError as error:
                step, cut = 0.5 * (to - at), True
                log.info("  step to %.4g of the load cut back: %s", to, error)
                if step < _SHORTEST:
                    raise
                continue
            if found.iterations <= _EASY and not cut:
                step *= 2.0
            elif found.iterations > _HARD:
                step = 0.5 * (to - at)
            at, state, cut = to, found, False
            yield at, found

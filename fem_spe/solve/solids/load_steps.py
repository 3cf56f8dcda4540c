"""Loads in steps whose length follows from how hard they are; a step that fails is cut back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from fem_spe.errors import ConvergenceError
from fem_spe.progress import log

_SHORTEST = 2.0**-10  # of the whole load: below it the load counts as out of reach
_SHORT = 2.0**-7  # of it: below it steps are cut back alone, not made shorter because they are hard
_EASY, _HARD = 6, 10  # iterations below which steps grow, and beyond which they are halved
_GROWTH, _WARY = 2.0, 1.4  # at most, and after a step that was cut back; not right after it


class State(Protocol):
    """What a step leads to."""

    @property
    def iterations(self) -> int:
        """Of Newton's method, in the step."""


def climb[S: State](
    advance: Callable[[float, float, S | None], S],
    marks: Sequence[float],
    first: float,
    longest: float = 1.0,
) -> Iterator[tuple[float, S]]:
    """From no load to all of it: each part of the load that was reached, with its state.

    Args:
        advance: From one part of the load, its state (None without load) and the next part
            to the state there; a new object, for the old one is gone back to if it raises
            ConvergenceError.
        marks: Parts that are to be met, rising to 1.
        first: Length of the first step.
        longest: That a step may have.

    Raises:
        ConvergenceError: if a step fails however short it is; it tells the last one's reason.
    """
    at, step = 0.0, min(first, longest)
    state: S | None = None
    cut, most = False, _GROWTH
    for mark in marks:
        while at < mark:
            left = mark - at
            # no scrap of a step is left before a mark
            to = mark if left <= 1.01 * step else at + min(step, 0.5 * left)
            try:
                found = advance(at, to, state)
            except ConvergenceError as error:
                step, cut, most = 0.5 * (to - at), True, _WARY
                log.info("  step to %.4g of the load cut back: %s", to, error)
                if step < _SHORTEST:
                    raise
                continue
            if found.iterations <= _EASY and not cut:
                step = min(step * min(most, _EASY / found.iterations), longest)
            elif found.iterations > _HARD:
                step = max(0.5 * (to - at), min(_SHORT, to - at))
            at, state, cut = to, found, False
            yield at, found

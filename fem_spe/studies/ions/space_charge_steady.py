"""A cell with charged layers in its steady state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError
from fem_spe.studies.ions.space_charge_model import Model

_PSEUDO = 1.0  # of a pseudo-step's rate: that of diffusion through the cell
_MOST_PSEUDO = 100
_STILL = 1e-10  # relative change of a concentration per pseudo-step, which leaves a tenth of it
_SMALLEST_PART = 1 / 64  # of the data that is applied at a time

Array = NDArray[np.float64]


def settle(model: Model) -> None:
    """Lead `model` to its steady state. Collective.

    The data are applied in parts where all at once would be too much. Where an ion can
    neither enter nor leave, a pinch of storage keeps what there is of it.

    Raises:
        ConvergenceError: if it is not found.
    """
    closed = [k for k in range(len(model.ions)) if model.walls.closed(k)]
    model.weight.value = _PSEUDO / max(model.domain.size) ** 2 if closed else 0.0
    reached, part, guess = 0.0, 1.0, np.zeros(model.owned)
    while reached < 1.0:
        model.set_level(min(reached + part, 1.0))
        try:
            guess = _pseudo_step(model, guess, closed)
        except ConvergenceError:
            part /= 2.0
            if part < _SMALLEST_PART:
                raise
            continue
        reached = min(reached + part, 1.0)
    for _ in range(_MOST_PSEUDO if closed else 0):
        before = model.sample()
        guess = _pseudo_step(model, guess, closed)
        if model.largest(model.sample() / before - 1.0) <= _STILL:
            return
    if closed:
        raise ConvergenceError("the pseudo-steps to the steady state of the cell do not end")


def _pseudo_step(model: Model, guess: Array, closed: list[int]) -> Array:
    """An implicit step nearer to the steady state, which keeps what is closed in."""
    model.restore(guess)
    before, held = model.sample().reshape(-1, len(model.ions)), model.totals()
    for k in closed:
        before[:, k] *= model.at_rest[k] / held[k]
    model.set_rest(-float(model.weight.value) * before.ravel())
    return model.solve(guess)

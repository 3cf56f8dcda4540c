"""A load on a body that yields, in steps that are cut back where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.solve.solids.equilibrium import Supports, balance
from fem_spe.solve.solids.load_steps import climb
from fem_spe.solve.solids.mortar.constraint import Mortar
from fem_spe.solve.solids.plastic import Yielding


@dataclass(frozen=True)
class Step:
    """A state that was reached; the body holds it until the next step is tried.

    Attributes:
        newton: Steps of Newton's method.
        kept: To go back to.
        rate: Of the displacement over the part of the load, in this step.
    """

    newton: int
    kept: tuple[Any, ...]
    rate: NDArray[np.float64]

    @property
    def iterations(self) -> int:
        """What tells how hard the step was; a contact takes as many again to find its set."""
        return self.newton if self.kept[1] is None else (self.newton + 1) // 2


def bring_up(
    body: Yielding,
    supports: Supports,
    steps: int,
    *,
    rtol: float,
    method: str,
    name: str = "elasticity",
    contact: Mortar | None = None,
) -> Iterator[tuple[float, Step]]:
    """The parts of the load that are reached, one after the other. Collective.

    Args:
        body: Under no load.
        supports: What is prescribed under the whole load.
        steps: Equal parts that are met; there are more where they are needed.
        rtol, method, name, contact: As in `balance`.

    Raises:
        ConvergenceError: if a part is out of reach; the body holds the last one that was not.
    """

    def kept() -> tuple[Any, ...]:
        return body.state(), None if contact is None else contact.state()

    def back(state: tuple[Any, ...]) -> None:
        body.restore(state[0])
        if contact is not None:
            contact.restore(state[1])

    start = kept()
    last = [start]

    def advance(at: float, to: float, before: Step | None) -> Step:
        back(start if before is None else before.kept)
        if before is not None:
            # flow goes on much as before: a guess that saves the first, worst steps
            body.u.x.array[:] += (to - at) * before.rate
        came = (start if before is None else before.kept)[0][0]
        residuals = balance(
            body, supports, to, rtol=rtol, method=method, name=name, contact=contact
        )
        body.commit()
        last[0] = kept()
        return Step(len(residuals), last[0], (body.u.x.array - came) / (to - at))

    marks = [(k + 1) / steps for k in range(steps)]
    try:
        yield from climb(advance, marks, marks[0])
    finally:
        back(last[0])

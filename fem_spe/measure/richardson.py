"""How far a number is from its limit, judged by three meshes.

With values q1, q2, q3 on meshes of which each halves the sizes of the one before,

    order = log2 (q1 - q2) / (q2 - q3),   q3 - limit ~ (q2 - q3) / (2^order - 1)

(Richardson 1911; Roache, J. Fluids Eng. 116 (1994) 405).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_ROUND_OFF = 1e-11  # relative differences below which a number counts as exact
_SLOWEST = 1.2  # ratio of differences below which nothing is said to converge
_FASTEST = 64.0  # and the largest that is believed: order 6
_GROWTH = 1e-3  # relative, of a maximum that is called singular


@dataclass(frozen=True)
class Estimate:
    """What three meshes tell of a number.

    Attributes:
        order: Observed order of convergence; None where there is none to be seen.
        error: Of the value on the finest mesh, with the unit of the number; where no order is
            seen, the largest change between two meshes.
        singular: True where the number keeps growing.
        limit: What the numbers tend to; None where no order is seen.
    """

    order: float | None
    error: float
    singular: bool = False
    limit: float | None = None


def estimate(values: Sequence[float]) -> Estimate:
    """Order and error from the last three of `values`, from the coarsest to the finest mesh."""
    first, second, third = values[-3:]
    before, last = first - second, second - third
    if not all(map(math.isfinite, (first, second, third))):
        return Estimate(None, math.nan)
    if max(abs(before), abs(last)) <= _ROUND_OFF * abs(third) or last == 0.0:
        return Estimate(None, abs(last))
    ratio = before / last
    if ratio >= _SLOWEST:
        rest = last / (min(ratio, _FASTEST) - 1.0)
        return Estimate(math.log2(ratio), abs(rest), limit=third - rest)
    grows = ratio > 0 and abs(third) > abs(first) and abs(last) > _GROWTH * abs(third)
    return Estimate(None, max(abs(before), abs(last)), singular=grows)

"""A plain box, in layers if asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from fem_spe.errors import GeometryError
from fem_spe.geometry.regular import PositiveLength


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle or a cuboid with a corner at the origin.

    Attributes:
        size: Extent along each axis, m, 2 or 3 numbers; the last is the thickness.
        layers: Region name -> thickness, m, from the anode (bottom) up; without it the
            box is all `matrix`.
    """

    size: (
        tuple[PositiveLength, PositiveLength]
        | tuple[PositiveLength, PositiveLength, PositiveLength]
    )
    kind: Literal["box"] = "box"
    layers: dict[str, PositiveLength] = field(default_factory=dict)

    def __post_init__(self) -> None:
        total = sum(self.layers.values())
        if self.layers and not math.isclose(total, self.size[-1], rel_tol=1e-9):
            raise GeometryError(
                f"the layers are {total * 1e6:g} um thick together, "
                f"but the box is {self.size[-1] * 1e6:g} um; make them equal"
            )

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(self.layers) or ("matrix",)

"""What is asked of the fibres of a random network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from fem_spe.errors import GeometryError
from fem_spe.geometry.regular import PositiveLength
from fem_spe.units import ANGLE, LENGTH, Angle

Size3 = tuple[PositiveLength, PositiveLength, PositiveLength]

_MOST_FIBERS = 100_000
_MOST_SPREAD = 0.45  # of the mean diameter; the thinnest fibre is two spreads below it


@dataclass(frozen=True, kw_only=True)
class NetworkFibers:
    """Fibres lying in the plane x-y at random, cut by the box or repeating with it.

    Attributes:
        size: Extent of the box, m; the last is the thickness.
        fiber_diameter: Of all fibres, or mean and spread of a normal distribution that is cut
            off at two spreads, m. For a given fraction all shrink alike, by some per cent.
        fiber_count: Number of fibres. Give this or `fiber_fraction`.
        fiber_fraction: Volume fraction of their union; above 0.95 what is left between them are
            pockets much thinner than a fibre.
        kappa: Of the axial von Mises distribution of directions in the plane: 0 for all alike,
            large for parallel fibres.
        mean_angle: Direction of the mean axis from x, rad.
        tilt: Standard deviation of the angle out of the plane, rad.
        waviness: Amplitude over wave length of a swing in the plane; the wave length is the
            smaller side of the plane. 0 for straight fibres.
        length: Of the fibres' axes, m; by default they lead through the whole box, or where
            it repeats are as long as the larger side of the plane.
        crossing: Whether fibres may run through each other.
        min_gap: Where they may not, the smallest distance of their surfaces, m; by default
            half of the mean diameter.
        boundary: Whether the box cuts the fibres or repeats across all its faces.
        seed: The same seed gives the same network, bit for bit.
    """

    size: Size3
    fiber_diameter: PositiveLength | tuple[PositiveLength, Annotated[float, Ge(0.0), LENGTH]]
    fiber_count: Annotated[int, Gt(0)] | None = None
    fiber_fraction: Annotated[float, Gt(0.0), Le(0.95)] | None = None
    kappa: Annotated[float, Ge(0.0)] = 0.0
    mean_angle: Angle = 0.0
    tilt: Annotated[float, Ge(0.0), Le(math.pi / 4), ANGLE] = 0.0
    waviness: Annotated[float, Ge(0.0), Le(0.25)] = 0.0
    length: PositiveLength | None = None
    crossing: bool = True
    min_gap: Annotated[float, Ge(0.0), LENGTH] | None = None
    boundary: Literal["cut", "periodic"] = "cut"
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        if (self.fiber_count is None) == (self.fiber_fraction is None):
            raise GeometryError("give one of fiber_count and fiber_fraction")
        if self.crossing and self.min_gap is not None:
            raise GeometryError(
                "min_gap has no meaning for fibres that may cross; remove it, or set "
                "crossing = false"
            )
        mean, spread = self.diameter
        if spread > _MOST_SPREAD * mean:
            raise GeometryError(
                f"fiber_diameter spreads by {spread / mean:.0%} of its mean, which leaves fibres "
                f"without thickness; give at most {_MOST_SPREAD:.0%}"
            )
        if mean + 2 * spread >= min(self.size):
            raise GeometryError(
                f"fibres up to {(mean + 2 * spread) * 1e6:g} um thick do not fit into a box "
                f"{min(self.size) * 1e6:g} um wide; give thinner ones or a larger size"
            )
        if self.likely_count > _MOST_FIBERS:
            raise GeometryError(
                f"the network would hold about {self.likely_count:.1e} fibres, more than "
                f"{_MOST_FIBERS:,}; give a larger fiber_diameter or a smaller size"
            )

    @property
    def diameter(self) -> tuple[float, float]:
        """Mean and spread, m."""
        given = self.fiber_diameter
        return given if isinstance(given, tuple) else (given, 0.0)

    @property
    def axis_length(self) -> float | None:
        """Of the fibres' axes, m; None where they lead through the whole box."""
        if self.length is None and self.boundary == "periodic":
            return max(self.size[:2])
        return self.length

    @property
    def gap(self) -> float:
        """Smallest distance of two fibres that may not cross, m."""
        return self.diameter[0] / 2 if self.min_gap is None else self.min_gap

    @property
    def likely_count(self) -> float:
        """Number of fibres: as given, or those that fill the fraction when placed at random."""
        if self.fiber_fraction is None:
            assert self.fiber_count is not None
            return self.fiber_count
        volume = -math.log1p(-self.fiber_fraction) * math.prod(self.size)
        length = min(self.axis_length or math.inf, max(self.size))
        return volume / (math.pi / 4 * self.diameter[0] ** 2 * length)

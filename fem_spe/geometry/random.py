"""Random fibre sections: ellipses or rods of a given fraction, aspect and orientation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from fem_spe.errors import GeometryError
from fem_spe.geometry.regular import Fraction, PositiveLength, Size2, require_countable
from fem_spe.geometry.section import Inclusions, Section, Shape
from fem_spe.units import LENGTH, Angle

_DEFAULT_GAP = 0.04  # of the fibre diameter: one cell layer of the default mesh fits in
_MAX_FRACTION = 0.62  # where overlap relaxation still ends


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """Axial von Mises distribution of the long axes in the section plane.

    Attributes:
        kappa: 0 for all directions alike; large for parallel axes.
        mean: Direction of the mean axis from x, rad.
    """

    kappa: Annotated[float, Ge(0.0)] = 0.0
    mean: Angle = 0.0

    def draw(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Angles in (-pi/2, pi/2] about the mean, shape (number,)."""
        if self.kappa == 0.0:
            return self.mean + rng.uniform(-np.pi / 2, np.pi / 2, number)
        return self.mean + 0.5 * rng.vonmises(0.0, self.kappa, number)


@dataclass(frozen=True, kw_only=True)
class RandomSection:
    """Fibres in random directions cut across: ellipses, or rods lying in the section.

    `fiber_diameter` is the minor axis (the rod's width); it moves a little so that the
    fraction is met. Give `aspect` (long over short axis) or `length`.
    """

    size: Size2
    fiber_diameter: PositiveLength
    fiber_fraction: Fraction
    kind: Literal["fiber_section"] = "fiber_section"
    arrangement: Literal["random"] = "random"
    shape: Shape = "ellipse"
    aspect: Annotated[float, Ge(1.0)] | None = None
    length: PositiveLength | None = None
    orientation: Orientation = field(default_factory=Orientation)
    min_gap: Annotated[float, Ge(0.0), LENGTH] | None = None
    fused: bool = False
    boundary: Literal["cut", "inside", "periodic"] = "cut"
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        if (self.aspect is None) == (self.length is None):
            raise GeometryError("give one of aspect and length")
        if self.length is not None and self.length < self.fiber_diameter:
            raise GeometryError("length is smaller than fiber_diameter; give a larger one")
        if self.fused and self.min_gap is not None:
            raise GeometryError("min_gap has no meaning for fused fibres; remove one of the two")
        if self.fiber_fraction > _MAX_FRACTION:
            raise GeometryError(
                f"fiber_fraction {self.fiber_fraction:g} is beyond what random fibres reach "
                f'({_MAX_FRACTION}); give less, or arrangement = "aligned"'
            )
        width = self.fiber_diameter * (self.aspect or 1.0)
        longest = max(self.length or 0.0, width)
        require_countable(
            self.fiber_fraction * self.size[0] * self.size[1] / (self.fiber_diameter * longest)
        )
        if longest >= min(self.size):
            raise GeometryError(
                f"fibres up to {longest * 1e6:g} um long do not fit into the box of "
                f"{self.size[0] * 1e6:g} x {self.size[1] * 1e6:g} um; give smaller ones"
            )

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return ("matrix", "fiber")

    def build(self) -> Section:
        """The section as data; the same for the same seed, bit for bit.

        Raises:
            GeometryError: if the fibres cannot be placed.
        """
        # shapely and scipy are needed only to place, not to read a case
        from fem_spe.geometry.fused import fuse_to_fraction
        from fem_spe.geometry.placement import relax

        rng = np.random.default_rng(self.seed)
        if self.fused:
            fibers = fuse_to_fraction(
                self.size, lambda n: self._draw(n, rng), self.fiber_fraction, self.boundary
            )
        else:
            unit = self._draw(1, np.random.default_rng(0)).areas[0]
            area = self.fiber_fraction * self.size[0] * self.size[1]
            number = max(1, round(area / unit))
            start = self._draw(number, rng)
            scale = float(np.sqrt(area / start.areas.sum()))
            start = replace(start, a=scale * start.a, b=scale * start.b)
            gap = self.min_gap
            if gap is None:
                gap = _DEFAULT_GAP * self.fiber_diameter
            fibers = relax(self.size, start, gap=gap, boundary=self.boundary, rng=rng)
        return Section(
            self.size,
            fibers,
            wrapped=self.boundary != "inside",
            periodic=self.boundary == "periodic",
            fused=self.fused,
            seed=self.seed,
        )

    def _draw(self, number: int, rng: np.random.Generator) -> Inclusions:
        """`number` fibres at random, overlapping as they may."""
        b = np.full(number, self.fiber_diameter / 2)
        a = b * self.aspect if self.aspect is not None else np.full(number, self.length) / 2
        return Inclusions(
            self.shape,
            rng.uniform(0.0, self.size[0], number),
            rng.uniform(0.0, self.size[1], number),
            np.asarray(a, dtype=np.float64),
            b,
            self.orientation.draw(number, rng),
            np.zeros(number, dtype=np.int64),
            ("fiber",),
        )

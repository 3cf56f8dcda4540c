"""Fibres that lie in the section side by side, along x and through its whole width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt

from fem_spe.errors import GeometryError
from fem_spe.geometry.regular import Fraction, PositiveLength, Size2, require_countable
from fem_spe.geometry.section import Inclusions, Section
from fem_spe.units import LENGTH


@dataclass(frozen=True, kw_only=True)
class ParallelSection:
    """Straight fibres along x in `rows`, at equal distances across the thickness.

    Give two of `rows`, `fiber_diameter` and `fiber_fraction`; with diameter and fraction the
    number of rows is the nearest whole one and the diameter moves so that the fraction is exact.
    `cover` is the matrix above the uppermost fibre; half of the matrix between two by default.
    """

    size: Size2
    kind: Literal["fiber_section"] = "fiber_section"
    arrangement: Literal["parallel"] = "parallel"
    rows: Annotated[int, Gt(0)] | None = None
    fiber_diameter: PositiveLength | None = None
    fiber_fraction: Fraction | None = None
    cover: Annotated[float, Ge(0.0), LENGTH] | None = None

    def __post_init__(self) -> None:
        given = [self.rows, self.fiber_diameter, self.fiber_fraction]
        if given.count(None) != 1:
            raise GeometryError("give two of rows, fiber_diameter and fiber_fraction")
        self.build()

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return ("matrix", "fiber")

    def build(self) -> Section:
        """The section as data.

        Raises:
            GeometryError: if the fibres do not fit.
        """
        width, height = self.size
        rows, diameter = self._rows()
        pitch = height / rows
        top = height - pitch / 2
        if self.cover is not None:
            top = height - self.cover - diameter / 2
            # the lowest keeps half of the distance between two from the bottom
            pitch = top / (rows - 0.5)
        y = top - pitch * np.arange(rows)
        gap = pitch - diameter
        if gap <= 0.0 or (self.cover == 0.0):
            raise GeometryError(
                f"{rows} fibres of {diameter * 1e6:.3g} um leave no matrix between them or above; "
                "lower fiber_fraction, rows or fiber_diameter, or give cover a positive length"
            )
        both = np.full(rows, diameter / 2)
        fibers = Inclusions(
            "rod",
            np.full(rows, width / 2),
            np.asarray(y, dtype=np.float64),
            np.full(rows, float(width)),  # their ends lie outside
            both,
            np.zeros(rows),
            np.zeros(rows, dtype=np.int64),
            ("fiber",),
        )
        return Section(self.size, fibers)

    def _rows(self) -> tuple[int, float]:
        """Number of fibres and their diameter, m."""
        height = self.size[1]
        if self.fiber_fraction is None:
            assert self.rows is not None
            assert self.fiber_diameter is not None
            require_countable(self.rows)
            return self.rows, self.fiber_diameter
        rows = self.rows
        if rows is None:
            assert self.fiber_diameter is not None
            number = self.fiber_fraction * height / self.fiber_diameter
            require_countable(number)
            rows = max(1, round(number))
        return rows, self.fiber_fraction * height / rows

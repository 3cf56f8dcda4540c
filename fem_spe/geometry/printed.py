"""Printed electrolytes: a base film with pillars or a spiral wall between two electrodes.

From the anode up: lithium, the base film, the cathode. What is printed stands on the film and
reaches into the lithium, the cathode or both (Mu et al., Nano-Micro Lett. 16:86, 2024: Fig. 6b
into the lithium, Fig. 7g-h into the cathode, Fig. 1b and 2k into both).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from annotated_types import Ge, Gt

from fem_spe.errors import GeometryError
from fem_spe.geometry.faces import interface_name
from fem_spe.geometry.regular import PositiveLength
from fem_spe.geometry.spiral import Spiral
from fem_spe.units import LENGTH

Count = Annotated[int, Gt(0)]
Block = Annotated[float, Ge(0.0), LENGTH]
Electrode = Literal["lithium", "cathode"]

_SAME = 1e-9  # relative: lengths that are said to be equal
_MOST_PILLARS = 10_000
_PER_DIAMETER = 12.0  # cells: the outline of a round pillar as a polygon is then 1e-3 too short
_PER_LENGTH = 4.0  # cells across the thinnest part


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A printed electrolyte, symmetric about the sides of its cell.

    Attributes:
        pattern: `flat` film, `pillar` array, or one `spiral` wall.
        base: Thickness of the film that carries them; of both together where two parts are
            cured back to back, m.
        shape: Of the pillars seen from above.
        width: Side or diameter of the pillars, thickness of the wall, m.
        height: Of pillars or wall above the film, m.
        gap: Clear distance between neighbouring pillars or turns, m.
        pitch: Distance between their middles, m; `gap` or `pitch` is given. Of a flat film it
            is the side of the cell, by default `base`.
        sides: 2 with the same print on both sides of the film.
        facing: The electrode that a print on one side reaches into.
        cell: A `quarter` or the whole `unit` of one pillar, or an `array` of units.
        count: Units along x and y of an array, one number for both; turns of a spiral.
        margin: Of bare film around an array, whose edge it makes, m; 0: the array goes on.
        lithium: Thickness from the film down, which the print stands in, m; 0: not meshed.
        cathode: Thickness from the film up likewise, m.

    Where an electrode is not meshed the space between the pillars is none of the domain, and
    all of the electrolyte's surface towards it is the face `bottom` or `top`.
    """

    pattern: Literal["flat", "pillar", "spiral"]
    base: PositiveLength
    kind: Literal["printed"] = "printed"
    shape: Literal["square", "round"] = "square"
    width: PositiveLength | None = None
    height: PositiveLength | None = None
    gap: PositiveLength | None = None
    pitch: PositiveLength | None = None
    sides: Literal[1, 2] = 1
    facing: Electrode = "lithium"
    cell: Literal["quarter", "unit", "array"] = "unit"
    count: Count | tuple[Count, Count] | None = None
    margin: Block = 0.0
    lithium: Block = 0.0
    cathode: Block = 0.0

    def __post_init__(self) -> None:
        if self.pattern == "flat":
            self._refuse("width", "height", "gap")
        else:
            self._require_print()
        if self.pattern == "spiral":
            self._require_spiral()
        elif self.cell == "array" and self.count is None:
            raise GeometryError("an array needs count, the number of units along x and y")
        elif self.cell != "array" and self.count is not None:
            raise GeometryError(f'count has no meaning for cell = "{self.cell}"; use "array"')
        if self.margin and (self.cell != "array" or self.pattern != "pillar"):
            raise GeometryError(
                'margin is the bare film around an array; remove it, or give pattern = "pillar" '
                'and cell = "array"'
            )
        if math.prod(self.units) > _MOST_PILLARS:
            raise GeometryError(
                f"the array would have {math.prod(self.units):,} units, more than "
                f"{_MOST_PILLARS:,}; give a smaller count"
            )
        self._require_depth()

    def _refuse(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) is not None:
                raise GeometryError(f'{name} has no meaning for pattern = "flat"; remove it')
        if self.sides == 2:
            raise GeometryError('sides = 2 has no meaning for pattern = "flat"; remove it')

    def _require_print(self) -> None:
        for name in ("width", "height"):
            if getattr(self, name) is None:
                raise GeometryError(f'pattern = "{self.pattern}" needs {name}, such as "100 um"')
        assert self.width is not None
        if self.gap is None and self.pitch is None:
            raise GeometryError(
                f'pattern = "{self.pattern}" needs gap (the clear distance) or pitch (from middle '
                'to middle), such as gap = "200 um"'
            )
        if self.pitch is not None and self.width >= self.pitch:
            what = "pillars touch" if self.pattern == "pillar" else "the spiral's turns merge"
            raise GeometryError(
                f"width = {self.width * 1e6:g} um is not below pitch = {self.pitch * 1e6:g} um, so "
                f"that {what}; give a smaller width or a larger pitch"
            )
        both = self.gap is not None and self.pitch is not None
        if both and not math.isclose(self.width + self.gap, self.pitch, rel_tol=_SAME):  # type: ignore[arg-type, operator]
            raise GeometryError(
                f"width + gap = {(self.width + self.gap) * 1e6:g} um is not "  # type: ignore[operator]
                f"pitch = {self.pitch * 1e6:g} um; remove gap or pitch"  # type: ignore[operator]
            )

    def _require_spiral(self) -> None:
        if self.cell != "unit":
            raise GeometryError(f'a spiral has no {self.cell} cell; remove cell = "{self.cell}"')
        if self.shape != "square":
            raise GeometryError('shape = "round" has no meaning for a spiral; remove it')
        if not isinstance(self.count, int):
            raise GeometryError("a spiral needs count, the whole number of its turns, such as 3")
        assert self.spiral is not None
        self.spiral.require_apart()

    def _require_depth(self) -> None:
        for name in ("lithium", "cathode"):
            depth, height = getattr(self, name), self.depth(name)
            if 0.0 < depth < height * (1 - _SAME):
                raise GeometryError(
                    f"{name} = {depth * 1e6:g} um does not cover the print, which stands "
                    f"{height * 1e6:g} um deep in it; give at least that, or 0 to leave it out"
                )

    @property
    def spacing(self) -> float:
        """From middle to middle of neighbouring pillars or turns; side of a flat cell, m."""
        if self.pitch is not None:
            return self.pitch
        return self.base if self.gap is None else (self.width or 0.0) + self.gap

    @cached_property
    def spiral(self) -> Spiral | None:
        """The wall seen from above, about the origin; None in other patterns."""
        if self.pattern != "spiral":
            return None
        assert self.width is not None
        assert isinstance(self.count, int)
        return Spiral(self.width, self.spacing, self.count)

    @property
    def units(self) -> tuple[int, int]:
        """Units along x and y; one of a quarter and of a spiral."""
        if self.cell != "array" or self.count is None:
            return 1, 1
        return (self.count, self.count) if isinstance(self.count, int) else self.count

    def depth(self, side: Electrode) -> float:
        """How far the print reaches into the electrode `side`, m."""
        there = self.pattern != "flat" and (self.sides == 2 or self.facing == side)
        return self.height or 0.0 if there else 0.0

    @property
    def levels(self) -> tuple[float, float, float, float]:
        """z of the bottom, of the lower and the upper side of the film, of the top, m."""
        lower = max(self.lithium, self.depth("lithium"))
        upper = lower + self.base
        return 0.0, lower, upper, upper + max(self.cathode, self.depth("cathode"))

    @property
    def size(self) -> tuple[float, float, float]:
        """Extent of the cell, m."""
        if self.spiral is not None:
            side = 2 * self.spiral.reach + self.spacing - self.spiral.width
            return side, side, self.levels[3]
        share = 0.5 if self.cell == "quarter" else 1.0
        nx, ny = self.units
        x, y = (share * n * self.spacing + 2 * self.margin for n in (nx, ny))
        return x, y, self.levels[3]

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions that are meshed."""
        named = {"lithium": self.lithium, "electrolyte": self.base, "cathode": self.cathode}
        return tuple(name for name, thickness in named.items() if thickness > 0)

    @property
    def footprint(self) -> float:
        """Area of the cell seen from above, m^2."""
        return self.size[0] * self.size[1]

    @property
    def print_area(self) -> float:
        """Area of the print seen from above, m^2."""
        if self.spiral is not None:
            return self.spiral.area
        one = (self.width or 0.0) ** 2 * (1.0 if self.shape == "square" else math.pi / 4)
        return self._pillars * one

    @property
    def print_perimeter(self) -> float:
        """Length of the outline of the print seen from above, sides of the cell left out, m."""
        if self.spiral is not None:
            return self.spiral.perimeter
        return self._pillars * (self.width or 0.0) * (4.0 if self.shape == "square" else math.pi)

    @property
    def _pillars(self) -> float:
        return 0.25 if self.cell == "quarter" else math.prod(self.units)

    @property
    def interface_area_ratio(self) -> float:
        """Area of a printed side, tips included, over the footprint."""
        return 1.0 + self.print_perimeter * (self.height or 0.0) / self.footprint

    @property
    def volumes(self) -> dict[str, float]:
        """Region -> volume, m^3."""
        found = {"electrolyte": self.footprint * self.base}
        for side, thickness in (("lithium", self.lithium), ("cathode", self.cathode)):
            inside = self.print_area * self.depth(side)  # type: ignore[arg-type]
            found["electrolyte"] += inside
            if thickness > 0:
                found[side] = self.footprint * thickness - inside
        return {name: found[name] for name in self.regions}

    @property
    def areas(self) -> dict[str, float]:
        """Area of `bottom`, `top` and each interface, m^2."""
        found: dict[str, float] = {}
        for face, side, thickness in (
            ("bottom", "lithium", self.lithium), ("top", "cathode", self.cathode),
        ):  # fmt: skip
            depth = self.depth(side)  # type: ignore[arg-type]
            surface = self.footprint + self.print_perimeter * depth
            if thickness == 0.0:
                found[face] = surface
                continue
            # tips that reach the side of the cell touch no electrode
            reach = depth > 0 and math.isclose(thickness, depth, rel_tol=_SAME)
            found[face] = self.footprint
            found[interface_name("electrolyte", side)] = surface - reach * self.print_area
        return found

    @property
    def contact(self) -> float:
        """Area of the electrolyte towards both electrodes, meshed or not, m^2."""
        walls = sum(self.depth(side) for side in ("lithium", "cathode"))
        return 2 * self.footprint + self.print_perimeter * walls

    @property
    def finest(self) -> float:
        """Size of cells at the interfaces that resolves the structure, m."""
        lengths = [self.base, self.lithium, self.cathode]
        if self.pattern != "flat":
            assert self.width is not None
            lengths += [self.width, self.spacing - self.width, self.height or 0.0]
        found = min(length for length in lengths if length > 0) / _PER_LENGTH
        if self.pattern == "pillar" and self.shape == "round":
            assert self.width is not None
            return min(found, self.width / _PER_DIAMETER)
        return found

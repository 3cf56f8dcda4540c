"""Regular fibre sections: aligned fibres, and fibres alternating with filler particles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt, Lt

from fem_spe.errors import GeometryError
from fem_spe.geometry.section import Floats, Inclusions, Section
from fem_spe.units import LENGTH

Lattice = Literal["square", "hexagonal"]
Fraction = Annotated[float, Gt(0.0), Lt(1.0)]
PositiveLength = Annotated[float, Gt(0.0), LENGTH]
Size2 = tuple[PositiveLength, PositiveLength]

_DIAMETER_TOLERANCE = 0.1  # how far the diameter may move for the fraction to be exact
_MOST_FIBERS = 100_000
_ROW = {"square": 1.0, "hexagonal": math.sqrt(3.0) / 2.0}  # row distance / pitch


@dataclass(frozen=True, kw_only=True)
class AlignedSection:
    """Aligned fibres cut across: equal circles, one in the centre of each cell.

    Give two of `count`, `fiber_diameter` and `fiber_fraction`; with diameter and
    fraction the diameter moves by at most 10 % so that the fraction is exact.
    """

    size: Size2
    kind: Literal["fiber_section"] = "fiber_section"
    arrangement: Literal["aligned"] = "aligned"
    lattice: Lattice = "square"
    count: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] | None = None
    fiber_diameter: PositiveLength | None = None
    fiber_fraction: Fraction | None = None
    boundary: Literal["cut", "periodic"] = "cut"

    def __post_init__(self) -> None:
        _require_two(self)
        self.build()

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return ("matrix", "fiber")

    def layout(self, section: Section) -> str:
        """Sites, cells and diameters of what was built, in words: whole numbers may move them."""
        return _layout(section, _counts(self, sites_per_fiber=1))

    def build(self) -> Section:
        """The section as data."""
        counts = _counts(self, sites_per_fiber=1)
        x, y, _ = _sites(self.size, counts, self.lattice)
        if self.fiber_fraction is None:
            assert self.fiber_diameter is not None
            diameter = self.fiber_diameter
        else:
            diameter = _diameter(self.size, len(x), self.fiber_fraction)
        radius = np.full(len(x), diameter / 2)
        return _section(self, x, y, radius, np.zeros(len(x), dtype=np.int64), ("fiber",))


@dataclass(frozen=True, kw_only=True)
class AlternatingSection:
    """Fibres and filler particles taking turns on the sites of a lattice.

    Give two of `count`, `fiber_diameter`, `fiber_fraction` (the count is that of all
    sites) and one of `filler_diameter`, `filler_fraction`.
    """

    size: Size2
    kind: Literal["fiber_section"] = "fiber_section"
    arrangement: Literal["alternating"] = "alternating"
    lattice: Lattice = "square"
    count: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] | None = None
    fiber_diameter: PositiveLength | None = None
    fiber_fraction: Fraction | None = None
    filler_diameter: PositiveLength | None = None
    filler_fraction: Fraction | None = None
    boundary: Literal["cut", "periodic"] = "cut"

    def __post_init__(self) -> None:
        _require_two(self)
        if (self.filler_diameter is None) == (self.filler_fraction is None):
            raise GeometryError("give one of filler_diameter and filler_fraction")
        self.build()

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return ("matrix", "fiber", "filler")

    def layout(self, section: Section) -> str:
        """Sites, cells and diameters of what was built, in words: whole numbers may move them."""
        return _layout(section, _counts(self, sites_per_fiber=2))

    def build(self) -> Section:
        """The section as data."""
        counts = _counts(self, sites_per_fiber=2)
        x, y, parity = _sites(self.size, counts, self.lattice)
        fibers, fillers = int(np.sum(parity == 0)), int(np.sum(parity == 1))
        if fillers == 0:
            raise GeometryError(f"count = {list(counts)} leaves no site for a filler; give more")
        fiber, filler = self.fiber_diameter, self.filler_diameter
        if self.fiber_fraction is not None:
            fiber = _diameter(self.size, fibers, self.fiber_fraction)
        if self.filler_fraction is not None:
            filler = _diameter(self.size, fillers, self.filler_fraction)
        assert fiber is not None
        assert filler is not None
        radius = np.where(parity == 0, fiber, filler) / 2
        return _section(self, x, y, radius, parity, ("fiber", "filler"))


def _section(
    spec: AlignedSection | AlternatingSection,
    x: Floats,
    y: Floats,
    radius: Floats,
    phase: np.ndarray,
    regions: tuple[str, ...],
) -> Section:
    circles = Inclusions("ellipse", x, y, radius, radius, np.zeros(len(x)), phase, regions)
    periodic = spec.boundary == "periodic"
    # in a hexagonal lattice every second row has a fibre on the left and right side
    wrapped = spec.lattice == "hexagonal"
    return _require_clearance(Section(spec.size, circles, wrapped=wrapped, periodic=periodic))


def _layout(section: Section, counts: tuple[int, int]) -> str:
    width, height = (1e6 * side / n for side, n in zip(section.size, counts, strict=True))
    across = np.unique([f"{2e6 * b:.3g} um" for b in section.inclusions.b])
    sites = f"{counts[0]} x {counts[1]} sites of {width:.3g} x {height:.3g} um"
    return f"{' and '.join(across)} thick, on {sites}"


def _require_two(spec: AlignedSection | AlternatingSection) -> None:
    names = ("count", "fiber_diameter", "fiber_fraction")
    given = [name for name in names if getattr(spec, name) is not None]
    if len(given) != 2:
        what = ", ".join(given) or "none of them"
        raise GeometryError(
            f"give two of count, fiber_diameter and fiber_fraction; the case gives {what}"
            + ("; change one of two given, or remove one" if len(given) == 3 else "")
        )


def _counts(spec: AlignedSection | AlternatingSection, *, sites_per_fiber: int) -> tuple[int, int]:
    """Sites along x and y: as given, or as the fibres' diameter and fraction ask."""
    if spec.count is not None:
        return spec.count
    assert spec.fiber_diameter is not None
    assert spec.fiber_fraction is not None
    number = _number(spec.size, spec.fiber_diameter, spec.fiber_fraction)
    return _grid(spec.size, sites_per_fiber * number, spec.lattice)


def _number(size: tuple[float, float], diameter: float, fraction: float) -> float:
    if diameter >= min(size):
        raise GeometryError(
            f"fiber_diameter {diameter * 1e6:g} um does not fit into the box of "
            f"{size[0] * 1e6:g} x {size[1] * 1e6:g} um; give a smaller one"
        )
    number = fraction * size[0] * size[1] / (np.pi / 4 * diameter**2)
    require_countable(number)
    return number


def require_countable(number: float) -> None:
    """Raise where a typing error in a unit would ask for millions of fibres."""
    if number > _MOST_FIBERS:
        raise GeometryError(
            f"the section would hold {number:.1e} fibres, more than {_MOST_FIBERS:,}; "
            "give a larger fiber_diameter, a smaller count or a smaller size"
        )


def _diameter(size: tuple[float, float], number: int, fraction: float) -> float:
    return math.sqrt(fraction * size[0] * size[1] / (np.pi / 4 * number))


def _grid(size: tuple[float, float], number: float, lattice: Lattice) -> tuple[int, int]:
    """Counts (nx, ny) of the most nearly regular cells, near `number` sites in all."""
    ny = np.arange(1, math.floor(number / (1 - _DIAMETER_TOLERANCE) ** 2) + 1)
    if lattice == "hexagonal":
        ny = ny[ny % 2 == 0]  # else rows would not continue through bottom and top
    fewest = np.ceil(number / (1 + _DIAMETER_TOLERANCE) ** 2 / ny)
    most = np.floor(number / (1 - _DIAMETER_TOLERANCE) ** 2 / ny)
    regular = ny * size[0] / size[1] * _ROW[lattice]
    nx = np.concatenate([np.clip(f(regular), fewest, most) for f in (np.floor, np.ceil)])
    ny, allowed = np.tile(ny, 2), np.tile(fewest <= most, 2) & (nx >= 1)
    if not allowed.any():
        raise GeometryError(
            "no whole number of fibres fits within 10 % of fiber_diameter; "
            "give count and fiber_fraction instead"
        )
    nx, ny = nx[allowed], ny[allowed]
    skew = np.round(np.abs(np.log(nx / ny * size[1] / size[0] / _ROW[lattice])), 12)
    change = np.abs(np.log(number / (nx * ny)))
    best = np.lexsort([change, skew])[0]
    return int(nx[best]), int(ny[best])


def _sites(
    size: tuple[float, float], counts: tuple[int, int], lattice: Lattice
) -> tuple[Floats, Floats, np.ndarray]:
    """Cell centres and their parity (0 and 1 take turns), each of shape (nx ny,)."""
    nx, ny = counts
    require_countable(nx * ny)
    if lattice == "hexagonal" and ny % 2:
        raise GeometryError(f"a hexagonal lattice needs an even number of rows, not {ny}")
    i, j = np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij")
    # left and right are mirror lines of either lattice, so that none of its circles grazes them
    x = (i + (0.5 * (j % 2) if lattice == "hexagonal" else 0.5)) * size[0] / nx
    y = (j + 0.5) * size[1] / ny
    parity = (i + j) % 2 if lattice == "square" else i % 2
    return x.ravel(), y.ravel(), parity.ravel().astype(np.int64)


def _require_clearance(section: Section) -> Section:
    """`section`, unless its circles touch each other or, unwrapped, a side."""
    from scipy.spatial import cKDTree

    circles = section.with_images()
    largest = float(circles.a.max())
    pairs = cKDTree(np.column_stack([circles.x, circles.y])).query_pairs(
        2 * largest, output_type="ndarray"
    )
    i, j = pairs[:, 0], pairs[:, 1]
    distance = np.hypot(circles.x[i] - circles.x[j], circles.y[i] - circles.y[j])
    clear = float(np.min(distance - circles.a[i] - circles.a[j], initial=np.inf))
    if not section.wrapped:
        sides = [circles.x, section.size[0] - circles.x, circles.y, section.size[1] - circles.y]
        clear = min(clear, *(float(np.min(side - circles.a)) for side in sides))
    if clear <= 0.0:
        fraction = float(section.inclusions.areas.sum()) / section.area
        raise GeometryError(
            f"circles of up to {2e6 * largest:.3g} um at an area fraction of {fraction:.2f} touch "
            "on this lattice; lower fiber_fraction or the diameter (equal square cells hold "
            "up to 0.785, hexagonal ones 0.907)"
        )
    return section

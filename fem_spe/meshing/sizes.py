"""Cell sizes: fine at interfaces, coarse elsewhere, and never more than the machine holds."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import gmsh
import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import MeshError

_GROWTH = 0.35  # increase of the cell size per distance from the interface
_BYTES_PER_CELL = {2: 3.5e3, 3: 3.0e3}  # measured: mesh, matrix and solver, second order in 2-D
_BYTES_PER_POINT = 30.0  # estimated: a distance on a grid, its marks, the numbers of its nodes


@dataclass(frozen=True)
class Sizes:
    """Wanted cell sizes, m, and geometric order of the cells."""

    size: float
    interface_size: float
    order: int = 1

    @property
    def reach(self) -> float:
        """Distance over which cells grow from `interface_size` to `size`, m."""
        return (self.size - self.interface_size) / _GROWTH

    def halved(self, times: int) -> Sizes:
        """Both sizes halved so many times."""
        return Sizes(self.size / 2**times, self.interface_size / 2**times, self.order)


@dataclass(frozen=True)
class Spot:
    """A place about which cells are small.

    Attributes:
        place: Its middle, m.
        radius: Up to which `size` holds, m; beyond it cells grow.
        size: Of the cells, m.
    """

    place: tuple[float, ...]
    radius: float
    size: float

    def halved(self, times: int) -> Spot:
        """With cells halved so many times."""
        return replace(self, size=self.size / 2**times)


@dataclass(frozen=True)
class SizeField:
    """Cell sizes on the triangles of a mesh.

    Attributes:
        points: m, shape (num_points, 2).
        cells: Corners, shape (num_cells, 3).
        sizes: At the points, m, shape (num_points,).
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    sizes: NDArray[np.float64]


def require_feasible(measure: float, interface: float, sizes: Sizes, dimension: int) -> None:
    """Raise before meshing when the mesh could not fit into memory.

    Args:
        measure: Area or volume of the box, m^2 or m^3.
        interface: Length or area of all interfaces, m or m^2.
        sizes: The sizes asked for.
        dimension: 2 or 3.

    Raises:
        MeshError: with the estimate and a size that would fit.
    """
    require_room(estimate(measure, interface, sizes, dimension), sizes, dimension)


def require_room(cells: float, sizes: Sizes, dimension: int) -> None:
    """Raise where so many cells would not fit into memory.

    Raises:
        MeshError: with the number and a size that would fit.
    """
    limit = _memory() / _BYTES_PER_CELL[dimension]
    if cells > limit:
        factor = (cells / limit) ** (1 / dimension) * 1.1
        raise MeshError(
            f"[mesh] size = {sizes.size * 1e6:.3g} um, interface_size = "
            f"{sizes.interface_size * 1e6:.3g} um would make about {cells:.1e} cells, but this "
            f"machine's memory holds about {limit:.1e}; try size = {sizes.size * factor * 1e6:.2g} "
            f"um and interface_size = {sizes.interface_size * factor * 1e6:.2g} um"
        )


def require_points(points: float, sizes: Sizes) -> None:
    """Raise where a distance at so many points would not fit into memory.

    Raises:
        MeshError: with the number and a size that would fit.
    """
    limit = _memory() / _BYTES_PER_POINT
    if points > limit:
        fits = sizes.interface_size * (points / limit) ** (1 / 3) * 1.1
        raise MeshError(
            f"[mesh] interface_size = {sizes.interface_size * 1e6:.3g} um needs the distance at "
            f"{points:.1e} points, but this machine's memory holds {limit:.1e}; give "
            f"interface_size = {fits * 1e6:.2g} um or a smaller box"
        )


def estimate(measure: float, interface: float, sizes: Sizes, dimension: int) -> float:
    """Number of simplices to expect."""
    per_cell = {2: math.sqrt(3) / 4, 3: math.sqrt(2) / 12}[dimension]
    coarse, fine, reach = sizes.size, sizes.interface_size, sizes.reach
    bulk = measure / (per_cell * coarse**dimension)
    # one dimension of the layer is graded: integral of ds / h(s)^d on both sides
    power = dimension - 1
    layer = 2 * interface / (per_cell * _GROWTH * power) * (fine**-power - coarse**-power)
    if reach == 0:
        layer = 0.0
    # interfaces nearer to each other than `reach` share their layers
    crowded = measure / (per_cell * fine**dimension)
    return min(bulk + layer, crowded)


def set_size_field(
    interfaces: list[int],
    longest: float,
    sizes: Sizes,
    scale: float,
    spots: Sequence[Spot] = (),
    surfaces: Sequence[int] = (),
) -> None:
    """Make the current model's cells follow `sizes`.

    Args:
        interfaces: Curves that the fine size holds on.
        longest: Length of the longest of them, m; of the longest side of `surfaces`.
        sizes: The wanted sizes, m.
        scale: Model units per metre.
        spots: Places about which cells are smaller than that.
        surfaces: In 3-D, surfaces that the fine size holds on.
    """
    field = gmsh.model.mesh.field
    fields = [_interface_field(interfaces, surfaces, longest, sizes, scale)]
    for spot in spots:
        ball = field.add("Ball")
        field.setNumber(ball, "VIn", spot.size * scale)
        field.setNumber(ball, "VOut", sizes.size * scale)
        field.setNumber(ball, "Radius", spot.radius * scale)
        field.setNumber(ball, "Thickness", (sizes.size - spot.size) / _GROWTH * scale)
        for name, value in zip(("XCenter", "YCenter", "ZCenter"), spot.place, strict=False):
            field.setNumber(ball, name, value * scale)
        fields.append(ball)
    least = field.add("Min")
    field.setNumbers(least, "FieldsList", fields)
    field.setAsBackgroundMesh(least)


def _interface_field(
    interfaces: list[int], surfaces: Sequence[int], longest: float, sizes: Sizes, scale: float
) -> int:
    """A field that is fine at the interfaces: its number."""
    field = gmsh.model.mesh.field
    if not (interfaces or surfaces) or sizes.reach == 0:
        constant = field.add("MathEval")
        field.setString(constant, "F", repr(sizes.size * scale))
        return int(constant)
    distance = field.add("Distance")
    field.setNumbers(distance, "CurvesList", interfaces)
    field.setNumbers(distance, "SurfacesList", surfaces)
    field.setNumber(distance, "Sampling", max(4, math.ceil(2 * longest / sizes.interface_size)))
    threshold = field.add("Threshold")
    field.setNumber(threshold, "InField", distance)
    field.setNumber(threshold, "SizeMin", sizes.interface_size * scale)
    field.setNumber(threshold, "SizeMax", sizes.size * scale)
    field.setNumber(threshold, "DistMin", 0.0)
    field.setNumber(threshold, "DistMax", sizes.reach * scale)
    return int(threshold)


def set_nodal_sizes(wanted: SizeField, scale: float) -> None:
    """Make the current model's cells follow sizes given on the triangles of another mesh.

    Raises:
        MeshError: if there would be more cells than the machine holds.
    """
    corners = wanted.points[wanted.cells]
    area = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 2
    cells = float(np.sum(area / (math.sqrt(3) / 4 * wanted.sizes[wanted.cells].mean(axis=1) ** 2)))
    limit = _memory() / _BYTES_PER_CELL[2]
    if cells > limit:
        raise MeshError(
            f"[mesh] adapt would make about {cells:.1e} cells, but this machine's memory holds "
            f"about {limit:.1e}; give a larger adapt"
        )
    # three x, three y, three z, three values for each triangle
    flat = np.zeros((len(corners), 4, 3))
    flat[:, :2] = scale * corners.transpose(0, 2, 1)
    flat[:, 3] = scale * wanted.sizes[wanted.cells]
    view = gmsh.view.add("sizes")
    gmsh.view.addListData(view, "ST", len(flat), flat.ravel())
    field = gmsh.model.mesh.field.add("PostView")
    gmsh.model.mesh.field.setNumber(field, "ViewTag", view)
    gmsh.model.mesh.field.setAsBackgroundMesh(field)


def _memory() -> float:
    """Bytes of memory of this machine."""
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

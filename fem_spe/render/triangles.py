"""Two-dimensional fields as arrays: what the pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import CaseError
from fem_spe.render.offscreen import pyvista

# a six-node triangle as four linear ones; vertices 0 1 2, middles 3 (01) 4 (12) 5 (20)
_SPLIT = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]])
_AIDS = ("region", "stream_function")
_EDGES = {3: np.array([[0, 1], [1, 2], [2, 0]]), 6: np.array([[0, 3, 1], [1, 4, 2], [2, 5, 0]])}


@dataclass(frozen=True)
class Triangles:
    """A field on straight triangles; second-order cells are split in four.

    Attributes:
        points: um, shape (n, 2).
        triangles: Shape (m, 3).
        region: Of each triangle, shape (m,).
        cells: Nodes of the original cells, shape (k, 3) or (k, 6).
        values: Name -> value at each point, shape (n,).
        cell_values: Name -> value in each triangle, shape (m,).
        vectors: Name -> vector at each point, shape (n, 2).
    """

    points: NDArray[np.float64]
    triangles: NDArray[np.int64]
    region: NDArray[np.int64]
    cells: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    cell_values: dict[str, NDArray[np.float64]]
    vectors: dict[str, NDArray[np.float64]]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """left, right, bottom, top of the bounding box, um."""
        (left, bottom), (right, top) = self.points.min(axis=0), self.points.max(axis=0)
        return float(left), float(right), float(bottom), float(top)

    def outlines(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Edges around holes, and edges between two regions, each of shape (e, 2)."""
        pairs = self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        region = np.repeat(self.region, 3)
        _, first, inverse, count = np.unique(
            _key(np.sort(pairs, axis=1)),
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        low = np.full(len(first), np.iinfo(np.int64).max)
        high = np.full(len(first), -1)
        np.minimum.at(low, inverse, region)
        np.maximum.at(high, inverse, region)
        around = pairs[first[count == 1]]
        left, right, bottom, top = self.extent
        x, y = self.points[around][..., 0], self.points[around][..., 1]
        near = 1e-6 * max(right - left, top - bottom)
        on_side = np.zeros(len(around), dtype=bool)
        for coordinate, side in ((x, left), (x, right), (y, bottom), (y, top)):
            on_side |= np.all(np.abs(coordinate - side) < near, axis=1)
        return np.asarray(around[~on_side]), np.asarray(pairs[first[low != high]])

    def cell_edges(self) -> NDArray[np.float64]:
        """The edges of the original cells as polylines, shape (e, 2 or 3, 2), um."""
        edges = self.cells[:, _EDGES[self.cells.shape[1]]].reshape(
            -1, _EDGES[self.cells.shape[1]].shape[1]
        )
        _, first = np.unique(_key(np.sort(edges[:, [0, -1]], axis=1)), return_index=True)
        return self.points[edges[first]]


def dimension(grid: object) -> int:
    """2 for a field in the x-y plane, else 3."""
    low, high = np.array(grid.bounds).reshape(3, 2).T  # type: ignore[attr-defined]
    return 2 if low[2] == high[2] else 3


def scalars(grid: object) -> list[str]:
    """The names of the scalar fields of `grid`: those at points first, then those in cells.

    Not among them is what only helps to draw: regions, path lines, and what VTK adds.
    """
    data = [*grid.point_data.items(), *grid.cell_data.items()]  # type: ignore[attr-defined]
    return [n for n, v in data if np.ndim(v) == 1 and n not in _AIDS and not n.startswith("vtk")]


def limits(values: Iterable[object]) -> tuple[float, float]:
    """The smallest and the largest of all `values`, apart by something where they are one."""
    low, high = zip(*((float(np.min(v)), float(np.max(v))) for v in values), strict=True)  # type: ignore[call-overload]
    least, most = min(low), max(high)
    return (least, most) if most > least else (least - 0.5, most + 0.5)


def read_times(folder: Path) -> list[float]:
    """The times at which a result folder holds fields, s; one alone where it is steady.

    Raises:
        CaseError: if there are no fields.
    """
    return list(_reader(folder).time_values)


def read_grid(folder: Path, time: float | None = None) -> object:
    """The fields of a result folder as one PyVista grid, lengths in m.

    Args:
        folder: The result folder.
        time: One of `read_times`; by default the last.

    Raises:
        CaseError: if there are no fields.
    """
    reader = _reader(folder)
    reader.set_active_time_value(reader.time_values[-1] if time is None else time)
    grid = reader.read().combine()
    if not grid.n_points:
        raise CaseError(f"{folder}: the files of fields/*.pvd are missing or cannot be read")
    ghosts = grid.cell_data.get("vtkGhostType")
    return grid if ghosts is None else grid.extract_cells(np.flatnonzero(ghosts == 0))


def _reader(folder: Path) -> Any:
    files = sorted((folder / "fields").glob("*.pvd"))
    if not files:
        raise CaseError(f"{folder}: no fields to draw (fields/*.pvd is missing)")
    return pyvista().get_reader(str(files[0]))


def on_face(grid: Any, axis: int, places: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of `places` (n, 2), um, on the low side of `grid` (3-D) across `axis` no hole is at."""
    low, high = np.array(grid.bounds).reshape(3, 2).T
    points = np.insert(1e-6 * places, axis, low[axis] + 1e-6 * (high - low)[axis], axis=1)
    return np.asarray(grid.find_containing_cell(points) >= 0)


def triangles(grid: object) -> Triangles:
    """`grid` (2-D) as arrays, with the points of neighbouring ranks merged."""
    nodes = next(iter(grid.cells_dict.values()))  # type: ignore[attr-defined]
    points = np.asarray(grid.points)[:, :2] * 1e6  # type: ignore[attr-defined]
    step = 1e-9 * float(np.ptp(points, axis=0).max())
    low = points.min(axis=0)
    _, first, inverse = np.unique(
        _key(np.round((points - low) / step).astype(np.int64)),
        return_index=True,
        return_inverse=True,
    )
    cells = inverse[nodes]
    parts = cells[:, _SPLIT].reshape(-1, 3) if cells.shape[1] == 6 else cells
    region = np.asarray(grid.cell_data["region"]).round().astype(np.int64)  # type: ignore[attr-defined]
    split = len(parts) // len(cells)
    return Triangles(
        points[first],
        parts,
        np.repeat(region, split),
        cells,
        {
            name: np.asarray(values)[first]
            for name, values in grid.point_data.items()  # type: ignore[attr-defined]
            if np.ndim(values) == 1
        },
        {
            name: np.repeat(np.asarray(values), split)
            for name, values in grid.cell_data.items()  # type: ignore[attr-defined]
            if np.ndim(values) == 1
        },
        {
            name: np.asarray(values)[first, :2]
            for name, values in grid.point_data.items()  # type: ignore[attr-defined]
            if np.ndim(values) == 2
        },
    )


def _key(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """One integer for each pair of non-negative integers below 2^31, shape (n,)."""
    return np.asarray(pairs[:, 0] << 32 | pairs[:, 1])

"""Whether the connected pieces of a phase are those of the structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Pieces:
    """What became of the pieces of the second phase that the grid shows.

    Attributes:
        on_grid: Their number.
        lost: Those without a cell.
        deepest_lost: Largest distance from the interface within a lost one, m.
        broken: Those that fell apart.
        joined: Those that the mesh joins to others.
    """

    on_grid: int
    lost: int
    deepest_lost: float
    broken: int
    joined: int


def pieces(
    values: NDArray[np.float32],
    points: NDArray[np.float64],
    cells: NDArray[np.int32],
    spacing: NDArray[np.float64],
) -> Pieces:
    """Compare the second phase's cells with where the distance is negative.

    Args:
        values: Signed distance on the grid, m.
        points: m.
        cells: Of the second phase.
        spacing: Of the grid, m, shape (3,).
    """
    labels, count = scipy.ndimage.label(values < 0, structure=np.ones((3, 3, 3)))
    middle = np.rint(points[cells].mean(axis=1) / spacing).astype(np.int64)
    grid_piece = labels[tuple(middle.T)]
    first = np.repeat(cells[:, 0], 3)
    links = (np.ones(len(first), dtype=np.int8), (first, cells[:, 1:].ravel()))
    graph = coo_array(links, shape=(len(points), len(points)))
    mesh_piece = connected_components(graph, directed=False)[1][cells[:, 0]]
    known = grid_piece > 0  # a cell's middle may lie next to a point of the other phase
    pairs = np.unique(np.stack([grid_piece[known], mesh_piece[known]], axis=1), axis=0)
    per_grid = np.bincount(pairs[:, 0], minlength=count + 1)[1:]
    per_mesh = np.unique(pairs[:, 1], return_counts=True)[1]
    lost = np.flatnonzero(per_grid == 0) + 1
    depth = -scipy.ndimage.minimum(values, labels, lost) if len(lost) else np.zeros(1)
    return Pieces(
        int(count),
        len(lost),
        float(np.max(depth)),
        int(np.count_nonzero(per_grid > 1)),
        int(np.sum(per_mesh - 1)),
    )

"""Cells that the interface passes through are cut along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_spe.meshing.implicit.lattice import Lattice
from fem_spe.meshing.implicit.snap import Snapped, cut_edges

_ENDS = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])


@dataclass(frozen=True)
class Cut:
    """Cells none of which has nodes in both phases.

    Attributes:
        points: In units of half the finest cubes, shape (num_points, 3).
        cells: Shape (num_cells, 4).
        side: -1 and 1 in the phases of negative and positive distance; 0 where all four nodes
            lie on the interface.
        on: The nodes on the interface.
        fixed: The box faces that each node is on, as in `Lattice`.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int32]
    side: NDArray[np.int8]
    on: NDArray[np.bool_]
    fixed: NDArray[np.uint8]


def split(lattice: Lattice, snapped: Snapped) -> Cut:
    """Halve cells at cut edges until none is left.

    All cells halve their edges in one order, so that they agree on the diagonals of shared faces:
    first the edges with their ends nearest to the interface, which makes the diagonals short.
    """
    points, values = snapped.points, snapped.values
    crossed = (values < 0)[lattice.cells].any(axis=1) & (values > 0)[lattice.cells].any(axis=1)
    cells = lattice.cells[crossed]
    edges, numbers = cut_edges(cells, values)
    low, high = edges.T
    span = np.abs(values[low]) + np.abs(values[high])
    share = (np.abs(values[low]) / span)[:, None]
    middles = points[low] + share * (points[high] - points[low])
    # periodic images have one place in the order; they are never in one cell
    twins = np.sort(lattice.twin[edges], axis=1)
    order = np.lexsort((twins[:, 1], twins[:, 0], span))
    rank = np.empty(len(edges), dtype=np.int64)
    rank[order] = np.arange(len(edges))

    done = [lattice.cells[~crossed]]
    ranks = np.where(numbers >= 0, rank[numbers], len(edges))
    while len(cells):
        first = ranks.argmin(axis=1)
        rows = np.arange(len(cells))
        place = ranks[rows, first]
        whole = place == len(edges)
        done.append(cells[whole])
        cells, ranks, first, place = cells[~whole], ranks[~whole], first[~whole], place[~whole]
        rows = np.arange(len(cells))
        middle = len(points) + order[place]
        halves = []
        for end in (0, 1):
            gone = _ENDS[first, end]
            half, left = cells.copy(), ranks.copy()
            half[rows, gone] = middle
            # what led to the end that is gone leads to the interface now, and is cut no more
            left[(_ENDS[None, :, :] == gone[:, None, None]).any(axis=2)] = len(edges)
            halves.append((half, left))
        cells, ranks = (np.concatenate(parts) for parts in zip(*halves, strict=True))

    every = np.concatenate([values, np.zeros(len(edges))])
    cells = np.concatenate(done)
    signs = np.sign(every).astype(np.int8)[cells]
    return Cut(
        np.concatenate([points, middles]),
        cells,
        np.sign(signs.sum(axis=1, dtype=np.int8)),
        every == 0,
        np.concatenate([lattice.fixed, lattice.fixed[low] & lattice.fixed[high]]),
    )

"""A pattern search that moves the nodes of the few bad cells."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from fem_spe.meshing.implicit.quality import radius_ratios

GOAL = 0.15  # radius ratio below which a cell is worth the search
_STEP = 0.1  # of a finest cube: the first step
_LEAST_STEP = 0.005
_GAIN = 1e-3  # by which a move must better the worst cell about a node
_WAYS = np.array([w for w in product((-1.0, 0.0, 1.0), repeat=3) if any(w)])
_WAYS /= np.linalg.norm(_WAYS, axis=1, keepdims=True)


def polish(
    points: NDArray[np.float64],
    cells: NDArray[np.int32],
    fixed: NDArray[np.uint8],
    ratios: NDArray[np.float64],
    edge: float,
    held: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Better the cells below `GOAL`.

    Nodes stay on their box faces. Those on the interface move too, by less than a cube in all:
    few enough not to be felt in a volume.

    Args:
        points: m, shape (num_points, 3).
        cells: Shape (num_cells, 4).
        fixed: The box faces that each node is on, as in `Lattice`.
        ratios: Radius ratio of each cell.
        edge: Of a finest cube, m.
        held: Nodes that must stay.

    Returns:
        The points and the radius ratios after.
    """
    points, ratios = points.copy(), ratios.copy()
    free = ~np.array([[f >> 2 * k & 3 for k in range(3)] for f in range(64)], dtype=bool)
    step = _STEP * edge
    while step > _LEAST_STEP * edge:
        bad = np.zeros(len(points), dtype=bool)
        bad[cells[ratios < GOAL]] = True
        nodes = np.flatnonzero(bad & ~held)
        if not len(nodes):
            break
        moved = False
        for group in _apart(nodes, cells, ratios):
            moved |= _improve(group, points, cells, ratios, free[fixed], step)
        if not moved:
            step /= 2
    return points, ratios


def _apart(
    nodes: NDArray[np.int64], cells: NDArray[np.int32], ratios: NDArray[np.float64]
) -> list[NDArray[np.int64]]:
    """`nodes` in groups of which no two share a cell, those of the worst cells first."""
    count = int(cells.max()) + 1
    open_ = np.zeros(count, dtype=bool)
    open_[nodes] = True
    near = cells[open_[cells].any(axis=1)]
    worst = np.full(count, np.inf)
    np.minimum.at(worst, cells.ravel(), np.repeat(ratios, 4))
    rank = np.full(count, count, dtype=np.int64)
    groups = []
    while open_.any():
        left = np.flatnonzero(open_)
        rank[:] = count
        rank[left[np.lexsort((left, worst[left]))]] = np.arange(len(left))
        lowest = rank[near].min(axis=1)
        beaten = np.zeros(count, dtype=bool)
        beaten[near[rank[near] > lowest[:, None]]] = True
        group = left[~beaten[left]]
        groups.append(group)
        open_[group] = False
    return groups


def _improve(
    nodes: NDArray[np.int64],
    points: NDArray[np.float64],
    cells: NDArray[np.int32],
    ratios: NDArray[np.float64],
    free: NDArray[np.bool_],
    step: float,
) -> bool:
    """Move each node by `step` the way that betters its worst cell most, in place; any moved."""
    slot = np.full(len(points), -1, dtype=np.int64)
    slot[nodes] = np.arange(len(nodes))
    star = np.flatnonzero((slot[cells] >= 0).any(axis=1))
    own = slot[cells[star]]
    owner = own.max(axis=1)  # no other node of the group is in the cell
    order = np.argsort(owner, kind="stable")
    star, own, owner = star[order], own[order], owner[order]
    begin = np.searchsorted(owner, np.arange(len(nodes)))
    before = np.minimum.reduceat(ratios[star], begin)
    corners = points[cells[star]]
    here = (own >= 0)[:, :, None]
    best, way = before * (1 + _GAIN) + 1e-12, np.zeros((len(nodes), 3))
    found: NDArray[np.float64] = ratios[star]
    for trial in _WAYS:
        shift = step * trial * free[nodes]
        ratio = radius_ratios(corners + here * shift[owner][:, None, :])
        worst = np.minimum.reduceat(ratio, begin)
        better = worst > best
        best[better], way[better] = worst[better], shift[better]
        found = np.where(better[owner], ratio, found)
    points[nodes] += way
    ratios[star] = found
    return bool((way != 0).any())

"""Lattice nodes near the interface are put onto it, so that what is cut is not cut thin.

Labelle & Shewchuk, ACM Trans. Graph. 26 (2007) 57, with what the faces of a box need besides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_spe.meshing.implicit.lattice import Lattice
from fem_spe.meshing.implicit.quality import radius_ratios

_LONG, _SHORT = 0.25, 0.41  # shares of an edge along an axis, and of another one
_IN_FACE = 0.3  # the same for a move within a box face
_FLAT = 0.25  # radius ratio below which a cell with all four nodes on the interface is undone
_EDGES = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])


@dataclass(frozen=True)
class Snapped:
    """The nodes after snapping.

    Attributes:
        points: In units of half the finest cubes, shape (num_nodes, 3).
        values: Distance to the interface; zero on it.
    """

    points: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class _Moves:
    """What each cut edge offers its ends, nearest first for each node.

    Attributes:
        node, other: The end that might move and the far one.
        twin: What stands for `node` and its images.
        way: The move, in units of half the finest cubes; nothing where the node stays in place.
        distance: To the cut.
        near: The cut is too near to stay.
        usable: The move keeps the node on its box faces.
    """

    node: NDArray[np.int64]
    other: NDArray[np.int64]
    twin: NDArray[np.int64]
    way: NDArray[np.float64]
    distance: NDArray[np.float64]
    near: NDArray[np.bool_]
    usable: NDArray[np.bool_]

    def __getitem__(self, which: NDArray[np.generic]) -> _Moves:
        return _Moves(**{name: value[which] for name, value in vars(self).items()})


def cut_edges(
    cells: NDArray[np.integer], values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The edges whose ends lie in different phases, shape (num_edges, 2), and their cells' rows.

    Returns:
        The edges, each once, lower node first; the number of each cell's six edges among them,
        -1 where an edge is not cut, shape (num_cells, 6).
    """
    pairs = np.sort(cells[:, _EDGES].astype(np.int64), axis=2)
    negative = values < 0
    positive = values > 0
    a, b = pairs[..., 0], pairs[..., 1]
    cut = (negative[a] & positive[b]) | (positive[a] & negative[b])
    key = a[cut] * len(values) + b[cut]
    edges, number = np.unique(key, return_inverse=True)
    numbers = np.full(cut.shape, -1, dtype=np.int64)
    numbers[cut] = number
    return np.stack([edges // len(values), edges % len(values)], axis=1), numbers


def snap(
    lattice: Lattice,
    values: NDArray[np.float64],
    gradient: NDArray[np.float64],
    edges: NDArray[np.float64],
) -> Snapped:
    """Put the nodes that lie too near to a cut onto it, the nearest first.

    Args:
        lattice: The cells before.
        values: Signed distance at the nodes, the same at periodic images.
        gradient: Of the distance within the faces that a node is on, per half a finest cube; what
            leads out of them is zero. Shape (num_nodes, 3).
        edges: Of a finest cube, m.
    """
    crossed = _crossed(lattice.cells, values)
    start = lattice.index
    points, level = start.copy(), values.copy()
    moves = _moves(lattice, cut_edges(lattice.cells[crossed], values)[0], values)
    within = _within_faces(lattice, values, gradient)
    while len(moves.node):
        active = (level[moves.node] != 0) & (level[moves.other] != 0)
        moves = moves[active]
        going = _nearest(moves, lattice.twin)
        if not going.any():
            break
        way = within.copy()
        first = _first(moves, going)
        way[moves.twin[first]] = moves.way[first]
        moved = going[lattice.twin]
        points[moved] += way[lattice.twin[moved]]
        level[moved] = 0.0
    _undo_flat(lattice, start, values, points, level, edges)
    return Snapped(points, level)


def _crossed(cells: NDArray[np.integer], values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The cells with nodes in both phases."""
    negative, positive = (values < 0)[cells], (values > 0)[cells]
    return np.asarray(negative.any(axis=1) & positive.any(axis=1))


def _moves(lattice: Lattice, edges: NDArray[np.int64], values: NDArray[np.float64]) -> _Moves:
    """What the cut edges offer, sorted by node and distance."""
    node, other = np.concatenate([edges, edges[:, ::-1]]).T
    along = lattice.index[other] - lattice.index[node]
    length = np.linalg.norm(along, axis=1)
    size = np.abs(values)
    share = size[node] / (size[node] + size[other])
    straight = np.count_nonzero(along, axis=1) == 1
    near = share < np.where(straight, _LONG, _SHORT)
    on, free = lattice.fixed[node], lattice.fixed[node] == 0
    inside = (on & ~lattice.fixed[other]) == 0
    # on a box face any near cut makes the node move within the face, or count as on the interface
    usable = np.where(free, near, inside & (share < _IN_FACE))
    moves = _Moves(
        node,
        other,
        lattice.twin[node].astype(np.int64),
        share[:, None] * along,
        share * length,
        near,
        usable,
    )[near | usable]
    order = np.lexsort((lattice.twin[moves.other], moves.distance, ~moves.usable, moves.twin))
    return moves[order]


def _nearest(moves: _Moves, twin: NDArray[np.int32]) -> NDArray[np.bool_]:
    """The nodes that go first: none of their cut edges leads to one that is nearer to a cut."""
    count = len(twin)
    best = np.full(count, np.inf)
    np.minimum.at(best, moves.twin[moves.near], moves.distance[moves.near])
    candidates = np.flatnonzero(np.isfinite(best))
    rank = np.full(count, count, dtype=np.int64)
    rank[candidates[np.lexsort((candidates, best[candidates]))]] = np.arange(len(candidates))
    going = rank < count
    going[moves.twin[rank[twin[moves.other]] < rank[moves.twin]]] = False
    return going


def _within_faces(
    lattice: Lattice, values: NDArray[np.float64], gradient: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How nodes on box faces that no edge in the face leads to the interface get nearer to it."""
    square = np.sum(gradient**2, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        way = -(values / square)[:, None] * gradient
        near = np.abs(values) <= 2 * _IN_FACE * np.sqrt(square)
    way[~(near & (square > 0) & (lattice.fixed > 0))] = 0.0
    return way


def _first(moves: _Moves, going: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rows of the nearest usable move of each node that goes."""
    rows = np.flatnonzero(going[moves.twin] & moves.usable)
    twins = moves.twin[rows]
    return rows[np.concatenate([[True], twins[1:] != twins[:-1]])] if len(rows) else rows


def _undo_flat(
    lattice: Lattice,
    start: NDArray[np.float64],
    values: NDArray[np.float64],
    points: NDArray[np.float64],
    level: NDArray[np.float64],
    edges: NDArray[np.float64],
) -> None:
    """Take back the largest snap of each thin cell that lies in the interface, in place."""
    cells = lattice.cells
    while True:
        flat = np.flatnonzero((level == 0)[cells].all(axis=1))
        thin = cells[flat[radius_ratios(points[cells[flat]] * edges / 2) < _FLAT]]
        # those that count as on the interface without having moved are told by their distance
        moved = np.linalg.norm(points - start, axis=1) * edges.mean() / 2 + np.abs(values)
        worst = thin[np.arange(len(thin)), np.argmax(moved[thin], axis=1)]
        back = np.zeros(len(values), dtype=bool)
        back[lattice.twin[worst]] = True
        back = back[lattice.twin] & (values != 0)
        if not back.any():
            return
        points[back], level[back] = start[back], values[back]

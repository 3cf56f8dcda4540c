"""Whether cells fold or overlap: sure bounds, where samples could miss it."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

# edges of a simplex in Gmsh's order of the middle nodes; facets in one sense of rotation
_EDGES = {2: ((0, 1), (1, 2), (2, 0)), 3: ((0, 1), (1, 2), (2, 0), (3, 0), (3, 2), (3, 1))}
_FACETS = {2: ((0, 1), (1, 2), (2, 0)), 3: ((0, 2, 1), (0, 1, 3), (0, 3, 2), (3, 1, 2))}
_BLOCK = 100_000  # cells at a time


def count_folded(points: NDArray[np.float64], cells: NDArray[np.int64], order: int) -> int:
    """How many cells fold, or lie on the same side of a facet as their neighbour.

    The Jacobian determinant of a curved cell is a polynomial and lies between the extremes of
    its Bernstein coefficients (Johnen, Remacle & Geuzaine, J. Comput. Phys. 233 (2013) 359):
    a cell counts as folded unless these have one sign.

    Args:
        points: Coordinates, shape (num_points, dimension).
        cells: Simplices of order 1 or 2 with nodes in Gmsh's order and either sense of rotation.
        order: 1 or 2.
    """
    blocks = [
        _coefficients(points[some], order)
        for some in np.array_split(cells, math.ceil(len(cells) / _BLOCK))
    ]
    low = np.concatenate([b.min(axis=1) for b in blocks])
    high = np.concatenate([b.max(axis=1) for b in blocks])
    bad = (low <= 0) & (high >= 0)
    return int(bad.sum()) + _overlaps(cells, points.shape[1], np.where(low > 0, 1, -1))


def _overlaps(cells: NDArray[np.int64], dimension: int, sense: NDArray[np.int64]) -> int:
    """Facets with two cells, of rotation `sense`, on the same side, or with more than two."""
    facets = cells[:, _FACETS[dimension]].reshape(-1, dimension)
    turn = np.repeat(sense, dimension + 1) * _parity(facets)
    # a random number per node tells facets apart by their sums, faster than sorting rows
    mark = np.random.default_rng(0).integers(2**63, size=int(cells.max()) + 1, dtype=np.uint64)
    key = mark[facets].sum(axis=1, dtype=np.uint64)
    rank = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(key[rank]) != 0))
    number = np.diff(np.append(first, len(key)))
    return int(np.sum((number > 2) | ((number == 2) & (np.add.reduceat(turn[rank], first) != 0))))


def _parity(facets: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 for an even permutation of the sorted nodes, else -1."""
    pairs = itertools.combinations(range(facets.shape[1]), 2)
    signs = [np.where(facets[:, j] > facets[:, i], 1, -1) for i, j in pairs]
    return np.asarray(np.prod(signs, axis=0))


def _coefficients(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Bernstein coefficients of the determinant of cells with nodes `x`, shape (num_cells, n)."""
    dimension = x.shape[2]
    if order == 1:
        return np.asarray(np.linalg.det(x[:, 1:] - x[:, :1])[:, None])
    degree = dimension * (order - 1)
    steps = itertools.product(range(degree + 1), repeat=dimension + 1)
    powers = np.array([p for p in steps if sum(p) == degree])
    at = powers / degree
    ways = [math.factorial(degree) / math.prod(map(math.factorial, p)) for p in powers.tolist()]
    bernstein = np.array(ways) * np.prod(at[:, None, :] ** powers, axis=-1)
    values = [np.linalg.det(np.einsum("nd,cnx->cdx", g, x)) for g in _gradients(at)]
    return np.asarray(np.stack(values, axis=1) @ np.linalg.inv(bernstein).T)


def _gradients(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gradients of the quadratic shape functions at barycentric coordinates `at`.

    Returns:
        Shape (points, nodes, dimension).
    """
    dimension = at.shape[1] - 1
    corner = np.vstack([-np.ones(dimension), np.eye(dimension)])
    corners = (4 * at - 1)[:, :, None] * corner
    middles = [
        4 * (at[:, i, None] * corner[j] + at[:, j, None] * corner[i]) for i, j in _EDGES[dimension]
    ]
    return np.concatenate([corners, np.stack(middles, axis=1)], axis=1)

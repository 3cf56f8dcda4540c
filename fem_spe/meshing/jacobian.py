"""Whether curved cells fold: a sure lower bound of their Jacobian determinants."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays

# edges of a simplex in Gmsh's order of the middle nodes
_EDGES = {2: ((0, 1), (1, 2), (2, 0)), 3: ((0, 1), (1, 2), (2, 0), (3, 0), (3, 2), (3, 1))}


def folded(arrays: MeshArrays) -> NDArray[np.bool_]:
    """Which cells may fold, shape (num_cells,).

    The determinant is a polynomial, and no less than the smallest of its Bernstein
    coefficients (Johnen, Remacle & Geuzaine, J. Comput. Phys. 233 (2013) 359): what is not
    marked has one sign all over. Samples, as of Gmsh's minSJ, would miss a fold between them.
    """
    bounds = _coefficients(arrays.points, arrays.cells, arrays.order)
    sign = np.sign(bounds.sum(axis=1))
    return np.asarray((bounds * sign[:, None]).min(axis=1) <= 0.0)


def orientations(arrays: MeshArrays) -> NDArray[np.float64]:
    """1 where the nodes of a cell turn left, -1 where they turn right, shape (num_cells,)."""
    return np.asarray(np.sign(_coefficients(arrays.points, arrays.cells, arrays.order).sum(axis=1)))


def _coefficients(
    points: NDArray[np.float64], cells: NDArray[np.int64], order: int
) -> NDArray[np.float64]:
    """Bernstein coefficients of the Jacobian determinant of each cell, shape (num_cells, n)."""
    dimension = points.shape[1]
    x = points[cells]
    if order == 1:
        return np.asarray(np.linalg.det(x[:, 1 : dimension + 1] - x[:, :1])[:, None])
    degree = dimension * (order - 1)
    powers = np.array(
        [p for p in itertools.product(range(degree + 1), repeat=dimension + 1) if sum(p) == degree]
    )
    at = powers / degree
    ways = [math.factorial(degree) / math.prod(map(math.factorial, p)) for p in powers.tolist()]
    bernstein = np.array(ways) * np.prod(at[:, None, :] ** powers[None], axis=-1)
    gradients = _gradients(at)
    values = np.stack([np.linalg.det(np.einsum("nd,cnx->cdx", g, x)) for g in gradients], axis=1)
    return np.asarray(values @ np.linalg.inv(bernstein).T)


def _gradients(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gradients of the quadratic shape functions, shape (points, nodes, dimension)."""
    dimension = at.shape[1] - 1
    of_corner = np.vstack([-np.ones(dimension), np.eye(dimension)])
    corners = (4 * at - 1)[:, :, None] * of_corner
    middles = [
        4 * (at[:, i, None] * of_corner[j] + at[:, j, None] * of_corner[i])
        for i, j in _EDGES[dimension]
    ]
    return np.concatenate([corners, np.stack(middles, axis=1)], axis=1)

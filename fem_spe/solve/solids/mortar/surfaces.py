"""Dual mortar between two surfaces of triangles that lie over one another.

Pressures live at the corners of the upper triangles, the slaves: dual to the linear hats of each
triangle, also where displacements are quadratic, for the functions of a quadratic triangle's
corners have no mean. How far the middles of its sides bow out then counts besides: Popp et al.,
SIAM J. Sci. Comput. 34 (2012) B421, split quadratic functions in much the same way. Points face
each other along the last axis.
"""

from __future__ import annotations

import basix
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from fem_spe.errors import ConvergenceError
from fem_spe.solve.solids.mortar import clip
from fem_spe.solve.solids.mortar.lines import BEYOND, FLAT, FOLDS, TOO_FAR, Weights
from fem_spe.solve.solids.mortar.parts import Parts, at, shapes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_RULE = {3: 4, 6: 5}  # degree by the nodes of an upper triangle
_PLACES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])


def weigh(
    upper: Floats,
    upper_triangles: Ints,
    upper_parts: Parts,
    lower: Floats,
    lower_triangles: Ints,
    lower_parts: Parts,
    slaves: int,
) -> Weights:
    """The weights of two surfaces at their present places.

    Args:
        upper: Nodes, m, shape (n, 3); the corners of triangles come first.
        upper_triangles: Three corners and maybe the middles of the sides 0-1, 1-2, 2-0,
            counter-clockwise from above before any displacement, shape (m, 3 or 6). Those that
            stand upright by now are left out.
        upper_parts: Into which they are cut.
        lower: Nodes below, shape (masters, 3).
        lower_triangles, lower_parts: Theirs.
        slaves: Number of corners in `upper`.

    Raises:
        ConvergenceError: if the lower surface folds, or the upper one leads beyond it.
    """
    rises = _rise(upper, upper_triangles) > FLAT
    if not rises.any() or np.any(_rise(lower, lower_triangles) <= 0.0):
        raise ConvergenceError(FOLDS)
    triangles = upper_triangles[rises]
    kept = rises[upper_parts.of]
    upper_parts = Parts((np.cumsum(rises) - 1)[upper_parts.of[kept]], upper_parts.places[kept])
    P, Q = upper[triangles], lower[lower_triangles]
    p = at(P[:, :, :2], upper_parts, upper_parts.places)
    q = at(Q[:, :, :2], lower_parts, lower_parts.places)
    if min(_areas(p).min(), _areas(q).min()) <= 0.0:
        raise ConvergenceError(FOLDS)
    couples = clip.pairs(p, q)
    points, weights = basix.make_quadrature(basix.CellType.triangle, _RULE[P.shape[1]])
    mass, bows, above, cross, covered, found = clip.integrate(
        P, upper_parts.of, upper_parts.places, p, Q, lower_parts.of, lower_parts.places, q,
        couples, points, weights,
    )  # fmt: skip
    if np.any(covered < 1.0 - BEYOND):
        raise ConvergenceError(TOO_FAR)
    if not found:
        raise ConvergenceError(FOLDS)

    # dual functions of each triangle: A L with A = diag(int L) (int L L^T)^-1
    corners, size = triangles[:, :3], mass.sum(axis=2)
    dual = size[:, :, None] * np.linalg.inv(mass)
    area, gap = np.zeros(slaves), np.zeros(slaves)
    np.add.at(area, corners, size)
    np.add.at(gap, corners, np.einsum("sij,sj->si", dual, above))
    met = area > 0.0
    over = np.divide(1.0, area, out=np.zeros(slaves), where=met)
    normal = _normals(upper, triangles)[:slaves]
    gap = np.where(met, gap * over * normal[:, 2], np.inf)

    def collected(values: Floats, rows: Ints, columns: Ints, width: int) -> coo_array:
        i, j = np.broadcast_arrays(rows[:, :, None], columns[:, None, :])
        table = (values * over[i]).ravel(), (i.ravel(), j.ravel())
        return coo_array(table, shape=(slaves, width))

    on, below = upper_parts.of[couples[:, 0]], lower_parts.of[couples[:, 1]]
    share = collected(dual[on] @ cross, corners[on], lower_triangles[below], len(lower))
    bow = collected(
        dual @ bows[:, :, : triangles.shape[1] - 3], corners, triangles[:, 3:] - slaves,
        len(upper) - slaves,
    )  # fmt: skip
    return Weights(area, share.tocsr(), gap, normal, bow.tocsr())


def _areas(corners: Floats) -> Floats:
    """Of triangles in the plane, m^2; negative where they are clockwise."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(0.5 * (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]))


def _upwards(points: Floats, triangles: Ints) -> Floats:
    """Cross product of the slopes at each triangle's nodes, m^2, shape (m, nodes, 3)."""
    nodes = triangles.shape[1]
    slopes = shapes(_PLACES[:nodes], nodes)[1:]
    one, other = np.einsum("dik,tkx->dtix", slopes, points[triangles])
    return np.cross(one, other)


def _rise(points: Floats, triangles: Ints) -> Floats:
    """The least cosine between each triangle's normal and the last axis, at its nodes."""
    up = _upwards(points, triangles)
    cosine = up[:, :, 2] / np.maximum(np.linalg.norm(up, axis=2), 1e-300)
    return np.asarray(cosine.min(axis=1))


def _normals(points: Floats, triangles: Ints) -> Floats:
    """Upward unit normals at the nodes, means over their triangles by area, shape (n, 3)."""
    total = np.zeros_like(points)
    np.add.at(total, triangles, _upwards(points, triangles))
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1), 1e-300)[:, None])

"""Dual mortar between two lines of edges that lie over one another; surfaces: `surfaces`.

Nodes of the upper line, the slaves, are tied to places on the lower one by weights that
reproduce constant pressures and constant gaps exactly, whatever the two meshes. Wohlmuth,
SIAM J. Numer. Anal. 38 (2000) 989; contact: Popp et al., Int. J. Numer. Meth. Engng 83 (2010)
1428. Points face each other along the last axis; where the gap is closed that is the nearest
point.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fem_spe.errors import ConvergenceError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GAUSS, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_GAUSS, _WEIGHTS = 0.5 * (_GAUSS + 1.0), 0.5 * _WEIGHTS
_NEWTON = 30
_SHORT = 1e-12  # of an edge: intervals that are left out
FLAT = 0.05  # cosine of the steepest slope that may touch
BEYOND = 1e-6  # of an edge, by which a slave may lie beside the last edge below
FOLDS = "the surface under a ball folds; give more steps, or a smaller displacement"
TOO_FAR = (
    "the ball reaches beyond the surface below; give a wider structure or a smaller displacement"
)


@dataclass(frozen=True)
class Weights:
    """How slaves hang on masters.

    Attributes:
        area: That a slave stands for, m^2, of lines m, shape (slaves,); zero where all of its
            edges or triangles stand upright.
        share: Of each master in the place under a slave, rows sum to one, shape
            (slaves, masters).
        gap: Height over that place along the normal, m, shape (slaves,); infinite there.
        normal: Unit vectors from below into the upper body, shape (slaves, gdim).
        bow: By how much it counts for a slave that a side of a triangle bows out, shape
            (slaves, middles of sides); there are none on lines.
    """

    area: Floats
    share: csr_array
    gap: Floats
    normal: Floats
    bow: csr_array


def weigh(upper: Floats, upper_edges: Ints, lower: Floats, lower_edges: Ints) -> Weights:
    """The weights of two lines at their present places.

    Args:
        upper: Nodes, m, shape (slaves, 2).
        upper_edges: Left end, right end and maybe a middle of each before any displacement,
            shape (m, 2 or 3). Those that stand upright by now are left out.
        lower: Nodes below, shape (masters, 2).
        lower_edges: Theirs.

    Raises:
        ConvergenceError: if the lower line folds, or the upper line leads beyond the lower one.
    """
    upper_edges = upper_edges[_rise(upper, upper_edges) > FLAT]
    if not len(upper_edges) or np.any(_rise(lower, lower_edges) <= 0.0):
        raise ConvergenceError(FOLDS)
    lower_edges = lower_edges[np.argsort(lower[lower_edges[:, 0], 0])]
    breaks = np.append(lower[lower_edges[:, 0], 0], lower[lower_edges[-1, 1], 0])
    edge, place, weight = _points(upper[upper_edges], breaks)
    corners = upper[upper_edges]

    N, slope = _shapes(place, upper_edges.shape[1])
    x = np.einsum("qk,qkd->qd", N, corners[edge])
    along = np.einsum("qk,qkd->qd", slope, corners[edge])
    weight = weight * np.linalg.norm(along, axis=1)

    below = np.clip(np.searchsorted(breaks, x[:, 0], side="right") - 1, 0, len(lower_edges) - 1)
    there = lower[lower_edges[below]]
    at = _invert(there[:, :, 0], x[:, 0])
    if np.any((at < -BEYOND) | (at > 1.0 + BEYOND)):
        raise ConvergenceError(TOO_FAR)
    K, _ = _shapes(at, lower_edges.shape[1])
    above = x[:, 1] - np.einsum("qk,qk->q", K, there[:, :, 1])

    # dual functions of each edge: A N with A = diag(int N) (int N N^T)^-1
    per_edge, count = upper_edges.shape[1], len(upper_edges)
    mass, diagonal = np.zeros((count, per_edge, per_edge)), np.zeros((count, per_edge))
    np.add.at(mass, edge, weight[:, None, None] * N[:, :, None] * N[:, None, :])
    np.add.at(diagonal, edge, weight[:, None] * N)
    dual = diagonal[:, :, None] * np.linalg.inv(mass)
    tested = weight[:, None] * np.einsum("qij,qj->qi", dual[edge], N)

    area, gap = np.zeros(len(upper)), np.zeros(len(upper))
    share = np.zeros((len(upper), len(lower)))
    np.add.at(area, upper_edges, diagonal)
    np.add.at(gap, upper_edges[edge], tested * above[:, None])
    rows, columns = upper_edges[edge][:, :, None], lower_edges[below][:, None, :]
    np.add.at(share, (rows, columns), tested[:, :, None] * K[:, None, :])
    normal = _normals(upper, upper_edges)
    met = area > 0.0
    share[met] /= area[met, None]
    gap[met] *= normal[met, 1] / area[met]
    gap[~met] = np.inf
    return Weights(area, csr_array(share), gap, normal, csr_array((len(upper), 0)))


def _rise(points: Floats, edges: Ints) -> Floats:
    """The least slope of the abscissa along each edge, over the edge's length."""
    x = points[edges, 0]
    middle = x[:, 2] if x.shape[1] == 3 else x[:, :2].mean(axis=1)
    # of a quadratic edge at one of its ends
    least = np.minimum(4.0 * middle - 3.0 * x[:, 0] - x[:, 1], 3.0 * x[:, 1] + x[:, 0] - 4 * middle)
    rise: Floats = least / np.linalg.norm(points[edges[:, 1]] - points[edges[:, 0]], axis=1)
    return rise


def _shapes(t: Floats, nodes: int) -> tuple[Floats, Floats]:
    """Basis functions of an edge and their slopes at t in [0, 1], shape (n, nodes)."""
    if nodes == 2:
        return np.column_stack([1.0 - t, t]), np.tile([-1.0, 1.0], (len(t), 1))
    return (
        np.column_stack([(1.0 - t) * (1.0 - 2.0 * t), t * (2.0 * t - 1.0), 4.0 * t * (1.0 - t)]),
        np.column_stack([4.0 * t - 3.0, 4.0 * t - 1.0, 4.0 - 8.0 * t]),
    )


def _invert(x: Floats, wanted: Floats) -> Floats:
    """Where edges of the abscissae x, shape (n, nodes), have the abscissa wanted, shape (n,)."""
    t = (wanted - x[:, 0]) / (x[:, 1] - x[:, 0])
    for _ in range(_NEWTON if x.shape[1] == 3 else 0):
        N, slope = _shapes(t, 3)
        step = (np.sum(N * x, axis=1) - wanted) / np.sum(slope * x, axis=1)
        t = t - step
        if np.max(np.abs(step), initial=0.0) < 1e-15:
            break
    return t


def _points(corners: Floats, breaks: Floats) -> tuple[Ints, Floats, Floats]:
    """Gauss points of the edges between the breaks: their edge, place in [0, 1] and weight."""
    edges, places, weights = [], [], []
    for k, x in enumerate(corners[:, :, 0]):
        inside = breaks[(breaks > x[0]) & (breaks < x[1])]
        cuts = _invert(np.tile(x, (len(inside), 1)), inside)
        cuts = np.concatenate([[0.0], np.sort(cuts), [1.0]])
        for a, b in pairwise(cuts):
            if b - a > _SHORT:
                edges.append(np.full(len(_GAUSS), k))
                places.append(a + (b - a) * _GAUSS)
                weights.append((b - a) * _WEIGHTS)
    return np.concatenate(edges), np.concatenate(places), np.concatenate(weights)


def _normals(points: Floats, edges: Ints) -> Floats:
    """Upward unit normals at the nodes, means of those of their edges, shape (n, 2)."""
    nodes = edges.shape[1]
    _, slope = _shapes(np.array([0.0, 1.0, 0.5])[:nodes], nodes)
    along = np.einsum("ik,ekd->eid", slope, points[edges])
    up = np.stack([-along[:, :, 1], along[:, :, 0]], axis=2)
    up /= np.linalg.norm(up, axis=2)[:, :, None]
    total = np.zeros_like(points)
    np.add.at(total, edges, up)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1), 1e-300)[:, None])

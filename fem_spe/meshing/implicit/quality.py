"""Volumes and radius ratios of tetrahedra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_EDGES = np.array([(0, 1), (0, 2), (0, 3), (2, 3), (1, 3), (1, 2)])  # the last three opposite


def volumes(points: NDArray[np.float64], cells: NDArray[np.integer]) -> NDArray[np.float64]:
    """Signed volume of each cell."""
    o = points[cells[:, 0]]
    u, v, w = (points[cells[:, k]] - o for k in (1, 2, 3))
    return np.asarray(_dot(u, _cross(v, w)) / 6.0)


def radius_ratios(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three times the inscribed over the circumscribed radius: 1 regular, negative inverted.

    216 V^2 / (S sqrt((p+q+r)(p+q-r)(p-q+r)(-p+q+r))) with the volume V, the surface S and the
    products p, q, r of opposite edges, signed like V.

    Args:
        corners: Shape (..., 4, 3).
    """
    x = corners.reshape(-1, 4, 3)
    u, v, w = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0], x[:, 3] - x[:, 0]
    uv, vw, wu = _cross(u, v), _cross(v, w), _cross(w, u)
    volume = _dot(u, vw)  # sixfold
    surface = sum(np.sqrt(_dot(n, n)) for n in (uv, vw, wu, uv + vw + wu))  # twofold
    p, q, r = (np.sqrt(_dot(a, a) * _dot(b, b)) for a, b in ((u, w - v), (v, w - u), (w, v - u)))
    product = (p + q + r) * (p + q - r) * (p - q + r) * (q + r - p)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 12.0 * volume * np.abs(volume) / (surface * np.sqrt(np.maximum(product, 0.0)))
    return np.asarray(np.nan_to_num(ratio, nan=0.0, posinf=0.0, neginf=0.0)).reshape(
        corners.shape[:-2]
    )


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(a)
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        out[:, k] = a[:, i] * b[:, j] - a[:, j] * b[:, i]
    return out


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", a, b))

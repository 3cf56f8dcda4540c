"""Triangles with bent sides, cut into parts whose sides are as good as straight in the plane."""

from __future__ import annotations

from dataclasses import dataclass

import basix
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STRAIGHT = 3e-3  # of a side, that its middle may lie beside it; errors go with the square
_CUTS = 4  # times that a side is halved at most
_WHOLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
_QUADRATIC = basix.create_element(
    basix.ElementFamily.P, basix.CellType.triangle, 2, basix.LagrangeVariant.equispaced
)
_LINEAR = basix.create_element(
    basix.ElementFamily.P, basix.CellType.triangle, 1, basix.LagrangeVariant.equispaced
)
_ORDER = [0, 1, 2, 5, 3, 4]  # basix counts the sides 1-2, 0-2, 0-1


@dataclass(frozen=True)
class Parts:
    """Parts of triangles.

    Attributes:
        of: The triangle of each, shape (n,).
        places: Their corners in it, shape (n, 3, 2).
    """

    of: Ints
    places: Floats


def shapes(places: Floats, nodes: int) -> Floats:
    """Functions of a triangle of three or six nodes and their slopes, shape (3, n, nodes).

    Args:
        places: In the triangle, shape (n, 2).
        nodes: Corners, and middles of the sides 0-1, 1-2, 2-0.
    """
    element = _LINEAR if nodes == 3 else _QUADRATIC
    return np.asarray(element.tabulate(1, places)[:, :, _ORDER[:nodes], 0])


def at(nodes: Floats, parts: Parts, places: Floats) -> Floats:
    """Where places in each part's triangle, shape (n, k, 2), are, m, shape (n, k, gdim).

    Args:
        nodes: Of the triangles, m, shape (triangles, 3 or 6, gdim).
        parts: Tell the triangles.
        places: In them.
    """
    N = shapes(places.reshape(-1, 2), nodes.shape[1])[0].reshape(*places.shape[:2], -1)
    return np.asarray(np.einsum("nki,nid->nkd", N, nodes[parts.of]))


def cut(nodes: Floats) -> Parts:
    """The parts of triangles, conforming where triangles share a side.

    Args:
        nodes: Corners and maybe middles of the sides, m, shape (n, 3 or 6, 2).
    """
    parts = Parts(np.arange(len(nodes)), np.tile(_WHOLE, (len(nodes), 1, 1)))
    for _ in range(_CUTS if nodes.shape[1] == 6 else 0):
        corners = at(nodes, parts, parts.places)
        middles = 0.5 * (parts.places + np.roll(parts.places, -1, axis=1))
        along = np.roll(corners, -1, axis=1) - corners
        beside = at(nodes, parts, middles) - corners - 0.5 * along
        bent = np.linalg.norm(beside, axis=2) > _STRAIGHT * np.linalg.norm(along, axis=2)
        if not bent.any():
            break
        parts = _halved(parts, middles, bent)
    return parts


def _halved(parts: Parts, middles: Floats, bent: NDArray[np.bool_]) -> Parts:
    """Parts with the sides that are bent cut in the middle."""
    count = bent.sum(axis=1)
    # turned so that sides 0-1, then 1-2, then 2-0 are those that are cut
    first = np.where(count == 1, np.argmax(bent, axis=1), (np.argmin(bent, axis=1) + 1) % 3)
    turn = (first[:, None] + np.arange(3)) % 3
    rows = np.arange(len(turn))[:, None]
    corner, middle = parts.places[rows, turn], middles[rows, turn]
    (a, b, c), (p, q, r) = np.moveaxis(corner, 1, 0), np.moveaxis(middle, 1, 0)
    patterns = {
        0: [(a, b, c)],
        1: [(a, p, c), (p, b, c)],
        2: [(p, b, q), (a, p, q), (a, q, c)],
        3: [(a, p, r), (p, b, q), (r, q, c), (p, q, r)],
    }
    of, places = [], []
    for number, pattern in patterns.items():
        chosen = count == number
        for triangle in pattern:
            of.append(parts.of[chosen])
            places.append(np.stack(triangle, axis=1)[chosen])
    return Parts(np.concatenate(of), np.concatenate(places))

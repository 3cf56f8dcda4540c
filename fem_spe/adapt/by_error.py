"""Where the next mesh should be finer, from the share of each cell in the error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.meshing.sizes import SizeField

_SAFETY = 0.7  # of the wanted error: the next mesh is aimed below it
_CHANGE = (0.2, 2.0)  # least and largest ratio of new and old size
_GRADING = 0.4  # largest increase of the size per distance


def finer(domain: Domain, shares: NDArray[np.float64], wanted: float, degree: int) -> SizeField:
    """Cell sizes that give each new cell the same share of the error `wanted`. Collective.

    A cell's share goes as h^(2 p + 2); with t the share of each new cell, their number is
    N = sum (share / t)^(1 / (p + 1)), and N t is the wanted error. (Zienkiewicz & Zhu,
    Int. J. Numer. Methods Eng. 24 (1987) 337, with optimal distribution.)

    Args:
        domain: A mesh of triangles.
        shares: Of each owned cell in the error, a square of an energy norm.
        wanted: Their sum on the next mesh.
        degree: p of the solution.

    Returns:
        Sizes at the vertices of the mesh; complete on rank 0, empty elsewhere.
    """
    mesh, comm = domain.mesh, domain.mesh.comm
    owned = mesh.topology.index_map(2).size_local
    vertices = mesh.topology.connectivity(2, 0).array.reshape(-1, 3)[:owned]
    corners = mesh.geometry.x[mesh.geometry.dofmaps[0][:owned, :3], :2]
    names = mesh.topology.index_map(0).local_to_global(vertices.ravel()).reshape(-1, 3)
    gathered = comm.gather((corners, names, shares))
    if gathered is None:
        return SizeField(np.empty((0, 2)), np.empty((0, 3), dtype=np.int64), np.empty(0))
    corners, names, shares = (np.concatenate(some) for some in zip(*gathered, strict=True))
    edges = corners[:, 1:] - corners[:, :1]
    area = np.abs(np.linalg.det(edges)) / 2
    size = np.sqrt(4 * area / math.sqrt(3))

    p = degree
    shares = np.maximum(shares, 1e-12 * shares.max())
    weight = np.sum(shares ** (1 / (p + 1)))
    each = (_SAFETY * wanted / weight) ** ((p + 1) / p)
    new = size * np.clip((each / shares) ** (1 / (2 * p + 2)), *_CHANGE)

    points = np.empty((int(names.max()) + 1, 2))
    points[names.ravel()] = corners.reshape(-1, 2)
    at_points = np.full(len(points), np.inf)
    np.minimum.at(at_points, names.ravel(), np.repeat(new, 3))
    return SizeField(points, names, _graded(points, names, at_points))


def _graded(
    points: NDArray[np.float64], cells: NDArray[np.int64], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`sizes` lowered until none exceeds a neighbour's by more than the grading allows."""
    pairs = np.concatenate([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    room = _GRADING * np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    while True:
        before = sizes.copy()
        np.minimum.at(sizes, pairs[:, 0], before[pairs[:, 1]] + room)
        np.minimum.at(sizes, pairs[:, 1], before[pairs[:, 0]] + room)
        if np.allclose(before, sizes, rtol=1e-3, atol=0.0):
            return sizes

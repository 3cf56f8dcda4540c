"""Meshes between concentric circles or spheres, made by bending straight ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# vertices of each edge in Gmsh's order of the middle nodes of second-order simplices
_EDGES = {2: [(0, 1), (1, 2), (2, 0)], 3: [(0, 1), (1, 2), (0, 2), (0, 3), (2, 3), (1, 3)]}


def quarter_ring(radii: Sequence[float], across: int, along: int) -> MeshArrays:
    """A quarter of the rings between circles; regions `layer1`, ..., faces `inner`, `outer`.

    Args:
        radii: Of the circles, m, rising.
        across: Cells across each ring.
        along: Cells along the quarter.
    """
    t = np.linspace(0.0, 1.0, along + 1)[:, None]
    rows = np.arange(along)[:, None]
    return _shell(radii, across, t, np.hstack([rows, rows + 1]))


def octant(radii: Sequence[float], across: int, along: int) -> MeshArrays:
    """An eighth of the shells between spheres; as `quarter_ring`, with `left`, `front`, `bottom`.

    These are the planes of symmetry across x, y and z.
    """
    number: dict[tuple[int, int], int] = {}
    places: list[tuple[float, float]] = []
    for i in range(along + 1):
        for j in range(along + 1 - i):
            number[i, j] = len(places)
            places.append((i / along, j / along))
    triangles = []
    for i, j in number:
        if (i + 1, j) in number and (i, j + 1) in number:
            triangles.append((number[i, j], number[i + 1, j], number[i, j + 1]))
        if (i + 1, j + 1) in number:
            triangles.append((number[i + 1, j], number[i, j + 1], number[i + 1, j + 1]))
    return _shell(radii, across, np.array(places), np.array(triangles))


def _shell(radii: Sequence[float], across: int, base: Floats, simplices: Ints) -> MeshArrays:
    """Stack a simplicial mesh of the unit direction from radius to radius, and bend it."""
    dimension = simplices.shape[1]
    levels = np.concatenate(
        [np.geomspace(a, b, across + 1)[:-1] for a, b in pairwise(radii)] + [np.array(radii[-1:])]
    )
    count, steps = len(base), len(levels) - 1
    # each prism over a simplex with sorted vertices falls into simplices that fit together
    simplices = np.sort(simplices, axis=1)
    cells, layer = [], []
    for k in range(steps):
        low, high = simplices + k * count, simplices + (k + 1) * count
        for cut in range(dimension):
            cells.append(np.hstack([low[:, : cut + 1], high[:, cut:]]))
            layer.append(np.full(len(simplices), 1 + k // across, dtype=np.int32))
    straight = np.concatenate(cells)
    parameters = np.hstack([np.tile(base, (steps + 1, 1)), np.repeat(levels, count)[:, None]])

    edges = np.sort(straight[:, _EDGES[dimension]], axis=2)
    different, inverse = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    middle = len(parameters) + inverse.reshape(edges.shape[:2])
    parameters = np.vstack([parameters, parameters[different].mean(axis=1)])
    nodes = np.hstack([straight, middle])

    facets, tags, faces = _faces(nodes, parameters, dimension, radii)
    return MeshArrays(
        points=_bent(parameters),
        cells=nodes,
        cell_tags=np.concatenate(layer),
        facets=facets,
        facet_tags=tags,
        regions={f"layer{k + 1}": k + 1 for k in range(len(radii) - 1)},
        faces=faces,
        order=2,
        min_quality=1.0,
        min_jacobian=1.0,
    )


def _bent(parameters: Floats) -> Floats:
    """Radius times the direction that the other parameters tell, shape (n, dimension)."""
    radius = parameters[:, -1:]
    if parameters.shape[1] == 2:
        angle = 0.5 * np.pi * parameters[:, :1]
        return np.asarray(radius * np.hstack([np.cos(angle), np.sin(angle)]))
    corners = np.hstack([parameters[:, :2], 1.0 - parameters[:, :2].sum(axis=1, keepdims=True)])
    return np.asarray(radius * corners / np.linalg.norm(corners, axis=1, keepdims=True))


def _faces(
    nodes: Ints, parameters: Floats, dimension: int, radii: Sequence[float]
) -> tuple[Ints, NDArray[np.int32], dict[str, int]]:
    """Facets on the inner and the outer radius and on the planes of symmetry of the octant."""
    flat = {
        "inner": parameters[:, -1] == radii[0],
        "outer": parameters[:, -1] == radii[-1],
    }
    if dimension == 3:
        third = 1.0 - parameters[:, 0] - parameters[:, 1]
        planes = {"left": parameters[:, 0], "front": parameters[:, 1], "bottom": third}
        flat |= {name: np.abs(value) < 1e-12 for name, value in planes.items()}
    found, tags = [], []
    for tag, on in enumerate(flat.values(), start=1):
        for left_out in range(dimension + 1):
            corners = [k for k in range(dimension + 1) if k != left_out]
            # middle nodes in Gmsh's order of the facet itself
            order = _EDGES[dimension - 1] if dimension == 3 else [(0, 1)]
            middle = [
                next(i for i, e in enumerate(_EDGES[dimension]) if {*e} == {corners[a], corners[b]})
                for a, b in order
            ]
            columns = corners + [dimension + 1 + i for i in middle]
            some = nodes[:, columns]
            some = some[on[some[:, :dimension]].all(axis=1)]
            found.append(some)
            tags.append(np.full(len(some), tag, dtype=np.int32))
    names = {name: k + 1 for k, name in enumerate(flat)}
    return np.concatenate(found), np.concatenate(tags), names

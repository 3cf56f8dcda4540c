"""What touches what in a mesh: outer facets, interfaces, connected parts, paths."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fem_spe.domain import MeshArrays
from fem_spe.errors import GeometryError, MeshError
from fem_spe.geometry.faces import BOX_FACES, interface_name
from fem_spe.meshing.areas import volumes

# nodes of each facet of a simplex in Gmsh's order, vertices first
_FACETS = {
    3: [(0, 1), (1, 2), (2, 0)],
    6: [(0, 1, 3), (1, 2, 4), (2, 0, 5)],
    4: [(0, 2, 1), (0, 1, 3), (0, 3, 2), (3, 1, 2)],
    10: [(0, 2, 1, 6, 5, 4), (0, 1, 3, 4, 9, 7), (0, 3, 2, 7, 8, 6), (3, 1, 2, 9, 5, 8)],
}


def name_sides(arrays: MeshArrays) -> MeshArrays:
    """`arrays` with the facets on box sides and interfaces named that have no name yet.

    Named facets of cells that were left out are dropped.
    """
    dimension = arrays.points.shape[1]
    table = np.array(_FACETS[arrays.cells.shape[1]])
    facets = arrays.cells[:, table].reshape(-1, table.shape[1])
    tags = np.repeat(arrays.cell_tags, len(table))
    key = np.sort(facets[:, :dimension], axis=1)
    mark = np.random.default_rng(0).integers(2**63, size=len(arrays.points), dtype=np.uint64)
    ours, named = (mark[f[:, :dimension]].sum(axis=1) for f in (facets, arrays.facets))
    kept = np.isin(named, ours)
    arrays = replace(arrays, facets=arrays.facets[kept], facet_tags=arrays.facet_tags[kept])
    _, first, inverse, count = np.unique(
        key, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    region = {tag: name for name, tag in arrays.regions.items()}
    found: dict[str, NDArray[np.int64]] = {}

    low, high = arrays.points.min(axis=0), arrays.points.max(axis=0)
    outer = facets[first[count == 1]]
    x = arrays.points[outer[:, :dimension]]
    tolerance = 1e-6 * float(np.max(high - low))
    for axis, ends in enumerate(BOX_FACES[dimension]):
        for name, side in zip(ends, (low[axis], high[axis]), strict=True):
            on = np.all(np.abs(x[:, :, axis] - side) < tolerance, axis=1)
            if on.any():
                found[name] = outer[on]

    order = np.argsort(inverse.ravel(), kind="stable")
    pairs = order[np.concatenate([[False], np.diff(inverse.ravel()[order]) == 0])]
    partner = first[inverse.ravel()[pairs]]
    for a, b in {tuple(sorted(p)) for p in zip(tags[pairs], tags[partner], strict=True)}:
        if a != b:
            both = (np.minimum(tags[pairs], tags[partner]) == a) & (
                np.maximum(tags[pairs], tags[partner]) == b
            )
            found[interface_name(region[a], region[b])] = facets[pairs[both]]

    # a facet has one name: sides and interfaces are what the file leaves without
    taken = {tuple(f) for f in np.sort(arrays.facets[:, :dimension], axis=1).tolist()}
    new = {}
    for name, some in found.items():
        free = [tuple(f) not in taken for f in np.sort(some[:, :dimension], axis=1).tolist()]
        if name not in arrays.faces and any(free):
            new[name] = some[free]
    start = max(arrays.faces.values(), default=0) + 1
    faces = {name: start + k for k, name in enumerate(new)}
    return replace(
        arrays,
        facets=np.concatenate([arrays.facets, *new.values()]),
        facet_tags=np.concatenate(
            [arrays.facet_tags, *(np.full(len(new[n]), faces[n], np.int32) for n in new)]
        ),
        faces={**arrays.faces, **faces},
    )


def keep_connected(arrays: MeshArrays, anchors: Collection[str]) -> MeshArrays:
    """`arrays` without the parts that touch no face in `anchors`.

    A part without any fixed value would make the problem singular.
    """
    label = _components(arrays)
    cell_label = label[arrays.cells[:, 0]]
    keep = np.isin(cell_label, np.unique(label[_nodes(arrays, anchors)]))
    if keep.all():
        return arrays
    volume = volumes(arrays)
    cells = arrays.cells[keep]
    used = np.unique(cells)
    number = np.full(len(arrays.points), -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    facets = number[arrays.facets]
    whole = (facets >= 0).all(axis=1)
    return replace(
        arrays,
        points=arrays.points[used],
        cells=number[cells],
        cell_tags=arrays.cell_tags[keep],
        facets=facets[whole],
        facet_tags=arrays.facet_tags[whole],
        isolated=float(volume[~keep].sum() / volume.sum()),
    )


def require_path(arrays: MeshArrays, ends: Collection[str]) -> None:
    """Raise unless one connected part of the mesh touches all faces in `ends`."""
    label = _components(arrays)
    # a described box has all its faces, so that one without cells is closed by holes
    there = [name for name in ends if name in arrays.faces or arrays.box is None]
    known = [set(label[_nodes(arrays, [name])].tolist()) for name in there]
    if len(known) < len(ends) or not set.intersection(*known):
        raise GeometryError(
            f"no path leads through the electrolyte from {' to '.join(ends)}: impermeable parts "
            "close it; lower fiber_fraction, raise min_gap, take another seed or another direction"
        )


def _nodes(arrays: MeshArrays, names: Collection[str]) -> NDArray[np.int64]:
    """The vertices on the faces `names`."""
    for name in names:
        if name not in arrays.faces:
            known = ", ".join(sorted(arrays.faces)) or "none"
            raise MeshError(f"the mesh has no face {name!r}; it has: {known}")
    tags = [arrays.faces[name] for name in names]
    dimension = arrays.points.shape[1]
    return np.unique(arrays.facets[np.isin(arrays.facet_tags, tags)][:, :dimension])


def _components(arrays: MeshArrays) -> NDArray[np.int32]:
    """The connected component of each node."""
    vertices = arrays.cells[:, : arrays.points.shape[1] + 1]
    first = np.repeat(vertices[:, 0], vertices.shape[1] - 1)
    n = len(arrays.points)
    links = (np.ones(len(first), dtype=np.int8), (first, vertices[:, 1:].ravel()))
    label = connected_components(coo_array(links, shape=(n, n)), directed=False)[1]
    return np.asarray(label)

"""The current Gmsh model to plain arrays, checked on the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import gmsh
import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.meshing.jacobian import count_folded
from fem_spe.meshing.periodic import align_sides

_MIN_QUALITY = 1e-3  # radius ratio below which a straight cell is a sliver
_MIN_JACOBIAN = 0.05  # scaled Jacobian below which a curved cell is as good as folded
_NODES = {2: {1: (3, 2), 2: (6, 3)}, 3: {1: (4, 3), 2: (10, 6)}}


@dataclass(frozen=True)
class _Group:
    """The elements of one physical name."""

    nodes: NDArray[np.int64]  # shape (num_elements, nodes_per_element), Gmsh node tags
    elements: NDArray[np.int64]  # Gmsh element tags


def curve(order: int) -> str:
    """Raise the cells to `order` and unfold those that fold; what was done, or nothing.

    What stays folded is left to `extract` to refuse.
    """
    gmsh.model.mesh.setOrder(order)
    align_sides()
    worst = _min_jacobian()
    if order == 1 or worst > _MIN_JACOBIAN:
        return ""
    # a failure of the optimiser is raised in its own threads, where it ends the process
    raising = gmsh.option.getNumber("General.AbortOnError")
    gmsh.option.setNumber("General.AbortOnError", 0)
    gmsh.model.mesh.optimize("HighOrder")
    gmsh.option.setNumber("General.AbortOnError", raising)
    align_sides()
    return f"curved cells unfolded (scaled Jacobian {worst:.2f} -> {_min_jacobian():.2f})"


def extract(dimension: int, scale: float, leave_out: Collection[str] = ()) -> MeshArrays:
    """The mesh of the current model.

    Args:
        dimension: 2 or 3.
        scale: Model units per metre.
        leave_out: Regions that are not wanted.

    Raises:
        MeshError: if cells fold, overlap, are slivers or no simplices, or none has a region.
    """
    regions = {n: g for n, g in _groups(dimension).items() if n not in leave_out}
    faces = _groups(dimension - 1)
    if not regions:
        raise MeshError("the mesh has no named region; give its cells a physical group")
    cells = np.concatenate([g.nodes for g in regions.values()])
    elements = np.concatenate([g.elements for g in regions.values()])
    names = list(regions)
    cell_tags = np.repeat(
        np.arange(1, len(names) + 1, dtype=np.int32), [len(g.nodes) for g in regions.values()]
    )
    order = next((o for o, (n, _) in _NODES[dimension].items() if n == cells.shape[1]), None)
    if order is None:
        raise MeshError("the mesh must be of triangles or tetrahedra of first or second order")
    gamma = np.asarray(gmsh.model.mesh.getElementQualities(elements.tolist(), "gamma"))
    if len(gamma) == 0 or gamma.min() < _MIN_QUALITY:
        raise MeshError(
            f"the mesh has cells of quality {gamma.min(initial=0.0):.1e} (radius ratio); "
            "give a smaller [mesh] interface_size, a larger min_gap or another seed"
        )
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    used = np.unique(cells)
    number = np.full(int(tags.max()) + 1, -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    row = np.full(int(tags.max()) + 1, -1, dtype=np.int64)
    row[tags.astype(np.int64)] = np.arange(len(tags))
    points = coordinates.reshape(-1, 3)[row[used], :dimension] / scale

    min_jacobian = _min_jacobian(elements) if order > 1 else 1.0
    folded = count_folded(points, number[cells], order)
    if folded or min_jacobian < _MIN_JACOBIAN:
        raise MeshError(
            f"{max(folded, 1)} cells fold or overlap (smallest scaled Jacobian "
            f"{min_jacobian:.2f}): they are too coarse for the gaps between the fibres; give a "
            "smaller [mesh] interface_size, a larger min_gap or another seed"
        )

    facet_names = [n for n, g in faces.items() if (number[g.nodes] >= 0).all(axis=1).any()]
    facets = [number[faces[n].nodes] for n in facet_names]
    facets = [f[(f >= 0).all(axis=1)] for f in facets]
    width = _NODES[dimension][order][1]
    return MeshArrays(
        points=points,
        cells=number[cells],
        cell_tags=cell_tags,
        facets=np.concatenate([*facets, np.empty((0, width), dtype=np.int64)]),
        facet_tags=np.repeat(
            np.arange(1, len(facets) + 1, dtype=np.int32), [len(f) for f in facets]
        ),
        regions={name: k + 1 for k, name in enumerate(names)},
        faces={name: k + 1 for k, name in enumerate(facet_names)},
        order=order,
        min_quality=float(gamma.min()),
        min_jacobian=min_jacobian,
    )


def _groups(dimension: int) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for _, tag in gmsh.model.getPhysicalGroups(dimension):
        name = gmsh.model.getPhysicalName(dimension, tag) or str(tag)
        nodes, elements = [], []
        for entity in gmsh.model.getEntitiesForPhysicalGroup(dimension, tag):
            kinds, tags, node_tags = gmsh.model.mesh.getElements(dimension, entity)
            for kind, some, some_nodes in zip(kinds, tags, node_tags, strict=True):
                per_element = gmsh.model.mesh.getElementProperties(kind)[3]
                nodes.append(some_nodes.reshape(-1, per_element).astype(np.int64))
                elements.append(some.astype(np.int64))
        if not nodes:
            continue
        if len({n.shape[1] for n in nodes}) > 1:
            raise MeshError(f"{name!r} mixes kinds of cells; the mesh must be of one kind")
        groups[name] = _Group(np.concatenate(nodes), np.concatenate(elements))
    return groups


def _min_jacobian(elements: NDArray[np.int64] | None = None) -> float:
    if elements is None:
        _, tags, _ = gmsh.model.mesh.getElements(gmsh.model.getDimension())
        elements = np.concatenate(tags)
    return float(np.min(gmsh.model.mesh.getElementQualities(elements.tolist(), "minSJ")))

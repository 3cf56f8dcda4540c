"""Faces of a mesh gathered on every rank: lines in the plane, surfaces in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import basix
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.solve.solids.mortar import lines, surfaces
from fem_spe.solve.solids.mortar.lines import Weights
from fem_spe.solve.solids.mortar.parts import Parts, cut

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIDES = ((0, 1), (1, 2), (2, 0))


@dataclass(frozen=True)
class Face:
    """A face that lies under or over another one.

    Attributes:
        nodes: Global blocks of the space, shape (n,). On a line from left to right; on a surface
            corners of triangles come first, then the middles of their sides.
        facets: Nodes of each, as numbers of `nodes`. Edges: left end, right end and maybe the
            middle; triangles: three corners, counter-clockwise from above, and maybe the middles
            of the sides 0-1, 1-2, 2-0.
        at: Places of the nodes, m, shape (n, gdim).
        slaves: How many nodes, the first ones, pressures live at where this is the upper face.
        ends: The slaves to both sides of each of the other nodes, shape (n - slaves, 2).
        parts: Of the triangles; None of lines.
    """

    nodes: Ints
    facets: Ints
    at: Floats
    slaves: int
    ends: Ints
    parts: Parts | None


def gather(domain: Domain, space: fem.FunctionSpace, name: str) -> Face:
    """A face on every rank, numbered alike however the mesh is spread. Collective."""
    d, topology, dofmap = domain.dimension, domain.mesh.topology, space.dofmap
    topology.create_connectivity(d - 1, d)
    topology.create_connectivity(d, d - 1)
    facets = domain.facet_tags.find(domain.face(name))
    facets = facets[facets < topology.index_map(d - 1).size_local]
    cell_of, facets_of = topology.connectivity(d - 1, d), topology.connectivity(d, d - 1)
    closure = _closures(space, d)
    local = np.zeros((len(facets), len(closure[0])), dtype=np.int32)
    for row, facet in enumerate(facets):
        cell = cell_of.links(facet)[0]
        place = int(np.flatnonzero(facets_of.links(cell) == facet)[0])
        local[row] = dofmap.cell_dofs(cell)[closure[place]]
    x = space.tabulate_dof_coordinates()[:, :d]
    rows = dofmap.index_map.local_to_global(local.ravel()).reshape(local.shape)
    every = np.concatenate(space.mesh.comm.allgather(rows.astype(np.int64)))
    places = np.concatenate(space.mesh.comm.allgather(x[local]))
    nodes, first, inverse = np.unique(every, return_index=True, return_inverse=True)
    at, inverse = places.reshape(-1, d)[first], inverse.reshape(every.shape)
    rank = np.zeros(len(nodes), dtype=np.int64)
    if d == 3:
        rank[inverse[:, 3:]] = 1
    # distinct, and the same however the mesh is spread over ranks
    order = np.lexsort([at @ np.sqrt([2.0, 3.0, 5.0])[:d] if d == 3 else at[:, 0], rank])
    number = np.empty(len(nodes), dtype=np.int64)
    number[order] = np.arange(len(nodes))
    nodes, at, found = nodes[order], at[order], number[inverse]
    if d == 2:
        found[:, :2].sort(axis=1)
        found = found[np.argsort(found[:, 0])]
        return Face(nodes, found, at, len(nodes), np.zeros((0, 2), dtype=np.int64), None)
    slaves = int(np.count_nonzero(rank == 0))
    (a, b, c) = np.moveaxis(at[found[:, :3], :2], 1, 0)
    under = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    turned = [0, 2, 1, 5, 4, 3][: found.shape[1]]
    found[under] = found[under][:, turned]
    found = found[np.lexsort(found[:, :3].T)]
    ends = np.zeros((len(nodes) - slaves, 2), dtype=np.int64)
    for k, side in enumerate(_SIDES[: found.shape[1] - 3]):
        ends[found[:, 3 + k] - slaves] = found[:, side]
    return Face(nodes, found, at, slaves, ends, cut(at[found][:, :, :2]))


def weigh(upper: Face, above: Floats, lower: Face, below: Floats) -> Weights:
    """The weights of two faces whose nodes are at `above` and `below`, m, shape (n, gdim).

    Raises:
        ConvergenceError: if they no longer lie over one another.
    """
    if upper.parts is None or lower.parts is None:
        return lines.weigh(above, upper.facets, below, lower.facets)
    return surfaces.weigh(
        above, upper.facets, upper.parts, below, lower.facets, lower.parts, upper.slaves
    )


def _closures(space: fem.FunctionSpace, d: int) -> list[list[int]]:
    """Local nodes of the facets of a cell, in the order of `Face.facets`."""
    layout = space.dofmap.dof_layout
    if d == 2:
        return [layout.entity_closure_dofs(1, k) for k in range(3)]
    topology = basix.topology(basix.CellType.tetrahedron)
    edge = {frozenset(ends): k for k, ends in enumerate(topology[1])}
    found = []
    for corners in topology[2]:
        nodes = [layout.entity_dofs(0, corner)[0] for corner in corners]
        for i, j in _SIDES:
            nodes += layout.entity_dofs(1, edge[frozenset((corners[i], corners[j]))])
        found.append(nodes)
    return found

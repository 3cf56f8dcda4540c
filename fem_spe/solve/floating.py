"""Parts of the mesh on which the unknown has one value each, left free: ties for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from fem_spe.domain import Domain
from fem_spe.solve.constraints import Ties


@dataclass(frozen=True)
class Pieces:
    """The connected pieces of a part of the boundary.

    Attributes:
        of_dof: Piece of each owned unknown, -1 off this part, shape (n,).
        touched: For each piece, the named faces that it meets.
        part: For each piece, the connected part of the mesh that it bounds.
    """

    of_dof: NDArray[np.int64]
    touched: list[set[str]]
    part: list[int]


def pieces(domain: Domain, space: fem.FunctionSpace, without: tuple[str, ...]) -> Pieces:
    """The exterior boundary without the faces `without`, in connected pieces. Collective.

    They are found on rank 0 from the vertices that facets share.
    """
    mesh, comm = domain.mesh, domain.mesh.comm
    dim = domain.dimension
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim - 1, 0)
    mesh.topology.create_entity_permutations()
    exterior = dmesh.exterior_facet_indices(mesh.topology)
    electrode = {name: domain.facet_tags.find(domain.face(name)) for name in without}
    free = np.setdiff1d(exterior, np.concatenate(list(electrode.values())))

    own = _global_vertices(domain, dim - 1, free)
    cells = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    ends = {n: np.unique(_global_vertices(domain, dim - 1, f)) for n, f in electrode.items()}
    gathered = comm.gather((own, ends, _global_vertices(domain, dim, cells)))
    found = None
    if gathered is not None:
        number = domain.num_vertices
        edges = [g[0] for g in gathered]
        used = np.unique(np.concatenate(edges))
        label = np.full(number, -1)
        label[used] = np.unique(_components(edges, number)[used], return_inverse=True)[1]
        touched: list[set[str]] = [set() for _ in range(int(label.max(initial=-1)) + 1)]
        for _, faces, _ in gathered:
            for name, vertices in faces.items():
                for piece in np.unique(label[vertices]):
                    if piece >= 0:
                        touched[piece].add(name)
        whole = _components([g[2] for g in gathered], number)
        part = np.zeros(len(touched), dtype=int)
        part[label[used]] = whole[used]
        found = touched, part.tolist()
        shares = [label[g[0][:, 0]] for g in gathered]
    of_facet = comm.scatter(shares if gathered is not None else None)
    touched, part = comm.bcast(found)
    return Pieces(_spread(domain, space, free, of_facet), touched, part)


def conductors(
    domain: Domain, space: fem.FunctionSpace, faces: Sequence[str], regions: Sequence[str]
) -> NDArray[np.int64]:
    """The connected pieces of named faces and whole regions, taken together. Collective.

    They are found on rank 0 from the vertices that facets and cells share.

    Args:
        domain: The mesh.
        space: A Lagrange space of scalars.
        faces: Faces and interfaces.
        regions: Regions of which all cells count.

    Returns:
        Piece of each owned unknown, from 0, -1 elsewhere, shape (n,).
    """
    mesh, comm, dim = domain.mesh, domain.mesh.comm, domain.dimension
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim - 1, 0)
    mesh.topology.create_entity_permutations()
    none = [np.empty(0, dtype=np.int32)]
    facets = np.concatenate(none + [domain.facet_tags.find(domain.face(n)) for n in faces])
    cells = np.concatenate(none + [domain.cell_tags.find(domain.regions[n]) for n in regions])
    of_facets = _global_vertices(domain, dim - 1, facets)
    of_cells = _global_vertices(domain, dim, cells)
    gathered = comm.gather((of_facets, of_cells))
    shares = None
    if gathered is not None:
        number = domain.num_vertices
        groups = [group for some in gathered for group in some]
        used = np.unique(np.concatenate([group.ravel() for group in groups]))
        label = np.full(number, -1)
        label[used] = np.unique(_components(groups, number)[used], return_inverse=True)[1]
        shares = [(label[some[:, 0]], label[more[:, 0]]) for some, more in gathered]
    of_facet, of_cell = comm.scatter(shares)
    return _spread(domain, space, facets, of_facet, cells, of_cell)


def floating(space: fem.FunctionSpace, of_dof: NDArray[np.int64], skip: set[int]) -> Ties:
    """Ties of all unknowns of a piece to one of them, but for the pieces `skip`. Collective."""
    comm = space.mesh.comm
    first = space.dofmap.index_map.local_range[0]
    mine = np.flatnonzero((of_dof >= 0) & ~np.isin(of_dof, list(skip)))
    names, where = np.unique(of_dof[mine], return_index=True)
    own = dict(zip(names.tolist(), (mine[where] + first).tolist(), strict=True))
    leaders: dict[int, int] = {}
    for some in comm.allgather(own):
        leaders = some | leaders
    masters = np.array([leaders[p] for p in of_dof[mine].tolist()], dtype=np.int64)
    slave = masters != mine + first
    return Ties(mine[slave], masters[slave])


def _components(groups: Sequence[NDArray[np.int64]], number: int) -> NDArray[np.int32]:
    """Label of each of `number` vertices; the vertices of one row of a group are connected."""
    starts = np.concatenate([np.repeat(g[:, 0], g.shape[1] - 1) for g in groups])
    ends = np.concatenate([g[:, 1:].ravel() for g in groups])
    graph = coo_matrix((np.ones(len(starts)), (starts, ends)), (number, number))
    return np.asarray(connected_components(graph, directed=False)[1])


def _global_vertices(domain: Domain, dim: int, entities: NDArray[np.int32]) -> NDArray[np.int64]:
    """Global numbers of the vertices of `entities`, shape (n, dim + 1)."""
    topology = domain.mesh.topology
    topology.create_connectivity(dim, 0)
    vertices = topology.connectivity(dim, 0).array.reshape(-1, dim + 1)[entities]
    return np.asarray(topology.index_map(0).local_to_global(vertices.ravel())).reshape(-1, dim + 1)


def _spread(
    domain: Domain,
    space: fem.FunctionSpace,
    facets: NDArray[np.int32],
    piece: NDArray[np.int64],
    cells: NDArray[np.int32] | None = None,
    piece_of_cell: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """The piece of each owned unknown from those of facets and cells of this rank. Collective."""
    topology, dim = domain.mesh.topology, domain.dimension
    label = fem_petsc.create_vector(space)
    topology.create_connectivity(dim, dim - 1)
    to_cell, to_facet = topology.connectivity(dim - 1, dim), topology.connectivity(dim, dim - 1)
    layout = space.dofmap.dof_layout
    closures = [layout.entity_closure_dofs(dim - 1, k) for k in range(dim + 1)]
    with label.localForm() as local:
        values = local.array_w
        for facet, its_piece in zip(facets.tolist(), piece.tolist(), strict=True):
            cell = to_cell.links(facet)[0]
            place = int(np.flatnonzero(to_facet.links(cell) == facet)[0])
            values[space.dofmap.cell_dofs(cell)[closures[place]]] = its_piece + 1
        if cells is not None and piece_of_cell is not None:
            values[space.dofmap.list[cells]] = piece_of_cell[:, None] + 1
    # an unknown may belong to another rank than the facet or cell that it lies on
    label.ghostUpdate(addv=PETSc.InsertMode.MAX, mode=PETSc.ScatterMode.REVERSE)
    found = label.array.astype(np.int64) - 1
    label.destroy()
    return np.asarray(found)

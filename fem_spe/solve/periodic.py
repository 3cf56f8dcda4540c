"""Opposite faces of a box that are one: which unknown equals which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from fem_spe.domain import Domain
from fem_spe.errors import MeshError
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.solve.constraints import Ties

_TOLERANCE = 1e-6  # of the largest extent, between a node and its partner


def periodic(domain: Domain, space: fem.FunctionSpace, axes: Sequence[int]) -> Ties:
    """Ties of the faces across `axes` to each other. Collective.

    Nodes that are images of each other across one axis or several, as at edges and corners of the
    box, have one master. What lies in a face without bearing its name, for it is an interface, is
    left free.

    Raises:
        MeshError: if the nodes of two opposite faces do not match, on all ranks alike.
    """
    pairs = np.concatenate([_images(domain, space, axis) for axis in axes])
    numbers, place = np.unique(pairs, return_inverse=True)
    first, second = place.reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (first, second)), shape=(len(numbers),) * 2)
    count, part = connected_components(graph, directed=False)
    masters = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(masters, part, numbers)
    low, high = space.dofmap.index_map.local_range
    slave = (numbers >= low) & (numbers < high) & (masters[part] != numbers)
    return Ties(numbers[slave] - low, masters[part][slave])


def _images(domain: Domain, space: fem.FunctionSpace, axis: int) -> NDArray[np.int64]:
    """Unknowns of opposite faces that are images of each other, on all ranks. Collective.

    Returns:
        Global numbers on the lower and on the upper face, shape (n, 2).
    """
    comm, rows = domain.mesh.comm, space.dofmap.index_map
    x = space.tabulate_dof_coordinates()[: rows.size_local, : domain.dimension]
    numbers, places = [], []
    for face in BOX_FACES[domain.dimension][axis]:
        dofs = domain.face_dofs(space, face)
        dofs = dofs[dofs < rows.size_local]
        numbers.append(np.concatenate(comm.allgather(dofs + rows.local_range[0])))
        places.append(np.concatenate(comm.allgather(x[dofs])))
    lower, upper = places
    across = np.arange(domain.dimension) != axis
    slack = _TOLERANCE * max(domain.size)
    if not len(lower) or not len(upper):
        _require_partners(domain, np.concatenate(places), axis)
    away, partner = cKDTree(lower[:, across]).query(upper[:, across])
    _require_partners(domain, upper[away > slack], axis)
    _require_partners(domain, np.delete(lower, partner, axis=0), axis)
    return np.stack([numbers[0][partner], numbers[1]], axis=1)


def face_dofs(
    domain: Domain, space: fem.FunctionSpace, face: str, ties: Ties | None
) -> NDArray[np.int32]:
    """Local unknowns on the face, and those that are tied to one of them. Collective.

    Where a hole begins at a periodic side, the cells of one of two tied unknowns may touch the
    face with no facet, but an edge.
    """
    dofs = domain.face_dofs(space, face)
    if ties is None:
        return dofs
    rows = space.dofmap.index_map
    first, owned = rows.local_range[0], rows.size_local
    on = fem.Function(space)
    on.x.array[dofs] = 1.0
    masters = ties.masters[on.x.array[ties.slaves] > 0]
    both = np.concatenate([masters, first + dofs[dofs < owned]])
    both = np.unique(np.concatenate(domain.mesh.comm.allgather(both)))
    mine = both[(both >= first) & (both < first + owned)] - first
    on.x.array[mine] = 1.0
    on.x.array[ties.slaves[np.isin(ties.masters, both)]] = 1.0
    on.x.scatter_forward()
    return np.flatnonzero(on.x.array).astype(np.int32)


def _require_partners(domain: Domain, alone: NDArray[np.float64], axis: int) -> None:
    if len(alone) == 0:
        return
    faces = "/".join(BOX_FACES[domain.dimension][axis])
    where = ", ".join(f"{v * 1e6:.4g}" for v in alone[0])
    raise MeshError(
        f"periodic faces {faces} do not match: {len(alone)} of their nodes have no partner on the "
        f"opposite face, one at ({where}) um; mesh opposite faces alike, or take away "
        "[boundary.*] periodic"
    )

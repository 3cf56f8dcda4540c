"""Opposite faces of a box that are one: which unknown equals which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fem_spe.domain import Domain
from fem_spe.errors import MeshError
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.solve.constraints import Ties

_TOLERANCE = 1e-6  # of the largest extent, between a node and its partner


def periodic(domain: Domain, space: fem.FunctionSpace, axes: Sequence[int]) -> Ties:
    """Ties of the upper faces across `axes` to the lower ones. Collective.

    All upper faces of a node are folded down at once, so that edges and corners make no chains.

    Raises:
        MeshError: if the nodes of two opposite faces do not match, on all ranks alike.
    """
    comm, rows = domain.mesh.comm, space.dofmap.index_map
    low, size = np.array(domain.origin), np.array(domain.size)
    slack = _TOLERANCE * float(size.max())
    x = space.tabulate_dof_coordinates()[: rows.size_local, : domain.dimension]
    upper = {a: np.abs(x[:, a] - low[a] - size[a]) < slack for a in axes}
    lower = {a: np.abs(x[:, a] - low[a]) < slack for a in axes}
    is_slave = np.logical_or.reduce([upper[a] for a in axes])
    is_master = np.logical_or.reduce([lower[a] for a in axes]) & ~is_slave

    numbers = np.flatnonzero(is_master) + rows.local_range[0]
    places = np.concatenate(comm.allgather(x[is_master]))
    masters = np.concatenate(comm.allgather(numbers))
    folded = x[is_slave].copy()
    for a in axes:
        folded[upper[a][is_slave], a] -= size[a]
    distance = np.full(len(folded), np.inf)
    partner: NDArray[np.int64] = np.zeros(len(folded), dtype=np.int64)
    if len(places):
        distance, partner = cKDTree(places).query(folded)
    alone = x[is_slave][distance > slack]
    _require_partners(domain, comm.allgather(alone), axes)
    used = np.unique(np.concatenate(comm.allgather(partner)))
    unused = np.setdiff1d(np.arange(len(places)), used)
    _require_partners(domain, [places[unused]], axes)
    return Ties(np.flatnonzero(is_slave), masters[partner])


def _require_partners(
    domain: Domain, alone: Sequence[NDArray[np.float64]], axes: Sequence[int]
) -> None:
    places = np.concatenate(list(alone))
    if len(places) == 0:
        return
    faces = " and ".join("/".join(BOX_FACES[domain.dimension][a]) for a in axes)
    where = ", ".join(f"{v * 1e6:.4g}" for v in places[0])
    raise MeshError(
        f"periodic faces {faces} do not match: {len(places)} of their nodes have no partner on the "
        f"opposite face, one at ({where}) um; mesh opposite faces alike, or take away "
        "[boundary.*] periodic"
    )

"""A mesh that was spread over ranks as arrays again."""

from __future__ import annotations

# isort: off
from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: on
import numpy as np
from dolfinx import mesh as dmesh

from fem_spe.domain import Domain, MeshArrays


def gathered(domain: Domain) -> MeshArrays | None:
    """The mesh that `domain` was made of, on rank 0; None elsewhere. Collective.

    Args:
        domain: Of straight cells; points and cells come back in the order they were given in.
    """
    mesh, dim = domain.mesh, domain.dimension
    topology, geometry = mesh.topology, mesh.geometry
    index = np.asarray(geometry.input_global_indices)
    held = topology.index_map(dim).size_local
    regions = np.zeros(held + topology.index_map(dim).num_ghosts, dtype=np.int32)
    regions[domain.cell_tags.indices] = domain.cell_tags.values
    cells = index[geometry.dofmaps[0][:held]]
    topology.create_connectivity(dim - 1, dim)
    own = domain.facet_tags.indices < topology.index_map(dim - 1).size_local
    sides = dmesh.entities_to_geometry(mesh, dim - 1, domain.facet_tags.indices[own])
    parts = mesh.comm.gather(
        (
            (index, geometry.x[:, :dim]),
            (topology.original_cell_index[:held], cells, regions[:held]),
            (index[sides], domain.facet_tags.values[own]),
        )
    )
    if parts is None:
        return None
    (nodes, x), (order, cells, regions), (facets, faces) = (
        [np.concatenate(some) for some in zip(*kind, strict=True)]
        for kind in zip(*parts, strict=True)
    )
    points = np.empty((int(nodes.max()) + 1, dim))
    points[nodes] = x
    order = np.argsort(order)
    return MeshArrays(
        points=points,
        cells=cells[order],
        cell_tags=regions[order],
        facets=facets,
        facet_tags=faces,
        regions=domain.regions,
        faces=domain.faces,
        order=1,
        min_quality=domain.min_quality,
        min_jacobian=domain.min_jacobian,
        isolated=domain.isolated,
        box=domain.size if not any(domain.origin) else None,
    )

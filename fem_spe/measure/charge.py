"""Charges and currents on faces, interfaces and conductors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import ufl
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.errors import MeshError

Dofs = NDArray[np.int32]


def once(domain: Domain, names: Iterable[str]) -> ufl.Measure:
    """Integration over faces and interfaces, each facet once; `once(...)(tag)` is one of them.

    A facet inside the mesh is integrated from the region with the lower tag: its value and its
    area are the same from both sides, and no cell of another rank is needed. Collective.

    Raises:
        MeshError: if a facet lies within one region, where no side comes first.
    """
    mesh, dim = domain.mesh, domain.dimension
    mesh.topology.create_connectivity(dim - 1, dim)
    mesh.topology.create_connectivity(dim, dim - 1)
    to_cell = mesh.topology.connectivity(dim - 1, dim)
    to_facet = mesh.topology.connectivity(dim, dim - 1)
    owned = mesh.topology.index_map(dim).size_local
    region = np.zeros(owned + mesh.topology.index_map(dim).num_ghosts)
    region[domain.cell_tags.indices] = domain.cell_tags.values
    # the tags on both sides of a facet, added up, and how many sides it has
    tags, sides = (la.vector(mesh.topology.index_map(dim - 1)) for _ in range(2))
    tags.array[:] = sides.array[:] = 0.0
    near: dict[str, list[tuple[int, int]]] = {}
    for name in dict.fromkeys(names):
        facets = domain.facet_tags.find(domain.face(name)).tolist()
        near[name] = [(f, c) for f in facets for c in to_cell.links(f).tolist() if c < owned]
        for facet, cell in near[name]:
            tags.array[facet] += region[cell]
            sides.array[facet] += 1.0
    for vector in (tags, sides):
        vector.scatter_reverse(la.InsertMode.add)
        vector.scatter_forward()
    parts = []
    for name, pairs in near.items():
        kept = [(f, c) for f, c in pairs if 2 * region[c] <= tags.array[f] * (3 - sides.array[f])]
        within = any(sides.array[f] == 2 and 2 * region[c] == tags.array[f] for f, c in kept)
        if domain.mesh.comm.allreduce(within, op=MPI.LOR):
            raise MeshError(
                f"[boundary.{name}] lies within one region; a charge or a current needs a face of "
                "the mesh, or an interface between two regions"
            )
        places = [(c, int(np.flatnonzero(to_facet.links(c) == f)[0])) for f, c in kept]
        flat = np.array(places, dtype=np.int32).reshape(-1)
        parts.append((domain.face(name), flat))
    return ufl.Measure("ds", domain=mesh, subdomain_data=parts)


def collected(residual: fem.Function, parts: Iterable[Dofs]) -> list[float]:
    """The residual added up over each of `parts`: charge or current of each. Collective.

    An unknown that several of them hold counts for the first, so that the sum is right.

    Args:
        residual: From `solve.residual_vector`.
        parts: Unknowns of this rank, owned or not.
    """
    space = residual.function_space
    counted = np.zeros(len(residual.x.array), dtype=bool)
    counted[space.dofmap.index_map.size_local :] = True  # another rank's
    totals = []
    for dofs in parts:
        mine = dofs[~counted[dofs]]
        counted[mine] = True
        totals.append(float(residual.x.array[mine].sum()))
    return [float(q) for q in space.mesh.comm.allreduce(np.array(totals))]

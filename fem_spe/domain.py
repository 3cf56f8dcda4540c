"""A mesh and the names of its parts: what the physics is written on."""

from __future__ import annotations

import functools
import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# isort: off
from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: on
import basix.ufl
import dolfinx.cpp
import dolfinx.graph
import numpy as np
import ufl
import ufl.algorithms.apply_derivatives as apply_derivatives
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.io.utils import distribute_entity_data
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.errors import MeshError

_SIMPLEX = {2: ("triangle", "interval"), 3: ("tetrahedron", "triangle")}


@dataclass(frozen=True)
class MeshArrays:
    """A mesh as arrays on one rank; nodes of a cell in Gmsh's order.

    Attributes:
        points: Node coordinates, m, shape (num_nodes, gdim).
        cells: Simplices, shape (num_cells, nodes_per_cell).
        cell_tags: Region of each cell, shape (num_cells,).
        facets: Named facets, shape (num_facets, nodes_per_facet).
        facet_tags: Face of each named facet, shape (num_facets,).
        regions: Region name -> tag.
        faces: Name of a box face or an interface -> tag.
        order: Geometric order of the cells.
        min_quality: Smallest radius ratio of the straight cells; 1 is regular.
        min_jacobian: Smallest scaled Jacobian of the curved cells.
        isolated: Share of the mesh that was cut off from the electrodes and left out.
        box: Extent of the box that was described, from the origin, m; None where only the
            mesh tells. Holes along a side make the mesh smaller than its box.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell_tags: NDArray[np.int32]
    facets: NDArray[np.int64]
    facet_tags: NDArray[np.int32]
    regions: dict[str, int]
    faces: dict[str, int]
    order: int
    min_quality: float
    min_jacobian: float
    isolated: float = 0.0
    box: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Domain:
    """A distributed mesh with named regions, box faces and interfaces.

    Attributes:
        mesh: The DOLFINx mesh; coordinates in m.
        cell_tags, facet_tags: Tags of the regions and of the named facets.
        regions, faces: Name -> tag.
        size: Extent of the box along each axis, m.
        origin: Lower corner of the box, m.
        min_quality, min_jacobian, isolated: As in `MeshArrays`.
    """

    mesh: dmesh.Mesh
    cell_tags: dmesh.MeshTags
    facet_tags: dmesh.MeshTags
    regions: dict[str, int]
    faces: dict[str, int]
    size: tuple[float, ...]
    origin: tuple[float, ...]
    min_quality: float
    min_jacobian: float
    isolated: float

    @property
    def dimension(self) -> int:
        """Number of space dimensions, 2 or 3."""
        return int(self.mesh.geometry.dim)

    @property
    def num_cells(self) -> int:
        """Cells of the whole mesh."""
        return int(self.mesh.topology.index_map(self.dimension).size_global)

    @property
    def num_vertices(self) -> int:
        """Vertices of the whole mesh."""
        return int(self.mesh.topology.index_map(0).size_global)

    @property
    def dx(self) -> ufl.Measure:
        """Integration over the cells; `dx(tag)` over one region."""
        return ufl.Measure("dx", domain=self.mesh, subdomain_data=self.cell_tags)

    @property
    def ds(self) -> ufl.Measure:
        """Integration over exterior facets; `ds(tag)` over one face."""
        return ufl.Measure("ds", domain=self.mesh, subdomain_data=self.facet_tags)

    def face(self, name: str) -> int:
        """The tag of the face or interface `name`.

        Raises:
            MeshError: if there is none; the message names those that exist.
        """
        if name not in self.faces:
            known = ", ".join(sorted(self.faces)) or "none"
            raise MeshError(f"the mesh has no face {name!r}; it has: {known}")
        return self.faces[name]

    def face_dofs(self, space: fem.FunctionSpace, name: str) -> NDArray[np.int32]:
        """Local degrees of freedom of `space` on the face `name`. Collective."""
        facets = self.facet_tags.find(self.face(name))
        self.mesh.topology.create_connectivity(self.dimension - 1, self.dimension)
        return np.asarray(fem.locate_dofs_topological(space, self.dimension - 1, facets))

    def coefficient(self, values: Mapping[str, Any]) -> fem.Function:
        """A function that is constant in each region.

        Args:
            values: Region name -> a number, or one per axis; all of one kind.

        Returns:
            Piecewise constant, a scalar, or the vector of the values per axis.
        """
        first = np.atleast_1d(np.asarray(next(iter(values.values()))))
        shape = (len(first),) if len(first) > 1 else ()
        function = fem.Function(fem.functionspace(self.mesh, ("DG", 0, shape)))
        per_cell = function.x.array.reshape(-1, len(first))
        for name, tag in self.regions.items():
            per_cell[self.cell_tags.find(tag)] = values[name]
        function.x.scatter_forward()
        return function

    def integrate(self, form: Any) -> float:
        """The value of an integral over the whole mesh. Collective."""
        local = fem.assemble_scalar(fem.form(form))
        return float(self.mesh.comm.allreduce(local, op=MPI.SUM))


def distribute(comm: MPI.Intracomm, arrays: MeshArrays | None) -> Domain:
    """Spread the mesh of rank 0 over all ranks. Collective.

    Args:
        comm: The ranks that share the mesh.
        arrays: The mesh on rank 0, None elsewhere.
    """
    _let_go()
    head = None
    if arrays is not None:
        low, high = arrays.points.min(axis=0), arrays.points.max(axis=0)
        if arrays.box is not None:
            low, high = np.zeros(len(arrays.box)), np.array(arrays.box)
        head = (
            arrays.points.shape[1],
            arrays.order,
            arrays.cells.shape[1],
            arrays.facets.shape[1],
            arrays.regions,
            arrays.faces,
            tuple(map(float, high - low)),
            tuple(map(float, low)),
            (arrays.min_quality, arrays.min_jacobian, arrays.isolated),
        )
    gdim, order, per_cell, per_facet, regions, faces, size, origin, quality = comm.bcast(head)
    if arrays is not None:
        points, cells, cell_tags = arrays.points, arrays.cells, arrays.cell_tags
        facets, facet_tags = arrays.facets, arrays.facet_tags
    else:
        points, cells = np.empty((0, gdim)), np.empty((0, per_cell), dtype=np.int64)
        facets = np.empty((0, per_facet), dtype=np.int64)
        cell_tags = facet_tags = np.empty(0, dtype=np.int32)

    cell_name, _ = _SIMPLEX[gdim]
    element = basix.ufl.element(
        "P", cell_name, order, basix.LagrangeVariant.equispaced, shape=(gdim,)
    )
    cell_type = dolfinx.cpp.mesh.to_type(cell_name)
    from_gmsh = np.asarray(dolfinx.cpp.io.perm_gmsh(cell_type, per_cell))
    mesh = dmesh.create_mesh(comm, cells[:, from_gmsh], ufl.Mesh(element), points)
    return Domain(
        mesh,
        _tags(mesh, gdim, cells, cell_tags, "regions"),
        _tags(mesh, gdim - 1, facets, facet_tags, "faces"),
        regions,
        faces,
        size,
        origin,
        *quality,
    )


def _let_go() -> None:
    """Free the meshes that nobody uses any more, on all ranks at once.

    UFL's derivatives keep each expression, and so its mesh, in the cache of their dispatch, whose
    values refer to its keys. A mesh holds several MPI communicators, of which there are about
    two thousand: a sweep would end at its 226th member.
    """
    for rules in vars(apply_derivatives).values():
        for method in vars(rules).values() if isinstance(rules, type) else ():
            if isinstance(method, functools.singledispatchmethod):
                getattr(method, "_method_cache", {}).clear()
    gc.collect()


def _tags(
    mesh: dmesh.Mesh, dim: int, entities: NDArray[np.int64], values: NDArray[np.int32], name: str
) -> dmesh.MeshTags:
    local, local_values = distribute_entity_data(mesh, dim, entities, values)
    mesh.topology.create_connectivity(dim, mesh.topology.dim)
    tags = dmesh.meshtags_from_entities(
        mesh, dim, dolfinx.graph.adjacencylist(local), local_values.astype(np.int32)
    )
    tags.name = name
    return tags

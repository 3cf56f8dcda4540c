"""Arrays to a Gmsh model, for Gmsh to write or to work on."""

from __future__ import annotations

import gmsh
import numpy as np

from fem_spe.domain import MeshArrays

_KINDS = {1: 1, 2: 2, 3: 4}  # dimension -> Gmsh's number of the straight simplex


def add_arrays(arrays: MeshArrays) -> None:
    """Put straight cells and named facets into the current model, in metres, one entity a name."""
    dimension = arrays.points.shape[1]
    places = np.zeros((len(arrays.points), 3))
    places[:, :dimension] = arrays.points
    numbers = np.arange(1, len(places) + 1)
    placed = False
    element = 1
    for d, names, tags, simplices in (
        (dimension, arrays.regions, arrays.cell_tags, arrays.cells),
        (dimension - 1, arrays.faces, arrays.facet_tags, arrays.facets),
    ):
        for name, tag in names.items():
            entity = gmsh.model.addDiscreteEntity(d)
            if not placed:
                gmsh.model.mesh.addNodes(d, entity, numbers, places.ravel())
                placed = True
            some = simplices[tags == tag] + 1
            own = np.arange(element, element + len(some))
            element += len(some)
            gmsh.model.mesh.addElementsByType(entity, _KINDS[d], own, some.ravel())
            gmsh.model.addPhysicalGroup(d, [entity], name=name)

"""Values that are constant in each cell."""

from __future__ import annotations

from typing import Any

import ufl
from dolfinx import fem

from fem_spe.domain import Domain


def mean_of_cells(domain: Domain, value: Any) -> fem.Function:
    """The mean of a UFL scalar over each cell. Collective."""
    w = ufl.TestFunction(fem.functionspace(domain.mesh, ("DG", 0)))
    mean = fem.Function(w.ufl_function_space())
    total = fem.assemble_vector(fem.form(value * w * domain.dx)).array
    volume = fem.assemble_vector(fem.form(1.0 * w * domain.dx)).array
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    mean.x.array[:owned] = total[:owned] / volume[:owned]
    mean.x.scatter_forward()
    return mean

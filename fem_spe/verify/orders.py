"""Order of convergence with a manufactured solution."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fem_spe.verify.row import Row

_CELL = 10e-6  # m, side of the unit cells


def convergence() -> Iterator[Row]:
    """Manufactured solution around curved holes: order of the L2 error."""
    for degree, least in ((1, 1.95), (2, 2.9)):
        order = manufactured_order(degree)
        short = max(0.0, least - order)
        yield Row(f"L2 order, P{degree}, around a hole", order, least, short, 0.0, "theory: p + 1")


def manufactured_order(degree: int, levels: int = 3) -> float:
    """Fitted order of the L2 error for an anisotropic K and a smooth solution.

    The unit cell has a circular hole, with the flux prescribed there and the solution on
    the box; cells are curved for degree 2.
    """
    sizes = [0.05 / 2**level for level in range(levels)]
    errors = [_manufactured_error(degree, size) for size in sizes]
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def _manufactured_error(degree: int, size: float) -> float:
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry import AlignedSection
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics import diffusion
    from fem_spe.solve.linear import solve

    section = AlignedSection(size=(_CELL, _CELL), count=(1, 1), fiber_fraction=0.2).build()
    sizes = Sizes(size * _CELL, size * _CELL, degree)
    domain = build(MPI.COMM_WORLD, MeshPlan(section, sizes, frozenset({"fiber"})))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    x = ufl.SpatialCoordinate(domain.mesh)
    exact = ufl.sin(3.0 * x[0] / _CELL) * ufl.cos(2.0 * x[1] / _CELL) + (x[0] / _CELL) ** 2
    mobility = fem.Constant(domain.mesh, (1.0, 3.0))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = diffusion.bilinear(u, v, mobility, domain.dx)
    current = diffusion.flux(exact, mobility)
    into = -ufl.inner(current, ufl.FacetNormal(domain.mesh))
    load = ufl.div(current) * v * domain.dx
    load -= diffusion.inflow(v, -into, domain.ds(domain.face("matrix-fiber")))
    given = fem.Function(space)
    given.interpolate(fem.Expression(exact, space.element.interpolation_points))
    box = ("left", "right", "bottom", "top")
    bcs = [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in box]
    found = solve(a, load, space, bcs, rtol=1e-12, method="direct", name="manufactured").u
    difference = (found - exact) ** 2 * domain.dx(metadata={"quadrature_degree": 2 * degree + 4})
    return float(np.sqrt(domain.integrate(difference)))

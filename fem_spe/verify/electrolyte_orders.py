"""Orders of electroneutral Nernst-Planck: of the error in space and in time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fem_spe.verify.row import Row

_CELL = 10e-6  # m, side of the unit cells


def space_orders() -> Iterator[Row]:
    """A manufactured solution around a curved hole: orders of both unknowns."""
    for degree, least in ((1, 1.95), (2, 2.9)):
        sizes = [0.1 / 2**level for level in range(3)]
        errors = np.array([manufactured_errors(degree, size) for size in sizes])
        for name, own in zip(("c", "mu"), errors.T, strict=True):
            order = float(np.polyfit(np.log(sizes), np.log(own), 1)[0])
            short = max(0.0, least - order)
            what = f"L2 order of {name}, P{degree}, 2:1 salt with fixed anions"
            yield Row(what, order, least, short, 0.0, "theory: p + 1")


def time_order() -> Iterator[Row]:
    """Fixed steps of second order: a shorted cell that evens out."""
    counts = [20, 40, 80]
    finest = relaxed(640)
    errors = [float(np.abs(relaxed(n) - finest).max()) for n in counts]
    order = -float(np.polyfit(np.log(counts), np.log(errors), 1)[0])
    short = max(0.0, 1.9 - order)
    yield Row("order in time of the salt, fixed steps", order, 1.9, short, 0.0, "theory: 2")


def manufactured_errors(degree: int, size: float) -> tuple[float, float]:
    """L2 errors of c and mu; `size` of the cells over the side of the unit cell.

    The fluxes are prescribed on the hole and both unknowns on the box.
    """
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry import AlignedSection
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics.nernst_planck import Ions, anion_flux, current, transport
    from fem_spe.solve.newton import Newton

    section = AlignedSection(size=(_CELL, _CELL), count=(1, 1), fiber_fraction=0.2).build()
    sizes = Sizes(size * _CELL, size * _CELL, degree)
    domain = build(MPI.COMM_WORLD, MeshPlan(section, sizes, frozenset({"fiber"})))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (2,)))
    x, y = (s / _CELL for s in ufl.SpatialCoordinate(domain.mesh))
    c, mu = 1 + 0.4 * ufl.sin(3 * x) * ufl.cos(2 * y), ufl.cos(2 * x) * ufl.exp(y)
    ions = Ions(2, -1, 1.0, 1.7, 0.3)
    u = fem.Function(space)
    q, v = ufl.TestFunction(space)
    dx, ds = domain.dx, domain.ds(domain.face("matrix-fiber"))
    anions, charge = anion_flux(ions, c, mu), current(ions, c, mu)
    normal = ufl.FacetNormal(domain.mesh)
    load = (ufl.div(anions) * q + ufl.div(charge) * v) * dx
    load -= (ufl.inner(anions, normal) * q + ufl.inner(charge, normal) * v) * ds
    given = fem.Function(space)
    points = space.element.interpolation_points
    given.interpolate(fem.Expression(ufl.as_vector([c - 1, mu]), points))
    faces = ("left", "right", "bottom", "top")
    bcs = tuple(fem.dirichletbc(given, domain.face_dofs(space, name)) for name in faces)
    form = transport(ions, 1 + u[0], u[1], q, v, dx)
    Newton(form, load, u, bcs, 1e-10, "direct", "manufactured").solve(0 * u.x.array)
    fine = dx(metadata={"quadrature_degree": 2 * degree + 4})
    off = (u[0] - (c - 1), u[1] - mu)
    return tuple(float(np.sqrt(domain.integrate(d**2 * fine))) for d in off)  # type: ignore[return-value]


def relaxed(count: int) -> np.ndarray:
    """c / c0 - 1 after `count` steps of second order from a cosine, electrodes shorted."""
    from mpi4py import MPI

    from fem_spe.case import parse
    from fem_spe.case.resolved import with_mesh_defaults
    from fem_spe.geometry import Box
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.solve.bdf import Array, Rate, integrate
    from fem_spe.studies.ions.cell import cell
    from fem_spe.studies.ions.electroneutral import Model

    diffusivity, cells = 1e-11, 20
    box = Box(size=(_CELL / cells, _CELL))
    ion = {"concentration": 1000.0, "diffusivity": diffusivity}
    case = parse(
        {
            "study": "nernst_planck",
            "geometry": {"kind": "box", "size": list(box.size)},
            "materials": {"matrix": {}},
            "species": [
                {"name": "Li+", "charge": 1, **ion},
                {"name": "TFSI-", "charge": -1, **ion},
            ],
            "boundary": {face: {"electrochemical_potential": 0.0} for face in ("bottom", "top")},
        }
    )
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(box.size[0], box.size[0], 1)))
    model = Model(with_mesh_defaults(case, box.size, None), domain, cell(case))
    start = np.zeros(model.owned)
    height = model.space.tabulate_dof_coordinates()[:, 1] / _CELL
    start[::2] = 0.5 * np.cos(np.pi * height[: len(start) // 2])

    def advance(time: float, rate: Rate, guess: Array) -> Array:
        model.weight.value = rate.weight / diffusivity
        model.rest.x.array[: model.owned] = rate.rest / diffusivity
        model.rest.x.scatter_forward()
        return model.solve(guess)

    end = 0.1 * _CELL**2 / diffusivity
    steps = integrate(
        advance, start, end=end, rtol=1.0, norm=np.max, first=end / count, fixed=True, highest=2
    )
    return list(steps)[-1].values[::2]

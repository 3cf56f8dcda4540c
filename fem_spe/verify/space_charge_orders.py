"""Orders of Nernst-Planck with Poisson's equation: of the error in space and in time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fem_spe.verify.row import Row

_CELL = 10e-6  # m, side of the unit cells
_DEBYE = 0.2  # over it


def space_orders() -> Iterator[Row]:
    """A manufactured solution around a curved hole: orders of all unknowns."""
    for degree, least in ((1, 1.95), (2, 2.9)):
        sizes = [0.1 / 2**level for level in range(3)]
        errors = np.array([manufactured_errors(degree, size) for size in sizes])
        for name, own in zip(("mu+", "mu-", "psi"), errors.T, strict=True):
            order = float(np.polyfit(np.log(sizes), np.log(own), 1)[0])
            what = f"L2 order of {name}, P{degree}, layers of charge"
            yield Row(what, order, least, max(0.0, least - order), 0.0, "theory: p + 1")


def time_order() -> Iterator[Row]:
    """Fixed steps of second order: a perturbed bulk that evens out between blocking walls."""
    counts = [10, 20, 40]
    finest = relaxed(320)
    errors = [float(np.abs(relaxed(n) - finest).max()) for n in counts]
    order = -float(np.polyfit(np.log(counts), np.log(errors), 1)[0])
    what = "order in time with layers of charge, fixed steps"
    yield Row(what, order, 1.9, max(0.0, 1.9 - order), 0.0, "theory: 2")


def manufactured_errors(degree: int, size: float) -> tuple[float, ...]:
    """L2 errors of mu+, mu- and psi; `size` of the cells over the side of the unit cell.

    Fluxes and charge are prescribed on the hole and all unknowns on the box.
    """
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry import AlignedSection
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics.poisson_nernst_planck import Ion, charge, poisson, transport
    from fem_spe.solve.newton import Newton

    section = AlignedSection(size=(_CELL, _CELL), count=(1, 1), fiber_fraction=0.2).build()
    sizes = Sizes(size * _CELL, size * _CELL, degree)
    domain = build(MPI.COMM_WORLD, MeshPlan(section, sizes, frozenset({"fiber"})))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (3,)))
    x, y = (s / _CELL for s in ufl.SpatialCoordinate(domain.mesh))
    exact = [
        0.4 * ufl.sin(3 * x) * ufl.cos(2 * y),
        0.3 * ufl.cos(2 * x) * ufl.exp(y),
        ufl.sin(2 * x + y),
    ]
    ions, fixed = [Ion(2, 1.0, 0.4), Ion(-1, 1.7, 0.6)], -0.2
    normal = ufl.FacetNormal(domain.mesh)
    fine = {"quadrature_degree": 2 * degree + 4}
    dx, ds = domain.dx(metadata=fine), domain.ds(domain.face("matrix-fiber"), metadata=fine)
    u, test = fem.Function(space), ufl.TestFunction(space)
    debye, psi = _DEBYE * _CELL, u[2]
    form = poisson(charge(ions, [u[0], u[1]], psi, fixed), psi, debye, test[2], dx)
    density = charge(ions, exact[:2], exact[2], fixed)
    load = -(ufl.div(ufl.grad(exact[2])) + density / (2 * debye**2)) * test[2] * dx
    load += ufl.inner(ufl.grad(exact[2]), normal) * test[2] * ds
    for k, ion in enumerate(ions):
        form += transport(ion, u[k], psi, test[k], dx)
        own = ion.flux(exact[k], exact[2])
        load += ufl.div(own) * test[k] * dx - ufl.inner(own, normal) * test[k] * ds
    given = fem.Function(space)
    points = space.element.interpolation_points
    given.interpolate(fem.Expression(ufl.as_vector(exact), points))
    faces = ("left", "right", "bottom", "top")
    bcs = tuple(fem.dirichletbc(given, domain.face_dofs(space, name)) for name in faces)
    newton = Newton(form, load, u, bcs, 1e-10, "direct", "manufactured", settled=1e-9)
    newton.solve(0 * u.x.array)
    return tuple(
        float(np.sqrt(domain.integrate((u[k] - own) ** 2 * dx))) for k, own in enumerate(exact)
    )


def relaxed(count: int) -> np.ndarray:
    """Concentrations after `count` steps of second order from a cosine in both, walls blocking."""
    from mpi4py import MPI

    from fem_spe.case import parse
    from fem_spe.case.resolved import with_mesh_defaults
    from fem_spe.geometry import Box
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.solve.bdf import integrate
    from fem_spe.studies.ions.space_charge_in_time import InTime
    from fem_spe.studies.ions.space_charge_model import Model
    from fem_spe.studies.ions.walls import walls

    diffusivity, cells = 1e-11, 20
    box = Box(size=(_CELL / cells, _CELL))
    case = parse(
        {
            "study": "nernst_planck",
            "geometry": {"kind": "box", "size": list(box.size)},
            "materials": {"matrix": {}},
            "nernst_planck": {"closure": "poisson", "debye_length": _DEBYE * _CELL},
            "species": [
                {"name": "Li+", "charge": 1, "diffusivity": diffusivity, "concentration": 1e3},
                {"name": "X-", "charge": -1, "diffusivity": 3e-11, "concentration": 1e3},
            ],
            "boundary": {face: {"surface_charge": 0.0} for face in ("bottom", "top")},
        }
    )
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(box.size[0], box.size[0], 1)))
    model = Model(with_mesh_defaults(case, box.size, None), domain, walls(case))
    walk = InTime(model)
    height = model.scalar.tabulate_dof_coordinates()[:, 1] / _CELL
    salt = np.log(1 + 0.5 * np.cos(np.pi * height))
    start = np.column_stack([salt, salt, 0 * salt]).ravel()[: model.owned]
    model.restore(start)
    values = np.concatenate([start, model.sample()])
    end = 0.1 * _CELL**2 / diffusivity
    steps = integrate(
        walk.advance, values, end=end, rtol=1.0, norm=np.max, first=end / count, fixed=True,
        highest=2,
    )  # fmt: skip
    return list(steps)[-1].values[model.owned :]

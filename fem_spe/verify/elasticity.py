"""Linear elasticity, against closed forms and manufactured solutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain

CELL = 10e-6  # m, side of the unit cells
_E = 2e9  # Pa; any value gives the same relative results
_ROUND_OFF = 1e-12
_BOX = {
    2: ("left", "right", "bottom", "top"),
    3: ("left", "right", "front", "back", "bottom", "top"),
}


def patch() -> Iterator[Row]:
    """Uniform strain on irregular meshes, by displacements and by tractions."""
    for dimension in (2, 3):
        for degree in (1, 2):
            for given in ("displacement", "traction"):
                error = _patch_error(dimension, degree, given)
                name = f"patch test, {dimension}-D, P{degree}, by {given}"
                yield Row(name, error, 0.0, error, _ROUND_OFF, "linear fields are exact")


def elastic_orders() -> Iterator[Row]:
    """Manufactured solution around curved holes: order of the L2 error."""
    for degree, least in ((1, 1.95), (2, 2.9)):
        sizes = [0.05 / 2**level for level in range(3)]
        errors = [_manufactured_error(degree, size) for size in sizes]
        order = float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])
        short = max(0.0, least - order)
        yield Row(f"elasticity, L2 order, P{degree}", order, least, short, 0.0, "theory: p + 1")


def thick_cylinder() -> Iterator[Row]:
    """Lamé's cylinder, cut square: displacement and von Mises stress at the bore."""
    from fem_spe.exact import elasticity as exact
    from fem_spe.measure.stress import by_region
    from fem_spe.physics import elasticity as forms

    for nu in (0.3, 0.49):
        domain, radius, u, m, _ = _bore(nu, mixed=False, size=0.01)
        opening, radial, hoop = exact.thick_cylinder(radius, radius, CELL, 1.0, m.mu, nu)
        strength = exact.von_mises(np.diag([radial, hoop, nu * (radial + hoop)]))
        name, source = f"Lamé's cylinder, nu = {nu}", "Timoshenko & Goodier 1970, 28"
        yield compared(f"{name}: opening", _opening(domain, u), float(opening), 1e-5, source)
        sigma = forms.full_stress(u, m)
        largest = by_region(domain, forms.von_mises(sigma))["matrix"].maximum
        yield compared(f"{name}: von Mises", largest, float(strength), 5e-3, source)


def nearly_incompressible() -> Iterator[Row]:
    """Lamé's cylinder at nu = 0.4999 with a pressure of its own (Taylor-Hood)."""
    from fem_spe.exact import elasticity as exact
    from fem_spe.measure.stress import by_region
    from fem_spe.physics import elasticity as forms

    nu = 0.4999
    domain, radius, u, m, p = _bore(nu, mixed=True, size=0.03)
    opening, _, hoop = exact.thick_cylinder(radius, radius, CELL, 1.0, m.mu, nu)
    source = "Timoshenko & Goodier 1970, 28"
    name = f"Taylor-Hood, nu = {nu}"
    yield compared(f"{name}: opening", _opening(domain, u), float(opening), 5e-3, source)
    sigma = forms.mixed_full_stress(u, p, m)
    largest = by_region(domain, forms.principal(sigma)[0])["matrix"].maximum
    yield compared(f"{name}: hoop stress", largest, float(hoop), 5e-3, source)


def laminate() -> Iterator[Row]:
    """Two layers without lateral contraction: Voigt along, Reuss across; load and energy."""
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.exact import elasticity as exact
    from fem_spe.geometry import Box
    from fem_spe.measure.stress import reactions, shares
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.linear import residual_vector
    from fem_spe.solve.solids import elastic

    fractions, values = [0.3, 0.7], [_E, 0.05 * _E]
    layers = {"matrix": 0.3 * CELL, "coating": 0.7 * CELL}
    box = Box(size=(CELL, CELL), layers=layers)
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(0.2 * CELL, 0.2 * CELL)))
    space = fem.functionspace(domain.mesh, ("Lagrange", 1, (2,)))
    # without contraction (nu = 0) the bounds are exact, along in plane strain too
    m = forms.moduli(domain, dict(zip(layers, ((E, 0.0) for E in values), strict=True)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = forms.bilinear(u, v, m, domain.dx)
    reuss, voigt = exact.voigt_reuss(fractions, values)
    for axis, (start, end), modulus in ((0, _BOX[2][:2], voigt), (1, _BOX[2][2:], reuss)):
        bcs = [elastic.prescribed(domain, space, name, k) for k, name in enumerate(_BOX[2][::2])]
        bcs.append(elastic.prescribed(domain, space, end, axis, 1e-2 * CELL))
        found = elastic.solve(a, None, space, bcs, rtol=1e-13, method="direct").u
        force = reactions(
            domain,
            residual_vector(a, None, found),
            dict.fromkeys((start, end), range(domain.dimension)),
        )
        name, source = f"two layers, along {'xy'[axis]}", "Voigt / Reuss"
        yield compared(f"{name}: modulus", force[end][axis] / 1e-2 / CELL, modulus, 1e-11, source)
        balance = abs(force[end][axis] + force[start][axis]) / force[end][axis]
        yield Row(f"{name}: balance", balance, 0.0, balance, 1e-11, "action = reaction")
        load = shares(domain, forms.stress(found, m)[axis, axis])["matrix"]
        energy = shares(domain, forms.energy_density(found, m))["matrix"]
        part = 0.3 * values[0] / voigt if axis == 0 else 0.3
        yield compared(f"{name}: share of load", load, part, 1e-11, source)
        part = part if axis == 0 else 0.3 / values[0] * reuss
        yield compared(f"{name}: share of energy", energy, part, 1e-11, source)


def _patch_error(dimension: int, degree: int, given: str) -> float:
    """Largest error of the displacement over its largest value."""
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry import Box
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic

    box = Box(size=(CELL, CELL) if dimension == 2 else (CELL, CELL, CELL))
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(0.3 * CELL, 0.3 * CELL)))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (dimension,)))
    x, n = ufl.SpatialCoordinate(domain.mesh), ufl.FacetNormal(domain.mesh)
    slope = np.array([[1.0, 0.3, -0.2], [0.1, -0.5, 0.4], [0.3, -0.2, 0.7]])[:dimension, :dimension]
    if given == "traction":  # without shear, so that the faces of symmetry may slide
        slope = np.diag(np.diag(slope))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    m = forms.lame(_E, 0.3)
    linear = ufl.dot(ufl.as_matrix(slope), x)
    exact = _interpolated(space, linear)
    held = _BOX[dimension] if given == "displacement" else _BOX[dimension][::2]
    load: Any = None
    if given == "displacement":
        bcs = [fem.dirichletbc(exact, domain.face_dofs(space, name)) for name in held]
    else:
        bcs = [elastic.prescribed(domain, space, name, axis) for axis, name in enumerate(held)]
        push = forms.stress(linear, m) * n
        for name in _BOX[dimension][1::2]:
            part = forms.traction(v, push, domain.ds(domain.face(name)))
            load = part if load is None else load + part
    a = forms.bilinear(u, v, m, domain.dx)
    found = elastic.solve(a, load, space, bcs, rtol=1e-13, method="direct").u
    error = np.max(np.abs(found.x.array - exact.x.array)) / np.max(np.abs(exact.x.array))
    return float(domain.mesh.comm.allreduce(error, op=MPI.MAX))


def _manufactured_error(degree: int, size: float) -> float:
    import ufl
    from dolfinx import fem

    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic

    domain, _ = unit_cell(size, degree, holes=frozenset({"fiber"}))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (2,)))
    x = ufl.SpatialCoordinate(domain.mesh) / CELL
    exact = ufl.as_vector(
        [ufl.sin(3.0 * x[0]) * ufl.cos(2.0 * x[1]), x[0] ** 2 - ufl.exp(x[0] * x[1])]
    )
    m = forms.lame(_E, 0.35)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    sigma, n = forms.stress(exact, m), ufl.FacetNormal(domain.mesh)
    load = forms.body_force(v, -ufl.div(sigma), domain.dx)
    load += forms.traction(v, sigma * n, domain.ds(domain.face("matrix-fiber")))
    bcs = _given(domain, space, exact)
    a = forms.bilinear(u, v, m, domain.dx)
    found = elastic.solve(a, load, space, bcs, rtol=1e-12, method="direct").u
    squared = ufl.inner(found - exact, found - exact)
    difference = squared * domain.dx(metadata={"quadrature_degree": 2 * degree + 4})
    return float(np.sqrt(domain.integrate(difference)))


def _bore(nu: float, *, mixed: bool, size: float) -> Any:
    """A square around a pressed bore: domain, radius of the bore, u, moduli, and p or None."""
    import basix.ufl
    import ufl
    from dolfinx import fem

    from fem_spe.exact import elasticity as closed
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic

    domain, radius = unit_cell(size, 2, holes=frozenset({"fiber"}))
    m = forms.lame(_E, nu)
    x, n = _centred(domain), ufl.FacetNormal(domain.mesh)
    r = ufl.sqrt(ufl.dot(x, x))
    # Lamé's u = A r + B/r from its values at two radii
    (one, two), _, _ = closed.thick_cylinder(
        np.array([radius, 2 * radius]), radius, CELL, 1.0, m.mu, nu
    )
    B = (2 * one - two) * radius / 1.5
    A = (one - B / radius) / radius
    exact = (A + B / r**2) * x
    inside = domain.ds(domain.face("matrix-fiber"))
    if not mixed:
        space = fem.functionspace(domain.mesh, ("Lagrange", 2, (2,)))
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        a = forms.bilinear(u, v, m, domain.dx)
        load = forms.traction(v, -n, inside)
        bcs = _given(domain, space, exact)
        found = elastic.solve(a, load, space, bcs, rtol=1e-12, method="direct").u
        return domain, radius, found, m, None
    cell = domain.mesh.basix_cell()
    pair = [basix.ufl.element("P", cell, 2, shape=(2,)), basix.ufl.element("P", cell, 1)]
    both = fem.functionspace(domain.mesh, basix.ufl.mixed_element(pair))
    (u, p), (v, q) = ufl.TrialFunctions(both), ufl.TestFunctions(both)
    a = forms.mixed_bilinear(u, p, v, q, m, domain.dx)
    load = forms.traction(v, -n, inside)
    space, _ = both.sub(0).collapse()
    given = _interpolated(space, exact)
    bcs = [
        fem.dirichletbc(given, domain.face_dofs((both.sub(0), space), name), both.sub(0))
        for name in _BOX[2]
    ]
    found, pressure = elastic.solve_mixed(a, load, both, bcs, rtol=1e-10).u.split()
    return domain, radius, found, m, pressure


def _opening(domain: Domain, u: Any) -> float:
    """Mean radial displacement of the bore."""
    import ufl
    from dolfinx import fem

    x = _centred(domain)
    bore = domain.ds(domain.face("matrix-fiber"))
    length = domain.integrate(fem.Constant(domain.mesh, 1.0) * bore)
    return domain.integrate(ufl.dot(u, x) / ufl.sqrt(ufl.dot(x, x)) * bore) / length


def unit_cell(
    size: float, degree: int, holes: frozenset[str], fraction: float = 0.2
) -> tuple[Domain, float]:
    """A square with a circle in its middle, on curved cells, and the circle's radius."""
    from mpi4py import MPI

    from fem_spe.geometry import AlignedSection
    from fem_spe.meshing import MeshPlan, Sizes, build

    section = AlignedSection(size=(CELL, CELL), count=(1, 1), fiber_fraction=fraction).build()
    radius = float(section.inclusions.a[0])
    fine = size * radius / 0.252 / CELL  # as many cells around the circle whatever its size
    sizes = Sizes(size * CELL, fine * CELL, degree)
    return build(MPI.COMM_WORLD, MeshPlan(section, sizes, holes)), radius


def _centred(domain: Domain) -> Any:
    import ufl

    return ufl.SpatialCoordinate(domain.mesh) - ufl.as_vector([0.5 * CELL, 0.5 * CELL])


def _given(domain: Domain, space: Any, exact: Any) -> list[Any]:
    from dolfinx import fem

    given = _interpolated(space, exact)
    return [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in _BOX[2]]


def _interpolated(space: Any, exact: Any) -> Any:
    from dolfinx import fem

    function = fem.Function(space)
    function.interpolate(fem.Expression(exact, space.element.interpolation_points))
    return function

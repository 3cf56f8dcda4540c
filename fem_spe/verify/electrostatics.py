"""Electrostatics against capacitors, inclusions in a field, and the diffusion study."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.units import VACUUM_PERMITTIVITY
from fem_spe.verify.row import Row, compared
from fem_spe.verify.sections import CELL, array

if TYPE_CHECKING:
    from fem_spe.domain import MeshArrays
    from fem_spe.measure.stress import Statistics

_SIGMA = 0.2  # S/m; any value gives the same relative results
_SECTION = {
    "kind": "fiber_section", "arrangement": "random", "size": [6 * CELL, 4 * CELL],
    "fiber_diameter": 0.5 * CELL, "fiber_fraction": 0.35, "aspect": 2.0, "seed": 7,
}  # fmt: skip
_RADII = (1e-6, 2e-6, 4e-6)  # m
_EPSILON = (10.0, 2.5)


def capacitors() -> Iterator[Row]:
    """Plates, coaxial cylinders and concentric spheres, each with two dielectrics."""
    from fem_spe.exact import electrostatics as exact
    from fem_spe.verify.shells import octant, quarter_ring

    layers, epsilon = {"matrix": 0.3 * CELL, "coating": 0.7 * CELL}, (40.0, 4.0)
    per_area = exact.layered_capacitor(list(layers.values()), epsilon)
    materials = {name: {"permittivity": e} for name, e in zip(layers, epsilon, strict=True)}
    source = "Jackson 1999"
    for size in ((CELL, CELL), (CELL, CELL, CELL)):
        geometry = {"kind": "box", "size": size, "layers": layers}
        value = _run(geometry, materials, 0.2)["capacitance"].value
        area = math.prod(size[:-1])
        name = f"two-layer capacitor, {len(size)}-D"
        yield compared(name, value, area * per_area, 1e-4, source)

    charge = 1e-4  # C/m^2
    grounded = {"bottom": {"potential": 0.0}, "top": {"potential": 0.0}}
    interface = {"matrix-coating": {"surface_charge": charge}}
    found = _run(
        {"kind": "box", "size": (CELL, CELL), "layers": layers}, materials, 0.2,
        grounded | interface,
    )  # fmt: skip
    potential = exact.charged_interface((0.3 * CELL, 0.7 * CELL), epsilon, charge)
    value = found["potential.matrix-coating"].value
    yield compared("charged interface: potential", value, potential, 1e-4, "parallel plates")

    for name, arrays, formula, part in (
        ("coaxial", quarter_ring(_RADII, 16, 24), exact.coaxial_capacitor, 4),
        ("spherical", octant(_RADII, 6, 12), exact.spherical_capacitor, 8),
    ):
        found = _between_shells(arrays)
        whole = formula(_RADII, _EPSILON)
        value = part * found["capacitance"].value
        yield compared(f"{name} capacitor", value, whole, 1e-4, source)
        # Gauss: at the inner conductor the field is Q / (eps A)
        surface = {4: 2 * math.pi * _RADII[0], 8: 4 * math.pi * _RADII[0] ** 2}[part]
        largest = whole / (VACUUM_PERMITTIVITY * _EPSILON[0] * surface)
        yield compared(f"{name}: field", found["max_field.layer1"].value, largest, 5e-3, source)


def in_a_uniform_field() -> Iterator[Row]:
    """A cylinder in a uniform field, dielectric or conducting; a conducting sphere."""
    from fem_spe.exact.electrostatics import Inclusion

    source = "Jackson 1999, 2.5, 4.4"
    for contrast in (0.1, 10.0):
        found, exact = _cylinder(contrast)
        name = f"cylinder, contrast {contrast:g}"
        yield compared(f"{name}: field inside", found["fiber"].mean, exact.inside, 1e-4, source)
        outside = max(exact.enhancement, 2.0 - exact.enhancement)
        yield compared(f"{name}: largest field", found["matrix"].maximum, outside, 5e-3, source)
    found, exact = _cylinder(math.inf)
    value = found["matrix"].maximum
    yield compared("conducting cylinder: enhancement", value, exact.enhancement, 5e-3, source)
    sphere = Inclusion(_RADII[0], 1.0, math.inf, 3)
    yield compared("conducting sphere: enhancement", _sphere(sphere), 3.0, 5e-3, source)


def conduction_in_sections() -> Iterator[Row]:
    """Currents through sections: as the diffusion study, and around perfect conductors."""
    from fem_spe.exact.conduction import square_array

    for contrast in (0.0, 0.01, 50.0):
        fiber: Any = {"conductivity": contrast * _SIGMA} if contrast else "impermeable"
        materials = {"matrix": {"conductivity": _SIGMA}, "fiber": fiber}
        found = _run(_SECTION, materials, 0.15)
        diffused = _run(_SECTION, materials, 0.15, study="diffusion")["relative_diffusivity"].value
        value = found["effective_conductivity"].value / _SIGMA
        name = f"random section, contrast {contrast:g}: conduction / diffusion"
        yield compared(name, value / diffused, 1.0, 1e-8, "the same equation")
    for fraction in (0.1, 0.3):
        materials = {"matrix": {"conductivity": _SIGMA}, "fiber": "conductor"}
        found = _run(array(fraction), materials, 0.04)
        value = found["effective_conductivity"].value / _SIGMA
        exact = 1.0 / square_array(fraction)
        name = f"square array of conductors, f = {fraction}"
        yield compared(name, value, exact, 2e-5, "Perrins 1979, Keller 1964")


def electric_balance() -> Iterator[Row]:
    """Charges and currents add up to nothing, and agree with the energy."""
    for form, matrix, fiber in (
        ("dielectric", {"permittivity": [40.0, 20.0]}, {"permittivity": 4.0}),
        ("dielectric", {"permittivity": 40.0}, "conductor"),
        ("conduction", {"conductivity": _SIGMA}, "impermeable"),
        ("conduction", {"conductivity": _SIGMA}, "conductor"),
    ):
        kind = fiber if isinstance(fiber, str) else "dielectric"
        result = _solve(_SECTION, {"matrix": matrix, "fiber": fiber}, 0.15)
        for name, check in result.checks.items():
            title = f"{form}, {kind} fibres: {name.replace('_', ' ')}"
            yield Row(title, check.value, 0.0, abs(check.value), check.limit, "conservation")


def _cylinder(contrast: float) -> tuple[dict[str, Statistics], Any]:
    """Statistics of |E| around a cylinder whose exact potential holds on the box, 1 V/m far."""
    import ufl
    from dolfinx import fem

    from fem_spe.exact.electrostatics import Inclusion
    from fem_spe.measure.stress import by_region
    from fem_spe.physics import electrostatics as forms
    from fem_spe.solve.floating import conductors, floating
    from fem_spe.solve.linear import solve
    from fem_spe.verify.elasticity import unit_cell
    from fem_spe.verify.inclusions import SIDES

    domain, radius = unit_cell(0.02, 2, frozenset(), fraction=0.05)
    exact = Inclusion(radius, 1.0, contrast, 2)
    space = fem.functionspace(domain.mesh, ("Lagrange", 2))
    given = fem.Function(space)
    given.interpolate(lambda x: exact.potential(x - 0.5 * CELL))
    bcs = [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in SIDES]
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    metal = math.isinf(contrast)
    epsilon = domain.coefficient({"matrix": 1.0, "fiber": 1.0 if metal else contrast})
    ties = floating(space, conductors(domain, space, [], ["fiber"]), set()) if metal else None
    a = forms.bilinear(u, v, epsilon, domain.dx)
    load = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
    found = solve(a, load, space, bcs, rtol=1e-12, method="direct", name="verify", ties=ties).u
    return by_region(domain, forms.strength(found)), exact


def _sphere(exact: Any) -> float:
    """Largest |E| at a grounded sphere whose exact potential holds farther out."""
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.domain import distribute
    from fem_spe.measure.stress import by_region
    from fem_spe.physics import electrostatics as forms
    from fem_spe.solve.linear import solve
    from fem_spe.verify.shells import octant

    radii = (exact.radius, 1.5 * exact.radius)
    domain = distribute(MPI.COMM_SELF, octant(radii, 6, 16))
    space = fem.functionspace(domain.mesh, ("Lagrange", 2))
    given = fem.Function(space)
    given.interpolate(exact.potential)
    names = ("inner", "outer", "bottom")
    bcs = [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in names]
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = forms.bilinear(u, v, fem.Constant(domain.mesh, 1.0), domain.dx)
    load = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
    found = solve(a, load, space, bcs, rtol=1e-10, method="jacobi", name="verify").u
    return by_region(domain, forms.strength(found))["layer1"].maximum


def _between_shells(arrays: MeshArrays) -> dict[str, Any]:
    """The quantities of the study between an inner and an outer conductor."""
    from mpi4py import MPI

    from fem_spe.case import parse
    from fem_spe.case.resolved import with_solver_defaults
    from fem_spe.domain import distribute
    from fem_spe.progress import Clock
    from fem_spe.studies.electrostatics import run

    case = parse(
        {
            "study": "electrostatics",
            "geometry": {"kind": "mesh_file", "file": "in memory"},
            "materials": {f"layer{k + 1}": {"permittivity": e} for k, e in enumerate(_EPSILON)},
            "boundary": {"inner": {"potential": 1.0}, "outer": {"potential": 0.0}},
            "solver": {"degree": 2, "rtol": 1e-12},
            "output": {"figures": False},
        }
    )
    domain = distribute(MPI.COMM_SELF, arrays)
    return dict(run(with_solver_defaults(case, domain.dimension), domain, Clock()).quantities)


def _run(
    geometry: dict[str, Any],
    materials: dict[str, Any],
    size: float,
    boundary: dict[str, Any] | None = None,
    study: str = "electrostatics",
) -> dict[str, Any]:
    """The quantities of a case on cells of `size` times the unit cell."""
    return dict(_solve(geometry, materials, size, boundary, study).quantities)


def _solve(
    geometry: dict[str, Any],
    materials: dict[str, Any],
    size: float,
    boundary: dict[str, Any] | None = None,
    study: str = "electrostatics",
) -> Any:
    from fem_spe.case import parse
    from fem_spe.job import run

    case = parse(
        {
            "study": study,
            "geometry": geometry,
            "mesh": {"size": size * CELL, "interface_size": size * CELL},
            "materials": materials,
            "boundary": boundary or {},
            "output": {"figures": False},
        }
    )
    return run(case)

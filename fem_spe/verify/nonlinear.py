"""Reactions, and diffusivities that depend on concentration: against closed forms and orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fem_spe.exact import diffusion as exact
from fem_spe.verify.row import Row, compared

_D = 1e-11  # m^2/s; any value gives the same relative results
_WIDTH, _LENGTH = 1e-5, 1e-4  # m, of the slab
_LOW, _HIGH = 500.0, 1500.0  # mol/m^3, at its faces
_REFERENCE = 1000.0  # mol/m^3


def reacting_slabs() -> Iterator[Row]:
    """A sink of first order, between two faces and with one of them closed."""
    for thiele in (1.0, 3.0):
        rate = thiele**2 * _D / _LENGTH**2
        unit = _HIGH * _D / _LENGTH * _WIDTH
        slab: dict[str, Any] = {"reaction": {"matrix": {"rate": rate}}}
        found = _slab({**slab, "boundary": {"top": {"concentration": _HIGH}}})
        name = f"reacting slab, Thiele modulus {thiele:g}"
        flux = unit * exact.closed_slab_flux(thiele)
        inflow = found.quantities["flux_in"].value
        yield compared(f"{name}: flux", inflow, flux, 1e-7, "Thiele 1939")
        domain = found.domain
        u, ds = found.fields["concentration"], domain.ds(domain.face("bottom"))
        end = domain.integrate(u * ds) / (_WIDTH * _HIGH)
        yield compared(
            f"{name}: closed face", end, exact.closed_slab_end(thiele), 1e-7, "Thiele 1939"
        )

        found = _slab(slab)
        into = [
            exact.reacting_slab_flux(thiele, *faces) * _D / _LENGTH * _WIDTH
            for faces in ((_HIGH, _LOW), (_LOW, _HIGH))
        ]
        consumed = found.quantities["consumed"].value
        source = "Bird, Stewart & Lightfoot 2002"
        yield compared(f"{name}: consumed between two faces", consumed, sum(into), 1e-7, source)
        yield _conserved(f"{name}: balance", found)


def kirchhoff_slabs() -> Iterator[Row]:
    """D(c) as a polynomial or a table: flux and profile by Kirchhoff's transform."""
    source = "Kirchhoff's transform; Crank 1975"
    for name, coefficients in (("linear", [1.0, -0.5]), ("quadratic", [1.0, -0.3, 0.5])):
        in_si = [_D * a / _REFERENCE**k for k, a in enumerate(coefficients)]
        law = {"value": _D, "polynomial": coefficients, "reference": _REFERENCE}
        found = _slab({"materials": {"matrix": {"diffusivity": law}}})
        flux = _kirchhoff_flux(in_si, 1.0)
        inflow = found.quantities["flux_in"].value
        yield compared(f"slab with {name} D(c): flux", inflow, flux, 1e-11, source)
        error = _profile_error(found, in_si)
        yield Row(f"slab with {name} D(c): profile", error, 0.0, error, 1e-6, source)
        yield _conserved(f"slab with {name} D(c): balance", found)

    ends = [0.0, 2000.0]
    table = {"concentration": ends, "values": [_D * (1 - 0.4 * c / _REFERENCE) for c in ends]}
    found = _slab({"materials": {"matrix": {"diffusivity": table}}})
    flux = _kirchhoff_flux([_D, -0.4 * _D / _REFERENCE], 1.0)
    inflow = found.quantities["flux_in"].value
    yield compared("slab with a table D(c): flux", inflow, flux, 1e-11, source)

    law = {"value": _D, "polynomial": [1.0, 0.2], "reference": _REFERENCE}
    found = _slab({"materials": {"matrix": {"diffusivity": law, "partition": 2.0}}})
    flux = _kirchhoff_flux([_D, 0.2 * _D / _REFERENCE], 2.0)
    inflow = found.quantities["flux_in"].value
    yield compared("slab with D(c) and partition 2: flux", inflow, flux, 1e-11, source)


def closed_box() -> Iterator[Row]:
    """A closed box that reacts away: exp(-kt), at a step tolerance of 1e-7."""
    rate, consumption, end = 1e-3, 0.1, 1000.0
    found = _slab(
        {
            "boundary": {"top": {"flux": 0.0}},
            "reaction": {"matrix": {"rate": rate, "consumption": consumption}},
            "diffusion": {"mode": "transient", "initial": _HIGH},
            "time": {"end": end, "rtol": 1e-7},
            "mesh": {"size": _WIDTH},
        }
    )
    left = found.quantities["mean_concentration"].value
    wanted = exact.closed_box(_HIGH, rate, consumption, end)
    yield compared("closed box, decay at k t = 1", left, wanted, 1e-5, "exp(-k t)")
    yield _conserved("closed box: mass balance of each step", found)


def conserved_in_sections() -> Iterator[Row]:
    """In = out + consumed, with D(c) and both kinds of reaction, around cut fibres."""
    from fem_spe.case import parse
    from fem_spe.job import run

    size = 1e-5
    case = parse(
        {
            "study": "diffusion",
            "geometry": {
                "kind": "fiber_section", "arrangement": "random", "size": [6 * size, 4 * size],
                "fiber_diameter": 0.5 * size, "fiber_fraction": 0.35, "aspect": 2.0, "seed": 7,
            },
            "materials": {
                "matrix": {"diffusivity": {
                    "value": _D, "polynomial": [1.0, -0.3, 0.02], "reference": _REFERENCE,
                }},
                "fiber": {"diffusivity": 0.1 * _D, "partition": 0.5},
            },
            "boundary": {"bottom": {"concentration": 200.0}, "top": {"flux": 2e-4}},
            "reaction": {"matrix": {"rate": 1e-3}, "fiber": {"consumption": 0.1}},
            "output": {"figures": False},
        }
    )  # fmt: skip
    yield _conserved("random section, D(c) and reactions: balance", run(case))


def convergence() -> Iterator[Row]:
    """Manufactured solution with D(c) around curved holes: order of the L2 error."""
    for degree, least in ((1, 1.95), (2, 2.9)):
        order = manufactured_order(degree)
        short = max(0.0, least - order)
        name = f"L2 order with D(c), P{degree}, around a hole"
        yield Row(name, order, least, short, 0.0, "theory: p + 1")


def manufactured_order(degree: int, levels: int = 3) -> float:
    """Fitted order of the L2 error for D = 1 + 0.5 c + 0.3 c^2 and a smooth solution."""
    sizes = [0.05 / 2**level for level in range(levels)]
    errors = [_manufactured_error(degree, size) for size in sizes]
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def _manufactured_error(degree: int, size: float) -> float:
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry import AlignedSection
    from fem_spe.materials import DiffusivityPolynomial
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics import diffusion
    from fem_spe.solve.newton import Newton

    cell = 10e-6
    section = AlignedSection(size=(cell, cell), count=(1, 1), fiber_fraction=0.2).build()
    sizes = Sizes(size * cell, size * cell, degree)
    domain = build(MPI.COMM_WORLD, MeshPlan(section, sizes, frozenset({"fiber"})))
    law = DiffusivityPolynomial(value=1.0, polynomial=(1.0, 0.5, 0.3), reference=1.0)
    x = ufl.SpatialCoordinate(domain.mesh)
    wanted = ufl.sin(3.0 * x[0] / cell) * ufl.cos(2.0 * x[1] / cell) + (x[0] / cell) ** 2
    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    u, v = fem.Function(space), ufl.TestFunction(space)
    current = diffusion.flux(wanted, law.at(wanted))
    dx = domain.dx(metadata={"quadrature_degree": 2 * degree + 4})
    load = ufl.div(current) * v * dx
    outflow = ufl.inner(current, ufl.FacetNormal(domain.mesh))
    load -= diffusion.inflow(v, outflow, domain.ds(domain.face("matrix-fiber")))
    given = fem.Function(space)
    given.interpolate(fem.Expression(wanted, space.element.interpolation_points))
    box = ("left", "right", "bottom", "top")
    bcs = tuple(fem.dirichletbc(given, domain.face_dofs(space, name)) for name in box)
    a = diffusion.bilinear(u, v, law.at(u), dx)
    newton = Newton(a, load, u, bcs, 1e-12, "direct", "manufactured")
    newton.solve(np.zeros(space.dofmap.index_map.size_local))
    return float(np.sqrt(domain.integrate((u - wanted) ** 2 * dx)))


def _slab(changes: dict[str, Any]) -> Any:
    """The result of a slab between two concentrations, with other tables in the case."""
    from fem_spe.case import parse
    from fem_spe.job import run

    return run(
        parse(
            {
                "study": "diffusion",
                "geometry": {"kind": "box", "size": [_WIDTH, _LENGTH]},
                "mesh": {"size": _LENGTH / 40},
                "materials": {"matrix": {"diffusivity": _D}},
                "boundary": {"bottom": {"concentration": _LOW}, "top": {"concentration": _HIGH}},
                "output": {"figures": False},
                **changes,
            }
        )
    )


def _kirchhoff_flux(in_si: list[float], partition: float) -> float:
    """Total flux through the slab whose faces are at `partition` times the given values."""
    high, low = (exact.kirchhoff(in_si, partition * c) for c in (_HIGH, _LOW))
    return (high - low) / _LENGTH * _WIDTH


def _profile_error(found: Any, in_si: list[float]) -> float:
    """L2 norm of the difference from the exact profile, over that of the profile."""
    domain, u = found.domain, found.fields["concentration"]
    wanted = u.copy()
    profile = np.vectorize(lambda y: exact.kirchhoff_profile(in_si, _LOW, _HIGH, y / _LENGTH))
    wanted.interpolate(lambda x: profile(x[1]))
    difference = domain.integrate((u - wanted) ** 2 * domain.dx)
    return float(np.sqrt(difference / domain.integrate(wanted**2 * domain.dx)))


def _conserved(name: str, found: Any) -> Row:
    (check,) = found.checks.values()
    return Row(name, check.value, 0.0, abs(check.value), check.limit, "conservation")

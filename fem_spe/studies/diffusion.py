"""Steady diffusion: what a structure lets through, and along which ways.

Where every region has a diffusivity, the unknown is u = c / partition and the flux
-D K grad u, so that a partition coefficient makes the concentration jump at an
interface. Where all have only a conductivity in common, u is the electrochemical
potential and the flux -sigma grad u.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry.faces import faces_across
from fem_spe.measure import effective, flux, path
from fem_spe.measure.profile import profile
from fem_spe.physics import diffusion
from fem_spe.progress import Clock
from fem_spe.results import Check, Quantity, Solution
from fem_spe.solve.linear import choose, residual_vector, solve
from fem_spe.studies.registry import Plan, Study
from fem_spe.studies.transport import REFERENCE, Transport, along, transport

_BALANCE = 1e-10  # relative, of fluxes and of flux against energy


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Impermeable regions are holes; every part of the rest must touch an electrode."""
    unknown = sorted(set(case.materials) - set(regions))
    if regions and unknown:
        raise CaseError(
            f"[materials] {unknown[0]}: the structure has no such region; it has "
            f"{', '.join(regions)}"
        )
    holes = frozenset(r for r in regions if case.material(r) is None)
    if regions and len(holes) == len(set(regions)):
        raise CaseError("[materials] every region is impermeable; nothing carries ions")
    if regions:
        transport(case, [r for r in regions if r not in holes])
    direction = case.diffusion.direction
    if direction is None and case.boundary:
        fixed = tuple(n for n, b in case.boundary.items() if b.concentration is not None)
        if not fixed:
            raise CaseError(
                "[boundary.*] no face has a concentration, so that the level of the solution is "
                "free; give one face a concentration, or give [diffusion] direction"
            )
        return Plan(holes, fixed)
    if case.boundary:
        raise CaseError(
            "[diffusion] direction and [boundary.*] both drive the ions; remove one of them"
        )
    return Plan(holes, across=direction or "thickness")


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure. Collective."""
    degree = case.solver.degree or 1
    coefficients = transport(case, domain.regions, domain.dimension)
    with clock.stage("solve") as stage:
        space = fem.functionspace(domain.mesh, ("Lagrange", degree))
        num_dofs = int(space.dofmap.index_map.size_global)
        mobility = domain.coefficient(coefficients.relative())
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        a = diffusion.bilinear(u, v, mobility, domain.dx)
        load, bcs = _boundary(case, domain, space, v, coefficients)
        method = choose(num_dofs, domain.dimension)
        solved = solve(a, load, space, bcs, rtol=case.solver.rtol, method=method, name="diffusion")
        stage.note = f"{num_dofs} unknowns, {method}, {solved.iterations} iterations"
    with clock.stage("measure"):
        residual = residual_vector(a, load, solved.u)
        quantities, checks = _numbers(case, domain, coefficients, solved.u, mobility, residual)
        tables = _tables(case, domain, solved.u, residual)
        fields = {"concentration": solved.u}
        if domain.dimension == 2 and case.output.figures:
            current = diffusion.flux(solved.u, mobility)
            fields["stream_function"] = path.stream_function(domain, current, degree)
    return Solution(
        quantities,
        checks,
        fields,
        tables,
        {
            "iterations": solved.iterations,
            "method": solved.method,
            "residual": solved.residual,
            "form": coefficients.form,
        },
        num_dofs,
    )


def _ends(case: Case, dimension: int) -> tuple[str, str]:
    direction = case.diffusion.direction
    assert direction is not None
    return faces_across(dimension, direction)


def _axis(case: Case, domain: Domain) -> int:
    """The driven axis; the thickness where faces are given one by one."""
    direction = case.diffusion.direction
    return "xyz".index(direction) if direction else domain.dimension - 1


def _boundary(
    case: Case, domain: Domain, space: fem.FunctionSpace, v: ufl.Argument, coefficients: Transport
) -> tuple[ufl.Form | None, list[fem.DirichletBC]]:
    """The load and the fixed values."""
    if case.diffusion.direction is not None:
        low, high = _ends(case, domain.dimension)
        fixed = {low: 0.0, high: 1.0}
        given: dict[str, float] = {}
    else:
        fixed = {
            n: b.concentration for n, b in case.boundary.items() if b.concentration is not None
        }
        given = {n: b.flux for n, b in case.boundary.items() if b.flux is not None}
    load = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
    for name, value in given.items():
        scaled = fem.Constant(domain.mesh, value / coefficients.scale)
        load += diffusion.inflow(v, scaled, domain.ds(domain.face(name)))
    bcs = [fem.dirichletbc(value, domain.face_dofs(space, n), space) for n, value in fixed.items()]
    return load, bcs


def _numbers(
    case: Case,
    domain: Domain,
    coefficients: Transport,
    u: fem.Function,
    mobility: fem.Function,
    residual: fem.Function,
) -> tuple[dict[str, Quantity], dict[str, Check]]:
    scale, dimension = coefficients.scale, domain.dimension
    unit = coefficients.flux_unit(dimension)
    flows = _flows(case, domain, scale, residual)
    flux_in = sum(q for q in flows.values() if q > 0)
    flux_out = -sum(q for q in flows.values() if q < 0)
    largest = max(flux_in, flux_out)
    checks = {
        "flux_imbalance": Check(abs(flux_in - flux_out) / largest if largest else 0.0, _BALANCE)
    }
    quantities: dict[str, Quantity] = {}
    axis = _axis(case, domain)
    if case.diffusion.direction is not None:
        _, high = _ends(case, dimension)
        found = effective.effective(domain, u, mobility, scale, flows[high] / scale, axis)
        checks["flux_energy_difference"] = Check(found.energy_error, _BALANCE)
        quantities |= _effective_numbers(case, domain, coefficients, found.coefficient)
        current = diffusion.flux(u, mobility)
        quantities["pathway_length"] = Quantity(
            path.pathway_length(domain, current, axis), "", "mean path of the ions / thickness"
        )
    quantities["flux_in"] = Quantity(flux_in, unit, "total flux into the structure")
    quantities["flux_out"] = Quantity(flux_out, unit, "total flux out of the structure")
    anode = _anode(case, dimension)
    if anode is not None and flows.get(anode):
        density = flux.along(domain, residual, anode)
        quantities["flux_uniformity"] = Quantity(
            density.uniformity, "", f"standard deviation / mean of the normal flux at {anode}"
        )
    quantities |= _shares(case, domain)
    return quantities, checks


def _anode(case: Case, dimension: int) -> str | None:
    """The face whose flux density is reported: where the driven ions leave, or the bottom."""
    if case.diffusion.direction is not None:
        return _ends(case, dimension)[0]
    bottom = case.boundary.get("bottom")
    return "bottom" if bottom is not None and bottom.concentration is not None else None


def _flows(case: Case, domain: Domain, scale: float, residual: fem.Function) -> dict[str, float]:
    """Total inflow of each face that is driven."""
    if case.diffusion.direction is not None:
        faces = _ends(case, domain.dimension)
        return {name: scale * flux.through(domain, residual, name) for name in faces}
    flows: dict[str, float] = {}
    for name, boundary in case.boundary.items():
        if boundary.flux is not None:
            area = domain.integrate(1.0 * domain.ds(domain.face(name)))
            flows[name] = boundary.flux * area
        else:
            flows[name] = scale * flux.through(domain, residual, name)
    return flows


def _effective_numbers(
    case: Case, domain: Domain, coefficients: Transport, coefficient: float
) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    axis = _axis(case, domain)
    matrix = coefficients.reference(axis)
    relative = coefficient / matrix if matrix else None
    if relative is not None:
        found["relative_diffusivity"] = Quantity(relative, "", "D_eff / D_matrix")
    reference = next((case.material(r) for r in REFERENCE if r in domain.regions), None)
    units: dict[Literal["diffusivity", "conductivity"], str]
    units = {"diffusivity": "m^2/s", "conductivity": "S/m"}
    for name, unit in units.items():
        value = None
        if coefficients.form == name:
            value = coefficient
        elif (
            relative is not None and reference is not None and getattr(reference, name) is not None
        ):
            value = relative * along(reference.at(name, case.temperature), axis)
        if value is not None:
            found[f"effective_{name}"] = Quantity(value, unit, f"effective {name} of the structure")
    conducting = sum(effective.shares(domain).values())
    if relative is not None and len(domain.regions) == 1:
        found["tortuosity_factor"] = Quantity(
            conducting / relative, "", "conducting fraction * D_matrix / D_eff"
        )
    return found


def _shares(case: Case, domain: Domain) -> dict[str, Quantity]:
    """Measured fractions of the inclusions, those left out of the mesh included."""
    shares = effective.shares(domain)
    found = {
        f"{name}_fraction": Quantity(share, "", f"measured fraction of {name}")
        for name, share in shares.items()
        if name not in REFERENCE
    }
    holes = [r for r in case.materials if case.material(r) is None]
    if holes:
        rest = max(0.0, 1.0 - sum(shares.values()) / (1.0 - domain.isolated))
        name = "fiber" if "fiber" in holes else holes[0]
        what = f"measured fraction of {' and '.join(holes)}"
        found[f"{name}_fraction"] = Quantity(rest, "", what)
    if domain.isolated:
        found["isolated_fraction"] = Quantity(
            domain.isolated, "", "share of the electrolyte that touches no electrode, left out"
        )
    return found


def _tables(
    case: Case, domain: Domain, u: fem.Function, residual: fem.Function
) -> dict[str, dict[str, np.ndarray]]:
    axis = _axis(case, domain)
    slices = profile(domain, u, axis)
    direction = "xyz"[axis]
    unit = "" if case.diffusion.direction is not None else " [mol/m^3]"
    tables = {
        "profile": {
            f"{direction} [um]": slices.position * 1e6,
            f"mean{unit}": slices.mean,
            f"min{unit}": slices.low,
            f"max{unit}": slices.high,
        }
    }
    anode = _anode(case, domain.dimension)
    if anode is not None:
        density = flux.along(domain, residual, anode)
        others = [k for k in range(domain.dimension) if k != axis]
        columns = {f"{'xyz'[k]} [um]": density.position[:, k] * 1e6 for k in others}
        columns["flux / mean flux"] = (
            density.density / density.mean if density.mean else density.density
        )
        tables["anode_flux"] = columns
    return tables


STUDY = Study("diffusion", plan, run)

"""Diffusion: what a structure lets through, and along which ways.

Where every region has a diffusivity, the unknown is u = c / partition and the flux
-D K grad u, so that a partition coefficient makes the concentration jump at an
interface. Where all have only a conductivity in common, u is the electrochemical
potential and the flux -sigma grad u.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.case.probe import require as require_probes
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import face_names, faces_across, thickness
from fem_spe.measure import effective, path
from fem_spe.measure.bounds import Bounds, bounds
from fem_spe.measure.flux import FaceFlux, along_face
from fem_spe.measure.probe import Follower
from fem_spe.measure.profile import profile
from fem_spe.physics import diffusion
from fem_spe.progress import Clock
from fem_spe.results import CellErrors, Check, Quantity, Solution, Table
from fem_spe.solve.linear import choose, residual_vector, solve
from fem_spe.studies import concentration, reaction, transient, voxel
from fem_spe.studies.drive import Drive, drive, in_and_out, periodic_axes
from fem_spe.studies.named import require_faces, require_regions
from fem_spe.studies.registry import Plan, Study
from fem_spe.studies.transport import REFERENCE, Transport, component, transport

_BALANCE = 1e-10  # relative, of fluxes and of flux against energy
_BOUNDED = {  # quantities that are proportional to the flux
    "flux_in", "flux_out", "relative_diffusivity", "effective_diffusivity",
    "effective_conductivity", "tortuosity_factor",
}  # fmt: skip


def plan(case: Case, regions: tuple[str, ...]) -> Plan | None:
    """Impermeable regions are holes; every part of the rest must touch an electrode."""
    require_regions(case, regions)
    holes = frozenset(r for r in regions if case.material(r) is None)
    if regions and len(holes) == len(set(regions)):
        raise CaseError("[materials] every region is impermeable; nothing carries ions")
    conducting = [r for r in regions if r not in holes]
    if regions:
        coefficients = transport(case, conducting)
        if case.diffusion.mode == "transient":
            transient.require_storage(case, coefficients, conducting)
        reaction.require(case, coefficients, conducting)
        concentration.require(case, coefficients)
    if case.diffusion.method == "voxel":
        voxel.require(case)
        return None
    direction = case.diffusion.direction
    sides: tuple[int, ...] = ()
    if not isinstance(case.geometry, MeshFile):
        _require_faces(case, len(case.geometry.size), regions)
        require_probes(
            case.probe,
            regions=conducting,
            faces=face_names(len(case.geometry.size), regions),
            low=[0.0] * len(case.geometry.size),
            high=case.geometry.size,
        )
        sides = periodic_axes(case, len(case.geometry.size))
    if direction is None and case.driven_faces:
        fixed = tuple(n for n, b in case.boundary.items() if b.fixed is not None)
        steady = case.diffusion.mode == "steady"
        if not fixed and steady and not reaction.holds_level(case, conducting):
            raise CaseError(
                "[boundary.*] no face has a concentration, so that the level of the solution is "
                "free; give one face a concentration, or give [diffusion] direction"
            )
        return Plan(holes, fixed, periodic=sides)
    if case.driven_faces:
        raise CaseError(
            "[diffusion] direction and [boundary.*] both drive the ions; remove one of them"
        )
    _require_rise(case, sides)
    return Plan(holes, across=direction or "thickness", periodic=sides)


def _require_rise(case: Case, periodic: tuple[int, ...]) -> None:
    """Raise where a drive across periodic faces has no meaning: only steady fields repeat."""
    if not isinstance(case.geometry, MeshFile) and periodic:
        axis = case.diffusion.direction or thickness(len(case.geometry.size))
        if "xyz".index(axis) in periodic and (case.reaction or case.diffusion.mode == "transient"):
            raise CaseError(
                f"[diffusion] direction = {axis!r} leads across periodic faces, which has a "
                "meaning for steady diffusion without reactions only; take away their periodic"
            )


def _require_faces(case: Case, dimension: int, regions: tuple[str, ...]) -> None:
    """Raise before meshing where a face or an axis is named that the box does not have."""
    if case.diffusion.direction is not None:
        faces_across(dimension, case.diffusion.direction)
    require_faces(case.boundary, face_names(dimension, regions))


@dataclass(frozen=True)
class Solved:
    """A solved field and what it is measured with.

    Attributes:
        mobility: Coefficient over its scale: piecewise constant, or an expression of u.
        consumed: By reactions in all, mol/s (3-D) or mol/m/s; None without any.
    """

    domain: Domain
    drive: Drive
    coefficients: Transport
    u: fem.Function
    mobility: Any
    consumed: float | None


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure, in time where the case asks for it. Collective."""
    return (transient.run if case.diffusion.mode == "transient" else steady)(case, domain, clock)


def steady(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure. Collective."""
    degree = case.solver.degree or 1
    coefficients = transport(case, domain.regions, domain.dimension)
    driven = drive(case, domain.dimension)
    with clock.stage("solve") as stage:
        space = fem.functionspace(domain.mesh, ("Lagrange", degree))
        num_dofs = int(space.dofmap.index_map.size_global)
        mobility: Any = domain.coefficient(coefficients.relative())
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        sinks = reaction.sinks(case, domain, coefficients)

        def weak(mobility: Any) -> Any:
            a = diffusion.bilinear(u, v, mobility, domain.dx)
            return a if sinks is None else a + sinks.bilinear(u, v, domain.dx)

        a = weak(mobility)
        load, bcs = driven.boundary(domain, space, v, coefficients.scale)
        if sinks is not None:
            load -= sinks.load(v, domain.dx)
        method = choose(num_dofs, domain.dimension)
        solved = solve(
            a, load, space, bcs, rtol=case.solver.rtol, method=method, name="diffusion",
            ties=driven.ties(domain, space), lift=driven.rise(domain, space),
        )  # fmt: skip
        if coefficients.laws:
            # what the typical diffusivities give is the first guess
            mobility = concentration.mobility(domain, coefficients, solved.u)
            a = weak(mobility)
            solved = concentration.converge(
                domain, coefficients, a, load, solved.u, bcs,
                rtol=case.solver.rtol, method=method, ties=driven.ties(domain, space),
            )  # fmt: skip
        if driven.rises:
            # the level of a periodic field is free: half of the difference, as between two faces
            volume = domain.integrate(1.0 * domain.dx)
            solved.u.x.array[:] += 0.5 - domain.integrate(solved.u * domain.dx) / volume
        stage.note = f"{num_dofs} unknowns, {method}, {solved.iterations} iterations"
    with clock.stage("measure"):
        residual = residual_vector(a, load, solved.u)
        consumed = None if sinks is None else sinks.consumed(domain, solved.u)
        state = Solved(domain, driven, coefficients, solved.u, mobility, consumed)
        density = _density(domain, residual, driven)
        flows = driven.flows(domain, residual, coefficients.scale)
        quantities, checks = _balance(state, flows)
        # what reacts on its way has no effective property, and no path to the other side
        if driven.unit_difference and sinks is None:
            more, energy = _effective(case, state, flows[driven.high])
            quantities, checks = more | quantities, checks | energy
        if density is not None and density.mean:
            quantities["flux_uniformity"] = Quantity(
                density.uniformity,
                "",
                f"standard deviation / mean of the normal flux at {driven.anode}",
            )
        quantities |= fractions(case, domain)
        limits = _limits(case, state, degree)
        if limits is not None:
            for name in _BOUNDED & quantities.keys():
                error = limits.gap * abs(quantities[name].value)
                quantities[name] = replace(quantities[name], error=error)
        fields = {"concentration": solved.u}
        if limits is not None:
            fields["stream_function"] = limits.stream
        elif domain.dimension == 2 and case.output.figures and sinks is None:
            current = diffusion.flux(solved.u, mobility)
            fields["stream_function"] = path.stream_function(domain, current, degree)
    information = {
        "iterations": solved.iterations,
        "method": solved.method,
        "residual": solved.residual,
        "form": coefficients.form,
    }
    tables = _tables(case, state, density)
    told = None if limits is None else CellErrors(limits.gap, limits.cells, degree)
    return Solution(quantities, checks, fields, tables, information, num_dofs, cell_errors=told)


def _limits(case: Case, state: Solved, degree: int) -> Bounds | None:
    """Bounds of what a unit difference drives, where there are any. Collective."""
    driven = state.drive
    bounded = driven.unit_difference and not driven.periodic and not case.reaction
    if state.domain.dimension != 2 or not bounded:
        return None
    current = diffusion.flux(state.u, state.mobility)
    low, high = driven.fixed
    return bounds(state.domain, current, state.mobility, (low, high), degree)


def _density(domain: Domain, residual: fem.Function, driven: Drive) -> FaceFlux | None:
    """The flux density at the anode, where there is one."""
    if driven.anode is None:
        return None
    sides = driven.side_ties(domain, residual.function_space)
    return along_face(domain, residual, driven.anode, sides)


def _balance(
    state: Solved, flows: dict[str, float]
) -> tuple[dict[str, Quantity], dict[str, Check]]:
    """Total fluxes, and whether they balance."""
    flux_in, flux_out = in_and_out(flows)
    consumed = state.consumed or 0.0
    largest = max(flux_in, flux_out, abs(consumed))
    unit = state.coefficients.flux_unit(state.domain.dimension)
    imbalance = abs(flux_in - flux_out - consumed) / largest if largest else 0.0
    quantities = {
        "flux_in": Quantity(flux_in, unit, "total flux into the structure"),
        "flux_out": Quantity(flux_out, unit, "total flux out of the structure"),
    }
    if state.consumed is not None:
        quantities["consumed"] = Quantity(consumed, unit, "by reactions in the structure")
    return quantities, {"flux_imbalance": Check(imbalance, _BALANCE)}


def _effective(
    case: Case, state: Solved, inflow: float
) -> tuple[dict[str, Quantity], dict[str, Check]]:
    """Effective properties and path length under a unit difference that drives `inflow`."""
    domain, coefficients, axis = state.domain, state.coefficients, state.drive.axis
    measured = effective.effective(
        domain, state.u, state.mobility, coefficients.scale, inflow / coefficients.scale, axis
    )
    found: dict[str, Quantity] = {}
    matrix = coefficients.reference(axis)
    relative = measured.coefficient / matrix if matrix else None
    if relative is not None:
        found["relative_diffusivity"] = Quantity(relative, "", "D_eff / D_matrix")
    reference = next((case.material(r) for r in REFERENCE if r in domain.regions), None)
    units: dict[Literal["diffusivity", "conductivity"], str]
    units = {"diffusivity": "m^2/s", "conductivity": "S/m"}
    for name, unit in units.items():
        value = None
        if coefficients.form == name:
            value = measured.coefficient
        elif relative is not None and reference and reference.has(name):
            value = relative * component(reference.at(name, case.temperature), axis)
        if value is not None:
            found[f"effective_{name}"] = Quantity(value, unit, f"effective {name} of the structure")
    if relative is not None and len(domain.regions) == 1:
        conducting = sum(effective.shares(domain).values())
        found["tortuosity_factor"] = Quantity(
            conducting / relative, "", "conducting fraction * D_matrix / D_eff"
        )
    length = path.pathway_length(domain, diffusion.flux(state.u, state.mobility), axis)
    found["pathway_length"] = Quantity(length, "", "mean path of the ions / thickness")
    return found, {"flux_energy_difference": Check(measured.energy_error, _BALANCE)}


def fractions(case: Case, domain: Domain) -> dict[str, Quantity]:
    """Measured fractions of the inclusions, those left out of the mesh included. Collective."""
    shares = effective.shares(domain)
    found = {
        f"{name}_fraction": Quantity(share, "", f"measured fraction of {name}")
        for name, share in shares.items()
        if name not in REFERENCE
    }
    holes = [r for r, value in case.materials.items() if value == "impermeable"]
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


def _tables(case: Case, state: Solved, density: FaceFlux | None) -> dict[str, Table]:
    axis, dimension = state.drive.axis, state.domain.dimension
    slices = profile(state.domain, state.u, axis)
    unit = "" if state.drive.unit_difference else " [mol/m^3]"
    tables: dict[str, Table] = {"profile": slices.columns(axis, unit)}
    if density is not None:
        others = [k for k in range(dimension) if k != axis]
        columns = {f"{'xyz'[k]} [um]": density.position[:, k] * 1e6 for k in others}
        mean = density.mean or 1.0
        tables["anode_flux"] = {**columns, "flux / mean flux": density.density / mean}
    probes = Follower(state.domain, case.probe, {f"concentration{unit}": state.u})
    return tables | probes.snapshot()


STUDY = Study("diffusion", plan, run, voxel.run)

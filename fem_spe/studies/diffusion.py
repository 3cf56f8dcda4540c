"""Diffusion: what a structure lets through, and along which ways.

Where every region has a diffusivity, the unknown is u = c / partition and the flux
-D K grad u, so that a partition coefficient makes the concentration jump at an
interface. Where all have only a conductivity in common, u is the electrochemical
potential and the flux -sigma grad u.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, did_you_mean
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import BOX_FACES, faces_across, interface_name
from fem_spe.measure import effective, path
from fem_spe.measure.flux import FaceFlux, along_face
from fem_spe.measure.profile import profile
from fem_spe.physics import diffusion
from fem_spe.progress import Clock
from fem_spe.results import Check, Quantity, Solution, Table
from fem_spe.solve.linear import choose, residual_vector, solve
from fem_spe.studies import transient
from fem_spe.studies.drive import Drive, drive, in_and_out
from fem_spe.studies.registry import Plan, Study
from fem_spe.studies.transport import REFERENCE, Transport, component, transport

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
        conducting = [r for r in regions if r not in holes]
        coefficients = transport(case, conducting)
        if case.diffusion.mode == "transient":
            transient.require_storage(case, coefficients, conducting)
    direction = case.diffusion.direction
    if not isinstance(case.geometry, MeshFile):
        _require_faces(case, len(case.geometry.size), regions)
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


def _require_faces(case: Case, dimension: int, regions: tuple[str, ...]) -> None:
    """Raise before meshing where a face or an axis is named that the box does not have."""
    if case.diffusion.direction is not None:
        faces_across(dimension, case.diffusion.direction)
    known = [name for pair in BOX_FACES[dimension] for name in pair]
    known += [interface_name(a, b) for a, b in combinations(regions, 2)]
    for name in case.boundary:
        if name not in known:
            hint = did_you_mean(name, known)
            raise CaseError(
                f"[boundary.{name}]: the structure has no such face; {hint}"
                f"it may have {', '.join(known)}"
            )


@dataclass(frozen=True)
class Solved:
    """A solved field and what it is measured with."""

    domain: Domain
    drive: Drive
    coefficients: Transport
    u: fem.Function
    mobility: fem.Function


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
        mobility = domain.coefficient(coefficients.relative())
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        a = diffusion.bilinear(u, v, mobility, domain.dx)
        load, bcs = driven.boundary(domain, space, v, coefficients.scale)
        method = choose(num_dofs, domain.dimension)
        solved = solve(a, load, space, bcs, rtol=case.solver.rtol, method=method, name="diffusion")
        stage.note = f"{num_dofs} unknowns, {method}, {solved.iterations} iterations"
    with clock.stage("measure"):
        residual = residual_vector(a, load, solved.u)
        state = Solved(domain, driven, coefficients, solved.u, mobility)
        density = along_face(domain, residual, driven.anode) if driven.anode else None
        flows = driven.flows(domain, residual, coefficients.scale)
        quantities, checks = _balance(state, flows)
        if driven.unit_difference:
            more, energy = _effective(case, state, flows[driven.high])
            quantities, checks = more | quantities, checks | energy
        if density is not None and density.mean:
            quantities["flux_uniformity"] = Quantity(
                density.uniformity,
                "",
                f"standard deviation / mean of the normal flux at {driven.anode}",
            )
        quantities |= _shares(case, domain)
        fields = {"concentration": solved.u}
        if domain.dimension == 2 and case.output.figures:
            current = diffusion.flux(solved.u, mobility)
            fields["stream_function"] = path.stream_function(domain, current, degree)
    information = {
        "iterations": solved.iterations,
        "method": solved.method,
        "residual": solved.residual,
        "form": coefficients.form,
    }
    return Solution(quantities, checks, fields, _tables(state, density), information, num_dofs)


def _balance(
    state: Solved, flows: dict[str, float]
) -> tuple[dict[str, Quantity], dict[str, Check]]:
    """Total fluxes, and whether they balance."""
    flux_in, flux_out = in_and_out(flows)
    largest = max(flux_in, flux_out)
    unit = state.coefficients.flux_unit(state.domain.dimension)
    imbalance = abs(flux_in - flux_out) / largest if largest else 0.0
    return {
        "flux_in": Quantity(flux_in, unit, "total flux into the structure"),
        "flux_out": Quantity(flux_out, unit, "total flux out of the structure"),
    }, {"flux_imbalance": Check(imbalance, _BALANCE)}


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
        elif relative is not None and reference and getattr(reference, name) is not None:
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


def _tables(state: Solved, density: FaceFlux | None) -> dict[str, Table]:
    axis, dimension = state.drive.axis, state.domain.dimension
    slices = profile(state.domain, state.u, axis)
    unit = "" if state.drive.unit_difference else " [mol/m^3]"
    tables: dict[str, Table] = {
        "profile": {
            f"{'xyz'[axis]} [um]": slices.position * 1e6,
            f"mean{unit}": slices.mean,
            f"min{unit}": slices.low,
            f"max{unit}": slices.high,
        }
    }
    if density is not None:
        others = [k for k in range(dimension) if k != axis]
        columns = {f"{'xyz'[k]} [um]": density.position[:, k] * 1e6 for k in others}
        mean = density.mean or 1.0
        tables["anode_flux"] = {**columns, "flux / mean flux": density.density / mean}
    return tables


STUDY = Study("diffusion", plan, run)

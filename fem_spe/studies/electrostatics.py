"""Electrostatics: charges on conductors in dielectrics, or steady currents in conductors.

div(eps grad V) = 0 between electrodes, with charges on faces and interfaces, or
div(sigma grad V) = 0 with currents through faces; E = -grad V. Charges and currents are those
of the assembled residual.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.case.probe import require as require_probes
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import face_names, faces_across, opposite, thickness
from fem_spe.measure.cells import mean_of_cells
from fem_spe.physics import electrostatics as forms
from fem_spe.progress import Clock
from fem_spe.results import CellErrors, Solution
from fem_spe.solve.linear import choose, residual_vector, solve
from fem_spe.studies import potential
from fem_spe.studies.diffusion import fractions
from fem_spe.studies.electrodes import electrodes, hold, touching
from fem_spe.studies.named import require_faces, require_regions
from fem_spe.studies.registry import Plan, Study
from fem_spe.units import VACUUM_PERMITTIVITY

_DRIVES = {"dielectric": "surface_charge", "conduction": "current_density"}


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Impermeable regions are holes; every part of the rest must touch an electrode."""
    if case.output.movie:
        raise CaseError("[output] movie: electrostatics knows no time; remove it")
    require_regions(case, regions)
    holes = frozenset(r for r in regions if case.materials.get(r) == "impermeable")
    if holes and case.electric_form == "dielectric":
        raise CaseError(
            f'[materials] {min(holes)} = "impermeable": a field enters every dielectric; give it '
            'a permittivity (1 for vacuum), or "conductor"'
        )
    meshed = [r for r in regions if r not in holes]
    coefficients(case, meshed)
    other = _DRIVES["conduction" if case.electric_form == "dielectric" else "dielectric"]
    for name, boundary in case.boundary.items():
        if other in boundary.given:
            raise CaseError(
                f"[boundary.{name}] {other} has no meaning for [electrostatics] form = "
                f"{case.electric_form!r}; give {_DRIVES[case.electric_form]}"
            )
    if not isinstance(case.geometry, MeshFile):
        _require_places(case, case.geometry.size, regions, meshed)
    direction = case.electrostatics.direction
    if not case.charged_faces:
        return Plan(holes, across=direction or "thickness")
    if direction is not None:
        raise CaseError(
            "[electrostatics] direction and [boundary.*] both drive the field; remove one of them"
        )
    fixed = tuple(n for n, b in case.boundary.items() if b.potential is not None)
    if not fixed:
        raise CaseError(
            "[boundary.*] no face has a potential, so that its level is free; give one face a "
            "potential, or give [electrostatics] direction"
        )
    levels = {b.potential for b in case.boundary.values() if b.potential is not None}
    given = [b.surface_charge or b.current_density for b in case.boundary.values()]
    if len(levels) == 1 and not any(given):
        raise CaseError(
            f"[boundary.*] nothing drives a field: every potential is {min(levels):g} V; give a "
            f"face another one, or a {_DRIVES[case.electric_form]}"
        )
    return Plan(holes, fixed)


def _require_places(
    case: Case, size: tuple[float, ...], regions: tuple[str, ...], meshed: list[str]
) -> None:
    """Raise before meshing where a face, an axis or a place is named that the box has not."""
    direction, dimension = case.electrostatics.direction, len(size)
    ends = faces_across(dimension, direction or thickness(dimension))
    known = face_names(dimension, regions)
    require_faces(case.boundary, known)
    for name, boundary in case.boundary.items():
        if boundary.floating and not case.charged_faces and name in ends:
            raise CaseError(
                f"[boundary.{name}] floating: [electrostatics] direction holds this face at a "
                "potential; remove one of the two, or give other faces a potential"
            )
    held = {n: b.potential for n, b in case.boundary.items() if b.potential is not None}
    for (one, low), (other, high) in combinations(held.items(), 2):
        place, next_to = opposite(dimension, one), opposite(dimension, other)
        if low != high and place and next_to and place[0] != next_to[0]:
            raise touching(one, low, other, high)
    require_probes(case.probe, regions=meshed, faces=known, low=[0.0] * dimension, high=size)


@dataclass(frozen=True)
class Coefficients:
    """Permittivity (F/m) or conductivity (S/m) of each region.

    Attributes:
        scale: The largest value: forms are assembled relative to it.
        relative: Region -> value over `scale`, shape (1,) or one per axis; one in conductors,
            where the field is zero.
    """

    scale: float
    relative: dict[str, NDArray[np.float64]]


def coefficients(case: Case, regions: list[str], dimension: int | None = None) -> Coefficients:
    """What carries the field in each of the meshed regions, at the case's temperature.

    Raises:
        CaseError: if a region lacks it or has values for other axes, or all are conductors.
    """
    name = "permittivity" if case.electric_form == "dielectric" else "conductivity"
    values: dict[str, NDArray[np.float64]] = {}
    for region in regions:
        if case.materials.get(region) == "conductor":
            continue
        material = case.material(region)
        if material is None or getattr(material, name) is None:
            example = (
                "{ permittivity = 40 }"
                if name == "permittivity"
                else ('{ conductivity = "1.4 mS/cm" }')
            )
            chosen = case.electrostatics.form is not None
            other = "" if chosen else ", or a permittivity to every region for a dielectric"
            raise CaseError(
                f"[materials] {region} has no {name}, which [electrostatics] form = "
                f'{case.electric_form!r} needs; give it values such as {example}, or "conductor"'
                f"{other}"
            )
        try:
            value: Any = (
                material.permittivity
                if name == "permittivity"
                else material.at("conductivity", case.temperature)
            )
        except CaseError as error:
            raise CaseError(f"[materials] {region}: {error}") from None
        values[region] = np.atleast_1d(np.asarray(value, dtype=np.float64))
        if dimension is not None and len(values[region]) not in (1, dimension):
            raise CaseError(
                f"[materials] {region}: {len(values[region])} values per axis, but the structure "
                f"has {dimension} axes"
            )
    if not values:
        raise CaseError("[materials] every region is a conductor; nothing holds a field")
    scale = max(float(value.max()) for value in values.values())
    widest = max(len(value) for value in values.values())
    relative = {r: np.ones(widest) for r in regions}
    relative |= {r: np.broadcast_to(v / scale, max(len(v), widest)) for r, v in values.items()}
    return Coefficients(scale * (VACUUM_PERMITTIVITY if name == "permittivity" else 1.0), relative)


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure. Collective."""
    degree = case.solver.degree or 1
    carried = coefficients(case, list(domain.regions), domain.dimension)
    data = electrodes(case, domain.dimension)
    with clock.stage("solve") as stage:
        space = fem.functionspace(domain.mesh, ("Lagrange", degree))
        num_dofs = int(space.dofmap.index_map.size_global)
        coefficient: Any = domain.coefficient(carried.relative)
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        a = forms.bilinear(u, v, coefficient, domain.dx)
        held = hold(domain, space, data)
        load = held.load(v, data, domain, carried.scale)
        method = choose(num_dofs, domain.dimension)
        solved = solve(
            a, load, space, held.bcs, rtol=case.solver.rtol, method=method,
            name="electrostatics", ties=held.ties,
        )  # fmt: skip
        stage.note = f"{num_dofs} unknowns, {method}, {solved.iterations} iterations"
    with clock.stage("measure"):
        residual = residual_vector(a, load, solved.u)
        state = potential.State(
            domain, data, held, solved.u, coefficient, carried.scale, residual, case.electric_form
        )
        balance = potential.balance(state)
        quantities = balance.quantities | potential.fields(state) | fractions(case, domain)
        limits = potential.limits(state, degree)
        if limits is not None:
            quantities = potential.bounded(quantities, limits.gap)
        strength = mean_of_cells(domain, forms.strength(solved.u))
        fields = {"potential [V]": solved.u, "field [V/m]": strength}
        lines = limits.stream if limits else None
        if lines is None and case.output.figures:
            lines = potential.field_lines(state, degree)
        if lines is not None:
            fields["stream_function"] = lines
        tables = potential.tables(state, case.probe)
    information = {
        "iterations": solved.iterations, "method": solved.method, "residual": solved.residual,
        "form": case.electric_form,
    }  # fmt: skip
    told = None if limits is None else CellErrors(limits.gap, limits.cells, degree)
    return Solution(
        quantities, balance.checks, fields, tables, information, num_dofs, cell_errors=told
    )


STUDY = Study("electrostatics", plan, run)

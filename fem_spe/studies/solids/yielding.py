"""Structures with regions that yield: what they need, a body of them, and its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.materials import Material
from fem_spe.measure.cells import mean_of_cells
from fem_spe.measure.stress import Mask, by_region
from fem_spe.physics import elasticity
from fem_spe.physics import plasticity as forms
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution
from fem_spe.solve.solids.equilibrium import Supports, choose
from fem_spe.solve.solids.plastic import Yielding
from fem_spe.solve.solids.yielding_steps import bring_up
from fem_spe.studies.solids import loads, mechanics

RTOL = 1e-10  # of forces out of balance, at best: stresses return from trial ones far larger
_BEYOND = 1e-8  # that the von Mises stress may exceed the yield stress by, over the latter

Yields = dict[str, tuple[float, float]]


def strengths(case: Case, regions: Iterable[str]) -> Yields:
    """Region -> (yield stress, hardening modulus) in Pa, of those that yield."""
    return {r: pair for r in regions if (pair := strength(case.material(r))) is not None}


def strength(material: Material | None) -> tuple[float, float] | None:
    """Yield stress and hardening modulus of a material, Pa; None where it stays elastic."""
    if material is None or material.yield_stress is None:
        return None
    return material.yield_stress, material.hardening_modulus or 0.0


def require(
    case: Case, dimension: int, materials: Mapping[str, tuple[float, float]], yields: Yields
) -> None:
    """Raise where regions cannot yield.

    Raises:
        CaseError: naming what stands against it.
    """
    if not yields:
        return
    region = next(iter(yields))
    if dimension == 2 and case.elasticity.plane == "stress":
        raise CaseError(
            f'[elasticity] plane = "stress" knows no yield_stress, which {region} has; give '
            'plane = "strain" or another material'
        )
    stiff, limit = mechanics.too_stiff(materials), mechanics.NEARLY_INCOMPRESSIBLE
    if stiff is not None:
        raise CaseError(
            f"[materials] {stiff}: where {region} yields, the poisson_ratio of each region "
            f"must be at most {limit}"
        )


def body(
    domain: Domain,
    space: fem.FunctionSpace,
    materials: Mapping[str, tuple[float, float]],
    yields: Yields,
    faces: mechanics.Faces,
) -> Yielding:
    """A body of regions that yield or not, drawn at the tractions of `faces`. Collective."""
    if space.element.basix_element.degree == 1:
        log.warning(
            "linear elements are too stiff where %s yields; give [solver] degree = 2",
            next(iter(yields), "nothing"),
        )
    mu = {name: elasticity.lame(*given).mu for name, given in materials.items()}
    load = mechanics.tractions(domain, ufl.TestFunction(space), faces)
    moduli = elasticity.moduli(domain, materials)
    return Yielding(domain, space, moduli, forms.strength(domain, mu, yields), load)


def run(
    case: Case,
    domain: Domain,
    materials: dict[str, tuple[float, float]],
    yields: Yields,
    clock: Clock,
) -> Solution:
    """Load a structure on its faces, and measure. Collective.

    Args:
        case: With every default.
        domain: The mesh.
        materials: Region -> (E in Pa, nu).
        yields: As from `strengths`.
        clock: Of the run.

    Raises:
        ConvergenceError: if not even the first step is reached.
    """
    faces, dimension = case.boundary, domain.dimension
    space = fem.functionspace(domain.mesh, ("Lagrange", case.solver.degree or 2, (dimension,)))
    num_dofs = dimension * int(space.dofmap.index_map.size_global)
    method = choose(num_dofs, space.element.basix_element.degree, dimension)
    part, newton, stopped = 0.0, 0, ""
    rows: list[tuple[float, ...]] = []
    forces: dict[str, Quantity] = {}
    with clock.stage("solve") as stage:
        loaded = body(domain, space, materials, yields, faces)
        supports = Supports.of(space, mechanics.supports(domain, space, faces))
        try:
            for part, step in bring_up(
                loaded, supports, case.elasticity.steps,
                rtol=max(case.solver.rtol, RTOL), method=method,
            ):  # fmt: skip
                newton += step.newton
                forces, balance = loads.forces_at(domain, faces, nodal(loaded), part=part)
                rows.append((part, *(force.value for force in forces.values())))
        except ConvergenceError as error:
            if not rows:
                raise
            stopped = (
                f"[boundary.*] {part:.4g} of the load is reached, not all of it: {error}; the "
                "last good step is kept"
            )
        stage.note = f"{num_dofs} unknowns, {method}, {newton} Newton in {len(rows)} steps"
    with clock.stage("measure"):
        exclude = mechanics.clamped_corners(domain, faces)
        told, checks = measured(domain, loaded, yields, exclude)
        sigma = forms.elastic_stress(loaded.u, loaded.smooth()[0], loaded.moduli)
        quantities = told.quantities | forces | loads.tension(domain, sigma, exclude)
        quantities["reached_load"] = Quantity(part, "", "part of displacements and tractions")
    heads = ["load", *(f"{name} [{force.unit}]" for name, force in forces.items())]
    return Solution(
        quantities,
        {"force_imbalance": balance, "unreached": Check(1.0 - part, 0.0), **checks},
        {"displacement": loaded.u, **told.fields},
        {"load": dict(zip(heads, np.array(rows).T, strict=True))},
        {"iterations": newton, "steps": len(rows), "method": method},
        num_dofs,
        stopped=stopped,
    )


def nodal(body: Yielding) -> fem.Function:
    """Inner less outer forces at every node, N. Collective."""
    vector, residual = body.residual(), fem.Function(body.space)
    residual.x.array[: len(vector.array)] = vector.array
    residual.x.scatter_forward()
    vector.destroy()
    return residual


def measured(
    domain: Domain, body: Yielding, yields: Yields, exclude: Mask | None
) -> tuple[mechanics.Stressed, dict[str, Check]]:
    """Stresses, plastic strains and what they must fulfil. Collective.

    Where a region yields stresses are told at the points that they were returned at: beyond
    them, towards corners of cells, they would exceed the yield stress.
    """
    components, amount = body.smooth()
    sigma = forms.elastic_stress(body.u, components, body.moduli)
    eps = forms.padded(elasticity.strain(body.u)) - forms.tensor(components)
    energy = 0.5 * ufl.inner(sigma, eps)
    told = mechanics.stressed(domain, sigma, energy, axis=domain.dimension - 1, exclude=exclude)
    strength = elasticity.von_mises(sigma)
    at_points = by_region(domain, strength, degree=body.degree, exclude=exclude, corners=False)
    own = {region: at_points[region] for region in yields if region in at_points}
    quantities = told.quantities | mechanics.spread(own, exclude=exclude)
    quantities |= _integrals(domain, body, quantities)
    fractions, largest = _flowed(domain, body)
    for region in yields:
        quantities[f"plastic_fraction.{region}"] = Quantity(
            fractions[region], "", f"of the volume of {region} that has yielded"
        )
        quantities[f"max_plastic_strain.{region}"] = Quantity(
            largest[region], "", f"largest accumulated plastic strain in {region}"
        )
    s = body.strength
    spent = (s.first * body.amount + 0.5 * s.hardening * body.amount**2) * body.dx
    unit = "J" if domain.dimension == 3 else "J/m"
    quantities["plastic_work"] = Quantity(domain.integrate(spent), unit, "spent in yielding")
    fields = {
        "von_mises [Pa]": _means(domain, body),
        "plastic_strain": mean_of_cells(domain, amount),
    }
    checks = {"beyond_yield": Check(_beyond(domain, body), _BEYOND)}
    return replace(told, quantities=quantities, fields=fields), checks


def _integrals(domain: Domain, body: Yielding, told: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Energies and shares, summed over the points that stresses were returned at. Collective."""
    sigma = forms.elastic_stress(body.u, body.components, body.moduli)
    eps = forms.padded(elasticity.strain(body.u)) - forms.tensor(body.components)
    axis, found = domain.dimension - 1, {}
    for name, density in (
        ("energy_share", 0.5 * ufl.inner(sigma, eps)),
        ("load_share", sigma[axis, axis]),
    ):
        one = {r: domain.integrate(density * body.dx(tag)) for r, tag in domain.regions.items()}
        total = sum(one.values())
        for region, part in one.items():
            key = f"{name}.{region}"
            found[key] = replace(told[key], value=part / total if total else np.nan)
        if name == "energy_share":
            found["strain_energy"] = replace(told["strain_energy"], value=total)
    return found


def _means(domain: Domain, body: Yielding) -> fem.Function:
    """Mean von Mises stress of each cell, over those points, Pa."""
    sigma = forms.elastic_stress(body.u, body.components, body.moduli)
    value = ufl.as_vector([elasticity.von_mises(sigma), abs(ufl.JacobianDeterminant(domain.mesh))])
    table = fem.Expression(value, body.points).eval(domain.mesh, body.cells)
    table = table.reshape(-1, len(body.weights), 2)
    volume = table[:, :, 1] * body.weights
    mean = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    dofs = mean.function_space.dofmap.list[:, 0]
    mean.x.array[dofs] = np.sum(table[:, :, 0] * volume, axis=1) / volume.sum(axis=1)
    return mean


def _flowed(domain: Domain, body: Yielding) -> tuple[dict[str, float], dict[str, float]]:
    """Part of each region that has yielded, and the largest plastic strain there. Collective."""
    comm = domain.mesh.comm
    whole = ufl.as_vector([body.amount, abs(ufl.JacobianDeterminant(domain.mesh))])
    evaluate = fem.Expression(whole, body.points)
    owned = domain.mesh.topology.index_map(domain.dimension).size_local
    fractions, largest = {}, {}
    for region, tag in domain.regions.items():
        cells = domain.cell_tags.find(tag)
        table = evaluate.eval(domain.mesh, cells[cells < owned]).reshape(-1, len(body.weights), 2)
        volume = table[:, :, 1] * body.weights
        parts = np.array([volume[table[:, :, 0] > 0.0].sum(), volume.sum()])
        flowed, total = comm.allreduce(parts, op=MPI.SUM)
        fractions[region] = float(flowed / total)
        most = float(np.max(table[:, :, 0], initial=0.0))
        largest[region] = float(comm.allreduce(most, op=MPI.MAX))
    return fractions, largest


def _beyond(domain: Domain, body: Yielding) -> float:
    """How far the von Mises stress exceeds the yield stress at most, over it. Collective."""
    excess: Any = forms.beyond_yield(
        body.u, body.components, body.amount, body.moduli, body.strength
    )
    value = fem.Expression(excess, body.points).eval(domain.mesh, body.cells)
    local = float(np.max(value, initial=0.0))
    return float(domain.mesh.comm.allreduce(local, op=MPI.MAX))

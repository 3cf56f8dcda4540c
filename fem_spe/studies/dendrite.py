"""Dendrites: lithium that grows from the anode into an electrolyte with fibres in the way."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from mpi4py import MPI

from fem_spe.case import Case
from fem_spe.case.model import Solver
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import MeshFile
from fem_spe.materials import Material
from fem_spe.materials.deposition import Deposition
from fem_spe.progress import Clock, log
from fem_spe.results import Solution
from fem_spe.studies.dendrites import in_time as dendrite_in_time
from fem_spe.studies.dendrites import width as dendrite_width
from fem_spe.studies.dendrites.model import Model
from fem_spe.studies.named import require_regions
from fem_spe.studies.registry import Plan, Study

_RTOL = Solver().rtol  # of other studies: Newton's method has tolerances of its own here


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Fibres are inert holes; the electrolyte must lead from the anode to the other side."""
    if case.dendrite is None:
        raise CaseError('[dendrite] is missing; give it a charge, such as "0.5 mA*h/cm^2"')
    if not isinstance(case.geometry, MeshFile) and len(case.geometry.size) != 2:
        raise CaseError("[geometry] dendrites grow in 2-D; give a size of two lengths")
    for key, value, usual in (
        ("[solver] degree", case.solver.degree, 1),
        ("[mesh] order", case.mesh.order, 1),
        ("[solver] rtol", case.solver.rtol, _RTOL),
    ):
        if value not in (None, usual):
            raise CaseError(f"{key} = {value:g} has no meaning for dendrites; remove it")
    if isinstance(case.mesh.adapt, float):
        raise CaseError(
            f"[mesh] adapt = {case.mesh.adapt:g} bounds an error that dendrites do not tell; give "
            '"front", which makes cells small there alone'
        )
    require_regions(case, regions)
    holes = frozenset(r for r in regions if case.material(r) is None)
    electrolyte = [r for r in regions if r not in holes]
    if regions and not electrolyte:
        raise CaseError("[materials] every region is impermeable; lithium has nowhere to grow")
    kinds = {repr(case.material(r)) for r in electrolyte}
    if len(kinds) > 1:
        raise CaseError(
            f"[materials] {' and '.join(electrolyte)} differ, but dendrites grow into one "
            'electrolyte; give them one material, or "impermeable"'
        )
    _metal(case, electrolyte)
    return Plan(holes, across="thickness")


def _metal(case: Case, electrolyte: list[str]) -> Deposition:
    """The parameter set with what [materials] says of the electrolyte.

    Raises:
        CaseError: if that is no single value.
    """
    metal = dendrite_width.metal(case)
    material = (case.material(electrolyte[0]) if electrolyte else None) or Material()
    names: tuple[Literal["diffusivity"], Literal["conductivity"]] = ("diffusivity", "conductivity")
    found = {}
    for name in names:
        if getattr(material, name) is None:
            continue
        value = material.at(name, case.temperature) if material.has(name) else ()
        if isinstance(value, tuple):
            raise CaseError(
                f"[materials] {electrolyte[0]}: {name} must be one value, the same along all axes "
                "and at every concentration, for dendrites"
            )
        found[name] = value
    return metal.with_electrolyte(**found)


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Grow and measure. Collective.

    Raises:
        CaseError: if the mesh has no anode, or cells too large for the front.
        ConvergenceError: if the time step collapses.
    """
    dendrite = case.dendrite
    assert dendrite is not None
    if domain.dimension != 2:
        raise CaseError(f"[geometry] dendrites grow in 2-D, but the mesh has {domain.dimension}")
    metal = _metal(case, list(domain.regions))
    if isinstance(case.geometry, MeshFile):
        largest = _largest_cell(domain)
        if case.mesh.adapt is None:
            dendrite_width.require_cells(largest, metal.interface_width)
        else:
            dendrite_width.require_seen(
                largest, metal.interface_width, "[geometry] file: the largest cell"
            )
    layer = dendrite.layer or 2.0 * metal.interface_width
    if layer > domain.size[-1] - 2.0 * metal.interface_width:
        raise CaseError(
            f"[dendrite] layer = {1e6 * layer:.3g} um leaves no electrolyte above it: the "
            f"structure is {1e6 * domain.size[-1]:.3g} um high; give a thinner one"
        )
    deposit, room = (dendrite.charge or 0.0) / metal.charge_density, domain.size[-1] - layer
    if deposit > room:
        log.warning(
            "[dendrite] charge: its lithium is %.3g um thick, and %.3g um are left above the "
            "layer; the run ends at the short circuit",
            1e6 * deposit, 1e6 * room,
        )  # fmt: skip
    make = partial(
        Model,
        metal=metal,
        voltage=dendrite.overpotential,
        temperature=case.temperature,
        noise=dendrite.noise,
        seed=dendrite.seed,
        method=dendrite.method,
    )
    return dendrite_in_time.run(case, domain, make, layer, clock)


def _largest_cell(domain: Domain) -> float:
    """Side of the regular triangle that the largest cell's area has, m. Collective."""
    x = domain.mesh.geometry.x[domain.mesh.geometry.dofmaps[0][:, :3], :2]
    edges = x[:, 1:] - x[:, :1]
    own = float(np.abs(np.linalg.det(edges)).max(initial=0.0)) / 2.0
    area = domain.mesh.comm.allreduce(own, op=MPI.MAX)
    return float(np.sqrt(4.0 * area / np.sqrt(3.0)))


STUDY = Study("dendrite", plan, run, resolve=dendrite_width.fitted)

"""Nernst-Planck: ions of a salt in the field that they make themselves, steady and in time."""

from __future__ import annotations

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import BOX_FACES, opposite
from fem_spe.measure.probe import Follower
from fem_spe.meshing import Spot
from fem_spe.progress import Clock
from fem_spe.results import Solution
from fem_spe.studies.ions import cathode_input, depletion, impedance, salt_in_time, space_charge
from fem_spe.studies.ions.cell import Cell, cell
from fem_spe.studies.ions.electroneutral import DepletedError, Model
from fem_spe.studies.ions.limits import require_possible, tell
from fem_spe.studies.ions.salt_fields import Fields
from fem_spe.studies.ions.salt_measure import measure
from fem_spe.studies.registry import Plan, Study

_FLAT = 1e3  # radius of a ball over the structure: what it bulges is far below a cell


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Impermeable regions are holes; every part of the rest must touch an electrode."""
    holes = frozenset(r for r in regions if case.material(r) is None)
    if regions and len(holes) == len(set(regions)):
        raise CaseError("[materials] every region is impermeable; nothing carries ions")
    _require_one_electrolyte(case, [r for r in regions if r not in holes])
    cathode_input.require(case, [r for r in regions if r not in holes])
    if case.nernst_planck.closure == "poisson":
        return space_charge.plan(case, holes)
    driven = cell(case)
    if not isinstance(case.geometry, MeshFile):
        require_possible(case, driven, case.geometry.size)
    if case.experiment is not None:
        _require_experiment(case, driven)
    _require_no_charging(case, driven)
    return Plan(holes, tuple(driven.faces), spots=_layers(case, driven))


def _layers(case: Case, driven: Cell) -> tuple[Spot, ...]:
    """Small cells along the electrodes, where [mesh] gives an interface_size.

    A ball so large that it is flat within the structure stands for the half space beyond.
    """
    if isinstance(case.geometry, MeshFile) or case.mesh.interface_size is None:
        return ()
    size = case.geometry.size
    radius, found = _FLAT * max(size), []
    for name in driven.passing:
        across = opposite(len(size), name)
        if across is not None:
            axis, low = across[0], name == BOX_FACES[len(size)][across[0]][0]
            place = [0.5 * s for s in size]
            place[axis] = -radius if low else size[axis] + radius
            found.append(Spot(tuple(place), radius, case.mesh.interface_size))
    return tuple(found)


def _require_one_electrolyte(case: Case, conducting: list[str]) -> None:
    """Raise where regions differ: the species' diffusivities hold in all of them."""
    different = {r: case.material(r) for r in conducting}
    if len({repr(m) for m in different.values()}) > 1:
        raise CaseError(
            f"[materials] {' and '.join(different)} differ, but the diffusivities of [[species]] "
            'hold in every region; give them one material, or "impermeable"'
        )


def _require_experiment(case: Case, driven: Cell) -> None:
    """Raise where the boundary data or the mode belong to another measurement."""
    assert case.experiment is not None
    kind = case.experiment.kind
    mode = "steady" if kind == "impedance" else "transient"
    if case.nernst_planck.mode != mode:
        raise CaseError(f'[experiment] kind = "{kind}" needs [nernst_planck] mode = "{mode}"')
    if kind == "chronopotentiometry":
        depletion.require(case, driven)
        return
    electrodes = {**driven.electrodes, **driven.kinetics}
    if len(electrodes) != 2 or driven.currents or driven.reservoirs:
        raise CaseError(
            f'[experiment] kind = "{kind}" needs two faces with an electrochemical_potential, and '
            "nothing else in [boundary.*]"
        )


def _require_no_charging(case: Case, driven: Cell) -> None:
    """Raise where a double layer would be charged by what is no small signal."""
    if case.experiment is not None and case.experiment.kind == "impedance":
        impedance.require_circuit(driven)
        return
    for name, law in driven.laws.items():
        if law.double_layer is not None:
            raise CaseError(
                f"[boundary.{name}] kinetics: double_layer has a meaning for [experiment] kind = "
                '"impedance" alone; remove it'
            )


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure, as mode and experiment ask for. Collective.

    Raises:
        CaseError: if there is no steady state with positive concentrations.
    """
    if case.nernst_planck.closure == "poisson":
        return space_charge.run(case, domain, clock)
    driven = cell(case)
    limits = require_possible(case, driven, domain.size)
    tell(driven, limits)
    if case.nernst_planck.mode == "transient":
        return salt_in_time.run(case, domain, clock, driven, limits)
    model = Model(case, domain, driven)
    with clock.stage("solve") as stage:
        try:
            model.steady()
        except DepletedError as error:
            smaller = "that of a structure is smaller than that of the plain cell; "
            raise CaseError(
                f"[boundary.*] there is no steady state in which every ion is left ({error}): "
                f"{limits}; {smaller if driven.cathode is None else ''}give less, "
                'or [nernst_planck] mode = "transient", which stops at depletion'
            ) from None
        stage.note = f"{model.num_dofs} unknowns"
    with clock.stage("measure"):
        fields = Fields(model, lines=case.output.figures)
        quantities, checks, tables = measure(model, limits, fields, case)
        tables |= Follower(domain, case.probe, fields.functions).snapshot()
        written = fields.written()
    if case.experiment is not None:
        with clock.stage("spectrum") as stage:
            more, spectrum = impedance.spectrum(case, model)
            quantities |= more
            tables |= spectrum
            stage.note = f"{len(spectrum['impedance']['f [Hz]'])} frequencies"
    information = {"method": model.newton.method, "closure": case.nernst_planck.closure}
    return Solution(quantities, checks, written, tables, information, model.num_dofs)


STUDY = Study("nernst_planck", plan, run)

"""What drives the ions of a salt: electrodes, currents and reservoirs on named faces."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fem_spe.case import Boundary, Case
from fem_spe.case.cathode import PorousElectrode
from fem_spe.case.electrolyte import Kinetics
from fem_spe.errors import CaseError
from fem_spe.geometry import Printed
from fem_spe.studies.ions.salt import Salt, salt
from fem_spe.units import FARADAY

# the interfaces of printed electrolytes, and which way they look
_PRINTED = {"electrolyte-lithium": "bottom", "electrolyte-cathode": "top"}
_NO_CURRENT = 1e-9  # of all given currents: what their sum may be off by


@dataclass(frozen=True)
class Porous:
    """A region that is a porous electrode, and what it is like."""

    name: str
    given: PorousElectrode


@dataclass(frozen=True)
class Cell:
    """Boundary data by face name; potentials in RT/F, concentrations over c0.

    Attributes:
        salt: What moves.
        reservoirs: Concentrations of the cations.
        electrodes: Electrochemical potentials of the cation.
        potentials: Potentials phi of faces that cations pass, in place of those.
        kinetics: Potentials of electrodes whose reaction has a resistance, and its law.
        anions: Fluxes of anions into the domain, over D+ c0, 1/m.
        currents: Given currents into the domain, over F D+ c0, 1/m.
        free: Electrodes of one potential each that is found: the laws of their reactions. What
            `currents` has for them is the mean.
        footprint: Faces whose current is given per footprint rather than per area -> the side of
            the box that has this footprint.
        cathode: A region that takes up cations, where there is one.
    """

    salt: Salt
    reservoirs: dict[str, float]
    electrodes: dict[str, float]
    potentials: dict[str, float]
    kinetics: dict[str, tuple[float, Kinetics]]
    anions: dict[str, float]
    currents: dict[str, float]
    footprint: dict[str, str]
    free: dict[str, Kinetics]
    cathode: Porous | None = None

    @property
    def faces(self) -> list[str]:
        """All that something crosses."""
        others: tuple[Iterable[str], ...] = (self.anions, self.currents, self.reservoirs)
        return list(dict.fromkeys([*self.holding, *(n for table in others for n in table)]))

    @property
    def closed(self) -> bool:
        """True where no anion can enter or leave but by a given flux."""
        return not self.reservoirs

    @property
    def grounded(self) -> bool:
        """True where something fixes the level of the potential."""
        return bool(self.holding)

    @property
    def holding(self) -> list[str]:
        """The faces that hold a potential of some kind."""
        return [*self.electrodes, *self.potentials, *self.kinetics]

    @property
    def passing(self) -> list[str]:
        """The faces that cations pass."""
        return [*self.holding, *(n for n, i in self.currents.items() if i)]

    @property
    def laws(self) -> dict[str, Kinetics]:
        """The reactions of all faces that have one."""
        return {name: law for name, (_, law) in self.kinetics.items()} | self.free

    @property
    def anode(self) -> str | None:
        """Where uniformity is reported: the side of the lithium, else the first electrode."""
        sides = ("bottom", "electrolyte-lithium")
        return next((n for n in [*sides, *self.passing] if n in self.passing), None)

    def given_flux(self) -> dict[str, float]:
        """Cations into the domain where they are given, mol/m^2/s."""
        ions, scale = self.salt.ions, self.salt.flux_scale
        names = {*self.currents, *self.anions}
        return {
            n: scale
            * (self.currents.get(n, 0.0) - ions.anion * self.anions.get(n, 0.0))
            / ions.cation
            for n in sorted(names)
        } | self._taken_up()

    def _taken_up(self) -> dict[str, float]:
        """What the cathode takes up, mol/m^2/s of its footprint."""
        if self.cathode is None:
            return {}
        taken = self.cathode.given.current_density / (FARADAY * self.salt.ions.cation)
        return {self.cathode.name: -taken}


def cell(case: Case) -> Cell:
    """The cell that [boundary.*] describe.

    Raises:
        CaseError: where a face names an unknown ion, or nothing drives.
    """
    found = Cell(salt(case), {}, {}, {}, {}, {}, {}, _footprints(case), {})
    for name, boundary in case.boundary.items():
        try:
            _add(found, name, boundary)
        except CaseError as error:
            raise CaseError(f"[boundary.{name}] {error}") from None
    for name, porous in case.porous.items():
        found = replace(found, cathode=Porous(name, porous))
    others = [*found.electrodes, *found.kinetics, *found.free]
    if found.potentials and others:
        raise CaseError(
            f"[boundary.{next(iter(found.potentials))}] potential fixes phi alone, and "
            f"{others[0]} the electrochemical_potential; give both faces the latter"
        )
    if not found.faces:
        raise CaseError(
            "[boundary.*] nothing drives the ions; give two faces electrochemical_potential, or "
            "one of them current_density or flux"
        )
    return found


def _footprints(case: Case) -> dict[str, str]:
    """Faces with a current density -> the side of the box whose area it is meant for."""
    given = [n for n, b in case.boundary.items() if b.current_density is not None]
    sides = {n: n for n in given}
    if isinstance(case.geometry, Printed):
        sides |= {n: _PRINTED[n] for n in given if n in _PRINTED}
    return sides


def _add(found: Cell, name: str, boundary: Boundary) -> None:
    """Sort what a face prescribes into `found`."""
    salt = found.salt
    ions, volt = salt.ions, salt.thermal_voltage
    if boundary.surface_charge is not None:
        raise CaseError(
            "surface_charge: without layers of charge there is none; give [nernst_planck] closure "
            '= "poisson"'
        )
    if boundary.concentration is not None:
        found.reservoirs[name] = _concentration(salt, boundary.concentration)
    if boundary.potential is not None:
        if name in found.reservoirs:
            shift = math.log(found.reservoirs[name]) / ions.cation
            found.electrodes[name] = boundary.potential / volt + shift
        else:
            found.potentials[name] = boundary.potential / volt
    if boundary.electrochemical_potential is not None:
        value = boundary.electrochemical_potential / volt
        if boundary.kinetics is None:
            found.electrodes[name] = value
        else:
            found.kinetics[name] = value, boundary.kinetics
    if boundary.current_density is not None:
        found.currents[name] = boundary.current_density / (FARADAY * salt.flux_scale)
        if boundary.kinetics is not None:
            found.free[name] = boundary.kinetics
    if boundary.flux is not None:
        if not isinstance(boundary.flux, dict):
            raise CaseError(f'flux: of which ion? Write {{ "{salt.cation.name}" = ... }}')
        carried = 0.0
        for ion, value in boundary.flux.items():
            species = salt.species(ion)
            carried += species.charge * value / salt.flux_scale
            if species is salt.anion:
                found.anions[name] = value / salt.flux_scale
        found.currents[name] = carried


def _concentration(salt: Salt, given: float | dict[str, float]) -> float:
    """Cations over c0 that a face prescribes."""
    values = given if isinstance(given, dict) else {salt.cation.name: given}
    found = {ion: v / salt.species(ion).concentration for ion, v in values.items()}
    if not found:
        raise CaseError("concentration: names no ion")
    low, high = min(found.values()), max(found.values())
    if low <= salt.fixed:
        raise CaseError(
            f"concentration must be above {salt.fixed * salt.concentration:g} mol/m^3, so that "
            "mobile ions of both kinds are there"
        )
    if high - low > _NO_CURRENT * high:
        raise CaseError("concentration: the ions given are not neutral together")
    return low

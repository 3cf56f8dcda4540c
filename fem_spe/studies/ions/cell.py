"""What drives the ions of a salt: electrodes, currents and reservoirs on named faces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fem_spe.case import Boundary, Case
from fem_spe.case.cathode import PorousElectrode
from fem_spe.case.electrolyte import PERMITTIVITY, Kinetics
from fem_spe.errors import CaseError
from fem_spe.exact import cathode as exact_cathode
from fem_spe.geometry import Printed
from fem_spe.geometry.faces import opposite
from fem_spe.progress import log
from fem_spe.results import Quantity
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


@dataclass(frozen=True)
class Limits:
    """What is asked of a cell against what it can pass.

    Attributes:
        flux: Largest given flux of cations, mol/m^2/s; 0 where none is given.
        limiting: Of a plain cell of this length, mol/m^2/s.
        sand_time: At the given flux, s.
        length: Between the electrodes, m.
        debye: Debye length, m.
        unlimited: Why there is no limiting flux, where there is none.
        most: Limiting fluxes that no structure passes: what pillars hold adds to the salt of
            the film, in which the flux is at most what this salt on one side of it drives.
        plain: What has this limit.
    """

    flux: float
    limiting: float
    sand_time: float
    length: float
    debye: float
    unlimited: str = "for fixed anions keep cations of their own"
    most: float = 1.0
    plain: str = "of the unstructured cell"

    def told(self) -> dict[str, Quantity]:
        """What a result tells of them."""
        found = {"debye_length": Quantity(self.debye, "m", "of the bulk")}
        if math.isfinite(self.limiting):
            found["limiting_flux"] = Quantity(
                self.limiting, "mol/m^2/s", f"largest steady flux {self.plain}"
            )
        if self.flux and math.isfinite(self.sand_time):
            found["sand_time"] = Quantity(
                self.sand_time, "s", "when the given flux depletes a deep unstructured cell"
            )
        return found

    def __str__(self) -> str:
        ratio = self.debye / self.length
        shield = f"Debye length {self.debye * 1e9:.2g} nm, {ratio:.1e} of the cell"
        if math.isinf(self.limiting):
            return f"no limiting flux, {self.unlimited}; {shield}"
        limit = f"limiting flux {self.limiting:.3g} mol/m^2/s ({self.plain})"
        if not self.flux:
            return f"{limit}; {shield}"
        sand = f"Sand's time {self.sand_time:.3g} s; " if math.isfinite(self.sand_time) else ""
        return (
            f"flux {self.flux:.3g} mol/m^2/s = {self.flux / self.limiting:.3g} of the {limit}; "
            f"{sand}{shield}"
        )


def limits(case: Case, driven: Cell, size: tuple[float, ...]) -> Limits:
    """The limits of a cell of this `size` (m)."""
    own, salt = case.nernst_planck, driven.salt
    debye = own.debye_length or salt.debye_length(own.permittivity or PERMITTIVITY)
    if driven.cathode is not None:
        return _into_cathode(case, driven.cathode, driven, size, debye)
    flux, length = hardest(driven.given_flux(), size)
    most = 1.0
    if isinstance(case.geometry, Printed):
        flux, length, most = _through_film(case.geometry, driven)
    limit, sand = salt.limiting_flux(length), salt.sand_time(flux)
    return Limits(flux, limit, sand, length, debye, most=most)


def _into_cathode(
    case: Case, cathode: Porous, driven: Cell, size: tuple[float, ...], debye: float
) -> Limits:
    """Limits of a flat film and cathode where the uptake is even, and of any at all."""
    salt, part, given = driven.salt, case.geometry, cathode.given
    flux = max(map(abs, driven.given_flux().values()), default=0.0)
    if not isinstance(part, Printed) or salt.fixed:
        why = "for fixed anions keep cations of their own" if salt.fixed else "for want of a shape"
        return Limits(flux, math.inf, math.inf, size[-1], debye, why)
    ratio = 0.5 * (1.0 + salt.cation.charge / -salt.anion.charge)
    limit = ratio * exact_cathode.limiting_flux(
        salt.cation.diffusivity, salt.concentration, part.base, part.cathode,
        given.porosity, given.transport,
    )  # fmt: skip
    most = 1.0
    if part.pattern != "flat" or given.kinetics is not None:
        volumes = part.volumes
        held = volumes["electrolyte"] + given.porosity * volumes[cathode.name]
        most = salt.limiting_flux(part.base) * held / (part.footprint * part.base) / limit
    plain = "of a flat cell with even uptake"
    return Limits(flux, limit, math.inf, part.base, debye, most=most, plain=plain)


def _through_film(part: Printed, driven: Cell) -> tuple[float, float, float]:
    """Largest given flux, the way through the film, m, and the salt of the cell over its own."""
    flux = max(map(abs, driven.given_flux().values()), default=0.0)
    volume = part.volumes["electrolyte"]
    return flux, part.base, volume / (part.footprint * part.base)


def hardest(given: Mapping[str, float], size: tuple[float, ...]) -> tuple[float, float]:
    """Of the fluxes through faces the one that has farthest to go for its size, and how far, m.

    Zero and the thickness where none is given.
    """
    lengths = {name: _across(name, size) for name in given}
    worst = max(given, key=lambda n: abs(given[n]) * lengths[n], default=None)
    return (abs(given[worst]), lengths[worst]) if worst else (0.0, size[-1])


def _across(face: str, size: tuple[float, ...]) -> float:
    """The way from a face to the opposite one, m; for an interface the thickness."""
    found = opposite(len(size), face)
    return size[-1] if found is None else size[found[0]]


def require_possible(case: Case, driven: Cell, size: tuple[float, ...]) -> Limits:
    """Tell the limits, and raise where a steady state cannot be.

    Raises:
        CaseError: with flux, limit and Sand's time, if a closed cell is asked for more than it
            can pass in the long run.
    """
    found = limits(case, driven, size)
    if case.nernst_planck.mode == "steady" and driven.closed:
        require_below(found, "which stops at depletion")
    return found


def require_below(found: Limits, transient: str) -> None:
    """Raise where a closed cell is asked for more than it can pass in the long run.

    Raises:
        CaseError: with flux, limit and Sand's time, and what a transient does.
    """
    if found.flux >= found.most * found.limiting:
        raise CaseError(
            f"[boundary.*] there is no steady state: {found}; give a smaller flux, or "
            f'[nernst_planck] mode = "transient", {transient}'
        )


def tell(driven: Cell, found: Limits) -> None:
    """What a user should know before the solution."""
    log.info("  %s", found)
    if driven.potentials:
        log.warning(
            "potential fixes phi, where an electrode fixes the electrochemical_potential of its "
            "ion: a small voltage drives twice the steady current then"
        )

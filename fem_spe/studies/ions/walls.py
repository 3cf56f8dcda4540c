"""What is prescribed where charged layers are resolved: walls, electrodes, reservoirs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from fem_spe.case import Boundary, Case
from fem_spe.errors import CaseError
from fem_spe.exact.double_layer import wall_potential
from fem_spe.studies.ions.bulk import Bulk, bulk
from fem_spe.studies.ions.limits import Limits, hardest
from fem_spe.units import FARADAY

_NEUTRAL = 1e-9  # relative charge of a reservoir that is round-off
_MOST_VOLTS = 60.0  # RT/F over a layer, beyond which e^(zeta/2) means nothing


@dataclass(frozen=True)
class Walls:
    """Boundary data by face name; potentials in RT/F. What no table names blocks every ion.

    Attributes:
        bulk: What moves.
        potentials: psi of walls and reservoirs.
        reservoirs: ln(c / c_bulk) of every ion.
        electrodes: Electrochemical potentials of the cation, per charge.
        fluxes: Of ions by number, into the domain, over D c0, 1/m.
        charges: Of walls, over 2 lambda^2 F c0, 1/m.
        footprint: Faces whose flux is per footprint rather than per area.
    """

    bulk: Bulk
    potentials: dict[str, float] = field(default_factory=dict)
    reservoirs: dict[str, tuple[float, ...]] = field(default_factory=dict)
    electrodes: dict[str, float] = field(default_factory=dict)
    fluxes: dict[str, dict[int, float]] = field(default_factory=dict)
    charges: dict[str, float] = field(default_factory=dict)
    footprint: set[str] = field(default_factory=set)

    @property
    def faces(self) -> list[str]:
        """All that have data."""
        tables = (self.electrodes, self.reservoirs, self.potentials, self.fluxes, self.charges)
        return list(dict.fromkeys(name for table in tables for name in table))

    @property
    def passing(self) -> list[str]:
        """The faces that ions pass."""
        driven = [n for n, own in self.fluxes.items() if any(own.values())]
        return list(dict.fromkeys([*self.electrodes, *self.reservoirs, *driven]))

    @property
    def anode(self) -> str | None:
        """Where uniformity is reported: the bottom if ions pass it, else the first electrode."""
        return "bottom" if "bottom" in self.passing else next(iter(self.passing), None)

    @property
    def grounded(self) -> bool:
        """True where something fixes the level of the potential."""
        return bool(self.potentials or self.electrodes)

    def closed(self, ion: int) -> bool:
        """True where no ion of this number can enter or leave but by a given flux."""
        return not (self.reservoirs or (self.electrodes and ion == self.bulk.cation))

    def zeta(self, face: str) -> float:
        """Largest potential that the layer at a face may have to bear, of either sign."""
        largest = max(abs(s.charge) for s in self.bulk.species)
        if face in self.charges:
            # Grahame's equation as if all ions had this charge
            half = self.bulk.debye * abs(self.charges[face]) / 2
            return wall_potential(half * largest)
        if face in self.reservoirs or face not in self.potentials:
            return 0.0
        # those that the bulk may be at
        levels = [*(self.potentials[n] for n in self.reservoirs), *self.electrodes.values()]
        levels = levels or [*self.potentials.values()]
        return largest * max(abs(self.potentials[face] - level) for level in levels)


def walls(case: Case) -> Walls:
    """The walls that [boundary.*] describe.

    Raises:
        CaseError: where a face asks for what has no meaning, or nothing drives.
    """
    if case.experiment is not None:
        raise CaseError(
            '[experiment] is simulated under closure = "electroneutral"; remove it or the closure'
        )
    found = Walls(bulk(case))
    for name, boundary in case.boundary.items():
        try:
            _add(found, name, boundary)
        except CaseError as error:
            raise CaseError(f"[boundary.{name}] {error}") from None
    if not found.faces:
        raise CaseError(
            "[boundary.*] nothing drives the ions; give a wall a potential or a surface_charge, or "
            "faces electrochemical_potential, flux, or concentration and potential"
        )
    for name in found.faces:
        if found.zeta(name) > _MOST_VOLTS:
            raise CaseError(
                f"[boundary.{name}] its layer would bear {found.zeta(name):.3g} RT/F, where ions "
                f"are no points any more; give what makes less than {_MOST_VOLTS:g} RT/F"
            )
    return found


def _add(found: Walls, name: str, given: Boundary) -> None:
    """Sort what a face prescribes into `found`."""
    own = found.bulk
    if given.kinetics is not None:
        raise CaseError(
            'kinetics: closure = "poisson" takes electrodes without resistance; remove them, or '
            "the closure"
        )
    if given.potential is not None:
        found.potentials[name] = given.potential / own.thermal_voltage
    if given.concentration is not None:
        if given.potential is None:
            raise CaseError(
                'concentration needs potential beside it under closure = "poisson": a reservoir '
                "holds both"
            )
        found.reservoirs[name] = _reservoir(own, given.concentration)
    if given.electrochemical_potential is not None:
        _the_cation(own, "electrochemical_potential")
        found.electrodes[name] = given.electrochemical_potential / own.thermal_voltage
    if given.surface_charge is not None:
        found.charges[name] = given.surface_charge / own.charge_scale
    if given.current_density is not None:
        cation = _the_cation(own, "current_density")
        carried = FARADAY * own.species[cation].charge * own.flux_scale
        found.fluxes[name] = {cation: given.current_density / carried}
        found.footprint.add(name)
    if given.flux is not None:
        if not isinstance(given.flux, dict):
            raise CaseError(f'flux: of which ion? Write {{ "{own.species[0].name}" = ... }}')
        found.fluxes[name] = {own.number(ion): j / own.flux_scale for ion, j in given.flux.items()}


def _the_cation(own: Bulk, what: str) -> int:
    """The number of the cation that an electrode passes."""
    if own.cation is None:
        raise CaseError(f"{what} is that of the cation, but not one cation alone moves; give flux")
    return own.cation


def _reservoir(own: Bulk, given: float | dict[str, float]) -> tuple[float, ...]:
    """ln(c / c_bulk) of every ion in a reservoir; the last one not given makes it neutral."""
    if not isinstance(given, dict):
        if own.cation is None:
            raise CaseError("concentration: of which ion? Give all by name")
        given = {own.species[own.cation].name: given}
    found: dict[int, float] = {own.number(ion): value for ion, value in given.items()}
    missing = [k for k in range(len(own.species)) if k not in found]
    charge = own.fixed + sum(own.species[k].charge * c for k, c in found.items())
    if len(missing) == 1:
        found[missing[0]] = -charge / own.species[missing[0]].charge
        charge = 0.0
    if len(found) < len(own.species) or min(found.values()) <= 0.0:
        names = ", ".join(s.name for s in own.species)
        raise CaseError(f"concentration: give {names} so that all are positive and neutral")
    most = abs(own.fixed) + sum(abs(own.species[k].charge) * c for k, c in found.items())
    if abs(charge) > _NEUTRAL * most:
        raise CaseError(
            f"concentration: the reservoir is not neutral: {charge:+.6g} mol/m^3 of charge"
        )
    return tuple(math.log(found[k] / c) for k, c in enumerate(own.mobile))


def limits(found: Walls, size: tuple[float, ...]) -> Limits:
    """What is asked of a cell of this `size` (m) against what it can pass."""
    own, salt = found.bulk, found.bulk.salt
    given = dict(_given(found))
    flux, length = hardest(given, size)
    if salt is None:
        why = "for none is known of this mixture of ions"
        return Limits(flux, math.inf, math.inf, length, own.debye, why)
    return Limits(flux, salt.limiting_flux(length), salt.sand_time(flux), length, own.debye)


def _given(found: Walls) -> Iterator[tuple[str, float]]:
    """The given fluxes of the cation, mol/m^2/s."""
    for name, own in found.fluxes.items():
        if found.bulk.cation in own:
            yield name, found.bulk.flux_scale * own[found.bulk.cation]

"""Any number of ions, neutral together with what is fixed, and the scales of their bulk."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fem_spe.case import Case
from fem_spe.case.electrolyte import PERMITTIVITY, Species
from fem_spe.errors import CaseError
from fem_spe.physics.poisson_nernst_planck import Ion
from fem_spe.studies.ions.salt import Salt, warmed
from fem_spe.units import FARADAY, GAS_CONSTANT, VACUUM_PERMITTIVITY

_NEUTRAL = 1e-9  # relative charge of the bulk that is round-off


@dataclass(frozen=True)
class Bulk:
    """The electrolyte far from walls.

    Attributes:
        species: The ions of which some move.
        fixed: Charge of what is fixed in place, over F, mol/m^3.
        temperature: K.
        debye: Debye length, m.
    """

    species: tuple[Species, ...]
    fixed: float
    temperature: float
    debye: float

    @property
    def thermal_voltage(self) -> float:
        """RT/F, V."""
        return GAS_CONSTANT * self.temperature / FARADAY

    @property
    def mobile(self) -> tuple[float, ...]:
        """Concentration of what moves of each species, mol/m^3."""
        return tuple((1.0 - s.immobile_fraction) * s.concentration for s in self.species)

    @property
    def concentration(self) -> float:
        """The scale c0 = sum z^2 c / 2 (the ionic strength), mol/m^3; for a 1:1 salt its own."""
        return _strength(self.species, self.mobile)

    @property
    def diffusivity(self) -> float:
        """The scale D, m^2/s: that of the first ion."""
        return self.species[0].diffusivity

    @property
    def flux_scale(self) -> float:
        """D c0, mol/m/s."""
        return self.diffusivity * self.concentration

    @property
    def charge_scale(self) -> float:
        """2 lambda^2 F c0 = eps RT/F, C/m: charges on walls over it are in 1/m."""
        return 2 * self.debye**2 * FARADAY * self.concentration

    @property
    def ions(self) -> list[Ion]:
        """For the weak forms."""
        c0, diffusivity = self.concentration, self.diffusivity
        return [
            Ion(s.charge, s.diffusivity / diffusivity, c / c0)
            for s, c in zip(self.species, self.mobile, strict=True)
        ]

    @property
    def cation(self) -> int | None:
        """The number of the only cation; None where there are several or none."""
        found = [k for k, s in enumerate(self.species) if s.charge > 0]
        return found[0] if len(found) == 1 else None

    @property
    def salt(self) -> Salt | None:
        """The salt that the two ions make, with the fixed anions; None for other mixtures."""
        if len(self.species) != 2 or self.cation is None:
            return None
        cation, anion = self.species[self.cation], self.species[1 - self.cation]
        own = -anion.immobile_fraction * anion.charge * anion.concentration
        if cation.immobile_fraction or abs(self.fixed + own) > _NEUTRAL * own:
            return None
        return Salt(cation, anion, self.temperature)

    @property
    def shares(self) -> list[float]:
        """What each ion carries of the current in the even bulk."""
        own = [
            s.charge**2 * s.diffusivity * c for s, c in zip(self.species, self.mobile, strict=True)
        ]
        return [one / sum(own) for one in own]

    @property
    def conductivity(self) -> float:
        """Of the even bulk (Nernst & Einstein), S/m."""
        own = zip(self.species, self.mobile, strict=True)
        carried = sum(s.charge**2 * s.diffusivity * c for s, c in own)
        return FARADAY * carried / self.thermal_voltage

    def number(self, name: str) -> int:
        """The number of the ion called `name`.

        Raises:
            CaseError: if there is none that moves; the message names those there are.
        """
        names = [s.name for s in self.species]
        if name not in names:
            raise CaseError(f"there is no mobile ion {name!r}; there are {', '.join(names)}")
        return names.index(name)


def bulk(case: Case) -> Bulk:
    """The bulk that [[species]] describe.

    Raises:
        CaseError: if there is no ion that moves, two have one name, or they are not neutral.
    """
    if not case.species:
        raise CaseError(
            "[[species]] are missing; give ions with name, charge, diffusivity and concentration"
        )
    names = [s.name for s in case.species]
    for name in names:
        if names.count(name) > 1:
            raise CaseError(f"[[species]] {name}: {names.count(name)} ions have this name")
    charge = sum(s.charge * s.concentration for s in case.species)
    most = sum(abs(s.charge) * s.concentration for s in case.species)
    if abs(charge) > _NEUTRAL * most:
        last = case.species[-1]
        needed = last.concentration - charge / last.charge
        hint = f"{last.name} must have {needed:.6g} mol/m^3" if needed > 0 else "add its counterion"
        raise CaseError(
            f"[[species]] the bulk is not neutral: {charge:+.6g} mol/m^3 of charge; {hint}"
        )
    mobile = tuple(warmed(s, case.temperature) for s in case.species if s.immobile_fraction < 1)
    if not mobile:
        raise CaseError("[[species]] every ion is fixed in place; give one that moves")
    fixed = sum(s.charge * s.immobile_fraction * s.concentration for s in case.species)
    own = case.nernst_planck
    strength = _strength(mobile, tuple((1 - s.immobile_fraction) * s.concentration for s in mobile))
    volt = GAS_CONSTANT * case.temperature / FARADAY
    permittivity = (own.permittivity or PERMITTIVITY) * VACUUM_PERMITTIVITY
    debye = own.debye_length or math.sqrt(permittivity * volt / (2 * FARADAY * strength))
    return Bulk(mobile, fixed, case.temperature, debye)


def _strength(species: tuple[Species, ...], mobile: tuple[float, ...]) -> float:
    """sum z^2 c / 2, mol/m^3."""
    return sum(s.charge**2 * c for s, c in zip(species, mobile, strict=True)) / 2

"""The salt of a case: its transport numbers, its scales, and what a cell can pass with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fem_spe.case import Case
from fem_spe.case.electrolyte import Species
from fem_spe.errors import CaseError
from fem_spe.exact import electrolyte as exact
from fem_spe.materials import Material
from fem_spe.physics.nernst_planck import Ions
from fem_spe.units import FARADAY, GAS_CONSTANT, VACUUM_PERMITTIVITY

_NEUTRAL = 1e-9  # relative charge of the bulk that is round-off


@dataclass(frozen=True)
class Salt:
    """A cation and an anion, neutral together.

    Attributes:
        cation, anion: The two species.
        temperature: K.
    """

    cation: Species
    anion: Species
    temperature: float

    @property
    def concentration(self) -> float:
        """Mean concentration c0 of the cations, mol/m^3."""
        return self.cation.concentration

    @property
    def fixed(self) -> float:
        """Share of the anions that is fixed in place."""
        return self.anion.immobile_fraction

    @property
    def thermal_voltage(self) -> float:
        """RT/F, V."""
        return GAS_CONSTANT * self.temperature / FARADAY

    @property
    def _shares(self) -> tuple[float, float]:
        """What cations and mobile anions carry, z^2 D c, mol/m/s."""
        cation, anion = self.cation, self.anion
        mobile = (1.0 - self.fixed) * anion.concentration
        return (
            cation.charge**2 * cation.diffusivity * cation.concentration,
            anion.charge**2 * anion.diffusivity * mobile,
        )

    @property
    def transference(self) -> float:
        """t+ of the even bulk: the share of the current that the cations carry."""
        cations, anions = self._shares
        return cations / (cations + anions)

    @property
    def conductivity(self) -> float:
        """Of the even bulk (Nernst & Einstein), S/m."""
        return FARADAY * sum(self._shares) / self.thermal_voltage

    @property
    def ambipolar(self) -> float:
        """Diffusivity of the salt where no ion is fixed, m^2/s (Newman 2004, eq. 11.23)."""
        cation, anion = self.cation, self.anion
        up, down = cation.charge, -anion.charge
        moved = up * cation.diffusivity + down * anion.diffusivity
        return cation.diffusivity * anion.diffusivity * (up + down) / moved

    @property
    def ions(self) -> Ions:
        """For the weak forms; the scale of diffusivities is the cation's."""
        ratio = self.anion.diffusivity / self.cation.diffusivity
        return Ions(self.cation.charge, self.anion.charge, 1.0, ratio, self.fixed)

    @property
    def flux_scale(self) -> float:
        """D+ c0, mol/m/s: fluxes over it are in 1/m."""
        return self.cation.diffusivity * self.concentration

    def limiting_flux(self, length: float) -> float:
        """Largest steady flux of cations through a plain closed cell, mol/m^2/s.

        For a 1:1 salt 4 D+ c0 / L; without limit where anions are fixed, for they keep cations
        of their own.
        """
        if self.fixed:
            return math.inf
        ratio = self.cation.charge / -self.anion.charge
        plain = exact.limiting_flux(self.cation.diffusivity, self.concentration, length)
        return 0.5 * (1.0 + ratio) * plain

    def sand_time(self, flux: float) -> float:
        """When the cations at an electrode that takes `flux` (mol/m^2/s) are used up, s."""
        if self.fixed or flux == 0.0:
            return math.inf
        return exact.sand_time(flux, self.concentration, self.ambipolar, self.transference)

    def debye_length(self, permittivity: float) -> float:
        """Of the bulk, m; `permittivity` is relative."""
        cation, anion = self.cation, self.anion
        mobile = (1.0 - self.fixed) * anion.concentration
        charges = cation.charge**2 * cation.concentration + anion.charge**2 * mobile
        return math.sqrt(
            permittivity * VACUUM_PERMITTIVITY * self.thermal_voltage / (FARADAY * charges)
        )

    def species(self, name: str) -> Species:
        """The ion called `name`.

        Raises:
            CaseError: if there is none; the message names the two.
        """
        for ion in (self.cation, self.anion):
            if ion.name == name:
                return ion
        known = f"{self.cation.name} and {self.anion.name}"
        raise CaseError(f"there is no ion {name!r}; the [[species]] are {known}")


def salt(case: Case) -> Salt:
    """The salt that [[species]] describe.

    Raises:
        CaseError: unless there is one cation and one anion, neutral together, whose cation
            carries a part of the current between none and all.
    """
    if not case.species:
        raise CaseError(
            "[[species]] are missing; give a cation and an anion with name, charge, diffusivity "
            "and concentration"
        )
    cations = [s for s in case.species if s.charge > 0]
    anions = [s for s in case.species if s.charge < 0]
    if len(cations) != 1 or len(anions) != 1:
        names = ", ".join(f"{s.name} ({s.charge:+d})" for s in case.species)
        raise CaseError(
            f"[[species]] {names}: the electroneutral closure takes one cation and one anion; give "
            'these two, or [nernst_planck] closure = "poisson" for other numbers of ions'
        )
    cation, anion = cations[0], anions[0]
    if cation.name == anion.name:
        raise CaseError(f"[[species]] {cation.name}: both ions have this name")
    charge = sum(s.charge * s.concentration for s in case.species)
    if abs(charge) > _NEUTRAL * cation.charge * cation.concentration:
        needed = cation.charge * cation.concentration / -anion.charge
        raise CaseError(
            f"[[species]] the bulk is not neutral: {charge:+.6g} mol/m^3 of charge; "
            f"{anion.name} must have {needed:.6g} mol/m^3"
        )
    if cation.immobile_fraction:
        raise CaseError(
            f"[[species]] {cation.name}: immobile_fraction is for the anion; fixed cations would "
            "leave nothing that the electrodes pass"
        )
    temperature = case.temperature
    found = Salt(warmed(cation, temperature), warmed(anion, temperature), temperature)
    if not 0.0 < found.transference < 1.0:
        raise CaseError(
            f"[[species]] t+ = {found.transference:g}, outside (0, 1): with every {anion.name} "
            "fixed nothing depletes, and the cell is a resistor; give study = "
            '"electrostatics" the conductivity'
        )
    return found


def warmed(ion: Species, temperature: float) -> Species:
    """`ion` with its diffusivity at `temperature` (K), by the law of materials.

    Raises:
        CaseError: if that leads too far from 25 degC.
    """
    law = Material(diffusivity=ion.diffusivity, activation_energy=ion.activation_energy)
    try:
        there = law.at("diffusivity", temperature)
    except CaseError as error:
        raise CaseError(f"[[species]] {ion.name}: {error}") from None
    return ion.model_copy(update={"diffusivity": there, "activation_energy": None})

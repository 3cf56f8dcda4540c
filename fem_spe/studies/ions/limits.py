"""What a cell can pass: its limiting flux, Sand's time, and what lies beyond them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fem_spe.case import Case
from fem_spe.case.electrolyte import PERMITTIVITY
from fem_spe.errors import CaseError
from fem_spe.exact import cathode as exact_cathode
from fem_spe.geometry import Printed
from fem_spe.geometry.faces import opposite
from fem_spe.progress import log
from fem_spe.results import Quantity
from fem_spe.studies.ions.cell import Cell, Porous


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

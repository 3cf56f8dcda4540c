"""Chronopotentiometry: a constant current until the salt at an electrode is used up (Sand)."""

from __future__ import annotations

from fem_spe.case import Case
from fem_spe.errors import CaseError
from fem_spe.exact import electrolyte as exact
from fem_spe.geometry import Box
from fem_spe.progress import log
from fem_spe.results import Quantity
from fem_spe.studies.ions.cell import Cell
from fem_spe.studies.ions.limits import Limits, limits

_KIND = '[experiment] kind = "chronopotentiometry"'


def require(case: Case, driven: Cell) -> None:
    """Raise where no given current can deplete the cell.

    Raises:
        CaseError: without a given current, with a reservoir or fixed anions, and in a plain cell
            at less than the limiting flux, with the numbers.
    """
    if not any(driven.currents.values()) or driven.reservoirs or any(driven.anions.values()):
        raise CaseError(
            f"{_KIND} needs a current_density or a flux of {driven.salt.cation.name} on a face, "
            "and no concentration and no flux of anions"
        )
    if driven.salt.fixed:
        raise CaseError(
            f"{_KIND}: nothing is depleted, for immobile {driven.salt.anion.name} keep cations of "
            "their own; set immobile_fraction = 0"
        )
    if isinstance(case.geometry, Box):
        found = limits(case, driven, case.geometry.size)
        if found.flux <= found.limiting:
            raise CaseError(f"{_KIND}: nothing is depleted at or below the limit: {found}")


def measured(
    case: Case, driven: Cell, found: Limits, quantities: dict[str, Quantity]
) -> dict[str, Quantity]:
    """The time to depletion first, beside what theory has for a plain cell.

    Raises:
        CaseError: if the run ended before.
    """
    assert case.time is not None
    if "depletion_time" not in quantities:
        raise CaseError(
            f"[time] end: nothing is depleted until {case.time.end:g} s ({found}); give a later "
            "end, or more current"
        )
    losing = [n for n in driven.holding if n not in driven.kinetics]
    if losing and sum(driven.currents.values()) > 0.0:
        log.warning(
            "%s holds its potential, which falls without bound as the salt there is used up: "
            "depletion is found early, by one per cent or so; give it the current, and the "
            "potential to the other electrode",
            losing[0],
        )
    times = found.flux / found.limiting
    told = {
        "depletion_time": quantities["depletion_time"],
        "sand_time": quantities["sand_time"],
        "flux_over_limit": Quantity(times, "", "given flux / limiting flux of the plain cell"),
    }
    if times > 1.0:
        seconds = found.length**2 / driven.salt.ambipolar * exact.depletion_time(times)
        told["plain_depletion_time"] = Quantity(
            seconds, "s", "closed form of the unstructured cell of this length"
        )
    ratio = quantities["depletion_time"].value / quantities["sand_time"].value
    told["depletion_over_sand"] = Quantity(ratio, "", "depletion_time / sand_time")
    return told | quantities

"""What a porous cathode wants of the rest of a case."""

from __future__ import annotations

from collections.abc import Sequence

from fem_spe.case import Case
from fem_spe.errors import CaseError, did_you_mean
from fem_spe.geometry import Printed


def require(case: Case, regions: Sequence[str]) -> None:
    """Raise unless each cathode among the conducting `regions` reacts, against an anode.

    Raises:
        CaseError: naming the region, and what would work.
    """
    if "cathode" in regions and not case.porous:
        raise CaseError(
            "[reaction.cathode] is missing: the geometry has a cathode, in which nothing would "
            "react; give porosity and current_density, or leave it out with [materials] cathode "
            '= "impermeable"'
        )
    if not case.porous:
        return
    names = list(case.porous)
    name = names[0]
    place = f"[reaction.{name}]"
    if len(names) > 1:
        raise CaseError(
            f"[reaction.*] {' and '.join(names)}: there is one porous electrode at most"
        )
    if isinstance(case.geometry, Printed) and name in regions and name != "cathode":
        raise CaseError(
            f"{place}: the porous electrode of a printed part is its cathode; give "
            '[reaction.cathode], and [geometry] facing = "cathode" where the print stands in it'
        )
    if regions and name not in regions:
        hole = name in case.materials and case.material(name) is None
        if hole:
            raise CaseError(f"{place}: the region is impermeable; give [materials] {name} = {{}}")
        thick = '; give [geometry] cathode a thickness, such as "200 um"'
        raise CaseError(
            f"{place}: the structure has no such region; {did_you_mean(name, regions)}it has "
            f"{', '.join(regions)}{thick if name == 'cathode' else ''}"
        )
    if case.nernst_planck.closure == "poisson" or case.experiment is not None:
        other = "[experiment]" if case.experiment is not None else 'closure = "poisson"'
        raise CaseError(f"{place} and {other} do not go together; remove one")
    anodes = [n for n, b in case.boundary.items() if b.electrochemical_potential is not None]
    others = [n for n in case.boundary if n not in anodes]
    if len(anodes) != 1 or others:
        raise CaseError(
            f"{place} gives the current of the cell, against one anode: give [boundary.bottom] "
            'electrochemical_potential = "0 V", with or without kinetics, and nothing else in '
            f"[boundary.*] (given: {', '.join(case.boundary) or 'none'})"
        )
    given = case.porous[name]
    if case.nernst_planck.mode == "steady" and isinstance(given.open_circuit, tuple):
        raise CaseError(
            f"{place} open_circuit has two values, and the electrode fills: there is no steady "
            'state; give one value, or [nernst_planck] mode = "transient"'
        )

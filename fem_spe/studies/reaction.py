"""Volumetric reactions: what regions consume, and what that means for a problem."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, did_you_mean
from fem_spe.physics import diffusion
from fem_spe.studies.transport import Transport


def require(case: Case, coefficients: Transport, regions: Collection[str]) -> None:
    """Raise unless each [reaction.*] is that of one of the conducting `regions`.

    Raises:
        CaseError: naming the region, and what would work.
    """
    for name, given in case.sinks.items():
        if name in case.materials and case.material(name) is None:
            raise CaseError(
                f"[reaction.{name}]: the region is impermeable, so that nothing reacts in it; give "
                "it a material, or remove the reaction"
            )
        if name not in regions:
            hint = did_you_mean(name, regions)
            raise CaseError(
                f"[reaction.{name}]: the structure has no such region; {hint}"
                f"it has {', '.join(regions)}"
            )
        if coefficients.form != "diffusivity":
            raise CaseError(
                f"[reaction.{name}] needs a diffusivity in every region: with a conductivity alone "
                "the concentration is not known"
            )
        if given.consumption is not None and not case.driven_faces:
            raise CaseError(
                f"[reaction.{name}] consumption is in mol/m^3/s, but the unit difference that "
                "drives has no unit; give [boundary.*] concentrations in place of [diffusion] "
                "direction, or rate in place of consumption"
            )


def holds_level(case: Case, regions: Collection[str]) -> bool:
    """True where each of `regions` consumes in proportion to its concentration.

    A steady field is then unique without any concentration given.
    """
    given = [case.sinks.get(name) for name in regions]
    return all(r is not None and bool(r.rate) for r in given)


@dataclass(frozen=True)
class Sinks:
    """What the regions consume: decay u + consumption.

    Attributes:
        decay: Rate times partition coefficient over the scale of the transport coefficients.
        consumption: Over the same scale.
        scale: That scale.
    """

    decay: fem.Function
    consumption: fem.Function
    scale: float

    def bilinear(self, u: Any, v: Any, dx: Any) -> Any:
        """The part of a(u, v)."""
        return diffusion.decay(u, v, self.decay, dx)

    def load(self, v: Any, dx: Any) -> Any:
        """What L(v) loses."""
        return diffusion.consumption(v, self.consumption, dx)

    def total(self, u: fem.Function, dx: Any) -> Any:
        """The form whose value is what is consumed in all, over the scale."""
        return (self.decay * u + self.consumption) * dx

    def consumed(self, domain: Domain, u: fem.Function) -> float:
        """What is consumed in all, mol/s; mol/m/s in 2-D. Collective."""
        return self.scale * domain.integrate(self.total(u, domain.dx))


def sinks(case: Case, domain: Domain, coefficients: Transport) -> Sinks | None:
    """What the regions of `domain` consume; None where the case has no reaction. Collective.

    Raises:
        CaseError: if the mesh lacks a region that reacts.
    """
    if not case.reaction:
        return None
    require(case, coefficients, domain.regions)
    scale = coefficients.scale
    decay, constant = dict.fromkeys(domain.regions, 0.0), dict.fromkeys(domain.regions, 0.0)
    for region, given in case.sinks.items():
        decay[region] = (given.rate or 0.0) * coefficients.partition[region] / scale
        constant[region] = (given.consumption or 0.0) / scale
    return Sinks(domain.coefficient(decay), domain.coefficient(constant), scale)

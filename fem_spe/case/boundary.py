"""What is prescribed on the faces of a structure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from fem_spe.case.table import Table
from fem_spe.units import LENGTH, PRESSURE, Concentration, MolarFlux

Component = Annotated[float, LENGTH] | Literal["free"]
Force = Annotated[float, PRESSURE]


class Boundary(Table):
    """What is prescribed on a face or an interface; what is not named is free of flux and force."""

    concentration: Concentration | None = None
    """Fixed concentration, mol/m^3."""
    flux: MolarFlux | None = None
    """Flux into the domain, mol/m^2/s."""
    periodic: Literal[True] | None = None
    """One with the opposite face; it is enough to say so of one of the two."""
    displacement: tuple[Component, ...] | None = None
    """Displacement along each axis, m, or "free"."""
    traction: tuple[Force, ...] | None = None
    """Force per area along each axis, Pa."""
    clamped: Literal[True] | None = None
    """No displacement."""
    sliding: Literal[True] | None = None
    """No displacement across the face, no force along it."""

    @property
    def given(self) -> list[str]:
        """The keys that are given."""
        return list(self.model_dump(exclude_none=True))

    @model_validator(mode="after")
    def _one(self) -> Boundary:
        if len(self.given) != 1:
            raise ValueError(
                "give one of concentration, flux, periodic = true (diffusion), or displacement, "
                "traction, clamped = true, sliding = true (elasticity)"
            )
        return self

"""What is prescribed on the faces of a structure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from fem_spe.case.electrolyte import Kinetics
from fem_spe.case.table import Table
from fem_spe.units import (
    CURRENT_DENSITY,
    LENGTH,
    PRESSURE,
    SURFACE_CHARGE,
    VOLTAGE,
    Concentration,
    MolarFlux,
)


def _number_or_free(value: object) -> object:
    if isinstance(value, str) and value.isalpha() and value != "free":
        raise ValueError(f'{value!r} is neither a length, such as "0.1 um", nor "free"')
    return value


Component = Annotated[Annotated[float, LENGTH] | Literal["free"], BeforeValidator(_number_or_free)]
Force = Annotated[float, PRESSURE]

_TOGETHER = (  # keys that complete one another
    {"concentration", "potential"},
    {"electrochemical_potential", "kinetics"},
    {"current_density", "kinetics"},
)


class Boundary(Table):
    """What is prescribed on a face or an interface; what is not named is free of flux and force."""

    concentration: Concentration | dict[str, Concentration] | None = None
    """Fixed concentration, mol/m^3; of a salt that of the cations, or by the name of an ion."""
    flux: MolarFlux | dict[str, MolarFlux] | None = None
    """Flux into the domain, mol/m^2/s; of ions by their names."""
    potential: Annotated[float, VOLTAGE] | None = None
    """Fixed potential, V."""
    current_density: Annotated[float, CURRENT_DENSITY] | None = None
    """Current into the domain per area of the face, A/m^2."""
    electrochemical_potential: Annotated[float, VOLTAGE] | None = None
    """Of the cation, phi + RT/(z F) ln(c / c0), V: what an electrode of its metal fixes."""
    kinetics: Kinetics | None = None
    """Resistance of the reaction on an electrode whose potential is `electrochemical_potential`,
    or that of `current_density` in all."""
    surface_charge: Annotated[float, SURFACE_CHARGE] | None = None
    """Free charge per area of the face or interface, C/m^2."""
    floating: Literal[True] | None = None
    """An insulated conductor: one potential, which is found, and no charge or current in all."""
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

    @property
    def fixed(self) -> float | None:
        """The concentration where one value is given, mol/m^3."""
        return None if isinstance(self.concentration, dict) else self.concentration

    @property
    def inflow(self) -> float | None:
        """The flux where one value is given, mol/m^2/s."""
        return None if isinstance(self.flux, dict) else self.flux

    @model_validator(mode="after")
    def _one(self) -> Boundary:
        if self.given == ["kinetics"]:
            raise ValueError(
                "kinetics need the electrode's potential or its current: give "
                "electrochemical_potential or current_density too"
            )
        if len(self.given) > 1 and set(self.given) not in _TOGETHER:
            raise ValueError(
                f"{' and '.join(self.given)} are given at once; a face takes one of them"
            )
        if not self.given:
            raise ValueError(
                "give one of concentration, flux, periodic = true (diffusion), potential, "
                "current_density, surface_charge, floating = true (electrostatics), "
                "electrochemical_potential (nernst_planck), or "
                "displacement, traction, clamped = true, sliding = true (elasticity)"
            )
        return self

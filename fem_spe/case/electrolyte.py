"""The tables of Nernst-Planck: what is dissolved, what closes the equations, what is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from fem_spe.case.table import Table
from fem_spe.units import CONCENTRATION, CURRENT_DENSITY, DIFFUSIVITY, FREQUENCY


class Species(Table):
    """A kind of ion."""

    name: str
    """As fluxes and concentrations refer to it, such as "Li+"."""
    charge: int
    diffusivity: Annotated[float, Field(gt=0), DIFFUSIVITY]
    """In the electrolyte, at the case's temperature, m^2/s."""
    concentration: Annotated[float, Field(gt=0), CONCENTRATION]
    """Mean, and at the start, of the mobile and the immobile ones together, mol/m^3."""
    immobile_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share that is fixed in place, evenly."""

    @field_validator("charge")
    @classmethod
    def _charged(cls, value: int) -> int:
        if value == 0:
            raise ValueError("must not be 0: only ions take part")
        return value


class NernstPlanck(Table):
    """How ions move in a field."""

    closure: Literal["electroneutral"] = "electroneutral"
    """What closes the equations: everywhere as much positive as negative charge."""
    mode: Literal["steady", "transient"] = "steady"
    permittivity: Annotated[float, Field(gt=0)] = 40.0
    """Relative; for the Debye length alone."""


class Kinetics(Table):
    """Butler-Volmer: i = i0 (e^((1 - alpha) F eta / RT) - e^(-alpha F eta / RT)) into the domain.

    eta is what the electrode's potential exceeds the cation's electrochemical potential by.
    """

    exchange_current: Annotated[float, Field(gt=0), CURRENT_DENSITY]
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of the overpotential that helps deposition."""
    law: Literal["full", "linear"] = "full"
    """`linear`: i = i0 F eta / RT."""


class Experiment(Table):
    """A measurement that is simulated."""

    kind: Literal["chronoamperometry", "impedance"]
    lowest: Annotated[float, Field(gt=0), FREQUENCY] | None = None
    """Of an impedance spectrum, Hz; default: three decades below that of diffusion, 1 / 2 pi tau
    with tau = L^2 / 4 D."""
    highest: Annotated[float, Field(gt=0), FREQUENCY] | None = None
    """Default: three decades above it."""
    per_decade: Annotated[int, Field(ge=1, le=100)] = 5

    @model_validator(mode="after")
    def _rising(self) -> Experiment:
        if self.kind != "impedance" and {"lowest", "highest"} & self.model_fields_set:
            raise ValueError('lowest and highest belong to kind = "impedance"')
        if self.lowest and self.highest and self.lowest >= self.highest:
            raise ValueError("highest must be above lowest")
        return self

"""The tables of Nernst-Planck: what is dissolved, what closes the equations, what is measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from fem_spe.case.table import Table
from fem_spe.units import (
    AREAL_CAPACITANCE,
    CONCENTRATION,
    CURRENT_DENSITY,
    DIFFUSIVITY,
    ENERGY,
    FREQUENCY,
    LENGTH,
)

PERMITTIVITY = 40.0  # relative, of polymer electrolytes


class Species(Table):
    """A kind of ion."""

    name: str
    """As fluxes and concentrations refer to it, such as "Li+"."""
    charge: int
    diffusivity: Annotated[float, Field(gt=0), DIFFUSIVITY]
    """In the electrolyte, m^2/s: at the case's temperature, or with `activation_energy` at
    25 degC."""
    concentration: Annotated[float, Field(gt=0), CONCENTRATION]
    """Mean, and at the start, of the mobile and the immobile ones together, mol/m^3."""
    immobile_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share that is fixed in place, evenly."""
    activation_energy: Annotated[float, Field(ge=0), ENERGY] | None = None
    """Of the diffusivity, J per particle: the case's temperature scales it from 25 degC."""

    @field_validator("charge")
    @classmethod
    def _charged(cls, value: int) -> int:
        if value == 0:
            raise ValueError("must not be 0: only ions take part")
        return value


class NernstPlanck(Table):
    """How ions move in a field."""

    closure: Literal["electroneutral", "poisson"] = "electroneutral"
    """What closes the equations: everywhere as much positive as negative charge, or Poisson's
    equation, which resolves the charged layers at walls."""
    mode: Literal["steady", "transient"] = "steady"
    permittivity: Annotated[float, Field(gt=0)] | None = None
    """Relative; default 40. It makes the Debye length, which alone depends on it."""
    debye_length: Annotated[float, Field(gt=0), LENGTH] | None = None
    """In place of `permittivity`, m: layers as thick as can be resolved and seen."""

    @model_validator(mode="before")
    @classmethod
    def _default(cls, given: Any) -> Any:
        """The usual permittivity where nothing else makes the Debye length."""
        if isinstance(given, dict) and not {"permittivity", "debye_length"} & given.keys():
            return {**given, "permittivity": PERMITTIVITY}
        return given

    @model_validator(mode="after")
    def _one_of_two(self) -> NernstPlanck:
        if self.permittivity is not None and self.debye_length is not None:
            raise ValueError("give one of permittivity and debye_length: each makes the other")
        return self


class Kinetics(Table):
    """Butler-Volmer: i = i0 (e^((1 - alpha) F eta / RT) - e^(-alpha F eta / RT)) into the domain.

    eta is what the electrode's potential exceeds the cation's electrochemical potential by.
    """

    exchange_current: Annotated[float, Field(gt=0), CURRENT_DENSITY]
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of the overpotential that helps deposition."""
    law: Literal["full", "linear"] = "full"
    """`linear`: i = i0 F eta / RT."""
    double_layer: Annotated[float, Field(gt=0), AREAL_CAPACITANCE] | None = None
    """Capacitance between electrode and electrolyte per area, F/m^2; for impedance alone."""


class Experiment(Table):
    """A measurement that is simulated."""

    kind: Literal["chronoamperometry", "impedance", "chronopotentiometry"]
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

"""The table of dendrites: which metal, how it is driven, until when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from fem_spe.case.table import Table
from fem_spe.units import DEPOSITED_CHARGE, DURATION, LENGTH, VOLTAGE


class Dendrite(Table):
    """Lithium that grows from the bottom; one of `charge` and `duration` ends the run."""

    parameters: Literal["A", "B"] = "A"
    """Set of the material table; a diffusivity or conductivity of [materials] replaces the set's
    for the electrolyte."""
    interface_width: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Of the diffuse front, m; default: the set's, or a fifth of the narrowest gap between fibres
    where that is less."""
    overpotential: Annotated[float, VOLTAGE] = -0.2
    """Of the metal against the top, V; negative deposits."""
    charge: Annotated[float, Field(gt=0), DEPOSITED_CHARGE] | None = None
    """Deposited at the end, C/m^2 of the anode's plan; 1 mA h/cm^2 are 4.88 um of lithium."""
    duration: Annotated[float, Field(gt=0), DURATION] | None = None
    """In place of `charge`: the end, s."""
    layer: Annotated[float, Field(gt=0), LENGTH] | None = None
    """Thickness of the flat lithium at the start, m; default: two interface widths."""
    noise: Annotated[float, Field(ge=0)] = 0.0
    """Of the reaction, relative: the strength of white noise in space and time, um s^(1/2)."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the noise."""
    method: Literal["monolithic", "segregated"] | None = None
    """All fields at once, or one after the other; default: by size."""
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 5e-3
    """Local error of a time step: of the order parameter, and a tenth of that of ln c."""
    frames: Annotated[int, Field(ge=1, le=1000)] = 5
    """Even parts of the charge or duration after which fields are written."""

    @field_validator("overpotential")
    @classmethod
    def _deposits(cls, value: float) -> float:
        if value >= 0.0:
            raise ValueError(
                f"{value:g} V dissolves lithium or leaves it as it is; give a negative one, such "
                'as "-0.1 V"'
            )
        return value

    @model_validator(mode="after")
    def _one_end(self) -> Dendrite:
        if (self.charge is None) == (self.duration is None):
            raise ValueError('give one of charge, such as "0.5 mA*h/cm^2", and duration, "5 s"')
        return self

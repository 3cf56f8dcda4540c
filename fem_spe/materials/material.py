"""What a region is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Gt

from fem_spe.errors import CaseError
from fem_spe.units import (
    AVOGADRO,
    CONDUCTIVITY,
    DIFFUSIVITY,
    ENERGY,
    GAS_CONSTANT,
    REFERENCE_TEMPERATURE,
    Unit,
)

Special = Literal["impermeable"]

_MAX_EXPONENT = 25.0  # of Arrhenius' law: 0.9 eV from 25 degC down to 175 K

PerAxis = float | tuple[float, float] | tuple[float, float, float]


@dataclass(frozen=True)
class _Axes:
    """A positive value with `unit`, or one for each axis; an annotation for pydantic."""

    unit: Unit

    def parse(self, value: object) -> PerAxis:
        """A float, or a tuple of two or three; raises ValueError otherwise."""
        if isinstance(value, (list, tuple)):
            if len(value) not in (2, 3):
                raise ValueError(f"{value!r} must be one value, or one for each of 2 or 3 axes")
            numbers = tuple(self.unit.parse(v) for v in value)
        else:
            numbers = (self.unit.parse(value),)
        if any(n <= 0 for n in numbers):
            raise ValueError(
                f"{value!r} must be greater than 0; for a region that carries no ions "
                'write "impermeable" in place of its material'
            )
        return numbers[0] if len(numbers) == 1 else numbers  # type: ignore[return-value]

    def format(self, value: PerAxis) -> str | list[str]:
        """The value with its unit, as `parse` reads it."""
        if isinstance(value, tuple):
            return [self.unit.format(v) for v in value]
        return self.unit.format(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.format, when_used="json-unless-none"
            ),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        one = {"anyOf": [{"type": "number"}, {"type": "string"}]}
        return {
            "anyOf": [*one["anyOf"], {"type": "array", "items": one}],
            "description": f"{self.unit.name} in {self.unit.si} or with unit, or one per axis",
            "examples": [self.unit.example],
        }


DIFFUSIVITY_AXES = _Axes(DIFFUSIVITY)
CONDUCTIVITY_AXES = _Axes(CONDUCTIVITY)


@dataclass(frozen=True, kw_only=True)
class Material:
    """Properties of one region; those not needed by a study may be absent.

    Attributes:
        diffusivity: Of the salt or the cation, m^2/s, one value or one per axis.
        conductivity: Ionic, S/m, one value or one per axis.
        partition: Concentration here over that in the matrix at equilibrium.
        activation_energy: Of diffusivity and conductivity, J per particle; with it the
            values hold at 25 degC and the case's temperature scales them.
    """

    diffusivity: Annotated[PerAxis, DIFFUSIVITY_AXES] | None = None
    conductivity: Annotated[PerAxis, CONDUCTIVITY_AXES] | None = None
    partition: Annotated[float, Gt(0.0)] | None = None
    activation_energy: Annotated[float, ENERGY] | None = None

    def at(self, name: Literal["diffusivity", "conductivity"], temperature: float) -> PerAxis:
        """`name` at `temperature` (K), by Arrhenius' law from its value at 25 degC.

        Raises:
            CaseError: if the material has no such property, or none above zero there.
        """
        value: PerAxis | None = getattr(self, name)
        if value is None:
            raise CaseError(f"the material has no {name}")
        molar = (self.activation_energy or 0.0) * AVOGADRO / GAS_CONSTANT
        exponent = -molar * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE)
        if abs(exponent) > _MAX_EXPONENT:
            raise CaseError(
                f"the {name} would change by a factor of e^{exponent:.0f} from 25 degC to the "
                f"temperature of {temperature:g} K; give a temperature with its unit, such as "
                '"25 degC", and an activation_energy in eV or kJ/mol'
            )
        factor = math.exp(exponent)
        if isinstance(value, tuple):
            return tuple(v * factor for v in value)  # type: ignore[return-value]
        return value * factor

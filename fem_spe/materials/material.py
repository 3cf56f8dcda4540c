"""What a region is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt
from pydantic import Discriminator, Tag

from fem_spe.errors import CaseError
from fem_spe.materials.law import (
    ByTemperature,
    ConductivityByTemperature,
    DiffusivityByConcentration,
    DiffusivityByTemperature,
    DiffusivityLaw,
    DiffusivityPolynomial,
)
from fem_spe.units import (
    AVOGADRO,
    CONDUCTIVITY,
    DIFFUSIVITY,
    ENERGY,
    GAS_CONSTANT,
    PRESSURE,
    REFERENCE_TEMPERATURE,
    Unit,
)

Special = Literal["impermeable", "conductor"]

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

_PER_AXIS = "per axis"  # what is no table is a value, or one per axis


def _choose(*tables: type) -> Discriminator:
    """Tells which of `tables` a value stands for: the one whose keys are nearest.

    So that a misspelt key is answered by the table that was meant.
    """
    keys = {table.__name__: [field.name for field in fields(table)] for table in tables}

    def kind(value: object) -> str | None:
        if not isinstance(value, dict):
            return type(value).__name__ if isinstance(value, tables) else _PER_AXIS
        near = {
            name: sum(bool(get_close_matches(str(key), own, 1)) for key in value)
            for name, own in keys.items()
        }
        best = max(near.values())
        found = [name for name, count in near.items() if count == best]
        return found[0] if len(found) == 1 else None

    known = " or ".join("{ " + ", ".join(own) + " }" for own in keys.values())
    return Discriminator(
        kind,
        custom_error_type="unknown_table",
        custom_error_message=f"must be a value with unit, one for each axis, or {known}",
    )


Diffusivity = Annotated[
    Annotated[PerAxis, DIFFUSIVITY_AXES, Tag(_PER_AXIS)]
    | Annotated[DiffusivityByTemperature, Tag("DiffusivityByTemperature")]
    | Annotated[DiffusivityByConcentration, Tag("DiffusivityByConcentration")]
    | Annotated[DiffusivityPolynomial, Tag("DiffusivityPolynomial")],
    _choose(DiffusivityByTemperature, DiffusivityByConcentration, DiffusivityPolynomial),
]
Conductivity = Annotated[
    Annotated[PerAxis, CONDUCTIVITY_AXES, Tag(_PER_AXIS)]
    | Annotated[ConductivityByTemperature, Tag("ConductivityByTemperature")],
    _choose(ConductivityByTemperature),
]
_Ratio = Annotated[float, Gt(0.0)]
Permittivity = _Ratio | tuple[_Ratio, _Ratio] | tuple[_Ratio, _Ratio, _Ratio]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Properties of one region; those not needed by a study may be absent.

    Attributes:
        diffusivity: Of the salt or the cation, m^2/s: one value, one per axis, or a table
            over temperature or concentration.
        conductivity: Ionic, S/m: one value, one per axis, or a table over temperature.
        partition: Concentration here over that in the matrix at equilibrium.
        activation_energy: Of diffusivity and conductivity, J per particle; with it the
            values hold at 25 degC and the case's temperature scales them.
        youngs_modulus: E, Pa.
        poisson_ratio: nu, above -1 and below 0.5.
        yield_stress: von Mises stress at which the virgin material flows, Pa.
        hardening_modulus: Rise of the yield stress with the plastic strain, Pa; none by default.
        permittivity: Relative to that of the vacuum: one value, or one per axis.
    """

    diffusivity: Diffusivity | None = None
    conductivity: Conductivity | None = None
    partition: Annotated[float, Gt(0.0)] | None = None
    activation_energy: Annotated[float, ENERGY] | None = None
    youngs_modulus: Annotated[float, PRESSURE, Gt(0.0)] | None = None
    poisson_ratio: Annotated[float, Gt(-1.0), Lt(0.5)] | None = None
    yield_stress: Annotated[float, PRESSURE, Gt(0.0)] | None = None
    hardening_modulus: Annotated[float, PRESSURE, Ge(0.0)] | None = None
    permittivity: Permittivity | None = None

    def __post_init__(self) -> None:
        for name, needed in (
            ("yield_stress", "youngs_modulus"),
            ("yield_stress", "poisson_ratio"),
            ("hardening_modulus", "yield_stress"),
        ):
            if getattr(self, name) is not None and getattr(self, needed) is None:
                raise CaseError(f"{name} needs {needed} as well; give it, or remove {name}")
        for name in ("diffusivity", "conductivity"):
            table = isinstance(getattr(self, name), ByTemperature)
            if table and self.activation_energy is not None:
                raise CaseError(
                    f"{name} over temperature and activation_energy both tell how it changes with "
                    "temperature; give one of the two"
                )

    @property
    def depends_on_concentration(self) -> bool:
        """True where the diffusivity does."""
        return isinstance(self.diffusivity, DiffusivityLaw)

    def has(self, name: Literal["diffusivity", "conductivity"]) -> bool:
        """True where `at` has an answer: a value that depends on no concentration."""
        return not isinstance(getattr(self, name), DiffusivityLaw | None)

    def law(self, temperature: float) -> DiffusivityLaw:
        """The diffusivity over concentration at `temperature` (K).

        Raises:
            CaseError: if it depends on none, or Arrhenius' law leads too far.
        """
        if not isinstance(self.diffusivity, DiffusivityLaw):
            raise CaseError("the diffusivity of the material does not depend on concentration")
        return self.diffusivity.scaled(self._arrhenius("diffusivity", temperature))

    def at(self, name: Literal["diffusivity", "conductivity"], temperature: float) -> PerAxis:
        """`name` at `temperature` (K), from its table or by Arrhenius' law from 25 degC.

        Raises:
            CaseError: if the material has no such property, or none above zero there, or one
                that depends on concentration.
        """
        value = getattr(self, name)
        if value is None:
            raise CaseError(f"the material has no {name}")
        if isinstance(value, ByTemperature):
            return value.at(temperature)
        if isinstance(value, DiffusivityLaw):
            raise CaseError("the diffusivity of the material depends on concentration")
        factor = self._arrhenius(name, temperature)
        if isinstance(value, tuple):
            return tuple(v * factor for v in value)
        return float(value * factor)

    def _arrhenius(self, name: str, temperature: float) -> float:
        """The value at `temperature` over that at 25 degC."""
        molar = (self.activation_energy or 0.0) * AVOGADRO / GAS_CONSTANT
        exponent = -molar * (1.0 / temperature - 1.0 / REFERENCE_TEMPERATURE)
        if abs(exponent) > _MAX_EXPONENT:
            raise CaseError(
                f"the {name} would change by a factor of e^{exponent:.0f} from 25 degC to the "
                f"temperature of {temperature:g} K; give a temperature with its unit, such as "
                '"25 degC", and an activation_energy in eV or kJ/mol'
            )
        return math.exp(exponent)

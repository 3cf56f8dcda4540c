"""Quantities with units: `"1.46 mS/cm"` <-> SI floats, and the physical constants.

A `Unit` annotates a float field; pydantic then accepts a string with any unit of the
same dimension, or a bare number in SI, and writes the field back with its usual unit.
The unit library (pint) takes a second to load: it is imported for the first string with
another unit than the usual one.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    import pint
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

FARADAY = 96485.33212  # C/mol, CODATA 2018 (exact since 2019)
GAS_CONSTANT = 8.314462618  # J/(mol K), CODATA 2018 (exact since 2019)
ELEMENTARY_CHARGE = 1.602176634e-19  # C, exact
VACUUM_PERMITTIVITY = 8.8541878128e-12  # F/m, CODATA 2018
AVOGADRO = 6.02214076e23  # 1/mol, exact
REFERENCE_TEMPERATURE = 298.15  # K; values with an activation energy hold at 25 degC

_QUANTITY = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf))\s*(.*?)\s*"
)
_MISSING_POWER = re.compile(r"([a-zA-Zµμ])(-?\d)")


@dataclass(frozen=True)
class Unit:
    """What a float field measures.

    Attributes:
        si: The SI unit that the program computes in.
        name: The quantity in words, for messages.
        example: A value that would be accepted, for messages.
        show: The unit that values are printed in.
        scale: One `show` in SI.
        per_mole: True when a molar value (J/mol) may stand for one per particle (J).
    """

    si: str
    name: str
    example: str
    show: str
    scale: float
    per_mole: bool = False

    def parse(self, value: object) -> float:
        """A number in SI from `value`: a string with unit, or a number in SI.

        Raises:
            ValueError: if it is no finite number or has another dimension; the message
                says what would work.
        """
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError(f"{value!r} is not a {self.name}; write for example {self.example!r}")
        try:
            number = self._convert(value) if isinstance(value, str) else float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{value!r} is not finite; write for example {self.example!r}")
        return number

    def format(self, value: float) -> str:
        """`value` (SI) as a string that `parse` reads back to the same float."""
        shown = value / self.scale
        text = f"{shown:.12g} {self.show}"
        same = math.isfinite(shown) and self.parse(text) == value
        return text if same else f"{value!r} {self.si}"

    def _convert(self, text: str) -> float:
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} has no number; write for example {self.example!r}")
        number, unit = float(match[1]), match[2]
        if not math.isfinite(number):
            return number
        if not unit:
            raise ValueError(
                f"{text!r} has no unit; write for example {self.example!r}, "
                f"or a bare number in {self.si}"
            )
        if unit == self.si:
            return number  # to the last bit
        # 250 * 1e-6 and 0.00025 differ in the last bit; what was typed is what is meant.
        if unit == self.show:
            return float(f"{number * self.scale:.15g}")
        return float(f"{self._by_library(text, number, unit):.15g}")

    def _by_library(self, text: str, number: float, unit: str) -> float:
        import pint

        registry = _registry()
        try:
            quantity = registry.Quantity(number, unit)
            if self.per_mole and quantity.check("[energy]/[substance]"):
                quantity = quantity / registry.Quantity(AVOGADRO, "1/mol")
            return float(quantity.to(self.si).magnitude)
        except pint.DimensionalityError:
            raise ValueError(
                f"{text!r} is {_article(_dimension_name(unit))}, not {_article(self.name)}; "
                f"write for example {self.example!r}"
            ) from None
        except OverflowError:
            raise
        except Exception as error:  # of any kind: pint reads with Python's own tokenizer
            raise ValueError(
                f"{text!r}: {unit!r} is not a unit{_unit_hint(unit, error)}; "
                f"write for example {self.example!r}"
            ) from None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            self.parse,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.format, when_used="json-unless-none"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "anyOf": [{"type": "number"}, {"type": "string"}],
            "description": f"{self.name} in {self.si}, or a string with unit",
            "examples": [self.example],
        }


LENGTH = Unit("m", "length", "250 um", "um", 1e-6)
ANGLE = Unit("rad", "angle", "30 deg", "deg", math.pi / 180)
TEMPERATURE = Unit("K", "temperature", "25 degC", "K", 1.0)
DIFFUSIVITY = Unit("m^2/s", "diffusivity", "2e-11 m^2/s", "m^2/s", 1.0)
CONDUCTIVITY = Unit("S/m", "conductivity", "1.46 mS/cm", "mS/cm", 0.1)
CONCENTRATION = Unit("mol/m^3", "concentration", "1000 mol/m^3", "mol/m^3", 1.0)
MOLAR_FLUX = Unit("mol/m^2/s", "molar flux", "2.5e-4 mol/m^2/s", "mol/m^2/s", 1.0)
REACTION_RATE = Unit("1/s", "reaction rate", "1e-3 1/s", "1/s", 1.0)
PRESSURE = Unit("Pa", "pressure", "6 MPa", "MPa", 1e6)
CONSUMPTION = Unit("mol/m^3/s", "consumption", "0.1 mol/m^3/s", "mol/m^3/s", 1.0)
ENERGY = Unit("J", "activation energy", "0.1 eV", "eV", ELEMENTARY_CHARGE, per_mole=True)
VOLTAGE = Unit("V", "voltage", "10 mV", "V", 1.0)
CURRENT_DENSITY = Unit("A/m^2", "current density", "0.1 mA/cm^2", "A/m^2", 1.0)
SURFACE_CHARGE = Unit("C/m^2", "surface charge", "1e-6 C/m^2", "C/m^2", 1.0)
DEPOSITED_CHARGE = Unit("C/m^2", "charge per area", "0.5 mA*h/cm^2", "mA*h/cm^2", 3.6e4)
SURFACE_ENERGY = Unit("J/m^2", "surface energy", "0.5 J/m^2", "J/m^2", 1.0)
MOBILITY = Unit("m^3/J/s", "interface mobility", "2.5e-6 m^3/J/s", "m^3/J/s", 1.0)
CHARGE_PER_VOLUME = Unit("C/m^3", "charge per volume", "100 mA*h/cm^3", "mA*h/cm^3", 3.6e6)
AREA_PER_VOLUME = Unit("1/m", "area per volume", "2e5 1/m", "1/m", 1.0)
AREAL_CAPACITANCE = Unit("F/m^2", "capacitance per area", "10 uF/cm^2", "uF/cm^2", 1e-2)

DURATION = Unit("s", "time", "10 min", "s", 1.0)
FREQUENCY = Unit("1/s", "frequency", "10 kHz", "Hz", 1.0)

Length = Annotated[float, LENGTH]
Angle = Annotated[float, ANGLE]
Concentration = Annotated[float, CONCENTRATION]
MolarFlux = Annotated[float, MOLAR_FLUX]

_DIMENSIONS = {
    "[length]": "length",
    "[mass]": "mass",
    "[time]": "time",
    "[temperature]": "temperature",
    "[current]": "current",
    "[substance]": "amount of substance",
    "[length]**2": "area",
    "[length]**3": "volume",
    "[length]**2/[time]": "diffusivity",
    "[substance]/[length]**3": "concentration",
    "1/[time]": "rate",
    "[substance]/[length]**3/[time]": "consumption",
    "[substance]/[length]**2/[time]": "molar flux",
    "[length]**-3*[mass]**-1*[time]**3*[current]**2": "conductivity",
    "[mass]/[length]/[time]**2": "pressure",
    "[mass]*[length]**2/[time]**2": "energy",
    "[mass]*[length]**2/[time]**3/[current]": "voltage",
    "[current]/[length]**2": "current density",
    "[current]*[time]/[length]**2": "surface charge",
    "[current]*[time]/[length]**3": "charge per volume",
    "1/[length]": "area per volume",
    "[current]**2*[time]**4/[length]**4/[mass]": "capacitance per area",
    "[]": "number without dimension",
}


def in_um(place: Sequence[float]) -> str:
    """Coordinates in m as a person reads them, in um."""
    return ", ".join(f"{round(x * 1e6, 6) + 0.0:.4g}" for x in place)  # round-off and -0 are 0


@cache
def _registry() -> pint.UnitRegistry[float]:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _dimension_name(unit: str) -> str:
    registry = _registry()
    quantity = registry.Quantity(1.0, unit)
    for dimension, name in _DIMENSIONS.items():
        if quantity.check(dimension):
            return name
    return f"quantity in {quantity.to_base_units().units:~C}"


def _unit_hint(unit: str, error: Exception) -> str:
    powered = _MISSING_POWER.sub(r"\1^\2", unit)
    if powered != unit:
        try:
            _registry().Unit(powered)
        except Exception:
            return ""
        return f" (did you mean {powered!r}?)"
    names = getattr(error, "unit_names", None)
    wrong = next(iter(names), unit) if not isinstance(names, str) and names else names or unit
    known = ["um", "nm", "mm", "cm", "m", "S/m", "mS/cm", "degC", "K", "eV", "mol", "s", "h", "rad"]
    near = difflib.get_close_matches(str(wrong), known, n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"

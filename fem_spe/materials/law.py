"""Properties that change with temperature, and diffusivities that change with concentration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Len

from fem_spe.errors import CaseError
from fem_spe.units import CONCENTRATION, CONDUCTIVITY, DIFFUSIVITY, TEMPERATURE

Number = Callable[[float], Any]


@dataclass(frozen=True, kw_only=True)
class ByTemperature:
    """Values at temperatures; between them ln(value) is linear in 1/T, as Arrhenius' law is.

    Attributes:
        temperature: K, rising.
        values: In SI, one for each temperature.
    """

    temperature: tuple[Annotated[float, Gt(0.0), TEMPERATURE], ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _require_table("temperature", self.temperature, self.values)

    def at(self, temperature: float) -> float:
        """The value at `temperature` (K).

        Raises:
            CaseError: outside the table; the message names its range.
        """
        low, high = self.temperature[0], self.temperature[-1]
        # what was written in degrees and read back may differ in the last bit
        if not low * (1 - 1e-12) <= temperature <= high * (1 + 1e-12):
            raise CaseError(
                f"the temperature of {_kelvin(temperature)} lies outside the table, which holds "
                f"from {_kelvin(low)} to {_kelvin(high)}; give a temperature within, or more values"
            )
        inverse = [-1.0 / t for t in self.temperature]  # rising, as np.interp asks for
        return math.exp(np.interp(-1.0 / temperature, inverse, np.log(self.values)))


@dataclass(frozen=True, kw_only=True)
class DiffusivityByTemperature(ByTemperature):
    """A diffusivity as a table over temperature."""

    values: tuple[Annotated[float, Gt(0.0), DIFFUSIVITY], ...]


@dataclass(frozen=True, kw_only=True)
class ConductivityByTemperature(ByTemperature):
    """A conductivity as a table over temperature."""

    values: tuple[Annotated[float, Gt(0.0), CONDUCTIVITY], ...]


@dataclass(frozen=True, kw_only=True)
class DiffusivityByConcentration:
    """A diffusivity as a table over concentration: linear between, constant beyond its ends.

    Attributes:
        concentration: mol/m^3, rising.
        values: m^2/s, one for each concentration.
    """

    concentration: tuple[Annotated[float, CONCENTRATION], ...]
    values: tuple[Annotated[float, Gt(0.0), DIFFUSIVITY], ...]

    def __post_init__(self) -> None:
        _require_table("concentration", self.concentration, self.values)

    def at(self, concentration: Any, number: Number = float) -> Any:
        """D, m^2/s, at a concentration, mol/m^3.

        Args:
            concentration: A number, an array, or an expression of UFL.
            number: What the coefficients become, for example constants of a mesh, so that
                forms need not be compiled again for other values.
        """
        slopes = np.diff(self.values) / np.diff(self.concentration)
        bends = np.diff(slopes, prepend=0.0, append=0.0)
        total = number(self.values[0])
        for place, bend in zip(self.concentration, bends, strict=True):
            past = concentration - number(place)
            total = total + number(float(bend) / 2) * (past + abs(past))  # 2 max(past, 0)
        return total

    def scaled(self, factor: float) -> DiffusivityByConcentration:
        """The same law with `factor` times the diffusivity."""
        return replace(self, values=tuple(factor * v for v in self.values))

    @property
    def typical(self) -> float:
        """The size of D, m^2/s."""
        return max(self.values)

    @property
    def turns(self) -> tuple[float, ...]:
        """Concentrations at which D may have an extreme, mol/m^3."""
        return self.concentration


@dataclass(frozen=True, kw_only=True)
class DiffusivityPolynomial:
    """D = value * sum of a_k (c / reference)^k.

    Attributes:
        value: m^2/s.
        polynomial: The coefficients a_0, a_1, ...
        reference: mol/m^3.
    """

    value: Annotated[float, Gt(0.0), DIFFUSIVITY]
    polynomial: Annotated[tuple[float, ...], Len(1)]
    reference: Annotated[float, Gt(0.0), CONCENTRATION]

    def at(self, concentration: Any, number: Number = float) -> Any:
        """D, m^2/s, at a concentration; the arguments are those of the table's `at`."""
        ratio = concentration * number(1.0 / self.reference)
        *lower, last = self.polynomial
        total = number(self.value * last) + 0.0 * ratio  # of the argument's kind and shape
        for coefficient in reversed(lower):  # Horner
            total = total * ratio + number(self.value * coefficient)
        return total

    def scaled(self, factor: float) -> DiffusivityPolynomial:
        """The same law with `factor` times the diffusivity."""
        return replace(self, value=factor * self.value)

    @property
    def typical(self) -> float:
        """The size of D, m^2/s."""
        return self.value

    @property
    def turns(self) -> tuple[float, ...]:
        """Concentrations at which D may have an extreme, mol/m^3."""
        roots: list[complex] = np.polynomial.Polynomial(self.polynomial).deriv().roots().tolist()
        return tuple(self.reference * r.real for r in roots if abs(r.imag) < 1e-6 * abs(r))


DiffusivityLaw = DiffusivityByConcentration | DiffusivityPolynomial


def lowest(law: DiffusivityLaw, low: float, high: float) -> tuple[float, float]:
    """Where between two concentrations D is smallest: (concentration, D), mol/m^3 and m^2/s."""
    places = [low, high, *(c for c in law.turns if low < c < high)]
    return min(((c, float(law.at(c))) for c in places), key=lambda pair: pair[1])


def _require_table(name: str, places: tuple[float, ...], values: tuple[float, ...]) -> None:
    if len(places) != len(values):
        raise CaseError(
            f"{name} has {len(places)} entries and values has {len(values)}; give one value for "
            f"each {name}"
        )
    if len(places) < 2:
        raise CaseError(f"{name} needs two or more entries; for one value write it alone")
    if any(b <= a for a, b in pairwise(places)):
        raise CaseError(f"{name} must rise from entry to entry")


def _kelvin(temperature: float) -> str:
    return f"{temperature:g} K ({temperature - 273.15:g} degC)"

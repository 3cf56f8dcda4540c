"""Parameter sets of the phase-field model of lithium deposition."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from fem_spe.units import (
    CONCENTRATION,
    CONDUCTIVITY,
    CURRENT_DENSITY,
    DIFFUSIVITY,
    FARADAY,
    LENGTH,
    MOBILITY,
    SURFACE_ENERGY,
)

Set = Literal["A", "B"]


@dataclass(frozen=True, kw_only=True)
class Deposition:
    """Lithium that an electrolyte deposits on a metal; SI throughout.

    Attributes:
        surface_energy: gamma, J/m^2.
        interface_width: delta, m; the profile is (1 - tanh(2 x / delta)) / 2.
        mobility: L_sigma, m^3/J/s.
        anisotropy, anisotropy_mode: delta and omega of kappa0 (1 + delta cos(omega theta)).
        alpha: Charge transfer coefficient.
        exchange_current: i0, A/m^2.
        metal_concentration, concentration: c_Li of the metal and c0 of the salt, mol/m^3.
        metal_diffusivity, diffusivity: D_e and D_l, m^2/s.
        metal_conductivity, conductivity: sigma_e and sigma_l, S/m.
    """

    surface_energy: float
    interface_width: float
    mobility: float
    anisotropy: float
    anisotropy_mode: int
    alpha: float
    exchange_current: float
    metal_concentration: float
    concentration: float
    metal_diffusivity: float
    diffusivity: float
    metal_conductivity: float
    conductivity: float

    @property
    def barrier(self) -> float:
        """W = 12 gamma / delta, J/m^3."""
        return 12.0 * self.surface_energy / self.interface_width

    @property
    def gradient_energy(self) -> float:
        """kappa0 = 3 gamma delta / 2, J/m."""
        return 1.5 * self.surface_energy * self.interface_width

    @property
    def reaction_rate(self) -> float:
        """L_eta = 2 i0 / (3 delta F c_Li), 1/s: a planar front then moves with i / (F c_Li)."""
        return 2.0 * self.exchange_current / (3.0 * self.interface_width * self.charge_density)

    @property
    def ratio(self) -> float:
        """c_Li / c0."""
        return self.metal_concentration / self.concentration

    @property
    def charge_density(self) -> float:
        """F c_Li, C/m^3."""
        return FARADAY * self.metal_concentration

    def with_electrolyte(
        self, diffusivity: float | None = None, conductivity: float | None = None
    ) -> Deposition:
        """The same metal in another electrolyte; None keeps the set's value."""
        return replace(
            self,
            diffusivity=diffusivity or self.diffusivity,
            conductivity=conductivity or self.conductivity,
        )

    def with_width(self, width: float) -> Deposition:
        """The same metal with another interface width (m).

        L_sigma kappa stays, so that the motion by curvature does; surface energy and exchange
        current stay as they are.
        """
        mobility = self.mobility * self.interface_width / width
        return replace(self, interface_width=width, mobility=mobility)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "surface_energy": SURFACE_ENERGY.parse,
    "interface_width": LENGTH.parse,
    "mobility": MOBILITY.parse,
    "anisotropy": float,
    "anisotropy_mode": int,
    "alpha": float,
    "exchange_current": CURRENT_DENSITY.parse,
    "metal_concentration": CONCENTRATION.parse,
    "concentration": CONCENTRATION.parse,
    "metal_diffusivity": DIFFUSIVITY.parse,
    "diffusivity": DIFFUSIVITY.parse,
    "metal_conductivity": CONDUCTIVITY.parse,
    "conductivity": CONDUCTIVITY.parse,
}


@cache
def deposition(name: Set) -> Deposition:
    """The parameter set `name`, as `deposition.toml` gives it."""
    text = resources.files("fem_spe.materials").joinpath("deposition.toml").read_text("utf-8")
    values = tomllib.loads(text)[name]
    return Deposition(
        **{f.name: _PARSERS[f.name](values[f.name]["value"]) for f in fields(Deposition)}
    )

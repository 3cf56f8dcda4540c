"""Closed forms for a film of binary 1:1 electrolyte and a porous cathode that takes up cations.

The cation enters at z = 0, crosses the film up to z = L and is taken up in the pores up to
z = L + H, which nothing crosses; in the pores all diffusivities are a factor f smaller. Anions
are at rest, so that 2 f D+ dc/dz = -N+ and mu = 2 ln c (Newman & Thomas-Alyea, Electrochemical
Systems, 3rd ed. 2004, ch. 11 and 22). Arguments in SI, or in units of the film alike.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def limiting_flux(
    diffusivity: float,
    concentration: float,
    film: float,
    thickness: float,
    porosity: float,
    factor: float,
) -> float:
    """Steady flux that empties the far end of the pores where the uptake is even, mol/m^2/s."""
    salt = concentration * (film + porosity * thickness)
    held = film * (film + thickness / factor) / 2.0 + porosity * thickness**2 / (6.0 * factor)
    return 2.0 * diffusivity * salt / held


def even_uptake(
    z: Array, slope: float, film: float, thickness: float, porosity: float, factor: float
) -> Array:
    """Steady c over its mean where the uptake is even, linear in the film, a parabola beyond.

    Args:
        z: Distance from the anode.
        slope: N+ / (2 D+ c0), of the film.
        film: L.
        thickness: H.
        porosity: Of the cathode; the mean is that of all salt.
        factor: f.
    """
    far = slope * (film + thickness / (2.0 * factor))
    # the mean over the film and over the pores of what lies above the far end
    above = film * (far - slope * film / 2.0)
    above += porosity * slope * thickness**2 / (6.0 * factor)
    lowest = 1.0 - above / (film + porosity * thickness)
    depth = np.clip(film + thickness - z, 0.0, thickness)
    beyond = slope / factor * depth**2 / (2.0 * thickness)
    return np.asarray(lowest + beyond + slope * np.clip(film - z, 0.0, None))


def even_crossing(film: float, thickness: float, porosity: float) -> float:
    """Depth over H at which profiles of even uptake cross that differ in the pores' factor alone.

    Both lie above the far end of the pores by a parabola over f, and hold the same salt. Without
    a film 1 - 1 / sqrt 3, where the parabola is its own mean; what the film holds moves it up.
    """
    mean = (film * thickness / 2.0 + porosity * thickness**2 / 6.0) / (film + porosity * thickness)
    return 1.0 - math.sqrt(2.0 * mean / thickness)


def thiele(exchange: float, thickness: float, factor: float) -> float:
    """nu of a cathode with linear kinetics; `exchange` is a i0 / (F D+ c0), 1/m^2."""
    return thickness * math.sqrt(exchange / factor)


def reaction(depth: Array, nu: float) -> Array:
    """Uptake over its mean, at a depth over H, for small currents: nu cosh(nu (1 - z)) / sinh nu.

    The salt is in its steady state and carries the current by diffusion and migration alike; the
    solid has one potential (Newman & Tobias, J. Electrochem. Soc. 109, 1962, 1183).
    """
    # by exponentials that do not overflow
    near, away = np.exp(-nu * depth), np.exp(-nu * (2.0 - depth))
    return np.asarray(nu * (near + away) / (1.0 - math.exp(-2.0 * nu)))


def reaction_spread(nu: float) -> float:
    """Standard deviation of it over its mean."""
    square = nu**2 * (0.5 + math.sinh(2.0 * nu) / (4.0 * nu)) / math.sinh(nu) ** 2
    return math.sqrt(square - 1.0)


def resistance(nu: float, film: float, thickness: float, factor: float) -> float:
    """Overpotential over the current, both small: L + H coth(nu) / (f nu), in units of the length.

    The current is over F D+ c0 and the overpotential over RT/F.
    """
    return film + thickness / (factor * nu * math.tanh(nu))

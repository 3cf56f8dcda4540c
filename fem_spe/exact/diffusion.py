"""Closed forms for slabs with reactions, and with diffusivities that depend on concentration."""

from __future__ import annotations

import math
from collections.abc import Sequence


def reacting_slab_flux(thiele: float, high: float, low: float) -> float:
    """Inflow at the face held at `high`, the other held at `low`, over D / L.

    D c'' = k c with thiele = L sqrt(k / D): Bird, Stewart & Lightfoot, Transport Phenomena
    (2002), 18.4.
    """
    return thiele * (high * math.cosh(thiele) - low) / math.sinh(thiele)


def closed_slab_flux(thiele: float) -> float:
    """Inflow at a face held at 1, the other closed, over D / L: thiele tanh(thiele).

    Thiele, Ind. Eng. Chem. 31 (1939) 916.
    """
    return thiele * math.tanh(thiele)


def closed_slab_end(thiele: float) -> float:
    """Concentration at the closed face of that slab: 1 / cosh(thiele)."""
    return 1.0 / math.cosh(thiele)


def kirchhoff(coefficients: Sequence[float], concentration: float) -> float:
    """Integral from 0 to `concentration` of the polynomial D with these coefficients.

    Between two concentrations, its difference over L is the flux through a slab: Kirchhoff's
    transform; Crank, The Mathematics of Diffusion (1975), 4.3.
    """
    terms = enumerate(coefficients)
    return math.fsum(a * concentration ** (k + 1) / (k + 1) for k, a in terms)


def kirchhoff_profile(
    coefficients: Sequence[float], low: float, high: float, share: float
) -> float:
    """Concentration at the `share` of the way from the face at `low` to that at `high`.

    The transform of the concentration is linear there; D must be positive between the two.
    """
    ends = [kirchhoff(coefficients, c) for c in (low, high)]
    wanted = (1 - share) * ends[0] + share * ends[1]
    for _ in range(200):  # bisection to the last bit
        middle = (low + high) / 2
        if (kirchhoff(coefficients, middle) < wanted) == (ends[0] < ends[1]):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def closed_box(initial: float, rate: float, consumption: float, time: float) -> float:
    """Concentration in a closed box with c' = -rate c - consumption, from `initial`."""
    rest = consumption / rate
    return (initial + rest) * math.exp(-rate * time) - rest

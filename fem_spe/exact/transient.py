"""Closed forms for diffusion in time."""

from __future__ import annotations

import math

_TERMS = 2000


def slab_mean(fourier: float) -> float:
    """Mean of a slab at first empty, one face held at 1 and the other at 0.

    Carslaw & Jaeger, Conduction of Heat in Solids (1959), 3.4; `fourier` is D t / L^2.
    """
    odd = range(1, _TERMS, 2)
    return 0.5 - 4 / math.pi**2 * sum(_decay(k, fourier) / k**2 for k in odd)


def slab_outflow(fourier: float) -> float:
    """Flux out of that slab at the face held at 0, over D / L."""
    return 1 + 2 * math.fsum((-1.0) ** k * _decay(k, fourier) for k in range(1, _TERMS))


def _decay(k: int, fourier: float) -> float:
    return math.exp(-((k * math.pi) ** 2) * fourier)

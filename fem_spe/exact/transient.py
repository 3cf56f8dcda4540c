"""Closed forms for diffusion in time.

Slabs are at first empty, with the face x = 0 held at 0 and the other at 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import erfc

_TERMS = 2000
_MODES = 200  # enough from a Fourier number of 1e-4 on


def half_space(depth: NDArray[np.float64], time: float, diffusivity: float) -> NDArray[np.float64]:
    """Value at `depth` below a face held at 1 since time 0, at first empty.

    Carslaw & Jaeger, Conduction of Heat in Solids (1959), 2.4.
    """
    return np.asarray(erfc(depth / math.sqrt(4 * diffusivity * time)))


def slab(position: NDArray[np.float64], fourier: float) -> NDArray[np.float64]:
    """Value at `position` over the thickness L; `fourier` is D t / L^2.

    Carslaw & Jaeger, 3.4.
    """
    k = np.arange(1, _TERMS)
    terms = (-1.0) ** k / k * np.exp(-((k * math.pi) ** 2) * fourier)
    waves = np.sin(np.multiply.outer(position, k * math.pi))
    return np.asarray(position + 2 / math.pi * waves @ terms)


def slab_mean(fourier: float) -> float:
    """Mean of that slab."""
    odd = range(1, _TERMS, 2)
    return 0.5 - 4 / math.pi**2 * sum(_decay(k, fourier) / k**2 for k in odd)


def slab_outflow(fourier: float) -> float:
    """Flux out of that slab at the face held at 0, over D / L."""
    return 1 + 2 * math.fsum((-1.0) ** k * _decay(k, fourier) for k in range(1, _TERMS))


def _decay(k: int, fourier: float) -> float:
    return math.exp(-((k * math.pi) ** 2) * fourier)


@dataclass(frozen=True)
class Layer:
    """A layer of a slab: thickness, diffusivity D and partition coefficient K.

    Across its faces u = c / K and the flux D K du/dx are continuous.
    """

    thickness: float
    diffusivity: float
    partition: float = 1.0

    @property
    def effusivity(self) -> float:
        """K sqrt(D): flux over the slope of u in sqrt(D) units."""
        return self.partition * math.sqrt(self.diffusivity)

    @property
    def delay(self) -> float:
        """Thickness over sqrt(D): the phase that it adds to a mode, over the frequency."""
        return self.thickness / math.sqrt(self.diffusivity)


def contact(
    height: NDArray[np.float64], time: float, below: Layer, above: Layer
) -> NDArray[np.float64]:
    """Value where two half spaces, 0 below and 1 above, have touched at height 0 since time 0.

    The value at the face stays e_above / (e_above + e_below) with e = K sqrt(D) (Carslaw &
    Jaeger, 2.15). The thicknesses of the layers do not count.
    """
    weight = above.partition * math.sqrt(above.diffusivity)
    face = weight / (weight + below.partition * math.sqrt(below.diffusivity))
    diffusivity = np.where(height > 0, above.diffusivity, below.diffusivity)
    part = erfc(np.abs(height) / np.sqrt(4 * diffusivity * time))
    return np.asarray(np.where(height > 0, 1.0 - (1.0 - face) * part, face * part))


@dataclass(frozen=True)
class Mode:
    """An eigenfunction X with (D K X')' = -frequency^2 K X and X = 0 on both faces.

    Attributes:
        frequency: In 1/sqrt(s).
        amplitudes, phases: In each layer X = amplitude sin(phase + frequency x / sqrt(D)), with
            x from where the layer starts.
        end: D K X' at the last face, over the frequency.
        weight: The integral of K X^2.
    """

    frequency: float
    amplitudes: tuple[float, ...]
    phases: tuple[float, ...]
    end: float
    weight: float

    @property
    def share(self) -> float:
        """Of the mode in an empty slab, as a distance from the steady state (by parts)."""
        return self.end / (self.frequency * self.weight)


def modes(layers: Sequence[Layer], count: int = _MODES) -> list[Mode]:
    """The first eigenfunctions of a slab in layers.

    Mikhailov & Ozisik, Unified Analysis and Solutions of Heat and Mass Diffusion (1984), ch. 9.
    The n-th has the phase n pi at the last face (Pruefer); the phase rises with the
    frequency, so that none is missed.
    """
    total = sum(layer.delay for layer in layers)
    slack = 0.5 * math.pi * (len(layers) - 1)  # an interface shifts the phase by less than pi / 2

    def beyond(frequency: float, n: int) -> float:
        return _phases(layers, frequency)[-1] - n * math.pi

    found = []
    for n in range(1, count + 1):
        low, high = (max(0.0, n * math.pi - slack) / total, (n * math.pi + slack) / total)
        frequency = brentq(beyond, low, high, args=(n,), xtol=1e-15 * high) if slack else high
        found.append(_mode(layers, frequency))
    return found


def _phases(layers: Sequence[Layer], frequency: float) -> list[float]:
    """The phase where each layer starts, and at the last face."""
    phases = [0.0]
    for k, layer in enumerate(layers):
        phase = phases[-1] + frequency * layer.delay
        if k + 1 < len(layers):
            # X and D K X' go on, so that tan(phase) grows by the ratio of effusivities
            ratio = layers[k + 1].effusivity / layer.effusivity
            s, c = math.sin(phase), math.cos(phase)
            phase += math.atan((ratio - 1) * s * c / (c * c + ratio * s * s))
        phases.append(phase)
    return phases


def _mode(layers: Sequence[Layer], frequency: float) -> Mode:
    phases = _phases(layers, frequency)
    amplitude, amplitudes, weight = 1.0, [], 0.0
    for k, (layer, start) in enumerate(zip(layers, phases, strict=False)):
        amplitudes.append(amplitude)
        stop = start + frequency * layer.delay
        ripple = (math.sin(2 * stop) - math.sin(2 * start)) / (4 * frequency * layer.delay)
        weight += layer.partition * layer.thickness * amplitude**2 * (0.5 - ripple)
        end = layer.effusivity * amplitude * math.cos(stop)
        if k + 1 < len(layers):
            amplitude = math.hypot(amplitude * math.sin(stop), end / layers[k + 1].effusivity)
    return Mode(frequency, tuple(amplitudes), tuple(phases[:-1]), end, weight)


def layered(
    layers: Sequence[Layer], position: NDArray[np.float64], time: float
) -> NDArray[np.float64]:
    """u at `position` in a slab in layers."""
    bounds = np.cumsum([0.0, *(layer.thickness for layer in layers)])
    where = np.clip(np.searchsorted(bounds, position, side="right") - 1, 0, len(layers) - 1)
    depth = position - bounds[where]
    steady = np.cumsum([0.0, *_resistances(layers)])
    slope = np.diff(steady) / np.diff(bounds)
    speed = np.array([1 / math.sqrt(layer.diffusivity) for layer in layers])
    total = (steady[where] + slope[where] * depth) / steady[-1]
    for mode in modes(layers):
        phase = np.array(mode.phases)[where] + mode.frequency * depth * speed[where]
        shape = np.array(mode.amplitudes)[where] * np.sin(phase)
        total += mode.share * math.exp(-(mode.frequency**2) * time) * shape
    return np.asarray(total)


def layered_mean(layers: Sequence[Layer], time: float) -> float:
    """Amount in that slab over the integral of K."""
    resistances = _resistances(layers)
    before = np.cumsum([0.0, *resistances])
    capacities = [layer.partition * layer.thickness for layer in layers]
    steady = sum(
        c * (low + high) / 2 / before[-1]
        for c, low, high in zip(capacities, before, before[1:], strict=False)
    )
    first = layers[0].effusivity
    change = math.fsum(
        mode.share * (first - mode.end) / mode.frequency * math.exp(-(mode.frequency**2) * time)
        for mode in modes(layers)
    )
    return float(steady + change) / sum(capacities)


def layered_outflow(layers: Sequence[Layer], time: float) -> float:
    """Flux out of that slab at x = 0."""
    first = layers[0].effusivity
    change = math.fsum(
        mode.share * first * mode.frequency * math.exp(-(mode.frequency**2) * time)
        for mode in modes(layers)
    )
    return 1 / sum(_resistances(layers)) + change


def _resistances(layers: Sequence[Layer]) -> list[float]:
    return [layer.thickness / (layer.diffusivity * layer.partition) for layer in layers]

"""The equivalent circuit of a symmetric cell, fitted to its impedance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

_TOLERANCE = 1e-12  # of parameters, which are logarithms, and of the sum of squares


@dataclass(frozen=True)
class Circuit:
    """Elements in a row, of one area: R_b, an arc for each reaction, diffusion.

    Z = R_b + sum of R / (1 + i omega R C) + R_W tanh(sqrt(i omega tau)) / sqrt(i omega tau):
    what Gou 2025, Fig. 2c is fitted with, the last one a finite Warburg element between
    electrodes that pass the cation (Bouchet, Lascaud & Rosso, J. Electrochem. Soc. 150, 2003,
    A1385).

    Attributes:
        bulk: R_b, ohm m^2.
        arcs: (R, C) of each arc, ohm m^2 and F/m^2.
        diffusion: R_W, ohm m^2.
        time: tau, s.
    """

    bulk: float
    arcs: tuple[tuple[float, float], ...]
    diffusion: float
    time: float

    @property
    def charge_transfer(self) -> float:
        """R_ct of all reactions, ohm m^2."""
        return sum(resistance for resistance, _ in self.arcs)

    def impedance(self, frequency: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Z, ohm m^2, at frequencies in Hz."""
        omega = 2.0 * np.pi * frequency
        s = np.sqrt(1j * omega * self.time)
        z = self.bulk + self.diffusion * np.tanh(s) / s
        for resistance, capacitance in self.arcs:
            z = z + resistance / (1.0 + 1j * omega * resistance * capacitance)
        return np.asarray(z)

    def misfit(self, frequency: NDArray[np.float64], z: NDArray[np.complex128]) -> float:
        """Largest |Z_circuit / Z - 1|."""
        return float(np.abs(self.impedance(frequency) / z - 1.0).max())

    @property
    def elements(self) -> NDArray[np.float64]:
        """All of them as one row."""
        return np.array([self.bulk, self.diffusion, self.time, *np.ravel(self.arcs)])


def fit(
    frequency: NDArray[np.float64], z: NDArray[np.complex128], start: Circuit
) -> Circuit | None:
    """The circuit of the least squares of Z_circuit / Z - 1, with as many arcs as `start`.

    Args:
        frequency: Hz, shape (n,).
        z: The spectrum times area, ohm m^2, shape (n,).
        start: Where the search begins.

    Returns:
        None where there are fewer numbers than elements.
    """
    first = np.log(start.elements)
    if 2 * len(z) < len(first):
        return None

    def off(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
        error = _circuit(logarithms).impedance(frequency) / z - 1.0
        return np.concatenate([error.real, error.imag])

    found = scipy.optimize.least_squares(
        off, first, method="lm", xtol=_TOLERANCE, ftol=_TOLERANCE, gtol=_TOLERANCE
    )
    return _circuit(found.x)


def _circuit(logarithms: NDArray[np.float64]) -> Circuit:
    bulk, diffusion, time, *arcs = np.exp(logarithms).tolist()
    return Circuit(bulk, tuple(zip(arcs[::2], arcs[1::2], strict=True)), diffusion, time)

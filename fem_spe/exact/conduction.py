"""Closed forms for conduction through two-phase media, each with its source.

Everything is relative to the matrix: `contrast` is D_inclusion / D_matrix (0 for
impermeable inclusions), `fraction` the area fraction of the inclusions.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

_MULTIPOLES = 60


def square_array(fraction: float, contrast: float = 0.0) -> float:
    """D_eff / D_matrix of a square array of circular cylinders, to round-off up to contact.

    Rayleigh's equations for the multipoles B_1, B_3, ... of circles of radius a in unit cells,
    with T = (1 + contrast) / (1 - contrast) and the lattice sums S_k of the square lattice,

        T a^(2-4n) B_(2n-1) + sum_m C(2n+2m-3, 2n-1) S_(2n+2m-2) B_(2m-1) = delta_(n1),

    give D_eff / D_matrix = 1 - 2 pi B_1 (Perrins, McKenzie & McPhedran, Proc. R. Soc. A 369
    (1979) 207; their eq. 14 keeps three of them and is off by 1e-5 at a fraction of 0.5).
    Impermeable circles converge the slowest: 1e-9 at a gap of a hundredth of the diameter.
    """
    if contrast == 1.0:
        return 1.0
    t = (1.0 + contrast) / (1.0 - contrast)
    radius = math.sqrt(fraction / math.pi)
    sums = _square_lattice_sums(4 * _MULTIPOLES)
    n = np.arange(1, _MULTIPOLES + 1)
    choose = np.array(
        [[float(math.comb(2 * i + 2 * j - 3, 2 * i - 1)) for j in n.tolist()] for i in n.tolist()]
    )
    power = 2 * (n[:, None] + n) - 2
    # unknowns B_(2n-1) a^(1-2n): all numbers stay of the order of one
    coupling = choose * radius**power * sums[power]
    right = np.where(n == 1, radius, 0.0)
    first = np.linalg.solve(t * np.eye(len(n)) + coupling, right)[0] * radius
    return float(1.0 - 2.0 * math.pi * first)


@cache
def _square_lattice_sums(highest: int) -> NDArray[np.float64]:
    """S_k = sum of z^-k over the points z of the unit square lattice but 0, k = 0 to `highest`.

    S_2 = pi by Rayleigh's order of summation, S_4 = Gamma(1/4)^8 / (960 pi^2); the others follow
    by the recursion of Eisenstein series (Abramowitz & Stegun 18.5) and vanish unless 4 divides k.
    """
    sums = np.zeros(highest + 1)
    sums[2], sums[4] = math.pi, math.gamma(0.25) ** 8 / (960.0 * math.pi**2)
    for k in range(4, highest // 2 + 1, 2):
        products = (
            (2 * j - 1) * (2 * k - 2 * j - 1) * sums[2 * j] * sums[2 * k - 2 * j]
            for j in range(2, k - 1)
        )
        sums[2 * k] = 3.0 * sum(products) / ((2 * k + 1) * (k - 3) * (2 * k - 1))
    return sums


def wiener_bounds(fraction: float, contrast: float = 0.0) -> tuple[float, float]:
    """Lower (series) and upper (parallel) bound of D_eff / D_matrix for any structure.

    Wiener, Abh. Sächs. Akad. Wiss. 32 (1912) 509.
    """
    upper = 1.0 - fraction + fraction * contrast
    lower = 0.0 if contrast == 0.0 else 1.0 / (1.0 - fraction + fraction / contrast)
    return lower, upper


def hashin_shtrikman_bounds(fraction: float, contrast: float = 0.0) -> tuple[float, float]:
    """Bounds of D_eff / D_matrix for 2-D media of isotropic conductivity.

    Hashin, J. Mech. Phys. Solids 13 (1965) 119; for insulating inclusions the upper
    one is Maxwell's (1 - f)/(1 + f). Aligned ellipses are not isotropic: use Wiener's.
    """
    f, s = fraction, contrast
    matrix_bound = 1.0 + f / (1.0 / (s - 1.0) + (1.0 - f) / 2.0) if s != 1.0 else 1.0
    if s == 0.0:
        return 0.0, matrix_bound
    inclusion_bound = s + (1.0 - f) / (1.0 / (1.0 - s) + f / (2.0 * s)) if s != 1.0 else 1.0
    return min(matrix_bound, inclusion_bound), max(matrix_bound, inclusion_bound)


def differential_ellipses(
    fraction: float, aspect: float = 1.0, *, across_long_axis: bool = False
) -> float:
    """D_eff / D_matrix of insulating ellipses by the differential effective medium.

    (1 - f)^((a + b)^2 / 2ab) for random directions and (1 - f)^(1 + a/b) for flux
    across the common long axis; both give (1 - f)^2 for circles. Bruggeman, Ann. Phys.
    416 (1935) 636, with the depolarisation factors of an ellipse.
    """
    exponent = 1.0 + aspect if across_long_axis else (1.0 + aspect) ** 2 / (2.0 * aspect)
    return math.pow(1.0 - fraction, exponent)


def differential_aspect(fraction: float, relative: float) -> float:
    """The aspect ratio at which aligned ellipses across the flux give `relative`.

    Inverse of `differential_ellipses(..., across_long_axis=True)`.
    """
    return math.log(relative) / math.log(1.0 - fraction) - 1.0


def layers_in_series(thicknesses: list[float], coefficients: list[float]) -> float:
    """Effective coefficient of layers crossed one after the other (harmonic mean)."""
    resistance = sum(t / k for t, k in zip(thicknesses, coefficients, strict=True))
    return sum(thicknesses) / resistance


def layers_in_parallel(thicknesses: list[float], coefficients: list[float]) -> float:
    """Effective coefficient along the layers (arithmetic mean)."""
    carried = sum(t * k for t, k in zip(thicknesses, coefficients, strict=True))
    return carried / sum(thicknesses)


def mean_aspect_in_plane() -> float:
    """Mean aspect ratio of round fibres lying in a plane at random, cut across it.

    A fibre at angle phi to the normal of the cut shows an ellipse of aspect 1/cos(phi)
    and meets the cut with probability proportional to cos(phi), so that the mean over
    the fibres met is pi/2.
    """
    return math.pi / 2.0

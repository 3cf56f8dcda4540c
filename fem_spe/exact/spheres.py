"""Conduction through a simple cubic array of spheres.

Everything is relative to the matrix: `contrast` is D_sphere / D_matrix (0 for impermeable spheres,
infinity for perfect conductors), `fraction` the volume fraction of the spheres.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.special import gammaincc, gammaln, lpmv

TOUCHING = math.pi / 6  # fraction at which the spheres of a simple cubic array touch

_HIGHEST = 21  # multipole: 1e-8 at a fraction of 0.4, 1e-3 for perfect conductors at 0.5
_SHELL = 8  # lattice points on each side that the sums go over

# Sangani & Acrivos, Proc. R. Soc. A 386 (1983) 263, of the simple cubic array
_SERIES = (1.305, 0.231, 0.405, 0.0723, 0.153, 0.0105)


def simple_cubic(fraction: float, contrast: float = 0.0) -> float:
    """D_eff / D_matrix of spheres on a simple cubic lattice.

    Rayleigh's method with multipoles of all odd degrees l up to 21 and orders m that are multiples
    of four, as the symmetry leaves them (McPhedran & McKenzie, Proc. R. Soc. A 359 (1978) 45).
    With the solid harmonics R_lm = r^l P_lm e^(i m phi) / (l + m)! and I_lm = (l - m)! r^(-l-1)
    P_lm e^(i m phi), lattice sums S_LM of I_LM, unit cells and unit mean gradient, the local field
    of the moments b_lm is

        A_lm = delta_l1 - sum b_l'm' S_(l+l', m'-m),
        (l - m)! (l + m)! b_lm = -a^(2l+1) A_lm (s - 1) l / (s l + l + 1),

    and D_eff / D_matrix = 1 - 4 pi b_10. S_20 = 4 pi / 3 is what a mean gradient of zero leaves of
    the field of dipoles; alone it gives Maxwell's formula.
    """
    radius = (3.0 * fraction / (4.0 * math.pi)) ** (1.0 / 3.0)
    modes = [(n, m) for n in range(1, _HIGHEST + 1, 2) for m in range(-(n // 4) * 4, n + 1, 4)]
    degree, order = np.array(modes).T
    # unknowns sqrt((l - m)! (l + m)!) b_lm / a^(l + 1/2): all numbers stay of the order of one
    scale = np.exp(
        (degree + 0.5) * math.log(radius)
        - (gammaln(degree - order + 1) + gammaln(degree + order + 1)) / 2
    )
    sums = np.array([[_sum(n + k, abs(j - m)) for k, j in modes] for n, m in modes])
    if math.isinf(contrast):
        response = np.ones(len(modes))
    else:
        response = (contrast - 1.0) * degree / (contrast * degree + degree + 1.0)
    system = np.eye(len(modes)) - response[:, None] * scale[:, None] * sums * scale
    driven = -response * scale * (degree == 1)
    moment = np.linalg.solve(system, driven) * scale
    return float(1.0 - 4.0 * math.pi * moment[modes.index((1, 0))])


@cache
def _sum(degree: int, order: int) -> float:
    """Sum of I_LM over the points of the unit cubic lattice but 0, by Ewald's division.

    1 / R^(2L+1) as an integral over Gaussians, those wider than the lattice turned into a sum over
    its reciprocal: both fall off like exp(-pi R^2).
    """
    if degree == 2:
        return 4.0 * math.pi / 3.0
    line = np.arange(-_SHELL, _SHELL + 1)
    x, y, z = (g.ravel().astype(float) for g in np.meshgrid(line, line, line))
    r = np.sqrt(x * x + y * y + z * z)
    x, y, z, r = (c[r > 0] for c in (x, y, z, r))
    angular = lpmv(order, degree, z / r) * np.cos(order * np.arctan2(y, x))
    near = gammaincc(degree + 0.5, math.pi * r * r) * r ** -(degree + 1.0)
    far = np.exp(
        (degree - 0.5) * math.log(math.pi)
        - gammaln(degree + 0.5)
        - math.pi * r * r
        + (degree - 2) * np.log(r)
    )
    whole = np.sum(angular * (near + (-1.0) ** (degree // 2) * far))
    return float(math.exp(gammaln(degree - order + 1)) * whole)


def simple_cubic_series(fraction: float, contrast: float = 0.0) -> float:
    """The same by a series of which six coefficients are known to three or four digits.

    Sangani & Acrivos 1983; with L_i = (s - 1) / (s + 2i / (2i - 1)). For checks: up to a
    fraction of 0.4 it is good to 1e-3, for perfect conductors to 1e-2.
    """
    f, s = fraction, contrast
    if math.isinf(s):
        l1 = l2 = l3 = l4 = l5 = 1.0
    else:
        l1, l2, l3, l4, l5 = ((s - 1) / (s + 2 * i / (2 * i - 1)) for i in range(1, 6))
    b1, b2, b3, b4, b5, b6 = _SERIES
    below = 1 / l1 - f
    below -= b1 * l2 * f ** (10 / 3) * (1 + b2 * l3 * f ** (11 / 3)) / (1 - b3 * l2 * f ** (7 / 3))
    below -= b4 * l3 * f ** (14 / 3) + b5 * l4 * f**6 + b6 * l5 * f ** (22 / 3)
    return float(1 + 3 * f / below)

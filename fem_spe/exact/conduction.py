"""Closed forms for conduction through two-phase media, each with its source.

Everything is relative to the matrix: `contrast` is D_inclusion / D_matrix (0 for
impermeable inclusions), `fraction` the area fraction of the inclusions.
"""

from __future__ import annotations

import math

# Coefficients of Perrins, McKenzie & McPhedran, Proc. R. Soc. A 369 (1979) 207, eq. 14,
# square array, truncated after the third multipole.
_PERRINS = (0.305827, 1.402958, 0.013362)


def square_array(fraction: float, contrast: float = 0.0) -> float:
    """D_eff / D_matrix of a square array of circular cylinders.

    Perrins, McKenzie & McPhedran (1979). The truncation is good to about 1e-5 up to
    `fraction` 0.5 and fails as the cylinders approach contact (0.785).
    """
    s1, s2, s3 = _PERRINS
    if contrast == 1.0:
        return 1.0
    t = (1.0 + contrast) / (1.0 - contrast)
    f = fraction
    higher = s1 * f**4 * t / (t**2 - s2 * f**8) + s3 * f**8 / t
    return 1.0 - 2.0 * f / (t + f - higher)


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

"""Closed forms of linear elasticity, each with its source.

Lengths, moduli, stresses and forces in any consistent units; tension is positive. In two
dimensions forces are per length, and plane strain is meant unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def contact_modulus(youngs_modulus: float, poisson_ratio: float) -> float:
    """E* = E / (1 - nu^2) against a rigid body. Johnson, Contact Mechanics (1985), 4.5."""
    return youngs_modulus / (1.0 - poisson_ratio**2)


@dataclass(frozen=True)
class Hertz:
    """A Hertzian contact with a rigid, frictionless cylinder or ball.

    Attributes:
        radius: Half width of the strip, or radius of the circle, of contact.
        peak: Pressure in the middle.
    """

    radius: float
    peak: float


def line_contact(force: float, modulus: float, ball_radius: float) -> Hertz:
    """Cylinder on a half plane: a = 2 sqrt(F R / pi E*), p0 = sqrt(F E* / pi R).

    Johnson (1985), 4.43 and 4.45. `force` is per length, `modulus` the contact modulus.
    The depth of indentation has no limit for a half plane, hence the force is given.
    """
    return Hertz(
        2.0 * math.sqrt(force * ball_radius / (math.pi * modulus)),
        math.sqrt(force * modulus / (math.pi * ball_radius)),
    )


def line_contact_stress(x: ArrayLike, z: ArrayLike, contact: Hertz, poisson_ratio: float) -> Floats:
    """Stress at abscissa x and depth z under a line contact.

    McEwen (1949) in Johnson (1985), 4.49.

    Returns:
        The tensor over the axes x, z (into the body) and the cylinder's, shape (..., 3, 3).
    """
    x, z = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(z, dtype=float))
    a, p0 = contact.radius, contact.peak
    even = a**2 - x**2 + z**2
    root = np.sqrt(even**2 + 4.0 * x**2 * z**2)
    m = np.sqrt(0.5 * (root + even))
    n = np.copysign(np.sqrt(np.maximum(0.5 * (root - even), 0.0)), x)
    whole = np.maximum(m**2 + n**2, np.finfo(float).tiny)  # zero at the edges of the contact
    ratio = (z**2 + n**2) / whole
    sigma = np.zeros((*x.shape, 3, 3))
    sigma[..., 0, 0] = -p0 / a * (m * (1.0 + ratio) - 2.0 * z)
    sigma[..., 1, 1] = -p0 / a * m * (1.0 - ratio)
    sigma[..., 0, 1] = sigma[..., 1, 0] = -p0 / a * n * (m**2 - z**2) / whole
    sigma[..., 2, 2] = poisson_ratio * (sigma[..., 0, 0] + sigma[..., 1, 1])
    return sigma


def line_contact_strength(poisson_ratio: float) -> tuple[float, float]:
    """Largest von Mises stress over p0 under a line contact, and its depth over a.

    On the axis of symmetry: the largest value of `line_contact_stress` there; 0.558 at
    0.70 for nu = 0.3.
    """

    def at(depth: float) -> float:
        return float(von_mises(line_contact_stress(0.0, depth, Hertz(1.0, 1.0), poisson_ratio)))

    return _largest(at)


def ball_contact(depth: float, modulus: float, ball_radius: float) -> tuple[float, Hertz]:
    """Ball pressed by `depth` into a half space: force, and contact.

    a = sqrt(R d), F = 4/3 E* sqrt(R) d^(3/2), p0 = 3 F / (2 pi a^2). Johnson (1985), 4.22-24.
    """
    a = math.sqrt(ball_radius * depth)
    force = 4.0 / 3.0 * modulus * math.sqrt(ball_radius) * depth**1.5
    return force, Hertz(a, 1.5 * force / (math.pi * a**2))


def ball_contact_strength(poisson_ratio: float) -> tuple[float, float]:
    """Largest von Mises stress over p0 under a ball, and its depth over a.

    From the stresses on the axis, Johnson (1985), 3.45; 0.62 at 0.48 for nu = 0.3.
    """

    def at(z: float) -> float:
        axial = -1.0 / (1.0 + z**2)
        radial = -(1.0 + poisson_ratio) * (1.0 - z * math.atan2(1.0, z)) - 0.5 * axial
        return abs(axial - radial)

    return _largest(at)


def von_mises(sigma: ArrayLike) -> Floats:
    """von Mises stress of tensors, shape (..., 3, 3)."""
    sigma = np.asarray(sigma)
    mean = np.trace(sigma, axis1=-2, axis2=-1) / 3.0
    s = sigma - mean[..., None, None] * np.eye(3)
    return np.asarray(np.sqrt(1.5 * np.sum(s * s, axis=(-2, -1))))


def thick_cylinder(
    r: ArrayLike, inner: float, outer: float, pressure: float, mu: float, poisson_ratio: float
) -> tuple[Floats, Floats, Floats]:
    """Lamé's cylinder under inner pressure: radial displacement, radial and hoop stress.

    Timoshenko & Goodier, Theory of Elasticity (1970), section 28; displacement in plane
    strain.
    """
    r = np.asarray(r, dtype=float)
    c = pressure * inner**2 / (outer**2 - inner**2)
    shrink = outer**2 / r**2
    u = c * r / (2.0 * mu) * (1.0 - 2.0 * poisson_ratio + shrink)
    return u, c * (1.0 - shrink), c * (1.0 + shrink)


@dataclass(frozen=True)
class Disc:
    """A disc of radius `radius` at the origin, bonded to an infinite plate under stress.

    By complex potentials; those of the plate are
    phi = g z + c a^2/z and psi = h z + b a^2/z + c a^4/z^3. Muskhelishvili, Some Basic
    Problems of the Mathematical Theory of Elasticity (1953), section 59; the stress in the
    disc is uniform (Eshelby, Proc. R. Soc. A 241 (1957) 376). `mu_disc = 0` is Kirsch's
    hole (Timoshenko & Goodier 1970, section 35).

    Attributes:
        radius: Of the disc.
        far: Principal stresses far away, along x and y.
        mu, kappa: Of the plate: shear modulus and 3 - 4 nu (plane strain) or
            (3 - nu)/(1 + nu) (plane stress).
        mu_disc, kappa_disc: Of the disc.
    """

    radius: float
    far: tuple[float, float]
    mu: float
    kappa: float
    mu_disc: float = 0.0
    kappa_disc: float = 1.0

    @property
    def inside(self) -> tuple[float, float]:
        """The stress sigma_xx, sigma_yy in the disc."""
        mean, deviator = sum(self.far) / 2.0, (self.far[0] - self.far[1]) / 2.0
        soft = 2.0 * self.mu_disc + self.mu * (self.kappa_disc - 1.0)
        stiff = self.kappa * self.mu_disc + self.mu
        mean *= self.mu_disc * (self.kappa + 1.0) / soft if self.mu_disc else 0.0
        deviator *= self.mu_disc * (self.kappa + 1.0) / stiff
        return mean + deviator, mean - deviator

    def displacement(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Of points of the plate, without rigid motion, shape (2, ...)."""
        z = np.asarray(x) + 1j * np.asarray(y)
        g, h, b, c = self._coefficients
        a = self.radius
        phi = g * z + c * a**2 / z
        slope = g - c * a**2 / z**2
        psi = h * z + b * a**2 / z + c * a**4 / z**3
        w = (self.kappa * phi - z * np.conj(slope) - np.conj(psi)) / (2.0 * self.mu)
        return np.array([w.real, w.imag])

    def stress(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """sigma_xx, sigma_yy, sigma_xy at points of the plate, shape (3, ...)."""
        z = np.asarray(x) + 1j * np.asarray(y)
        g, h, b, c = self._coefficients
        a = self.radius
        slope = g - c * a**2 / z**2
        bend = 2.0 * c * a**2 / z**3
        other = h - b * a**2 / z**2 - 3.0 * c * a**4 / z**4
        total, difference = 4.0 * slope.real, 2.0 * (np.conj(z) * bend + other)
        return np.array(
            [(total - difference.real) / 2, (total + difference.real) / 2, difference.imag / 2]
        )

    @property
    def _coefficients(self) -> tuple[float, float, float, float]:
        g, h = sum(self.far) / 4.0, (self.far[1] - self.far[0]) / 2.0
        b = sum(self.inside) / 2.0 - 2.0 * g
        c = h * (self.mu_disc - self.mu) / (self.kappa * self.mu_disc + self.mu)
        return g, h, b, c


def voigt_reuss(fractions: list[float], moduli: list[float]) -> tuple[float, float]:
    """Reuss (series) and Voigt (parallel) bounds of a modulus.

    Hill, Proc. Phys. Soc. A 65 (1952) 349.
    """
    voigt = sum(f * m for f, m in zip(fractions, moduli, strict=True))
    return 1.0 / sum(f / m for f, m in zip(fractions, moduli, strict=True)), voigt


def _largest(function: Callable[[float], float]) -> tuple[float, float]:
    """Largest value of a function with one maximum on (0, 2), and its place."""
    low, high = 0.0, 2.0
    while high - low > 1e-10:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if function(left) < function(right):
            low = left
        else:
            high = right
    place = (low + high) / 2.0
    return float(function(place)), place

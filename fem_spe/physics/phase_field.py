"""Lithium deposition with a diffuse front, as weak forms (Gou 2025, eqs 8-10, made positive).

Unknowns: the order parameter phi (1 metal, 0 electrolyte), y = ln(c / c0) and u = F P / RT.
With H = h(phi), theta = c / (c + eps) and q = H theta the deposited lithium over c_Li,

    phi:  d phi/dt = -L_sigma dE/dphi - L_eta h'(phi) [e^((1 - alpha) u) - c e^(-alpha u)],
    y:    d/dt [m + r q] = div [D_eff c grad(y + u) + r D_s H grad theta],
    u:    d q/dt = div [sigma_eff / beta grad u + D_s H grad theta],

    m = (1 - H + H D_e / D_l) c,  D_eff = D_e H + D_l (1 - H),  sigma_eff alike,
    r = c_Li / c0,  beta = F^2 c_Li / RT,
    E = integral of g(phi) + kappa(normal) |grad phi|^2 / 2.

Lengths are over l0 = 1 um, times over 1 s, concentrations over c0; rates are nodal, integrated by
the vertex rule, so that what is stored at each node is what the fluxes bring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl

OCCUPIED = 1e-4  # eps: c over c0 at which a site of the metal is half occupied
_SMOOTHING = 10.0  # D_s eps, um^2/s: how fast lithium evens out among sites that lack it
_LINEAR = 30.0  # exponent beyond which e^x goes on as its tangent
_FLAT = 1e-12  # |l0 grad phi|^2 below which a front has no direction


@dataclass(frozen=True)
class Numbers:
    """The coefficients over l0 and 1 s; constants of a mesh, so that forms are compiled once.

    Attributes:
        barrier: L_sigma W, 1/s.
        stiffness: L_sigma kappa0, um^2/s.
        reaction: L_eta, 1/s.
        alpha: Charge transfer coefficient.
        anisotropy: Strength delta.
        d_liquid, d_metal: D_l and D_e, um^2/s.
        s_liquid, s_metal: sigma_l and sigma_e over beta, um^2/s.
        ratio: r.
        length: l0 over the mesh's unit.
        mode: omega, even.
    """

    barrier: Any
    stiffness: Any
    reaction: Any
    alpha: Any
    anisotropy: Any
    d_liquid: Any
    d_metal: Any
    s_liquid: Any
    s_metal: Any
    ratio: Any
    length: Any
    mode: int

    def grad(self, f: Any) -> Any:
        """The gradient over 1 / l0."""
        return self.length * ufl.grad(f)

    def integral(self, dx: ufl.Measure) -> ufl.Measure:
        """Exact for polynomials of second degree: a fourth changes the planar law by 1e-4."""
        return dx(metadata={"quadrature_degree": 2})

    def nodal(self, dx: ufl.Measure) -> ufl.Measure:
        """By the vertex rule: what is stored at a node is a matter of that node."""
        return dx(metadata={"quadrature_rule": "vertex", "quadrature_degree": 1})


def exponential(x: Any) -> Any:
    """e^x, beyond 30 its tangent."""
    limited = ufl.min_value(x, _LINEAR)
    return ufl.exp(limited) * (1 + x - limited)


def metal(phi: Any) -> Any:
    """H = phi^3 (6 phi^2 - 15 phi + 10), of phi within [0, 1]."""
    p = _within(phi)
    return p * p * p * ((6 * p - 15) * p + 10)


def _within(phi: Any) -> Any:
    return ufl.max_value(0.0, ufl.min_value(1.0, phi))


def front(phi: Any) -> Any:
    """h' = 30 phi^2 (1 - phi)^2, 0 outside [0, 1]."""
    p = _within(phi) * (1 - _within(phi))
    return 30 * p * p


def well(phi: Any) -> Any:
    """g / W = phi^2 (1 - phi)^2."""
    p = phi * (1 - phi)
    return p * p


def occupancy(y: Any) -> Any:
    """theta = c / (c + eps)."""
    c = exponential(y)
    return c / (c + OCCUPIED)


def deposited(phi: Any, y: Any) -> Any:
    """q = H theta, over c_Li."""
    return metal(phi) * occupancy(y)


def mobile(n: Numbers, phi: Any, y: Any) -> Any:
    """m = (1 - H + H D_e / D_l) c, over c0."""
    held = metal(phi)
    return (1 - held + held * n.d_metal / n.d_liquid) * exponential(y)


def lithium(n: Numbers, phi: Any, y: Any) -> Any:
    """m + r q, over c0."""
    return mobile(n, phi, y) + n.ratio * deposited(phi, y)


def reaction(n: Numbers, y: Any, u: Any) -> Any:
    """Butler-Volmer: e^((1 - alpha) u) - c e^(-alpha u); deposition is negative."""
    return exponential((1 - n.alpha) * u) - exponential(y - n.alpha * u)


def gradient_energy(n: Numbers, slope: Any) -> Any:
    """kappa |slope|^2 / (2 kappa0), kappa = kappa0 (1 + delta cos(omega theta)).

    cos(omega theta) is the real part of (n_x + i n_y)^omega.
    """
    square = ufl.inner(slope, slope)
    real, imaginary = slope[0], slope[1]
    for _ in range(n.mode - 1):
        real, imaginary = (
            real * slope[0] - imaginary * slope[1],
            real * slope[1] + imaginary * slope[0],
        )
    cosine = real / (square + _FLAT) ** (n.mode // 2)
    return (1 + n.anisotropy * cosine) * square / 2


def phase_form(n: Numbers, phi: Any, rate: Any, y: Any, u: Any, v: Any, dx: ufl.Measure) -> Any:
    """Of phi; the derivative of the energy is taken whole, its kappa' term included."""
    phi_ = ufl.variable(phi)
    slope = ufl.variable(n.grad(phi))
    bulk = n.barrier * ufl.diff(well(phi_), phi_) + n.reaction * front(phi) * reaction(n, y, u)
    surface = n.stiffness * ufl.diff(gradient_energy(n, slope), slope)
    return (rate * v + bulk * v + ufl.inner(surface, n.grad(v))) * n.integral(dx)


def noise_form(n: Numbers, phi: Any, y: Any, u: Any, kick: Any, v: Any, dx: ufl.Measure) -> Any:
    """What noise adds to phi's equation: the reaction times `kick`, its relative change."""
    return n.reaction * front(phi) * reaction(n, y, u) * kick * v * n.integral(dx)


def lithium_form(n: Numbers, phi: Any, y: Any, rate: Any, u: Any, v: Any, dx: ufl.Measure) -> Any:
    """Of y; `rate` is that of m + r q."""
    held, c = metal(phi), exponential(y)
    diffusivity = n.d_metal * held + n.d_liquid * (1 - held)
    flux = diffusivity * c * n.grad(y + u) + n.ratio * _evening(n, phi, y)
    return rate * v * n.nodal(dx) + ufl.inner(flux, n.grad(v)) * n.integral(dx)


def charge_form(n: Numbers, phi: Any, y: Any, rate: Any, u: Any, v: Any, dx: ufl.Measure) -> Any:
    """Of u; `rate` is that of q: lithium and charge share one sink."""
    held = metal(phi)
    conductivity = n.s_metal * held + n.s_liquid * (1 - held)
    current = conductivity * n.grad(u) + _evening(n, phi, y)
    return rate * v * n.nodal(dx) + ufl.inner(current, n.grad(v)) * n.integral(dx)


def _evening(n: Numbers, phi: Any, y: Any) -> Any:
    """D_s H grad theta, with grad theta = theta (1 - theta) grad y."""
    full = occupancy(y)
    return _SMOOTHING / OCCUPIED * metal(phi) * full * (1 - full) * n.grad(y)


def energy(n: Numbers, phi: Any, dx: ufl.Measure) -> Any:
    """L_sigma E, a functional."""
    density = n.barrier * well(phi) + n.stiffness * gradient_energy(n, n.grad(phi))
    return density * n.integral(dx)

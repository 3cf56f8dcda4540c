"""Linear elasticity as weak forms: find u with a(u, v) = L(v) for all v.

Stress and strain are tensors of the mesh's dimension; `full_stress` adds what stands
across the plane. Tension is positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import ufl

from fem_spe.domain import Domain

Plane = Literal["strain", "stress"]


@dataclass(frozen=True)
class Moduli:
    """Lamé's moduli, each a number or a coefficient, Pa.

    Attributes:
        lam: First modulus; in plane stress the reduced one, E nu / (1 - nu^2).
        mu: Shear modulus.
        plane: What holds across the plane; without meaning in three dimensions.
    """

    lam: Any
    mu: Any
    plane: Plane = "strain"


def lame(youngs_modulus: float, poisson_ratio: float, plane: Plane = "strain") -> Moduli:
    """Lamé's moduli of an isotropic solid (Timoshenko & Goodier 1970, sections 6 and 15).

    Args:
        youngs_modulus: E, Pa.
        poisson_ratio: nu, below 0.5.
        plane: `strain` also for a solid in three dimensions.
    """
    E, nu = youngs_modulus, poisson_ratio
    mu = E / (2.0 * (1.0 + nu))
    if plane == "stress":
        return Moduli(E * nu / (1.0 - nu**2), mu, plane)
    return Moduli(E * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), mu, plane)


def moduli(
    domain: Domain, materials: Mapping[str, tuple[float, float]], plane: Plane = "strain"
) -> Moduli:
    """Moduli that are constant in each region.

    Args:
        domain: The mesh.
        materials: Region -> (E in Pa, nu).
        plane: As in `Moduli`.
    """
    of = {name: lame(E, nu, plane) for name, (E, nu) in materials.items()}
    lam = domain.coefficient({name: m.lam for name, m in of.items()})
    mu = domain.coefficient({name: m.mu for name, m in of.items()})
    return Moduli(lam, mu, plane)


def strain(u: Any) -> Any:
    """eps = sym grad u."""
    return ufl.sym(ufl.grad(u))


def stress(u: Any, m: Moduli) -> Any:
    """sigma = lambda tr(eps) I + 2 mu eps (Hooke), Pa."""
    eps = strain(u)
    return m.lam * ufl.tr(eps) * ufl.Identity(len(u)) + 2.0 * m.mu * eps


def full_stress(u: Any, m: Moduli) -> Any:
    """The stress as a 3 x 3 tensor, with that across the plane in two dimensions, Pa."""
    across = m.lam * ufl.div(u) if m.plane == "strain" else 0.0
    return _padded(stress(u, m), across)


def bilinear(u: Any, v: Any, m: Moduli, dx: ufl.Measure) -> Any:
    """a(u, v) = integral of sigma(u) : eps(v)."""
    return ufl.inner(stress(u, m), strain(v)) * dx


def reduced_bilinear(u: Any, v: Any, m: Moduli, domain: Domain) -> Any:
    """The same with div u taken as its mean over each cell: no locking for quadratic elements.

    One point integrates the term of lambda, which is the condensed form of quadratic
    displacements with a pressure per cell (Malkus & Hughes, Comput. Methods Appl. Mech. Eng.
    15 (1978) 63): stable, positive definite, pressures of first order.
    """
    # Both terms on all cells, as two subdomains: in one integral with two quadrature rules
    # FFCx 0.11 takes Jacobians and coefficients at the single point for both of them.
    cells = np.arange(
        domain.mesh.topology.index_map(domain.mesh.topology.dim).size_local, dtype=np.int32
    )
    dx = ufl.Measure("dx", domain=domain.mesh, subdomain_data=[(0, cells), (1, cells)])
    middle = dx(1, metadata={"quadrature_degree": 1})
    return (
        2.0 * m.mu * ufl.inner(strain(u), strain(v)) * dx(0)
        + m.lam * ufl.div(u) * ufl.div(v) * middle
    )


def traction(v: Any, value: Any, ds: ufl.Measure) -> Any:
    """The part of L(v) that a force per area `value` on a face gives."""
    return ufl.inner(value, v) * ds


def body_force(v: Any, value: Any, dx: ufl.Measure) -> Any:
    """The part of L(v) that a force per volume gives."""
    return ufl.inner(value, v) * dx


def mixed_bilinear(u: Any, p: Any, v: Any, q: Any, m: Moduli, dx: ufl.Measure) -> Any:
    """a((u, p), (v, q)) with p = lambda div u an unknown of its own: no locking.

    For P2-P1 (Taylor-Hood) and nu above 0.49. Herrmann, AIAA J. 3 (1965) 1896.
    Symmetric and indefinite. In plane strain and three dimensions.
    """
    deviator = 2.0 * m.mu * ufl.inner(strain(u), strain(v))
    return (deviator + p * ufl.div(v) + q * ufl.div(u) - p * q / m.lam) * dx


def mixed_full_stress(u: Any, p: Any, m: Moduli) -> Any:
    """The stress of the mixed form as a 3 x 3 tensor, Pa."""
    return _padded(p * ufl.Identity(len(u)) + 2.0 * m.mu * strain(u), p)


def von_mises(sigma: Any) -> Any:
    """sqrt(3/2 s : s) of a 3 x 3 stress with deviator s, Pa."""
    s = ufl.dev(sigma)
    return ufl.sqrt(1.5 * ufl.inner(s, s))


def principal(sigma: Any) -> Any:
    """The principal values of a 3 x 3 stress, largest first, as a vector, Pa.

    By the angle of Lode: mean + 2 sqrt(J2/3) cos(theta - 2 pi k / 3). Two values that
    agree come out apart by some 1e-8 of the von Mises stress, the round-off of arccos.
    """
    s = ufl.dev(sigma)
    mean = ufl.tr(sigma) / 3.0
    J2 = ufl.max_value(0.5 * ufl.inner(s, s), 1e-300)
    ratio = 1.5 * ufl.sqrt(3.0) * ufl.det(s) / J2**1.5
    angle = ufl.acos(ufl.max_value(-1.0, ufl.min_value(1.0, ratio))) / 3.0
    radius = 2.0 * ufl.sqrt(J2 / 3.0)
    turns = [0.0, -2.0 * ufl.pi / 3.0, 2.0 * ufl.pi / 3.0]
    return ufl.as_vector([mean + radius * ufl.cos(angle + turn) for turn in turns])


def energy_density(u: Any, m: Moduli) -> Any:
    """Strain energy per volume, sigma : eps / 2, J/m^3."""
    return 0.5 * ufl.inner(stress(u, m), strain(u))


def _padded(sigma: Any, across: Any) -> Any:
    if sigma.ufl_shape == (3, 3):
        return sigma
    return ufl.as_tensor(
        [[sigma[0, 0], sigma[0, 1], 0.0], [sigma[1, 0], sigma[1, 1], 0.0], [0.0, 0.0, across]]
    )

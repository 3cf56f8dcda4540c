"""A compressible neo-Hookean solid at finite strain, as weak forms over the undeformed body.

Its energy per undeformed volume,

    psi = mu/2 (I1 - 3 - 2 ln J) + lambda/2 (ln J)^2,   I1 = tr F^T F,  J = det F,

is that of Hooke's law to second order (Bonet & Wood, Nonlinear Continuum Mechanics, 2008, 6.4.3),
with the moduli of `elasticity.Moduli`; in two dimensions there is no strain across the plane.
"""

from __future__ import annotations

from typing import Any

import ufl

from fem_spe.physics.elasticity import Moduli


def deformation(u: Any) -> Any:
    """F = I + grad u."""
    return ufl.Identity(len(u)) + ufl.grad(u)


def stretch(u: Any) -> Any:
    """J = det F: volume over undeformed volume; not positive where the body is inside out."""
    return ufl.det(deformation(u))


def energy_density(u: Any, m: Moduli) -> Any:
    """psi, J per undeformed m^3."""
    F = deformation(u)
    log = ufl.ln(ufl.det(F))
    return 0.5 * m.mu * (ufl.inner(F, F) - len(u) - 2.0 * log) + 0.5 * m.lam * log**2


def nominal_stress(u: Any, m: Moduli) -> Any:
    """P = dpsi/dF = mu (F - F^-T) + lambda ln J F^-T: force per undeformed area, Pa."""
    F = deformation(u)
    G = ufl.inv(F).T
    return m.mu * (F - G) + m.lam * ufl.ln(ufl.det(F)) * G


def cauchy_stress(u: Any, m: Moduli) -> Any:
    """sigma = P F^T / J: force per deformed area, a 3 x 3 tensor, Pa."""
    F, size = deformation(u), len(u)
    J = ufl.det(F)
    across = m.lam * ufl.ln(J) / J
    sigma = m.mu / J * (F * F.T - ufl.Identity(size)) + across * ufl.Identity(size)
    if size == 3:
        return sigma
    return ufl.as_tensor(
        [[sigma[0, 0], sigma[0, 1], 0.0], [sigma[1, 0], sigma[1, 1], 0.0], [0.0, 0.0, across]]
    )


def residual(u: Any, v: Any, m: Moduli, dx: ufl.Measure) -> Any:
    """The work of the inner forces on v: integral of P(u) : grad v."""
    return ufl.inner(nominal_stress(u, m), ufl.grad(v)) * dx


def tangent(u: Any, w: Any, v: Any, m: Moduli, dx: ufl.Measure, held_back: Any = 0.0) -> Any:
    """Its derivative at u along w: symmetric in v and w, which may be of a space of their own.

    A positive `held_back` adds this part of mu grad w : grad v, for steps that are shorter and
    lead downhill where the derivative alone is not positive definite.
    """
    F, H = deformation(u), ufl.grad(w)
    G = ufl.inv(F).T
    turned = (m.mu - m.lam * ufl.ln(ufl.det(F))) * (G * H.T * G)
    stress = m.mu * (1.0 + held_back) * H + turned + m.lam * ufl.inner(G, H) * G
    return ufl.inner(stress, ufl.grad(v)) * dx


def quadrature_degree(degree: int, dimension: int) -> int:
    """For elements of `degree`: more than small strain needs; det F is tested at the same points.

    All weights must be positive, or the energy falls without bound where det F goes to zero at a
    point of negative weight, as in the middle of tetrahedra with the five points of degree 3. Of
    the fourteen of degree 4 six lie on edges, which see what their ends would hide. In straight
    linear tetrahedra F is constant.
    """
    return 1 if (degree, dimension) == (1, 3) else 2 * degree

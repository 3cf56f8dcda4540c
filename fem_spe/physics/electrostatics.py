"""Electrostatics as weak forms: find V with a(V, v) = L(v) for all v.

`coefficient` stands for the permittivity (div(eps grad V) = -rho) or for the conductivity
(div(sigma grad V) = 0): a scalar per region, or one value per axis. The form is that of
diffusion.
"""

from __future__ import annotations

from typing import Any

import ufl

from fem_spe.physics import diffusion


def strength(u: Any) -> Any:
    """|E| = |grad V|, V/m."""
    return ufl.sqrt(ufl.inner(ufl.grad(u), ufl.grad(u)))


def flux(u: Any, coefficient: Any) -> Any:
    """The displacement eps E or the current density sigma E, a vector."""
    return diffusion.flux(u, coefficient)


def bilinear(u: Any, v: Any, coefficient: Any, dx: ufl.Measure) -> Any:
    """a(V, v) = integral of grad v . K grad V; a(V, V) is twice the energy, or the power."""
    return diffusion.bilinear(u, v, coefficient, dx)

"""Diffusion as weak forms: find u with a(u, v) = L(v) for all v.

`mobility` stands for the diffusivity (times the partition coefficient) or for the
conductivity: a scalar per region, or one value per axis; or an expression of the solution
where the diffusivity depends on it, and then a(u, v) is linear in v alone.
"""

from __future__ import annotations

from typing import Any

import ufl


def flux(u: Any, mobility: Any) -> Any:
    """J = -K grad u (Fick's first law), a vector."""
    return -_scaled(mobility, ufl.grad(u))


def bilinear(u: Any, v: Any, mobility: Any, dx: ufl.Measure) -> Any:
    """a(u, v) = integral of grad v . K grad u."""
    return ufl.inner(_scaled(mobility, ufl.grad(u)), ufl.grad(v)) * dx


def storage(u: Any, v: Any, weight: Any, capacity: Any, dx: ufl.Measure) -> Any:
    """The part of d(K u)/dt that multiplies the new u: integral of weight K u v."""
    return weight * capacity * ufl.inner(u, v) * dx


def decay(u: Any, v: Any, rate: Any, dx: ufl.Measure) -> Any:
    """A sink of first order, the concentration K u times k: integral of rate u v, rate = k K."""
    return rate * ufl.inner(u, v) * dx


def consumption(v: Any, value: Any, dx: ufl.Measure) -> Any:
    """The part of L(v) that a sink of order zero takes away: integral of value v."""
    return ufl.inner(value, v) * dx


def inflow(v: Any, value: Any, ds: ufl.Measure) -> Any:
    """The part of L(v) that a flux `value` into the domain through a face gives."""
    return ufl.inner(value, v) * ds


def _scaled(mobility: Any, gradient: Any) -> Any:
    if mobility.ufl_shape == ():
        return mobility * gradient
    return ufl.as_vector([mobility[i] * gradient[i] for i in range(len(gradient))])

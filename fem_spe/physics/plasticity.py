"""Metals that yield: J2 plasticity with linear isotropic hardening, at small strain.

The return to the yield surface has a closed form (Simo & Hughes, Computational Inelasticity,
1998, 3.3), written in UFL as it stands: `ufl.derivative` of the residual is the consistent
tangent, symmetric. In two dimensions plane strain is meant; plastic strain across the plane
is that which keeps the volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ufl

from fem_spe.domain import Domain
from fem_spe.physics.elasticity import Moduli, strain, von_mises

COMPONENTS = {2: 3, 3: 5}  # of the plastic strain that are kept: it has no trace
_NEVER = 1e6  # yield stress over shear modulus where a region stays elastic
_YIELDS = 1e-9  # of the yield stress, by which a trial stress must exceed it


@dataclass(frozen=True)
class Strength:
    """When and how a solid yields, each a number or a coefficient, Pa.

    Attributes:
        first: Yield stress of the virgin material.
        hardening: Rise of the yield stress with the plastic strain; zero: perfectly plastic.
    """

    first: Any
    hardening: Any


@dataclass(frozen=True)
class Returned:
    """A state on or inside the yield surface.

    Attributes:
        stress: 3 x 3, Pa.
        components: Plastic strain, as `tensor` reads it.
        amount: Accumulated plastic strain.
    """

    stress: Any
    components: Any
    amount: Any


def strength(
    domain: Domain, m: Mapping[str, float], yields: Mapping[str, tuple[float, float]]
) -> Strength:
    """Strengths that are constant in each region.

    Args:
        domain: The mesh.
        m: Region -> shear modulus, Pa.
        yields: Region -> (yield stress, hardening modulus), Pa; the others stay elastic.
    """
    elastic = {name: (_NEVER * mu, 0.0) for name, mu in m.items()}
    each = elastic | dict(yields)
    return Strength(
        domain.coefficient({name: first for name, (first, _) in each.items()}),
        domain.coefficient({name: slope for name, (_, slope) in each.items()}),
    )


def tensor(components: Any) -> Any:
    """The 3 x 3 tensor of the plastic strains xx, yy, xy, and in 3-D xz, yz."""
    xx, yy, xy, *rest = components
    xz, yz = rest or (0.0, 0.0)
    return ufl.as_tensor([[xx, xy, xz], [xy, yy, yz], [xz, yz, -xx - yy]])


def padded(eps: Any) -> Any:
    """A strain in plane strain as a 3 x 3 tensor."""
    if eps.ufl_shape == (3, 3):
        return eps
    return ufl.as_tensor(
        [[eps[0, 0], eps[0, 1], 0.0], [eps[1, 0], eps[1, 1], 0.0], [0.0, 0.0, 0.0]]
    )


def elastic_stress(u: Any, components: Any, m: Moduli) -> Any:
    """lambda tr(eps) I + 2 mu (eps - eps_p), 3 x 3, Pa."""
    eps = padded(strain(u))
    return m.lam * ufl.tr(eps) * ufl.Identity(3) + 2.0 * m.mu * (eps - tensor(components))


def returned(u: Any, components: Any, amount: Any, m: Moduli, s: Strength) -> Returned:
    """The state after a step to the displacement u from a plastic strain.

    Args:
        u: Displacement, m.
        components: Plastic strain before the step, see `tensor`.
        amount: Accumulated plastic strain before the step.
        m: Lamé's moduli.
        s: Yield stress and hardening.
    """
    trial = elastic_stress(u, components, m)
    deviator = ufl.dev(trial)
    # UFL's derivative takes both branches of a conditional: none may divide by zero
    size = ufl.sqrt(1.5 * ufl.inner(deviator, deviator) + (_YIELDS * s.first) ** 2)
    beyond = size - s.first - s.hardening * amount
    flows = ufl.gt(beyond, _YIELDS * s.first)
    grown = ufl.conditional(flows, beyond / (3.0 * m.mu + s.hardening), 0.0)
    flow = 1.5 * grown / size * deviator
    n = len(u)
    kept = [(0, 0), (1, 1), (0, 1), (0, 2), (1, 2)][: COMPONENTS[n]]
    added = ufl.as_vector([flow[place] for place in kept])
    return Returned(trial - 2.0 * m.mu * flow, components + added, amount + grown)


def beyond_yield(u: Any, components: Any, amount: Any, m: Moduli, s: Strength) -> Any:
    """How far the von Mises stress exceeds the yield stress, over the latter."""
    now = s.first + s.hardening * amount
    return von_mises(elastic_stress(u, components, m)) / now - 1.0


def work(stress: Any, v: Any) -> Any:
    """Of a 3 x 3 stress in the strain of v, per volume."""
    return ufl.inner(stress, padded(strain(v)))

"""Nernst-Planck with Poisson's equation, as weak forms.

The unknowns are the electrochemical potential mu of each ion, over RT, and the potential psi, over
RT/F: with y = ln(c / c_bulk) the logarithm of a concentration,

    mu = y + z psi,       c = b exp(mu - z psi),      N = -D (grad c + z c grad psi) = -D c grad mu,

with b the share of the ion in the bulk. Concentrations are positive whatever the unknowns are, an
electrode's potential is a value of mu, and the flux has no terms that cancel where layers are
thin. Solved are the conservation of each ion, dc/dt + div N = 0, and Poisson's equation

    -div grad psi = (sum z c + f) / (2 lambda^2),

f the charge that is fixed and lambda the Debye length. It is divided by lambda^2, for a residual
times that would be below any tolerance before there are layers at all.

Concentrations are over c0 = sum z^2 c / 2 of the bulk, diffusivities over one scale D, fluxes over
D c0 (1/m), times over 1 / D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ufl


@dataclass(frozen=True)
class Ion:
    """A kind of mobile ion.

    Attributes:
        charge: z.
        diffusivity: Over its scale.
        share: Concentration in the bulk, over c0.
    """

    charge: int
    diffusivity: Any
    share: Any

    def concentration(self, mu: Any, psi: Any) -> Any:
        """c over c0."""
        return self.share * ufl.exp(mu - self.charge * psi)

    def flux(self, mu: Any, psi: Any) -> Any:
        """N, a vector."""
        return -self.diffusivity * self.concentration(mu, psi) * ufl.grad(mu)


def transport(ion: Ion, mu: Any, psi: Any, q: Any, dx: ufl.Measure) -> Any:
    """-(N, grad q): zero but for what crosses the boundary or is stored."""
    return -ufl.inner(ion.flux(mu, psi), ufl.grad(q)) * dx


def charge(ions: Sequence[Ion], mu: Sequence[Any], psi: Any, fixed: Any) -> Any:
    """Charge density over F c0."""
    mobile = (ion.charge * ion.concentration(own, psi) for ion, own in zip(ions, mu, strict=True))
    return sum(mobile, start=fixed)


def poisson(density: Any, psi: Any, debye: Any, v: Any, dx: ufl.Measure) -> Any:
    """(grad psi, grad v) - (density / 2 lambda^2, v): zero but for charge on the boundary.

    A surface charge q (C/m^2) enters there as q / (2 lambda^2 F c0).
    """
    return (ufl.inner(ufl.grad(psi), ufl.grad(v)) - density / (2 * debye**2) * v) * dx

"""Ions in a field under electroneutrality, as weak forms.

The unknowns are the cations c (over c0) and their electrochemical potential mu in units of
RT/F, mu = psi + ln(c) / z+ with psi = F phi / RT. Then

    N+ = -D+ z+ c grad mu,                       N- = -D- (grad m + z- m grad psi),
    grad psi = grad mu - grad c / (z+ c),        m = (c - f) z+ / |z-|,

with m the mobile anions and f the share of all anions that is fixed. What is solved is the
conservation of anions, dm/dt + div N- = 0, and of charge, div(z+ N+ + z- N-) = 0. An electrode
that only the cation passes is then natural in the first and a value of mu in the second; a
value of psi there would be another problem, for psi is not what an electrode fixes.

Diffusivities are over one scale D, fluxes over D c0 (1/m), currents over F D c0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ufl


@dataclass(frozen=True)
class Ions:
    """A binary salt.

    Attributes:
        cation, anion: Charges z+ and z-.
        d_cation, d_anion: Diffusivities over their scale.
        fixed: Share of the anions that is fixed in place, f.
    """

    cation: int
    anion: int
    d_cation: Any
    d_anion: Any
    fixed: float = 0.0

    @property
    def ratio(self) -> float:
        """Anions per cation, z+ / |z-|."""
        return self.cation / abs(self.anion)

    def mobile(self, c: Any) -> Any:
        """Mobile anions m."""
        return self.ratio * (c - self.fixed)

    def potential(self, c: Any, mu: Any) -> Any:
        """psi = mu - ln(c) / z+."""
        return mu - ufl.ln(c) / self.cation


def cation_flux(ions: Ions, c: Any, mu: Any) -> Any:
    """N+, a vector."""
    return -ions.d_cation * ions.cation * c * ufl.grad(mu)


def anion_flux(ions: Ions, c: Any, mu: Any) -> Any:
    """N-, a vector; m grad c / c is written without the quotient where no anion is fixed."""
    per_cation = ions.ratio * (1 - ions.fixed / c) if ions.fixed else ions.ratio
    migration = ions.mobile(c) * ufl.grad(mu) - per_cation / ions.cation * ufl.grad(c)
    return -ions.d_anion * (ions.ratio * ufl.grad(c) + ions.anion * migration)


def current(ions: Ions, c: Any, mu: Any) -> Any:
    """z+ N+ + z- N-, a vector."""
    return ions.cation * cation_flux(ions, c, mu) + ions.anion * anion_flux(ions, c, mu)


def storage(ions: Ions, rate: Any, q: Any, dx: ufl.Measure) -> Any:
    """Anions that are stored where the cations change by `rate`: integral of dm/dt q."""
    return ions.ratio * rate * q * dx


def transport(ions: Ions, c: Any, mu: Any, q: Any, v: Any, dx: ufl.Measure) -> Any:
    """-(N-, grad q) - (z+ N+ + z- N-, grad v): zero but for what crosses the boundary."""
    anions = -ufl.inner(anion_flux(ions, c, mu), ufl.grad(q)) * dx
    return anions - ufl.inner(current(ions, c, mu), ufl.grad(v)) * dx


def butler_volmer(exchange: Any, eta: Any, alpha: float | None) -> Any:
    """Current into the electrolyte at the overpotential eta, in units of RT/F.

    Without `alpha` the law's tangent at zero, which is the same for every alpha.
    """
    if alpha is None:
        return exchange * eta
    return exchange * (ufl.exp((1 - alpha) * eta) - ufl.exp(-alpha * eta))

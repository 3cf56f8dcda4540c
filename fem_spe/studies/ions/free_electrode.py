"""An electrode that passes a given current at one potential, which is found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy
import ufl
from dolfinx import fem

from fem_spe.case.electrolyte import Kinetics
from fem_spe.domain import Domain
from fem_spe.physics.nernst_planck import butler_volmer

_WIDEST = 700.0  # of a potential over RT/F whose exponential is a number


class FreeElectrode:
    """A face with kinetics whose current in all is given.

    Its potential V is the root of i0 (P e^((1 - a) V) - M e^(-a V)) = I, with P and M the
    integrals of e^(-(1 - a) mu) and e^(a mu) over the face: there is one for any mu.

    Args:
        domain: The mesh.
        law: Of the reaction.
        exchange: Exchange current over F D+ c0, 1/m.
        total: The current over F D+ c0, m (2-D: without unit).
        mu: Electrochemical potential over RT/F, an expression of the unknowns.
        rule: Integration over the face.

    Attributes:
        potential: V over RT/F.
    """

    def __init__(
        self, domain: Domain, law: Kinetics, exchange: float, total: float, mu: Any, rule: Any
    ) -> None:
        self.domain, self.total, self.rule = domain, total / exchange, rule
        self.alpha = law.alpha if law.law == "full" else None
        self.exchange = fem.Constant(domain.mesh, exchange)
        self.potential = fem.Constant(domain.mesh, 0.0)
        self.eta = self.potential - mu
        alpha = law.alpha
        parts = (
            (fem.Constant(domain.mesh, 1.0), mu)
            if self.alpha is None
            else (ufl.exp((alpha - 1.0) * mu), ufl.exp(alpha * mu))
        )
        self._parts = [fem.form(part * rule) for part in parts]

    def density(self) -> Any:
        """The current into the electrolyte over F D+ c0, an expression."""
        return butler_volmer(self.exchange, self.eta, self.alpha)

    def slope(self) -> Any:
        """Its derivative with respect to the potential."""
        if self.alpha is None:
            return self.exchange
        forth, back = 1.0 - self.alpha, self.alpha
        return self.exchange * (
            forth * ufl.exp(forth * self.eta) + back * ufl.exp(-back * self.eta)
        )

    def follow(self, level: float) -> None:
        """Find the potential that passes this share of the current. Collective.

        Not a number where mu is so far off that its exponentials are none.
        """
        comm = self.domain.mesh.comm
        with np.errstate(over="ignore"):
            forth, back = (comm.allreduce(fem.assemble_scalar(part)) for part in self._parts)
        self.potential.value = _root(forth, back, level * self.total, self.alpha)


def _root(forth: float, back: float, current: float, alpha: float | None) -> float:
    """V with forth e^((1 - alpha) V) - back e^(-alpha V) = current; linear without alpha."""
    if alpha is None:
        return (current + back) / forth
    if not (math.isfinite(forth) and math.isfinite(back) and min(forth, back) > 0.0):
        return math.nan
    # over the geometric mean of both parts, about where they are equal
    middle, mean = math.log(back / forth), float(forth**alpha * back ** (1.0 - alpha))

    def excess(v: float) -> float:
        return math.exp((1.0 - alpha) * v) - math.exp(-alpha * v) - current / mean

    guess = 2.0 * math.asinh(0.5 * current / mean)
    if alpha == 0.5:
        return middle + guess
    reach = 2.0 + abs(guess) / min(alpha, 1.0 - alpha)
    if not reach < _WIDEST:
        return math.nan
    return middle + float(scipy.optimize.brentq(excess, -reach, reach, xtol=1e-15, rtol=1e-15))

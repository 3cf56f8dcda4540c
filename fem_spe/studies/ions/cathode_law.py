"""The reaction of a porous electrode point by point, and the potential of its solid.

At each point the current into the electrolyte per volume is (Butler & Volmer, with the vacant
share of the solid for what is inserted: ideal sites)

    i = E [e^((1 - a) eta) - (1 - s) e^(-a eta)],      eta = V - mu - U(s),

or E eta where the law is linear, and the share s of the capacity that is taken follows the step
w s + r = -k i of a formula in time, which is solved here, point by point. U falls with s, so
that the step has one root s, and the sum of i over all points rises with V: there is one V for
a given current. All potentials are over RT/F.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError

_MOST = 100  # iterations
_FURTHEST = 5.0  # RT/F by which V changes at a time: the law is exponential
_SAME = 1e-15
_PASSED = 1e-14  # of the current that may be missing

Array = NDArray[np.float64]


class FullError(ConvergenceError):
    """The solid has no room for what is asked for."""


@dataclass(frozen=True)
class Law:
    """A reaction.

    Attributes:
        exchange: E, the exchange current times the specific area, over F D+ c0, 1/m^2.
        alpha: Share of the overpotential that helps insertion; None where the law is linear.
        rest: U of the empty solid.
        slope: dU/ds, not above zero.
        vacancies: True where only the vacant share of the solid takes up ions.
    """

    exchange: float
    alpha: float | None
    rest: float = 0.0
    slope: float = 0.0
    vacancies: bool = False

    def at_rest(self, taken: Array) -> Array:
        """U(s)."""
        return self.rest + self.slope * taken

    def current(self, eta: Array, taken: Array) -> tuple[Array, Array, Array]:
        """i, and its derivatives with respect to eta and, through the vacancies, to s."""
        if self.alpha is None:
            one = np.full_like(eta, self.exchange)
            return one * eta, one, np.zeros_like(eta)
        forth, back = 1.0 - self.alpha, self.alpha
        out = self.exchange * np.exp(forth * eta)
        into = self.exchange * np.exp(-back * eta)
        if not self.vacancies:
            return out - into, forth * out + back * into, np.zeros_like(eta)
        vacant = 1.0 - taken
        return out - vacant * into, forth * out + back * vacant * into, into


@dataclass(frozen=True)
class Uptake:
    """A step in time of the share that is taken: weight s + rest = -per_current i.

    Attributes:
        weight: 1/s.
        rest: Of each point, 1/s.
        per_current: What the current i fills in a second, m^2/s.
    """

    weight: float
    rest: Array
    per_current: float

    @property
    def lowest_current(self) -> Array:
        """What i does not fall below, for all the vacancies of a point are taken then."""
        return -(self.weight + self.rest) / self.per_current


@dataclass(frozen=True)
class Points:
    """What the points do at one V.

    Attributes:
        current: i, 1/m^2.
        slope: di/dV = -di/dmu, s following.
        taken: s.
        eta: V - mu - U(s).
    """

    current: Array
    slope: Array
    taken: Array
    eta: Array


def respond(law: Law, potential: float, mu: Array, taken: Array, uptake: Uptake | None) -> Points:
    """The points at the potential V of the solid.

    Args:
        law: Of the reaction.
        potential: V.
        mu: Electrochemical potential of the cation at each point.
        taken: The share s, or a guess of it where `uptake` is given.
        uptake: The step in time; None where s stays.
    """
    if uptake is None:
        eta = potential - mu - law.at_rest(taken)
        current, slope, _ = law.current(eta, taken)
        return Points(current, slope, taken, eta)
    taken = _filled(law, potential - mu, taken, uptake)
    eta = potential - mu - law.at_rest(taken)
    current, by_eta, by_share = law.current(eta, taken)
    stiff = uptake.per_current * (by_share - law.slope * by_eta)
    # where vacancies are lost to round-off what fills the solid tells the current better
    filling = -(uptake.weight * taken + uptake.rest) / uptake.per_current
    current = np.where(stiff > uptake.weight, filling, current)
    return Points(current, by_eta * uptake.weight / (uptake.weight + stiff), taken, eta)


def _filled(law: Law, lead: Array, guess: Array, uptake: Uptake) -> Array:
    """The root s of the step at each point, by Newton's method within a bracket.

    Without vacancies left nothing is inserted, so that it is below the larger of 1 and what was
    there before.
    """
    before = -uptake.rest / uptake.weight
    high = np.maximum(1.0, before)
    low = np.minimum(-1.0, before - 1.0)
    share = np.clip(guess, low, high)
    for _ in range(_MOST):
        current, by_eta, by_share = law.current(lead - law.at_rest(share), share)
        excess = uptake.weight * share + uptake.rest + uptake.per_current * current
        rise = uptake.weight + uptake.per_current * (by_share - law.slope * by_eta)
        above = excess > 0.0
        high, low = np.where(above, share, high), np.where(above, low, share)
        better = share - excess / rise
        better = np.where((better < low) | (better > high), 0.5 * (low + high), better)
        change = float(np.abs(better - share).max(initial=0.0))
        share = better
        if not change > _SAME:
            break
    return share


def potential(
    total: float,
    guess: float,
    points: Callable[[float], Points],
    summed: Callable[[Points], tuple[float, float]],
) -> float:
    """V at which the points pass `total`; not a number where mu is no number. Collective.

    Args:
        total: Sum of i over the volume, m (2-D: without unit); negative where ions are taken up.
        guess: Where to begin.
        points: What they do at a V.
        summed: Integrals of i and of its derivative over the volume, of all ranks.
    """
    v, low, high = guess, -np.inf, np.inf
    for _ in range(_MOST):
        current, slope = summed(points(v))
        excess = current - total
        if not (np.isfinite(excess) and np.isfinite(slope)):
            return float("nan")
        if abs(excess) <= _PASSED * abs(total):
            return v
        low, high = (low, min(high, v)) if excess > 0.0 else (max(low, v), high)
        step = float(np.clip(-excess / slope, -_FURTHEST, _FURTHEST)) if slope > 0.0 else -_FURTHEST
        better = v + step
        if abs(step) <= _SAME * max(1.0, abs(v)):
            return better
        # a step towards an open end is never outside
        v = better if low < better < high else 0.5 * (low + high)
    return v

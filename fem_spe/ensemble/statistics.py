"""What the members of a sweep say together: means, spreads and correlations with intervals.

All intervals hold 95 % of the cases unless `level` says otherwise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

_RESAMPLES = 9999


class Estimate(NamedTuple):
    """A number with the interval it is known in."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """`0.585 [0.581, 0.589]`, with `spec` for each number."""
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


def mean(values: ArrayLike, level: float = 0.95) -> Estimate:
    """The mean, with Student's interval mean ± t s / sqrt(n) (Biometrika 6 (1908) 1)."""
    x = _several(values, 2)
    middle = float(x.mean())
    reach = float(stats.t.ppf((1 + level) / 2, len(x) - 1)) * _deviation(x) / math.sqrt(len(x))
    return Estimate(middle, middle - reach, middle + reach)


def ratio(upper: ArrayLike, lower: ArrayLike, level: float = 0.95) -> Estimate:
    """The ratio of two geometric means, with the interval of Welch's test on the logarithms.

    For positive numbers of separate samples, whose variances may differ (Welch, Biometrika 34
    (1947) 28).
    """
    a, b = np.log(_several(upper, 2)), np.log(_several(lower, 2))
    found = stats.ttest_ind(a, b, equal_var=False).confidence_interval(level)
    value = float(a.mean() - b.mean())
    return Estimate(*np.exp([value, found.low, found.high]).tolist())


def spread(values: ArrayLike, level: float = 0.95) -> Estimate:
    """The standard deviation over n - 1, with its bootstrap interval.

    Bias-corrected and accelerated (Efron, J. Am. Stat. Assoc. 82 (1987) 171); the resamples
    are the same in each call. Values that are all alike have no spread.
    """
    x = _several(values, 3)
    if np.all(x == x[0]):
        return Estimate(0.0, 0.0, 0.0)
    found = stats.bootstrap(
        (x,), lambda sample, axis: np.std(sample, axis=axis, ddof=1),
        confidence_level=level, n_resamples=_RESAMPLES, rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return Estimate(_deviation(x), float(found.low), float(found.high))


def distance(values: ArrayLike, reference: float, level: float = 0.95) -> Estimate:
    """How many standard deviations `reference` lies above the mean.

    For normal values sqrt(n) times it follows the noncentral t distribution, whose inversion
    gives the interval (Cumming & Finch, Educ. Psychol. Meas. 61 (2001) 532).
    """
    x = _several(values, 2)
    root = math.sqrt(len(x))
    value = (reference - float(x.mean())) / _deviation(x)

    def true(share: float) -> float:
        """The distance under which a share of all samples shows at most `value`."""

        def off(delta: float) -> float:
            return float(stats.nct.cdf(root * value, len(x) - 1, root * delta)) - share

        far = 1.0
        while off(value - far) < 0 or off(value + far) > 0:
            far *= 2
        return float(optimize.brentq(off, value - far, value + far))

    return Estimate(value, true((1 + level) / 2), true((1 - level) / 2))


def pearson(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Estimate:
    """The linear correlation, with Fisher's interval: artanh r has the error 1 / sqrt(n - 3).

    Fisher, Metron 1 (1921) 3.
    """
    x, y = _several(x, 4), _several(y, 4)
    r = float(stats.pearsonr(x, y).statistic)
    return _fisher(r, 1 / math.sqrt(len(x) - 3), level)


def spearman(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Estimate:
    """The correlation of the ranks: artanh r has the error sqrt((1 + r²/2) / (n - 3)).

    Bonett & Wright, Psychometrika 65 (2000) 23. Ranks that all agree do so in the sample
    alone: the interval is then that of one exchange of neighbours, up to the value itself.
    """
    x, y = _several(x, 4), _several(y, 4)
    n = len(x)
    r = float(stats.spearmanr(x, y).statistic)
    most = 1 - 12 / (n * (n**2 - 1))
    found = _fisher(max(-most, min(r, most)), math.sqrt((1 + r**2 / 2) / (n - 3)), level)
    return Estimate(r, min(found.low, r), max(found.high, r))


def _fisher(r: float, error: float, level: float) -> Estimate:
    reach = float(stats.norm.ppf((1 + level) / 2)) * error
    if abs(r) >= 1.0:
        return Estimate(r, r, r)
    return Estimate(r, math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach))


def _several(values: ArrayLike, least: int) -> NDArray[np.float64]:
    """`values` as a row of numbers.

    Raises:
        ValueError: if they are fewer than `least`, or one is not finite.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    if len(x) < least:
        raise ValueError(f"{len(x)} values; this statistic needs {least} or more")
    if not np.all(np.isfinite(x)):
        raise ValueError("a value is not finite; what has failed says nothing of the rest")
    return x


def _deviation(x: NDArray[np.float64]) -> float:
    return float(x.std(ddof=1))

"""Activation energies: Arrhenius' law through the values of a sweep over temperature."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from fem_spe.case import Case
from fem_spe.ensemble.keys import Swept
from fem_spe.ensemble.members import Member, Outcome
from fem_spe.ensemble.statistics import Estimate
from fem_spe.render.style import COLORMAP, style
from fem_spe.units import AVOGADRO, ELEMENTARY_CHARGE, GAS_CONSTANT

PICTURE, TABLE = "arrhenius.png", "arrhenius.csv"
_KEY = "temperature"
_UNITS = {"S/m": "conductivity (S/m)", "m^2/s": "diffusivity (m²/s)"}  # what the law is for
_LEAST = 3  # temperatures; two leave nothing to tell how sure the line is
_BOLTZMANN = GAS_CONSTANT / AVOGADRO
_MOST_LABELS = 10
_DECADE = 10.0

Row = NDArray[np.float64]


@dataclass(frozen=True)
class Arrhenius:
    """value = prefactor * exp(-E_a / k T): Gou 2025, eq. 2, with the minus sign that it lacks.

    Attributes:
        energy: E_a with its interval, J per particle.
        prefactor: In the unit of the values.
        count: Values behind it.
    """

    energy: Estimate
    prefactor: float
    count: int

    def at(self, temperature: ArrayLike) -> Row:
        """The law at temperatures in K."""
        exponent = -self.energy.value / (_BOLTZMANN * np.asarray(temperature, dtype=np.float64))
        return np.asarray(self.prefactor * np.exp(exponent))

    def __str__(self) -> str:
        """`0.094 ± 0.0012 eV (95 %, 5 temperatures)`."""
        value, low, high = (e / ELEMENTARY_CHARGE for e in self.energy)
        reach = f"{(high - low) / 2:.2g} eV (95 %, {self.count} temperatures)"
        return f"{value:.4g} ± {reach}"


def arrhenius(temperatures: ArrayLike, values: ArrayLike, level: float = 0.95) -> Arrhenius:
    """The line of the least squares through ln(value) over 1 / T, with Student's interval.

    The interval of the slope is ± t s, t with n - 2 degrees of freedom (Draper & Smith, Applied
    Regression Analysis, 3rd ed. 1998, sect. 1.4). Values of a model lie on a smooth curve: the
    interval then tells how far that curve is from Arrhenius' law, not how far values scatter.

    Args:
        temperatures: K, three or more, not all alike.
        values: Of any unit, above zero, one for each.
        level: Share of all samples whose interval holds the true value.

    Raises:
        ValueError: naming what is wrong with the numbers.
    """
    x, y = (np.asarray(a, dtype=np.float64).ravel() for a in (temperatures, values))
    if len(x) != len(y):
        raise ValueError(f"{len(x)} temperatures and {len(y)} values")
    if len(x) < _LEAST:
        raise ValueError(f"{len(x)} temperatures; an interval needs {_LEAST} or more")
    if not (np.all(np.isfinite([x, y])) and np.all(x > 0.0) and np.all(y > 0.0)):
        raise ValueError("temperatures and values must be above zero")
    if np.ptp(x) == 0.0:
        raise ValueError("all temperatures are the same")
    inverse, logarithm = 1.0 / x, np.log(y)
    off = inverse - inverse.mean()
    spread = float(off @ off)
    slope = float(off @ logarithm) / spread
    left = logarithm - logarithm.mean() - slope * off
    error = math.sqrt(float(left @ left) / (len(x) - 2) / spread)
    energy = -_BOLTZMANN * slope
    reach = _BOLTZMANN * error * float(stats.t.ppf((1.0 + level) / 2.0, len(x) - 2))
    estimate = Estimate(energy, energy - reach, energy + reach)
    return Arrhenius(estimate, math.exp(float(logarithm.mean() - slope * inverse.mean())), len(x))


@dataclass(frozen=True)
class Fitted:
    """The law of one quantity, for one combination of the other keys of a sweep."""

    quantity: str
    unit: str
    others: Mapping[str, str]
    temperatures: Row
    values: Row
    law: Arrhenius

    @property
    def name(self) -> str:
        """The quantity, and what else was swept."""
        also = ", ".join(f"{key}={text}" for key, text in self.others.items())
        return self.quantity + (f" ({also})" if also else "")


def fitted(
    sweeps: Sequence[Swept], members: Sequence[Member], outcomes: Mapping[str, Outcome]
) -> list[Fitted]:
    """The laws of all conductivities and diffusivities of a sweep over temperature.

    Those with fewer than three temperatures, or with a value that is not above zero, have none.
    """
    return list(_fitted(sweeps, members, outcomes)) if over_temperature(sweeps) else []


def over_temperature(sweeps: Sequence[Swept]) -> bool:
    """True where the sweep could tell an activation energy."""
    return any(s.key == _KEY and len(s.texts) >= _LEAST for s in sweeps)


def _fitted(
    sweeps: Sequence[Swept], members: Sequence[Member], outcomes: Mapping[str, Outcome]
) -> Iterator[Fitted]:
    keys = [s.key for s in sweeps if s.key != _KEY]
    for texts in itertools.product(*(s.texts for s in sweeps if s.key != _KEY)):
        others = dict(zip(keys, texts, strict=True))
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for member in members:
            if isinstance(member.case, Case) and others.items() <= member.texts.items():
                for name, quantity in outcomes[member.name].quantities.items():
                    value, unit = quantity["value"], quantity["unit"]
                    if unit in _UNITS and value is not None:
                        point = (member.case.temperature, value)
                        found.setdefault((name, unit), []).append(point)
        for (name, unit), points in found.items():
            x, y = np.array(sorted(points)).T
            if len(x) >= _LEAST and np.all(y > 0.0):
                yield Fitted(name, unit, others, x, y, arrhenius(x, y))


def write_fits(file: Path, fits: Sequence[Fitted]) -> None:
    """One row for each law."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    energies = [f"{word} [eV]" for word in ("activation energy", "low, 95 %", "high, 95 %")]
    keys = list(fits[0].others)
    rows.writerow(["quantity", *keys, *energies, "prefactor", "unit", "temperatures"])
    for fit in fits:
        energy = [f"{e / ELEMENTARY_CHARGE:.9g}" for e in fit.law.energy]
        end = [f"{fit.law.prefactor:.9g}", fit.unit, fit.law.count]
        rows.writerow([fit.quantity, *fit.others.values(), *energy, *end])
    file.write_text(text.getvalue(), encoding="utf-8")


def draw_fits(file: Path, fits: Sequence[Fitted]) -> Path:
    """Values and lines over 1000 / T; one panel for each unit."""
    units = list(dict.fromkeys(fit.unit for fit in fits))
    with style() as plt:
        figure, axes = plt.subplots(
            len(units), 1, figsize=(5.6, 2.5 * len(units)), layout="constrained", squeeze=False,
            sharex=True,
        )  # fmt: skip
        for axis, unit in zip(axes[:, 0], units, strict=True):
            shown = [fit for fit in fits if fit.unit == unit]
            shades = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.85, len(shown)))
            for fit, shade in zip(shown, shades, strict=True):
                x = np.linspace(fit.temperatures.min(), fit.temperatures.max(), 50)
                label = f"{fit.name.replace('_', ' ')}\n{fit.law}"
                axis.semilogy(1e3 / x, fit.law.at(x), color=shade, lw=1.0)
                axis.semilogy(1e3 / fit.temperatures, fit.values, "o", color=shade, ms=3,
                              label=label)  # fmt: skip
            axis.set_ylabel(_UNITS[unit])
            values = np.concatenate([fit.values for fit in shown])
            if values.max() < _DECADE * values.min():  # powers of ten would leave one tick or two
                axis.yaxis.set_major_locator(plt.MaxNLocator(6))
                axis.yaxis.set_minor_locator(plt.NullLocator())
            axis.yaxis.set_minor_formatter("{x:.3g}")
            axis.yaxis.set_major_formatter("{x:.3g}")
            if len(shown) <= _MOST_LABELS:
                axis.legend(title="activation energy", loc="center left", bbox_to_anchor=(1.0, 0.5))
        axes[-1, 0].set_xlabel("1000 K / T")
        figure.savefig(file)
    return file

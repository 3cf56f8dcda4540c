"""The members of the campaign over pillars, and what each of them tells."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import minimize

from fem_spe.case import load
from fem_spe.ensemble import read_sweeps, sweep
from fem_spe.exact import electrolyte as exact
from fem_spe.units import FARADAY, GAS_CONSTANT

CASE = Path(__file__).parent / "fig6b_pillar.toml"
FILM, KELVIN, CURRENT = 75.0, 303.15, 10.0  # um, K, A/m2 of the footprint
THERMAL = GAS_CONSTANT * KELVIN / FARADAY  # V
EXCHANGE = 1.815  # A/m2, as in the case
WARM = 1.05e-3 / 3.15e-4  # conductivity at 60 over that at 30 degC, Mu 2024
PAPER = [(h, 100.0, 200.0) for h in (50.0, 100.0, 150.0, 200.0)] + [
    (150.0, w, 200.0) for w in (200.0, 300.0)
]
OWN = (150.0, 100.0, 200.0)  # the variant that the paper settles on
TOLD = ("overpotential", "current_uniformity", "p01_current", "p999_current", "min_concentration")


@dataclass(frozen=True)
class Pillar:
    """Lengths in um."""

    height: float
    width: float
    gap: float
    sides: int = 1
    base: float = FILM

    @property
    def fraction(self) -> float:
        """Of the film that pillars stand on."""
        return (self.width / (self.width + self.gap)) ** 2

    @property
    def volume(self) -> float:
        """Printed beyond the film, per footprint, um."""
        return self.sides * self.fraction * self.height

    @property
    def area(self) -> float:
        """Of one printed side over the footprint."""
        return 1.0 + 4.0 * self.fraction * self.height / self.width

    @property
    def lengths(self) -> tuple[float, float, float]:
        return self.height, self.width, self.gap

    def geometry(self, cell: str = 'cell = "quarter"') -> str:
        """As an inline table of a case."""
        lengths = ", ".join(
            f'{name} = "{value:g} um"'
            for name, value in zip(("height", "width", "gap"), self.lengths, strict=True)
        )
        return (
            f'{{ kind = "printed", pattern = "pillar", base = "{self.base:g} um", {lengths}, '
            f"sides = {self.sides}, {cell} }}"
        )

    def __str__(self) -> str:
        lengths = " / ".join(f"{value:.0f}" for value in self.lengths)
        return f"{lengths}, {'one side' if self.sides == 1 else 'two sides'}"


@dataclass(frozen=True)
class Plan:
    """How large the campaign is; lengths in um.

    Attributes:
        heights, widths, gaps, sides: Of the map.
        sizes: Of the cells within and at the interface.
        margin: Of bare film around arrays with an edge.
        counts: Pillars along a side of those.
        exchanges: A/m2, over that of the case, of the regimes.
        bases: Films of the regimes.
        rounds: Of the neighbourhood scan at most.
    """

    heights: tuple[float, ...] = (50.0, 100.0, 150.0, 200.0)
    widths: tuple[float, ...] = (100.0, 200.0, 300.0)
    gaps: tuple[float, ...] = (50.0, 100.0, 200.0)
    sides: tuple[int, ...] = (1, 2)
    sizes: tuple[float, float] = (24.0, 10.0)
    margin: float = 200.0
    counts: tuple[int, ...] = (1, 2, 3)
    exchanges: tuple[float, ...] = (0.1, 1.0, 3.16, 10.0)
    bases: tuple[float, ...] = (25.0, 75.0, 150.0)
    rounds: int = 4


QUICK = Plan(
    heights=(50.0, 150.0), widths=(100.0, 300.0), gaps=(50.0, 200.0), sides=(1,),
    sizes=(40.0, 20.0), counts=(1,), exchanges=(0.1, 10.0), bases=(75.0,), rounds=1,
)  # fmt: skip

Found = dict[Pillar, dict[str, float]]


@dataclass(frozen=True)
class Optimum:
    """The lowest overpotential of a cycle that a printed volume allows.

    Attributes:
        budget: um of volume per footprint.
        sides: 1 or 2.
        guess: Where the surrogate of the map has its minimum.
        surrogate: What it tells there, mV.
        best: Lowest of the scan.
        scanned: All that was computed about it, of the budget's volume or less.
    """

    budget: float
    sides: int
    guess: Pillar
    surrogate: float
    best: Pillar
    scanned: Found

    @property
    def value(self) -> float:
        """mV."""
        return 1e3 * self.scanned[self.best]["mean"]


@dataclass(frozen=True)
class Regime:
    """Saving of pillars for one film and conductivity: means of a cycle over exchange currents.

    Attributes:
        base: um.
        conductivity: Over that at 30 degC.
        exchanges: A/m2.
        flat, own, dense: mV, of the film, of the paper's pillars and of the map's best.
    """

    base: float
    conductivity: float
    exchanges: np.ndarray
    flat: np.ndarray
    own: np.ndarray
    dense: np.ndarray


@dataclass(frozen=True)
class Data:
    """The whole campaign."""

    found: Found
    halved: Found
    optima: list[Optimum]
    regimes: list[Regime]
    dense: Pillar
    edges: dict[int, dict[str, float]]  # pillars along a side -> what an array with an edge tells
    flat: float = field(default_factory=lambda: 1e3 * film())

    def front(self, sides: int) -> list[Pillar]:
        """Pillars that no other one of less volume beats, by rising volume."""
        lowest, kept = np.inf, []
        for pillar in sorted(self.found, key=lambda p: (p.volume, self.found[p]["mean"])):
            value = self.found[pillar]["mean"]
            if pillar.sides == sides and value < lowest:
                lowest = value
                kept.append(pillar)
        return kept


def film(base: float = FILM, exchange: float = EXCHANGE, conductivity: float = 1.0) -> float:
    """Overpotential of the flat film, V: closed form (Newman 2004, ch. 8 and 11)."""
    species = load(CASE).species[0]
    limit = exact.limiting_flux(
        conductivity * species.diffusivity, species.concentration, base * 1e-6
    )
    reaction = 2.0 * exact.charge_transfer(CURRENT, exchange)
    return float(THERMAL * (exact.steady_voltage(CURRENT / FARADAY / limit) + reaction))


def campaign(folder: Path, plan: Plan) -> Data:
    """Run what is not there yet, and read all of it."""
    sizes = {"mesh.size": f"{plan.sizes[0]} um", "mesh.interface_size": f"{plan.sizes[1]} um"}
    halves = {key: f"{value / 2} um" for key, value in zip(sizes, plan.sizes, strict=True)}
    grid = [
        Pillar(height, width, gap, sides)
        for height, width, gap, sides in itertools.product(
            plan.heights, plan.widths, plan.gaps, plan.sides
        )
    ]
    found = solved(folder / "map", grid, sizes)
    checked = [Pillar(*OWN), min(grid, key=lambda pillar: pillar.width + pillar.gap)]
    halved = solved(folder / "halved", checked, halves)
    optima = [
        optimum(folder / f"near_{sides}_{budget:.0f}", found, budget, sides, plan, sizes)
        for sides in plan.sides
        for budget in budgets()
    ]
    dense = min((p for p in found if p.sides == 1), key=lambda p: found[p]["mean"])
    ways = [(base, 1.0) for base in plan.bases] + [(FILM, WARM)]
    regimes = [regime(folder, base, factor, dense, plan, sizes) for base, factor in ways]
    return Data(found, halved, optima, regimes, dense, edges(folder / "edges", plan, sizes))


def budgets() -> tuple[float, float]:
    """Volumes per footprint, um: the paper's own, and twice as much."""
    own = Pillar(*OWN).volume
    return own, 2 * own


def solved(folder: Path, pillars: Iterable[Pillar], changes: dict[str, Any]) -> Found:
    """What the cell of each pillar tells. Members that are there are kept.

    `overpotential` is that of plating on the pillars, `turned` that of dissolving there, and
    `mean` that of a cycle, V; all else is told of plating.
    """
    pillars = list(pillars)
    plating = _swept(folder, [pillar.geometry() for pillar in pillars], changes)
    # printed on both sides it is the same cell turned over
    single = [pillar for pillar in pillars if pillar.sides == 1]
    back: Found = {}
    if single:
        away = {**changes, "boundary.bottom.current_density": f"{CURRENT} A/m^2"}
        turned = folder.with_name(f"{folder.name}_turned")
        done = _swept(turned, [pillar.geometry() for pillar in single], away)
        back = dict(zip(single, done, strict=True))
    found: Found = {}
    for pillar, told in zip(pillars, plating, strict=True):
        other = back.get(pillar, told)["overpotential"]
        found[pillar] = told | {"turned": other, "mean": (told["overpotential"] + other) / 2}
    return found


def edges(folder: Path, plan: Plan, changes: dict[str, Any]) -> dict[int, dict[str, float]]:
    """Arrays of the paper's pillar with bare film around them."""
    coarse = {name: f"{1.5 * float(size.split()[0]):g} um" for name, size in changes.items()}
    cells = [f'cell = "array", count = {n}, margin = "{plan.margin:g} um"' for n in plan.counts]
    done = _swept(folder, [Pillar(*OWN).geometry(cell) for cell in cells], coarse)
    return dict(zip(plan.counts, done, strict=True))


def _swept(folder: Path, geometries: list[str], changes: dict[str, Any]) -> list[dict[str, float]]:
    """What the cell of each geometry tells."""

    def tell(told: str, _: object) -> None:
        number, _, rest = told.partition("] ")
        print(f"{folder.name}: {number}] {rest.rpartition('  ')[2].partition(':')[0]}", flush=True)

    words = ["geometry=" + ",".join(geometries)]
    done = sweep(CASE, read_sweeps(words), folder, changes=changes, tell=tell)
    failed = [f"{member.name}: {outcome.error}" for member, outcome in done if outcome.error]
    if failed:
        sys.exit(f"{folder}: {len(failed)} of {len(done)} members failed; {failed[0]}")
    return [{name: outcome.quantities[name]["value"] for name in TOLD} for _, outcome in done]


def optimum(
    folder: Path, found: Found, budget: float, sides: int, plan: Plan, changes: dict[str, Any]
) -> Optimum:
    """The best pillar of a volume: from a surrogate of the map, then by scans about it.

    A mesh of each shape makes the overpotential noisy, by some hundredths of a mV, which spoils
    the differences that optimisers take. The surrogate, a thin-plate spline through the map, is
    smooth; where it errs the scan of true solutions goes on from the best neighbour.
    """
    known = [pillar for pillar in found if pillar.sides == sides]
    places = np.log([pillar.lengths for pillar in known])
    values = np.array([1e3 * found[pillar]["mean"] for pillar in known])
    told = RBFInterpolator(places, values, smoothing=0.0)
    guess, least = _minimum(lambda x: float(told(x[None])[0]), places, budget, sides)
    middle, scanned, step = guess, Found(), 0.1
    for _ in range(plan.rounds):
        near = [p for p in _neighbours(middle, budget, step, places) if p not in scanned]
        scanned |= solved(folder, [*scanned, *near], changes) if near else {}
        best = min(scanned, key=lambda p: scanned[p]["mean"])
        if best == middle:
            break
        middle = best
    return Optimum(budget, sides, guess, least, best, scanned)


def _minimum(
    told: Callable[[np.ndarray], float], places: np.ndarray, budget: float, sides: int
) -> tuple[Pillar, float]:
    """Least of a function of the lengths' logarithms within the map and the volume."""
    low, high = places.min(axis=0), places.max(axis=0)

    def room(x: np.ndarray) -> float:
        return float(np.log(budget / Pillar(*np.exp(x), sides).volume))  # type: ignore[arg-type]

    ends = [
        minimize(
            told, start, method="SLSQP", bounds=list(zip(low, high, strict=True)),
            constraints={"type": "ineq", "fun": room},
        )
        for start in places
    ]  # fmt: skip
    inside = [end for end in ends if end.success and room(end.x) > -1e-6]
    best = min(inside, key=lambda end: float(end.fun))
    lengths = [round(float(value), 1) for value in np.exp(best.x)]
    return Pillar(lengths[0], lengths[1], lengths[2], sides), float(best.fun)


def _neighbours(middle: Pillar, budget: float, step: float, places: np.ndarray) -> Sequence[Pillar]:
    """The pillar and those of other height and width whose gap takes up the whole volume."""
    low, high = np.exp(places.min(axis=0)), np.exp(places.max(axis=0))
    around = [middle]
    for up, wide in itertools.product((-step, 0.0, step), repeat=2):
        height, width = np.clip(
            [middle.height * (1 + up), middle.width * (1 + wide)], low[:2], high[:2]
        )
        gap = width * (np.sqrt(middle.sides * height / budget) - 1)
        gap = max(gap, low[2])  # closest that is printed; where less fits the height gives way
        share = (width / (width + gap)) ** 2
        height = min(height, budget / middle.sides / share)
        pillar = Pillar(round(float(height), 1), round(float(width), 1), round(float(gap), 1),
                        middle.sides)  # fmt: skip
        if low[0] - 0.1 <= height and gap <= high[2] + 0.1 and pillar not in around:
            around.append(pillar)
    return around


def regime(
    folder: Path, base: float, factor: float, dense: Pillar, plan: Plan, changes: dict[str, Any]
) -> Regime:
    """What both kinds of pillars save over the exchange current."""
    species = load(CASE).species
    exchanges = EXCHANGE * np.array(plan.exchanges)
    flat, own, best = [], [], []
    for exchange in exchanges:
        tree = {
            **changes,
            "boundary.bottom.kinetics.exchange_current": f"{exchange:.5g} A/m^2",
            "boundary.top.kinetics.exchange_current": f"{exchange:.5g} A/m^2",
            "species": [
                ion.model_copy(update={"diffusivity": factor * ion.diffusivity}).model_dump(
                    exclude_none=True
                )
                for ion in species
            ],
        }
        name = f"regimes/base_{base:g}_sigma_{factor:.3g}_i0_{exchange:.4g}"
        kinds = [replace(pillar, base=base) for pillar in (Pillar(*OWN), dense)]
        found = solved(folder / name, kinds, tree)
        flat.append(film(base, float(exchange), factor))
        for row, pillar in zip((own, best), kinds, strict=True):
            row.append(found[pillar]["mean"])
    rows = (1e3 * np.array(row) for row in (flat, own, best))
    return Regime(base, factor, exchanges, *rows)

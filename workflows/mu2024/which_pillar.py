"""Which pillar is best against lithium: height, width, gap, one or both sides (Mu 2024).

    python workflows/mu2024/which_pillar.py [FOLDER] [--quick]

A map over the shapes at 1 mA/cm2, the lowest overpotential that a printed volume allows, and the
films, conductivities and exchange currents for which pillars pay; in the mean of plating on the
pillars and of dissolving, for the salt that they hold helps the one and costs the other. The
cells are those of `fig6b_pillar.toml`, quarters. What is done is kept, also after a kill. FOLDER
gets `which_pillar.md` and `which_pillar.png`. --quick: a few pillars, coarse meshes.
"""

import argparse
from pathlib import Path

import numpy as np
from which_pillar_campaign import (
    CURRENT,
    OWN,
    PAPER,
    QUICK,
    THERMAL,
    Data,
    Optimum,
    Pillar,
    Plan,
    campaign,
)
from which_pillar_picture import picture

from fem_spe.case import load
from fem_spe.progress import show
from fem_spe.report import markdown
from fem_spe.units import FARADAY

HEAD = (
    "height / width / gap, µm | printed per footprint, µm | area / footprint | plating, mV "
    "| dissolving, mV | mean, mV | saved, mV | saved per 10 µm | current, deviation / mean "
    "| p1, p99.9 of it over its mean"
)


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    data = campaign(folder, plan)
    text = "\n\n".join([paper(data), edges(data, plan), front(data), optima(data), regimes(data)])
    (folder / "which_pillar.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\n{picture(folder / 'which_pillar.png', data)}\n{folder / 'which_pillar.md'}")


def row(data: Data, pillar: Pillar) -> str:
    """A line of the tables over pillars."""
    told = data.found[pillar]
    value = 1e3 * told["mean"]
    return (
        f"{pillar} | {pillar.volume:.1f} | {pillar.area:.2f} | {1e3 * told['overpotential']:.2f} "
        f"| {1e3 * told['turned']:.2f} | {value:.2f} "
        f"| {data.flat - value:.2f} | {10 * (data.flat - value) / pillar.volume:.2f} "
        f"| {told['current_uniformity']:.2f} "
        f"| {told['p01_current']:.2f}, {told['p999_current']:.2f}"
    )


def paper(data: Data) -> str:
    """The variants that the paper prints, and what halved cells change."""
    rows = [row(data, Pillar(*lengths)) for lengths in PAPER if Pillar(*lengths) in data.found]
    error = max(
        1e3 * abs(told["mean"] - data.found[pillar]["mean"]) for pillar, told in data.halved.items()
    )
    uneven = max(
        abs(told["current_uniformity"] / data.found[pillar]["current_uniformity"] - 1)
        for pillar, told in data.halved.items()
    )
    return markdown(
        HEAD, rows,
        f"The flat film: {data.flat:.2f} mV (closed form). Cells of half the size change the "
        f"overpotential by {error:.2f} mV and the deviation by {uneven:.1%} at most.",
    )  # fmt: skip


def edges(data: Data, plan: Plan) -> str:
    """Arrays that end, beside one that goes on."""
    own = data.found.get(Pillar(*OWN))
    inner = [] if own is None else [("goes on", 0.0, own)]
    ended = [(f"{n} × {n}", plan.margin, told) for n, told in data.edges.items()]
    rows = []
    for name, margin, told in inner + ended:
        value = 1e3 * told["overpotential"]
        rows.append(
            f"{name} | {margin:.0f} | {value:.2f} | {data.flat - value:.2f} "
            f"| {told['current_uniformity']:.2f} | {told['p999_current']:.2f}"
        )
    return markdown(
        "array | bare film around it, µm | plating, mV | saved, mV "
        "| current, deviation / mean | p99.9 of it over its mean",
        rows,
        f"Pillars of {Pillar(*OWN)}, at 1 mA/cm² of the whole footprint.",
    )


def front(data: Data) -> str:
    """The pillars of the map that no other of less volume beats."""
    rows = [row(data, pillar) for sides in (1, 2) for pillar in data.front(sides)]
    return markdown(
        HEAD,
        rows,
        f"Of {len(data.found)} pillars: those that none of less volume beats in the mean.",
    )


def optima(data: Data) -> str:
    """The best of each volume: by the surrogate, and by the scan of true solutions."""
    return markdown(
        "volume at most, µm | surrogate's minimum | it tells, mV | solved there, mV "
        "| best of the scan | mV | solved | spread of its neighbours, mV",
        [_optimum(found) for found in data.optima],
        "SLSQP on a thin-plate spline through the map, in the logarithms of the lengths; about "
        "its minimum heights and widths 10 % off are solved, the gap taking up the volume, and "
        "so on from the best of them.",
    )


def _optimum(found: Optimum) -> str:
    values = np.array([1e3 * told["mean"] for told in found.scanned.values()])
    there = 1e3 * found.scanned[found.guess]["mean"]
    return (
        f"{found.budget:.1f} | {found.guess} | {found.surrogate:.2f} | {there:.2f} | {found.best} "
        f"| {found.value:.2f} | {len(values)} | {np.ptp(values):.2f}"
    )


def regimes(data: Data) -> str:
    """Where pillars pay."""
    rows = []
    for regime in data.regimes:
        for k, exchange in enumerate(regime.exchanges):
            saved = [
                f"{regime.flat[k] - values[k]:.1f} ({1 - values[k] / regime.flat[k]:.1%})"
                for values in (regime.own, regime.dense)
            ]
            reach = penetration(float(exchange), regime.conductivity)
            rows.append(
                f"{regime.base:.0f} | {regime.conductivity:.2f} | {exchange / 10:.3g} "
                f"| {reach:.0f} | {regime.flat[k]:.1f} | {' | '.join(saved)}"
            )
    return markdown(
        "film, µm | σ / σ(30 °C) | exchange current, mA/cm² | reach into a pillar, µm "
        f"| flat film, mV | saved by {Pillar(*OWN)}, mV | saved by {data.dense}, mV",
        rows,
        "At 1 mA/cm², means of plating and dissolving. Reach: sqrt(σ w / (4 g)) of a fin of width "
        "w = 100 µm, with g the slope of Butler & Volmer's law at the flat film's current: how "
        "far out the current gets.",
    )


def penetration(exchange: float, conductivity: float) -> float:
    """How far the current reaches into a pillar 100 um wide that stands in lithium, um.

    A fin of conductivity s whose surface passes g per voltage, c'' = c / reach^2 (Incropera et
    al., Fundamentals of Heat and Mass Transfer, 3.6).
    """
    cation, anion = load(Path(__file__).parent / "fig6b_pillar.toml").species
    share = cation.diffusivity + anion.diffusivity
    sigma = conductivity * share * cation.concentration * FARADAY / THERMAL
    slope = np.hypot(exchange, CURRENT / 2) / THERMAL
    return float(1e6 * np.sqrt(sigma * OWN[1] * 1e-6 / (4 * slope)))


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("folder", type=Path, nargs="?", help="default: results/mu2024_which_pillar")
    words.add_argument("--quick", action="store_true", help="a few pillars, coarse meshes")
    given = words.parse_args()
    place = given.folder or Path(f"results/mu2024_which_pillar{'_quick' * given.quick}")
    main(place, QUICK if given.quick else Plan())

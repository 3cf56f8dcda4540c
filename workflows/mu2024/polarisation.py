"""Overpotential of Li symmetric cells beside Mu 2024, Fig. 4d; limits of each architecture.

    python workflows/mu2024/polarisation.py [FOLDER] [--quick]

The cells are those of `fig6b_*.toml`. Assumed: the exchange current is RT/F over half of the
interface resistance that the paper reports, of 1 cm2; fresh, after 20 and after 50 cycles stand
beside one another. A point at which the cell has no steady state is marked, not left out. What is
done is kept. FOLDER gets `polarisation.md` and `polarisation.png`. --quick: no spiral, few
points, coarse meshes.
"""

import argparse
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fem_spe
from fem_spe.ensemble import read_sweeps, sweep
from fem_spe.exact.electrolyte import sand_time
from fem_spe.progress import show
from fem_spe.render.style import style
from fem_spe.report import markdown
from fem_spe.units import FARADAY, GAS_CONSTANT

HERE = Path(__file__).parent
CELLS = {"flat": "flat film", "pillar": "pillars", "spiral": "spiral"}
PAPER = dict(  # mA/cm2: mV; the last is printed as 1 mA/cm2
    zip((0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0), (55, 65, 75, 86, 100, 115, 124, 150), strict=True)
)
RESISTANCE = {  # ohm of both interfaces, of 1 cm2
    "fresh": 287.8, "after 20 cycles": 199.2, "after 50 cycles": 90.97,
}  # fmt: skip
BEYOND = (2.4, 2.8, 3.2, 3.6)  # mA/cm2, where the limits are
DEPLETING = 5.0  # mA/cm2, beyond all limits
COLORS = {"flat": "0.35", "pillar": "#a50f15", "spiral": "#08519c"}


@dataclass(frozen=True)
class Plan:
    """How large the campaign is: cells, currents (mA/cm2), and what changes in each cell."""

    names: tuple[str, ...] = tuple(CELLS)
    currents: tuple[float, ...] = (*PAPER, *BEYOND)
    coarse: float = 1.0

    def sizes(self, name: str) -> dict[str, Any]:
        """Those of the case, larger by a factor."""
        mesh = fem_spe.load(HERE / f"fig6b_{name}.toml").mesh
        return {
            "mesh.size": f"{1e6 * self.coarse * mesh.size:g} um",
            "mesh.interface_size": f"{1e6 * self.coarse * (mesh.interface_size or mesh.size):g} um",
        }


QUICK = Plan(("flat", "pillar"), (0.2, 1.0, 2.0, 3.2), 2.5)
Curve = dict[float, float | None]  # mA/cm2 -> mV, None beyond the limit


def exchange_current(ohm: float, kelvin: float) -> float:
    """A/m2 where both interfaces of 1 cm2 have this resistance."""
    return 2.0 * GAS_CONSTANT * kelvin / FARADAY / (ohm * 1e-4)


def reactions(ohm: float, kelvin: float) -> dict[str, Any]:
    """That exchange current on both faces."""
    value = f"{exchange_current(ohm, kelvin):.6g} A/m^2"
    return {f"boundary.{face}.kinetics.exchange_current": value for face in ("bottom", "top")}


def curve(folder: Path, name: str, ohm: float, plan: Plan) -> Curve:
    """Overpotentials of the steady cell."""
    words = [
        "boundary.bottom.current_density=" + ",".join(f"{-i:g} mA/cm^2" for i in plan.currents)
    ]
    kelvin = fem_spe.load(HERE / f"fig6b_{name}.toml").temperature
    changes = reactions(ohm, kelvin) | plan.sizes(name)
    done = sweep(HERE / f"fig6b_{name}.toml", read_sweeps(words), folder, changes=changes)
    found: Curve = {}
    for current, (_, outcome) in zip(plan.currents, done, strict=True):
        beyond = outcome.status == "refused" and "no steady state" in outcome.error
        if outcome.error and not beyond:
            sys.exit(f"{folder}, {current:g} mA/cm2: {outcome.error}")
        found[current] = None if beyond else 1e3 * outcome.quantities["overpotential"]["value"]
    print(f"{folder.name}: {told(found)} mV", flush=True)
    return found


def told(found: Curve) -> str:
    return ", ".join("beyond" if v is None else f"{v:.0f}" for v in found.values())


def limiting_currents(name: str, changes: dict[str, Any] | None = None) -> tuple[float, float]:
    """Steady limits where the printed side plates, and where it dissolves; mA/cm2.

    Between ideal electrodes (1:1 salt) c is harmonic, c = c_bottom + (c_top - c_bottom) w, and
    the flux is 2 D+ G (c_top - c_bottom) with G the conductance of the shape. The mean of the
    closed cell is c0, and at the limit one of both is zero.
    """
    given = fem_spe.load(HERE / f"fig6b_{name}.toml", {"output.figures": False, **(changes or {})})
    cation = given.species[0].diffusivity
    tree = given.to_dict()
    for table in ("species", "nernst_planck", "boundary", "temperature"):
        tree.pop(table, None)
    tree |= {"study": "diffusion", "materials": {"electrolyte": {"diffusivity": cation}}}
    result = fem_spe.run(fem_spe.parse(tree))
    field = next(iter(result.fields.values()))
    domain = result.domain
    mean = domain.integrate(field * domain.dx) / domain.integrate(1.0 * domain.dx)
    conductance = result.quantities["flux_in"].value / math.prod(domain.size[:2])  # D+ G
    most = 0.1 * 2.0 * FARADAY * conductance * given.species[0].concentration
    return most / mean, most / (1.0 - mean)


def depletion_time(folder: Path, name: str, plan: Plan) -> float:
    """Until an ion is used up somewhere at DEPLETING, s."""
    words = [f"boundary.bottom.current_density={-DEPLETING:g} mA/cm^2"]
    changes = replace(plan, coarse=1.5 * plan.coarse).sizes(name) | {
        "nernst_planck.mode": "transient",
        "time": {"end": "100 h", "rtol": 1e-2},
    }
    ((_, outcome),) = sweep(
        HERE / f"fig6b_{name}.toml", read_sweeps(words), folder, changes=changes
    )
    return float(outcome.quantities["depletion_time"]["value"])


def deep_sand_time(current: float) -> float:
    """Of a deep flat film at `current` (mA/cm2), s."""
    cation, anion = fem_spe.load(HERE / "fig6b_flat.toml").species
    both = cation.diffusivity + anion.diffusivity
    ambipolar = 2.0 * cation.diffusivity * anion.diffusivity / both
    flux = 10.0 * current / FARADAY
    return sand_time(flux, cation.concentration, ambipolar, cation.diffusivity / both)


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    limits = {name: limiting_currents(name, plan.sizes(name)) for name in plan.names}
    times = {n: depletion_time(folder / f"depletion_{n}", n, plan) for n in plan.names}
    curves = {
        (when, name): curve(folder / f"{name}_{ohm:.0f}_ohm", name, ohm, plan)
        for when, ohm in RESISTANCE.items()
        for name in plan.names
    }
    text = f"{limit_table(limits, times)}\n\n{curve_table(curves, plan)}"
    (folder / "polarisation.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\n{picture(folder / 'polarisation.png', curves, limits)}")


def limit_table(limits: dict[str, tuple[float, float]], times: dict[str, float]) -> str:
    """Limiting currents and depletion of each architecture."""
    return markdown(
        "cell | limiting current, mA/cm²: the printed side plates | it dissolves "
        f"| depleted at {DEPLETING:g} mA/cm² after, s",
        [
            f"{CELLS[name]} | {plating:.3f} | {dissolving:.3f} | {times[name]:.0f}"
            for name, (plating, dissolving) in limits.items()
        ],
        f"Sand's time of a deep film at {DEPLETING:g} mA/cm²: {deep_sand_time(DEPLETING):.0f} s.",
    )


def curve_table(curves: dict[tuple[str, str], Curve], plan: Plan) -> str:
    """Overpotentials beside the paper's."""
    rows = [
        f"{when}, {RESISTANCE[when]:g} Ω | {CELLS[name]} | "
        + " | ".join("beyond" if v is None else f"{v:.0f}" for v in found.values())
        for (when, name), found in curves.items()
    ]
    paper = " | ".join(str(PAPER.get(i, "")) for i in plan.currents)
    return markdown(
        f"interface | cell; mV at mA/cm²: | {' | '.join(f'{i:g}' for i in plan.currents)}",
        [*rows, f"measured | p-3DSE, Fig. 4d | {paper}"],
        "beyond: no steady state, the current is above the cell's limit.",
    )


def picture(
    file: Path, curves: dict[tuple[str, str], Curve], limits: dict[str, tuple[float, float]]
) -> Path:
    """A panel for each exchange current."""
    with style() as plt:
        figure, axes = plt.subplots(
            1, len(RESISTANCE), figsize=(9.5, 3.4), sharey=True, layout="constrained"
        )
        highest = max(v for found in curves.values() for v in found.values() if v is not None)
        for axis, (when, ohm) in zip(axes, RESISTANCE.items(), strict=True):
            axis.plot(PAPER.keys(), PAPER.values(), "ks", ms=3.5, label="Mu 2024, Fig. 4d")
            for k, name in enumerate(limits):
                draw(axis, name, curves[when, name], highest * (1.08 + 0.05 * k), limits[name][0])
            i0 = 0.1 * exchange_current(ohm, 303.15)
            axis.set_title(f"{when}: {ohm:g} Ω, {i0:.2f} mA/cm²", fontsize=8)
            axis.set(xlabel="current density (mA/cm²)")
        axes[0].set_ylabel("overpotential (mV)")
        axes[0].set_ylim(0.0, 1.25 * highest)
        axes[0].legend(fontsize=6.5, loc="upper left")
        figure.savefig(file)
    return file


def draw(axis: Any, name: str, found: Curve, height: float, limit: float) -> None:
    """One cell: its curve, its limit, and crosses in a row where it has no steady state."""
    color = COLORS[name]
    reached = {i: v for i, v in found.items() if v is not None}
    axis.plot(
        reached.keys(), reached.values(), "o-", ms=2.5, lw=1.0, color=color, label=CELLS[name]
    )
    axis.axvline(limit, color=color, lw=0.7, ls=":")
    beyond = [i for i, v in found.items() if v is None]
    label = "beyond its limit (dotted)" if name == "flat" else ""
    axis.plot(beyond, [height] * len(beyond), "x", ms=4, color=color, label=label)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("folder", type=Path, nargs="?", help="default: results/mu2024_polarisation")
    words.add_argument("--quick", action="store_true", help="no spiral, few points, coarse meshes")
    given = words.parse_args()
    place = given.folder or Path(f"results/mu2024_polarisation{'_quick' * given.quick}")
    main(place, QUICK if given.quick else Plan())

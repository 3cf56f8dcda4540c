"""Printed cells from 30 to 60 degC, for both activation energies that Mu 2024 implies.

    python workflows/mu2024/temperature.py [FOLDER] [--quick]

The paper quotes 0.25 eV for p-3DSE, but its conductivities at 30 and 60 degC, 3.15e-4 and
1.05e-3 S/cm, imply 0.349 eV: both are shown. Assumed: t+ = 0.68 and the concentration stay, and
the exchange current, that of the fresh interface at 30 degC, stays or rises with the same
energy as the conductivity. The cells are those of `fig6b_*.toml`. What is done is kept. FOLDER gets
`temperature.md` and `temperature.png`. --quick: two temperatures, coarse meshes.
"""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polarisation import CELLS, COLORS, HERE, limiting_currents

import fem_spe
from fem_spe.ensemble import read_sweeps, sweep
from fem_spe.progress import show
from fem_spe.render.style import style
from fem_spe.report import markdown

START, END = 303.15, 333.15  # K
COLD, HOT = 0.0315, 0.105  # S/m, measured there
BOLTZMANN = 8.617333262e-5  # eV/K
QUOTED = 0.25  # eV
IMPLIED = BOLTZMANN * math.log(HOT / COLD) / (1 / START - 1 / END)  # 0.349 eV
NAMES = ("flat", "pillar")
KEPT, WARMED = "exchange current kept", "exchange current warmed"
WAYS = {QUOTED: "--", IMPLIED: "-"}


@dataclass(frozen=True)
class Plan:
    """Temperatures, K, and sizes of the cells of the pillars, um."""

    kelvins: tuple[float, ...] = (303.15, 313.15, 323.15, 333.15)
    size: float = 16.0
    interface_size: float = 6.0

    def sizes(self, name: str) -> dict[str, Any]:
        """Those of the case for the film."""
        if name == "flat":
            return {}
        return {"mesh.size": f"{self.size} um", "mesh.interface_size": f"{self.interface_size} um"}


QUICK = Plan((START, END), 40.0, 20.0)
Point = tuple[float, float, str, str]  # eV, K, exchange current, cell


def rise(energy: float, kelvin: float) -> float:
    """Of the conductivity over that at 30 degC (Arrhenius)."""
    return math.exp(-energy / BOLTZMANN * (1 / kelvin - 1 / START))


def warmed(name: str, energy: float, kelvin: float, exchange: str) -> dict[str, Any]:
    """What changes in a cell; D = sigma R T t+ / (F^2 c) rises by T more than sigma does."""
    case = fem_spe.load(HERE / f"fig6b_{name}.toml")
    factor = rise(energy, kelvin) * kelvin / START
    species = [
        ion.model_copy(update={"diffusivity": factor * ion.diffusivity}).model_dump(
            exclude_none=True
        )
        for ion in case.species
    ]
    found: dict[str, Any] = {"species": species, "temperature": f"{kelvin} K"}
    for face in ("bottom", "top"):
        given = case.boundary[face].kinetics.exchange_current
        value = given * (rise(energy, kelvin) if exchange == WARMED else 1.0)
        found[f"boundary.{face}.kinetics.exchange_current"] = f"{value:.6g} A/m^2"
    return found


def overpotential(folder: Path, point: Point, plan: Plan) -> float:
    """At 1 mA/cm2, mV."""
    energy, kelvin, exchange, name = point
    words = ["boundary.bottom.current_density=-1 mA/cm^2"]
    place = folder / f"{name}_{energy:.3f}_eV_{kelvin:.0f}_K{'_warmed' * (exchange == WARMED)}"
    changes = warmed(name, energy, kelvin, exchange) | plan.sizes(name)
    ((_, outcome),) = sweep(HERE / f"fig6b_{name}.toml", read_sweeps(words), place, changes=changes)
    if outcome.error:
        sys.exit(f"{place}: {outcome.error}")
    value = 1e3 * outcome.quantities["overpotential"]["value"]
    print(f"{place.name}: {value:.1f} mV", flush=True)
    return float(value)


def main(folder: Path, plan: Plan) -> None:
    show(enabled=False)
    found = {
        point: overpotential(folder, point, plan)
        for energy in WAYS
        for kelvin in plan.kelvins
        for exchange in (KEPT, WARMED)
        for name in NAMES
        for point in [(energy, kelvin, exchange, name)]
    }
    # between ideal electrodes c is harmonic whatever D: the limit rises as D does
    limits = {name: min(limiting_currents(name, plan.sizes(name))) for name in NAMES}
    text = table(found, limits, plan)
    (folder / "temperature.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\n{picture(folder / 'temperature.png', found, limits, plan)}")


def limit(limits: dict[str, float], name: str, energy: float, kelvin: float) -> float:
    """Limiting current of the worse direction, mA/cm2."""
    return limits[name] * rise(energy, kelvin) * kelvin / START


def table(found: dict[Point, float], limits: dict[str, float], plan: Plan) -> str:
    """One row for each energy and temperature."""
    rows = []
    for energy in WAYS:
        for kelvin in plan.kelvins:
            most = " | ".join(f"{limit(limits, name, energy, kelvin):.2f}" for name in NAMES)
            values = " | ".join(
                f"{found[energy, kelvin, exchange, name]:.1f}"
                for exchange in (KEPT, WARMED)
                for name in NAMES
            )
            sigma = 10 * COLD * rise(energy, kelvin)
            rows.append(f"{energy:.3f} | {kelvin - 273.15:.0f} | {sigma:.3f} | {most} | {values}")
    return markdown(
        "E_a, eV | °C | σ, mS/cm | limiting current, mA/cm²: flat | pillars, the worse way "
        "| mV at 1 mA/cm²: flat | pillars | i0 warmed: flat | pillars",
        rows,
        f"Measured: {10 * COLD:.3f} mS/cm at 30 °C and {10 * HOT:.3f} at 60 °C, which implies "
        f"{IMPLIED:.3f} eV; the paper quotes {QUOTED:g} eV, with which 60 °C would have "
        f"{10 * COLD * rise(QUOTED, END):.3f} mS/cm.",
    )


def picture(file: Path, found: dict[Point, float], limits: dict[str, float], plan: Plan) -> Path:
    """Conductivity, limiting current and overpotential over temperature."""
    celsius = [kelvin - 273.15 for kelvin in plan.kelvins]
    with style() as plt:
        figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.2), layout="constrained")
        for energy, way in WAYS.items():
            what = "quoted" if energy == QUOTED else "implied"
            label = f"{energy:.3f} eV, {what}"
            sigma = [10 * COLD * rise(energy, kelvin) for kelvin in plan.kelvins]
            axes[0].plot(celsius, sigma, way, color="0.2", lw=1.1, label=label)
            for name in NAMES:
                color = COLORS[name]
                most = [limit(limits, name, energy, kelvin) for kelvin in plan.kelvins]
                axes[1].plot(celsius, most, way, color=color, lw=1.1)
                for exchange, mark in ((KEPT, "o"), (WARMED, "^")):
                    values = [found[energy, kelvin, exchange, name] for kelvin in plan.kelvins]
                    axes[2].plot(celsius, values, way, marker=mark, ms=3, color=color, lw=0.9)
        axes[0].plot([30, 60], [10 * COLD, 10 * HOT], "ks", ms=4, label="Mu 2024, measured")
        for name in NAMES:
            axes[2].plot([], [], color=COLORS[name], label=CELLS[name])
        for exchange, mark in ((KEPT, "o"), (WARMED, "^")):
            axes[2].plot([], [], mark, ms=3, color="0.5", label=exchange)
        axes[0].set(ylabel="conductivity (mS/cm)")
        axes[1].set(ylabel="limiting current (mA/cm²)")
        axes[2].set(ylabel="overpotential at 1 mA/cm² (mV)")
        for axis, letter in zip(axes, "abc", strict=True):
            axis.set(xlabel="temperature (°C)")
            axis.set_ylim(bottom=0)
            axis.set_title(letter, loc="left", fontweight="bold")
        axes[0].legend(fontsize=6.5)
        axes[2].legend(fontsize=6.5, loc="lower left")
        figure.savefig(file)
    return file


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("folder", type=Path, nargs="?", help="default: results/mu2024_temperature")
    words.add_argument("--quick", action="store_true", help="two temperatures, coarse meshes")
    given = words.parse_args()
    place = given.folder or Path(f"results/mu2024_temperature{'_quick' * given.quick}")
    main(place, QUICK if given.quick else Plan())

"""Overpotential of Li symmetric cells beside Mu 2024, Fig. 4d; limits of each architecture.

    python workflows/mu2024/polarisation.py [FILE] [NAME...]     (NAME: flat, pillar, spiral)

The cells are those of `fig6b_*.toml`. Assumed: the exchange current is RT/F over half of the
interface resistance that the paper reports, of 1 cm2; fresh and after 50 cycles stand beside one
another. A point at which the cell has no steady state is marked, not left out.
"""

import math
import sys
from pathlib import Path
from typing import Any

import fem_spe
from fem_spe.errors import CaseError
from fem_spe.units import FARADAY, GAS_CONSTANT

HERE = Path(__file__).parent
CELLS = {"flat": "flat film", "pillar": "pillars", "spiral": "spiral"}
PAPER = dict(  # mA/cm2: mV; the last is printed as 1 mA/cm2
    zip((0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0), (55, 65, 75, 86, 100, 115, 124, 150), strict=True)
)
RESISTANCE = {"fresh, 287.8 Ω": 287.8, "after 50 cycles, 90.97 Ω": 90.97}  # both interfaces, 1 cm2
DEPLETING = 5.0  # mA/cm2, beyond all limits


def case(name: str, changes: dict[str, Any] | None = None) -> Any:
    """A cell of Fig. 6b with other values."""
    return fem_spe.load(HERE / f"fig6b_{name}.toml", {"output.figures": False, **(changes or {})})


def exchange_current(ohm: float, kelvin: float) -> float:
    """A/m2 where both interfaces of 1 cm2 have this resistance."""
    return 2.0 * GAS_CONSTANT * kelvin / FARADAY / (ohm * 1e-4)


def overpotential(name: str, current: float, ohm: float) -> float | None:
    """Of the steady cell at `current` (mA/cm2), mV; None beyond its limit."""
    found = case(name)
    i0 = exchange_current(ohm, found.temperature)
    changes = {
        "boundary.bottom.current_density": -10.0 * current,
        "boundary.bottom.kinetics.exchange_current": i0,
        "boundary.top.kinetics.exchange_current": i0,
    }
    try:
        return 1e3 * fem_spe.run(found.with_(**changes)).quantities["overpotential"].value
    except CaseError:
        return None


def limiting_currents(name: str, changes: dict[str, Any] | None = None) -> tuple[float, float]:
    """Steady limits where the printed side plates, and where it dissolves; mA/cm2.

    Between ideal electrodes (1:1 salt) c is harmonic, c = c_bottom + (c_top - c_bottom) w, and
    the flux is 2 D+ G (c_top - c_bottom) with G the conductance of the shape. The mean of the
    closed cell is c0, and at the limit one of both is zero.
    """
    given = case(name, changes)
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


def depletion_time(name: str, current: float) -> float:
    """Until an ion is used up somewhere at `current` (mA/cm2), s."""
    changes = {
        "boundary.bottom.current_density": -10.0 * current,
        "nernst_planck.mode": "transient",
        "time": {"end": "100 h", "rtol": 1e-3},
    }
    return fem_spe.run(case(name, changes)).quantities["depletion_time"].value


def main(file: Path, names: list[str]) -> None:
    from matplotlib import pyplot as plt

    limits = {name: limiting_currents(name) for name in names}
    for name, (plating, dissolving) in limits.items():
        print(f"{CELLS[name]}: limit {plating:.3g} mA/cm2 plating, {dissolving:.3g} dissolving")
        seconds = depletion_time(name, DEPLETING)
        print(f"{CELLS[name]}: depleted after {seconds:.4g} s at {DEPLETING:g} mA/cm2")
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for axis, (title, ohm) in zip(axes, RESISTANCE.items(), strict=True):
        axis.plot(PAPER.keys(), PAPER.values(), "ks", label="Mu 2024, Fig. 4d (p-3DSE)")
        for name in names:
            found = {i: overpotential(name, i, ohm) for i in PAPER}
            reached = {i: v for i, v in found.items() if v is not None}
            (line,) = axis.plot(reached.keys(), reached.values(), "o-", label=CELLS[name])
            beyond = [i for i, v in found.items() if v is None]
            if beyond:
                axis.plot(
                    beyond, [5.0] * len(beyond), "x", color=line.get_color(),
                    label=f"{CELLS[name]}, beyond its limit",
                )  # fmt: skip
            told = ", ".join("beyond" if v is None else f"{v:.0f}" for v in found.values())
            print(f"{title}: {CELLS[name]}: {told} mV")
        axis.set(title=f"interface {title}", xlabel="current density [mA/cm²]")
    axes[0].set_ylabel("overpotential [mV]")
    axes[0].set_ylim(0.0)
    axes[0].legend(frameon=False)
    figure.savefig(file, dpi=150)
    print(file)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/mu2024_polarisation.png"),
        sys.argv[2:] or list(CELLS),
    )

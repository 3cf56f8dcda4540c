"""How far flat and pillared cells of Mu 2024, Fig. 7g discharge, over thickness and rate.

    python workflows/mu2024/fig7gh_discharge.py [FILE]

Each discharge ends where the overpotential is 0.5 V, where the salt is used up somewhere, or
where the solid is full. Pillars are 150 um high in every cathode, and take room from it: beside
the utilisation stands the charge per footprint. Assumed besides what `fig7gh_*.toml` says: an
open-circuit potential that falls from 4.2 to 3.6 V.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fem_spe
from fem_spe.report import markdown
from fem_spe.results import Result

HERE = Path(__file__).parent
CELLS = {"flat": "f-SE / cathode", "pillar": "p-3DSE / cathode"}
THICKNESS = (150.0, 200.0, 300.0)  # um
CURRENT = (0.1, 0.2, 0.4, 0.6, 0.8)  # mA/cm2
_COARSE = {"flat": ("20 um", "20 um"), "pillar": ("24 um", "16 um")}
_HOUR = 3.6e4  # C/m2 of 1 mA h/cm2


def discharge(
    name: str, thickness: float, current: float, changes: dict[str, Any] | None = None
) -> Result:
    """A cell with a cathode of `thickness` um at `current` mA/cm2, until it is over."""
    size, fine = _COARSE[name]
    tree = {
        "output.figures": False,
        "geometry.cathode": f"{thickness} um",
        "mesh.size": size,
        "mesh.interface_size": fine,
        "nernst_planck.mode": "transient",
        "time": {"end": "1000 h", "rtol": 1e-3},
        "reaction.cathode.current_density": f"{current} mA/cm^2",
        "reaction.cathode.open_circuit": ["4.2 V", "3.6 V"],
    }
    return fem_spe.run(fem_spe.load(HERE / f"fig7gh_{name}.toml", tree | (changes or {})))


def charge(result: Result) -> float:
    """Inserted per footprint, mA h/cm2."""
    return result.quantities["inserted_charge"].value / _HOUR


def main(file: Path, thickness: Sequence[float], currents: Sequence[float]) -> None:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, 1 + len(thickness), figsize=(3.2 * (1 + len(thickness)), 3.6), layout="constrained"
    )
    rows = []
    for axis, depth in zip(axes, thickness, strict=False):
        for name, label in CELLS.items():
            found = {i: discharge(name, depth, i) for i in currents}
            used = [r.quantities["utilisation"].value for r in found.values()]
            axis.plot(currents, used, "o-", label=label)
            told = " | ".join(
                f"{u:.3f}, {charge(r):.2f}" for u, r in zip(used, found.values(), strict=True)
            )
            rows.append(f"{depth:g} µm, {label} | {told}")
            if depth == thickness[-1]:
                _curves(axes[-1], found, label)
        axis.set(
            title=f"cathode of {depth:g} µm", xlabel="current density [mA/cm²]", ylim=(0, 1.05)
        )
    axes[0].set_ylabel("utilisation")
    axes[0].legend(frameon=False)
    axes[-1].set(
        title=f"{thickness[-1]:g} µm", xlabel="charge [mA h/cm²]", ylabel="cell voltage [V]"
    )
    axes[-1].legend(frameon=False, fontsize="small")
    figure.savefig(file, dpi=150)
    heads = " | ".join(f"{i:g} mA/cm²" for i in currents)
    print(markdown(f"utilisation, charge in mA h/cm² | {heads}", rows))
    print(file)


def _curves(axis: Any, found: dict[float, Result], label: str) -> None:
    """Voltage over charge of the slowest and the fastest discharge."""
    for current, style in ((min(found), "-"), (max(found), "--")):
        result = found[current]
        course = result.solution.tables["discharge"]
        share = course["lithiation"] / course["lithiation"][-1]
        color = "C0" if label == CELLS["flat"] else "C1"
        axis.plot(
            charge(result) * share, course["cell voltage [V]"], style, color=color,
            label=f"{label}, {current:g} mA/cm²",
        )  # fmt: skip


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/mu2024_discharge.png"),
        THICKNESS,
        CURRENT,
    )

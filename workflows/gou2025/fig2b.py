"""Li+ through RSE, ASE and LASE (Gou 2025, Fig. 2b): fields, and a table beside the paper's.

    python workflows/gou2025/fig2b.py [FOLDER]

One number is fitted: the conductivity of the matrix, to the measured one of ASE. RSE and
LASE are then predicted from the assumptions stated in their geometry files. What the
measured ratios would *require* stands in a column of its own.
"""

import sys
from pathlib import Path

import numpy as np

from fem_spe.case import load
from fem_spe.comm import world
from fem_spe.exact import conduction
from fem_spe.job import run
from fem_spe.progress import show
from fem_spe.report import markdown

HERE = Path(__file__).parent
MEASURED = {"rse": 1.06, "ase": 1.33, "lase": 1.46}  # mS/cm at 25 degC, Fig. 2a
SEEDS = range(1, 6)
ASPECTS = (1.9, 2.2, 2.5)
SAMPLING = {"mesh.size": "3 um", "mesh.interface_size": "0.8 um", "output.figures": False}


def main(folder: Path) -> None:
    comm = world()
    show(enabled=comm.rank == 0)
    results = {}
    for name in (*MEASURED, "lase_drawn"):
        if comm.rank == 0:
            print(f"-- {name}", flush=True)
        case = load(HERE / f"fig2b_{name}.toml")
        results[name] = run(case, comm, folder / f"fig2b_{name}", force=True)
    relative = {n: r.quantities["relative_diffusivity"].value for n, r in results.items()}
    path = {n: r.quantities["pathway_length"].value for n, r in results.items()}

    show(enabled=False)
    if comm.rank == 0:
        print("-- other seeds, and what the measured ratios would require", flush=True)
    seeds = np.array([random_section(**{"geometry.seed": seed}) for seed in SEEDS])
    aspect = required_aspect(relative["ase"] * MEASURED["rse"] / MEASURED["ase"], seeds)
    share = required_share(relative["ase"] * MEASURED["lase"] / MEASURED["ase"])
    if comm.rank == 0:
        text = table(relative, path, seeds, aspect, share)
        (folder / "fig2b.md").write_text(text + "\n", encoding="utf-8")
        print("\n" + text)
        print(f"\n{picture(folder, relative)}\n{folder / 'fig2b.md'}")


def random_section(**changes: object) -> float:
    """D_eff / D_matrix of an RSE section with other values, on a mesh for sampling."""
    case = load(HERE / "fig2b_rse.toml", {**SAMPLING, **changes})
    return run(case).quantities["relative_diffusivity"].value


def required_aspect(target: float, at_mean_aspect: np.ndarray) -> float:
    """The aspect at which log D_eff, linear in the aspect, meets `target`."""
    first = conduction.mean_aspect_in_plane()
    aspects, values = [first] * len(at_mean_aspect), list(at_mean_aspect)
    for aspect in ASPECTS:
        for seed in list(SEEDS)[:2]:
            values.append(random_section(**{"geometry.aspect": aspect, "geometry.seed": seed}))
            aspects.append(aspect)
    slope, offset = np.polyfit(aspects, np.log(values), 1)
    return float((np.log(target) - offset) / slope)


def required_share(target: float, total: float = 0.2) -> float:
    """The share of LLZTO in all inclusions at which D_eff meets `target`."""

    def value(share: float) -> float:
        fractions = {
            "geometry.fiber_fraction": (1 - share) * total,
            "geometry.filler_fraction": share * total,
        }
        case = load(HERE / "fig2b_lase_drawn.toml", {**SAMPLING, **fractions})
        return run(case).quantities["relative_diffusivity"].value

    shares = [0.4, 0.6, 0.8]
    curve = np.polyfit([value(s) for s in shares], shares, 2)
    return float(np.polyval(curve, target))


def table(
    relative: dict[str, float],
    path: dict[str, float],
    seeds: np.ndarray,
    aspect: float,
    share: float,
) -> str:
    """The comparison as Markdown."""
    matrix = MEASURED["ase"] / relative["ase"]
    rse, spread = float(seeds.mean()), float(seeds.std(ddof=1))
    used = {"rse": rse, "ase": relative["ase"], "lase": relative["lase"]}
    deff = {n: f"{v:.4f}" for n, v in used.items()}
    deff["rse"] = f"{rse:.3f} ± {spread:.3f} ({len(seeds)} seeds)"
    notes = {
        "rse": f"aspect {aspect:.2f} (assumed {conduction.mean_aspect_in_plane():.2f})",
        "ase": "the fit",
        "lase": f"LLZTO {share:.0%} of the inclusions (recipe: 5 %)",
    }
    rows = []
    for name in MEASURED:
        rows.append(
            f"{name.upper()} | {deff[name]} | {path[name]:.3f} | {matrix * used[name]:.2f} "
            f"| {MEASURED[name]:.2f} | {used[name] / rse:.3f} "
            f"| {MEASURED[name] / MEASURED['rse']:.3f} | {notes[name]}"
        )
    return markdown(
        " | D_eff/D_m | path length | σ model | σ paper | ratio model | ratio paper "
        "| the paper's ratio would require",
        rows,
        f"σ in mS/cm at 25 °C. Fitted: σ_matrix = {matrix:.3f} mS/cm, to ASE alone. "
        "Path length: mean way of the ions over the thickness (RSE: seed 1). Ratios: over "
        "RSE. ±: standard deviation over seeds.",
    )


def picture(folder: Path, relative: dict[str, float]) -> Path:
    """The three electrolytes with one colour bar."""
    from fem_spe.figures import panel
    from fem_spe.render import draw_fields

    panels = [
        panel(folder / f"fig2b_{name}", f"{name.upper()}   D_eff / D_matrix = {relative[name]:.3f}")
        for name in MEASURED
    ]
    label = "Li⁺ concentration c / Δc (in LLZTO over its partition)"
    return draw_fields(panels, folder / "fig2b.png", label=label)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/gou2025"))

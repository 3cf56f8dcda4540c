"""Li+ through RPN and APN in three dimensions, beside planes cut from the same networks.

    python workflows/gou2025/fig2b_3d.py [FOLDER]

The paper cuts its 2-D domains (Fig. 2b) from the reconstruction of a nonwoven. In the plane a
fibre is a wall that ions cannot pass beside; in space they can. The table tells how much that
matters.
"""

import sys
from pathlib import Path

import numpy as np

from fem_spe.case import load
from fem_spe.comm import world
from fem_spe.job import run
from fem_spe.progress import show
from fem_spe.report import markdown

HERE = Path(__file__).parent
NETWORKS = {"RPN": "random", "APN": "aligned"}
PLANES = range(5, 60, 5)  # um


def main(folder: Path) -> None:
    comm = world()
    show(enabled=comm.rank == 0)
    rows = []
    for name, kind in NETWORKS.items():
        if comm.rank == 0:
            print(f"-- {name}", flush=True)
        whole = run(load(HERE / f"fig2b_3d_{kind}.toml"), comm, folder / f"3d_{kind}", force=True)
        plane = load(HERE / f"fig2b_3d_{kind}_slice.toml")
        run(plane, comm, folder / f"3d_{kind}_slice", force=True)
        along = [run(whole.case.with_(**{"diffusion.direction": axis})).quantities for axis in "xy"]
        along.append(whole.quantities)
        values = [q["relative_diffusivity"].value for q in along]
        cut = [run(plane.with_(**{"geometry.y": y * 1e-6})).quantities for y in PLANES]
        rows.append((name, values, [q["relative_diffusivity"].value for q in cut]))
    if comm.rank == 0:
        (folder / "fig2b_3d.md").write_text(text := table(rows) + "\n", encoding="utf-8")
        print("\n" + text)
        print(*pictures(folder), folder / "fig2b_3d.md", sep="\n")


def table(rows: list[tuple[str, list[float], list[float]]]) -> str:
    """The values as Markdown."""
    lines = []
    for name, (x, y, z), planes in rows:
        mean, spread = np.mean(planes), np.std(planes, ddof=1)
        lines.append(
            f"{name} | {x:.3f} | {y:.3f} | {z:.3f} | {mean:.2f} ± {spread:.2f} | "
            f"{min(planes):.2f} | {max(planes):.2f}"
        )
    return markdown(
        "D_eff / D_matrix | x | y | z (thickness) | z in planes x-z | lowest plane | highest",
        lines,
        f"One realisation each; {len(PLANES)} planes, ±: their standard deviation.",
    )


def pictures(folder: Path) -> list[Path]:
    """The networks, and the concentration in a plane of each."""
    from fem_spe.figures import network_panel, panel
    from fem_spe.render import draw_fields, draw_networks

    networks = [network_panel(folder / f"3d_{kind}", name) for name, kind in NETWORKS.items()]
    planes = [panel(folder / f"3d_{kind}_slice") for kind in NETWORKS.values()]
    label = "Li⁺ concentration c / Δc"
    return [
        draw_networks(networks, folder / "networks.png"),
        draw_fields(planes, folder / "slices.png", label=label),
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("results/gou2025"))

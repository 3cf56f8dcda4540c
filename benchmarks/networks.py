"""Random fibre networks meshed one after the other, and the issue's figures for single meshes.

    python benchmarks/networks.py [SEEDS]

20 seeds (or SEEDS) x kappa (0, 20) x N (10, 40, 100): asked is that all succeed, radius ratio
>= 0.05, fraction within 1e-3, watertight to 1e-12. Then N = 20 at h = 0.25 um (<= 0.9M cells in
<= 4 s), N = 200 at h = 0.417 um (<= 0.8M cells in <= 5 s), a periodic network (opposite faces
within 1e-12), and one whole `fem-spe mesh` (<= 60 s, <= 3 GB). Times are of the processor.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fem_spe.domain import MeshArrays
from fem_spe.errors import FemSpeError
from fem_spe.geometry import FiberNetwork
from fem_spe.geometry.network import Network
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays
from fem_spe.meshing.areas import areas
from fem_spe.meshing.implicit.faces import leaks

UM = 1e-6
SIZE = (20 * UM, 20 * UM, 10 * UM)
DIAMETER = (0.75 * UM, 0.125 * UM)  # radii of 0.25 to 0.5 um
COARSE = 1.6 * UM


@dataclass(frozen=True)
class Found:
    """One mesh: cells, smallest radius ratio, error of the fraction, leaks, seconds."""

    cells: int
    quality: float
    fraction: float
    leak: float
    seconds: float


def network(count: int, kappa: float, seed: int, **more: object) -> Network:
    """A network of the issue's kind."""
    spec = {"fiber_diameter": DIAMETER, **more}
    return FiberNetwork(size=SIZE, fiber_count=count, kappa=kappa, seed=seed, **spec).build()


def meshed(
    structure: Network, h: float, periodic: tuple[int, ...] = ()
) -> tuple[Found, MeshArrays]:
    """The mesh and its figures."""
    start = time.process_time()
    arrays = mesh_arrays(MeshPlan(structure, Sizes(COARSE, h), periodic=periodic))
    seconds = time.process_time() - start
    volume = areas(arrays)
    fraction = volume["fiber"] / sum(volume.values())
    off = abs(fraction - measured(structure, h))
    return Found(len(arrays.cells), arrays.min_quality, off, leaks(arrays), seconds), arrays


def measured(structure: Network, h: float) -> float:
    """The volume fraction on a grid of a third of a cell, smoothed over a grid spacing."""
    shape = tuple(round(3 * s / h) + 1 for s in structure.size)
    values = structure.distance((shape[0], shape[1], shape[2]))
    step = float(np.mean([s / (n - 1) for s, n in zip(structure.size, shape, strict=True)]))
    inside = np.clip(0.5 - values / step, 0, 1)
    for axis in range(3):
        ends = np.moveaxis(inside, axis, 0)[[0, -1]].sum(axis=0) / 2
        inside = np.expand_dims((inside.sum(axis=axis) - ends) / (shape[axis] - 1), axis)
    return float(inside.squeeze())


def row(name: str, found: Found) -> bool:
    """Print one line; whether it keeps what was asked."""
    good = found.quality >= 0.05 and found.fraction <= 1e-3 and found.leak <= 1e-12
    print(
        f"{name:28} {found.cells:9} {found.quality:8.3f} {found.fraction:9.1e} "
        f"{found.leak:8.0e} {found.seconds:7.1f}{'' if good else '  FAILED'}",
        flush=True,
    )
    return good


def campaign(seeds: int) -> bool:
    """All seeds; a line for the worst of each kind."""
    good = True
    for kappa in (0, 20):
        for count in (10, 40, 100):
            all_found = []
            for seed in range(seeds):
                structure = network(count, kappa, seed)
                h = min(0.25 * UM, structure.thinnest / 2)
                try:
                    all_found.append(meshed(structure, h)[0])
                except FemSpeError as error:
                    print(f"kappa {kappa}, N = {count}, seed {seed}: {error}")
                    good = False
            worst = Found(
                max(f.cells for f in all_found),
                min(f.quality for f in all_found),
                *(
                    max(getattr(f, key) for f in all_found)
                    for key in ("fraction", "leak", "seconds")
                ),
            )
            good &= row(f"kappa {kappa}, N = {count}: worst of {len(all_found)}", worst)
    return good


def mismatch(arrays: MeshArrays) -> float:
    """Largest distance of a node on a face from the nearest one opposite, over the face's side."""
    from scipy.spatial import cKDTree

    worst = 0.0
    for axis, (low, high) in enumerate((("left", "right"), ("front", "back"), ("bottom", "top"))):
        sides = []
        for name in (low, high):
            nodes = np.unique(arrays.facets[arrays.facet_tags == arrays.faces[name]])
            sides.append(np.delete(arrays.points[nodes], axis, axis=1))
        if len(sides[0]) != len(sides[1]):
            return np.inf
        worst = max(worst, float(cKDTree(sides[0]).query(sides[1])[0].max()) / max(SIZE))
    return worst


def whole_command() -> bool:
    """`fem-spe mesh` of N = 20 from a case file."""
    text = {
        "kind": "fiber_network", "size": list(SIZE), "fiber_count": 20,
        "fiber_diameter": list(DIAMETER), "seed": 1,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in text.items()]
        file.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "fem_spe", "mesh", str(file), "-o", f"{folder}/n.msh"]
        start = time.perf_counter()
        subprocess.run(command, check=True)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"fem-spe mesh, N = 20: {seconds:.1f} s wall, {memory:.2f} GB")
    return seconds <= 60 and memory <= 3


def main() -> int:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    network(5, 0, 0).distance((9, 9, 9))  # compile first
    print(f"{'':28} {'cells':>9} {'quality':>8} {'fraction':>9} {'leak':>8} {'CPU s':>7}")
    good = True
    for name, count, h, more, cells, seconds in (
        ("N = 20, h = 0.25 um", 20, 0.25, {}, 0.9e6, 4.0),
        ("N = 200, h = 0.417 um", 200, 0.417, {"fiber_diameter": 0.834 * UM}, 0.8e6, 5.0),
    ):
        found, _ = meshed(network(count, 0, 1, **more), h * UM)
        good &= row(name, found) and found.cells <= cells and found.seconds <= seconds
    repeating = network(20, 0, 1, boundary="periodic")
    found, arrays = meshed(repeating, 0.25 * UM, repeating.periodic)
    good &= row("N = 20, periodic", found)
    print(f"opposite faces differ by {mismatch(arrays):.0e} of the box")
    good &= mismatch(arrays) <= 1e-12
    good &= whole_command()
    good &= campaign(seeds)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

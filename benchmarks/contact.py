"""Rigid balls on random and regular composites of contrast 1 to 1000: how many active sets?

    python benchmarks/contact.py
    python benchmarks/contact.py network [0.4M]

The second presses three balls into one fibre network on finer and finer meshes, P2, contrast 100,
each in a process of its own: CPU seconds and memory of the study, assembly and measures included.
Asked there: at most ten sets, 100 iterations of CG in all, growing by at most half; from 0.35M
unknowns on 130 us and 4.5 kB for each. The largest mesh, with `0.4M`, takes minutes.

Asked: at most ten sets in one step of 2 um, and no failure. Small balls that go in deeper than
their radius (in the last rows) take two steps. About four minutes on an idle machine.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import fem_spe
from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
from mpi4py import MPI

from fem_spe.case.resolved import with_solver_defaults
from fem_spe.errors import FemSpeError
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.progress import Clock
from fem_spe.studies import indentation

SECTION = {"kind": "fiber_section", "size": ["40 um", "20 um"]}
RANDOM = {**SECTION, "arrangement": "random", "fiber_fraction": 0.2}
RODS = {**RANDOM, "shape": "rod", "fiber_diameter": "1 um", "length": "10 um"}
STRUCTURES: dict[str, tuple[dict[str, Any], int]] = {  # geometry, seeds
    "random discs": ({**RANDOM, "fiber_diameter": "2 um", "aspect": 1.0}, 10),
    "random rods": ({**RODS, "fiber_fraction": 0.15, "min_gap": "0.2 um"}, 3),
    "fused rods": ({**RODS, "fused": True}, 3),
    "parallel fibres": (
        {**SECTION, "arrangement": "parallel", "fiber_fraction": 0.2, "fiber_diameter": "1 um",
         "cover": "0.8 um"},
        1,
    ),
}  # fmt: skip
CONTRASTS = (1.0, 30.0, 1000.0)
USUAL = ("4 um", 3, "2 um")  # radius, count, displacement
BALLS = [
    (f"{radius} um", count, f"{displacement} um")
    for radius, count in ((2, 4), (4, 1), (8, 2))
    for displacement in (0.5, 3.0)
]
MOST_SETS = 10


def pressed(
    geometry: dict[str, Any], contrast: float, balls: tuple[str, int, str]
) -> tuple[int, str]:
    """Active sets, and what went wrong or nothing."""
    radius, count, displacement = balls
    # where a ball would sink in by its radius, one step cannot tell whence it came
    steps = int(float(displacement.split()[0]) // float(radius.split()[0])) + 1
    case = {
        "study": "indentation",
        "geometry": geometry,
        "mesh": {"size": "2 um", "interface_size": "0.4 um"},
        "materials": {
            "matrix": {"youngs_modulus": "6 MPa", "poisson_ratio": 0.4},
            "fiber": {"youngs_modulus": 6e6 * contrast, "poisson_ratio": 0.37},
        },
        "balls": {"radius": radius, "count": count},
        "indentation": {"displacement": displacement, "steps": steps},
    }
    try:
        result = fem_spe.run(fem_spe.parse(case))
    except FemSpeError as error:
        return 0, f"{type(error).__name__}: {error}"
    return int(result.solution.solver["iterations"]), ", ".join(result.failed_checks)


def cases() -> Iterator[tuple[str, float, list[tuple[dict[str, Any], tuple[str, int, str]]]]]:
    """Rows of the table: structure, contrast, geometries and balls."""
    for name, (geometry, seeds) in STRUCTURES.items():
        for contrast in CONTRASTS:
            varied = [{**geometry, "seed": k} for k in range(seeds)] if seeds > 1 else [geometry]
            yield name, contrast, [(one, USUAL) for one in varied]
    for name, (geometry, _) in STRUCTURES.items():
        yield f"{name}, other balls", 190.0, [(geometry, balls) for balls in BALLS]


NETWORK = {
    "study": "indentation",
    "geometry": {
        "kind": "fiber_network", "size": ["18 um", "18 um", "12 um"], "fiber_diameter": "4 um",
        "fiber_fraction": 0.2, "seed": 1,
    },
    "materials": {
        "matrix": {"youngs_modulus": "6 MPa", "poisson_ratio": 0.4},
        "fiber": {"youngs_modulus": "600 MPa", "poisson_ratio": 0.37},
    },
    "balls": {
        "radius": "3 um",
        "positions": [[f"{x} um", f"{y} um", "15 um"] for x, y in ((4, 5), (13, 4), (9, 13))],
    },
    "indentation": {"displacement": "1 um"},
}  # fmt: skip
FINEST = ("1.8 um", "1.2 um", "0.9 um")  # cells at interfaces and under the balls
LARGEST = "0.7 um"
MOST_CG, GROWTH = 100, 1.5
LARGE, MICROSECONDS, KILOBYTES = 350_000, 130.0, 4.5


def network(size: str) -> dict[str, Any]:
    """Three balls on the network with cells of `size`, in this process."""
    sizes = {"mesh": {"size": "3.6 um", "interface_size": size}}
    case = fem_spe.parse(NETWORK, {**sizes, "indentation.contact_size": size})
    plan = MeshPlan(case.geometry.build(), Sizes(case.mesh.size, case.mesh.interface_size),
                    spots=indentation.plan(case, case.geometry.regions).spots)  # fmt: skip
    domain = build(MPI.COMM_WORLD, plan)
    case = with_solver_defaults(case, 3)
    start = time.process_time()
    found = indentation.run(case, domain, Clock())
    seconds = time.process_time() - start
    most = 1e3 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    numbers = {"seconds": seconds, "bytes": most, "unknowns": found.num_dofs}
    return numbers | {"sets": found.solver["iterations"], "krylov": found.solver["krylov"]}


def networks(sizes: tuple[str, ...]) -> int:
    """The table of networks; 0 where all keeps to what is asked."""
    print(
        f"{'cells':8} {'unknowns':>9} {'sets':>4} {'CG':>4} {'s':>6} {'us each':>8} {'kB each':>8}"
    )
    good, krylov = True, []
    for size in sizes:
        child = subprocess.run(
            [sys.executable, __file__, "network-of", size], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if child.returncode != 0:
            print(f"{size:8} failed: {(child.stderr.strip().splitlines() or ['?'])[-1]}")
            return 1
        row = json.loads(child.stdout.splitlines()[-1])
        number = row["unknowns"]
        each, bytes_each = 1e6 * row["seconds"] / number, row["bytes"] / number
        print(
            f"{size:8} {number:9d} {row['sets']:4d} {row['krylov']:4d} {row['seconds']:6.1f} "
            f"{each:8.1f} {bytes_each / 1e3:8.2f}",
            flush=True,
        )
        krylov.append(row["krylov"])
        good = good and row["sets"] <= MOST_SETS and row["krylov"] <= MOST_CG
        if number >= LARGE:
            good = good and each <= MICROSECONDS and bytes_each <= 1e3 * KILOBYTES
    return 0 if good and max(krylov) <= GROWTH * min(krylov) else 1


def main() -> int:
    """The table that the command line asks for."""
    what, *more = sys.argv[1:] or [""]
    if what == "network-of":
        print(json.dumps(network(*more)))
        return 0
    if what == "network":
        return networks(FINEST + (LARGEST,) * ("0.4M" in more))
    return sections()


def sections() -> int:
    """The table of sections; 0 where all keeps to what is asked."""
    print(f"{'structure':30} {'contrast':>8} {'cases':>5} {'sets':>7} {'failed':>6} {'seconds':>7}")
    good = True
    for name, contrast, row in cases():
        start = time.perf_counter()
        found = [pressed(geometry, contrast, balls) for geometry, balls in row]
        sets = [number for number, wrong in found if not wrong] or [0]
        failed = [
            (balls, wrong) for (_, balls), (_, wrong) in zip(row, found, strict=True) if wrong
        ]
        print(
            f"{name:30} {contrast:8g} {len(row):5d} {min(sets):3d}-{max(sets):<3d} "
            f"{len(failed):6d} {time.perf_counter() - start:7.1f}",
            flush=True,
        )
        for balls, wrong in failed:
            print(f"    {balls}: {wrong}")
        good = good and not failed and max(sets) <= MOST_SETS
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

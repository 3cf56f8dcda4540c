"""Rigid balls on random and regular composites of contrast 1 to 1000: how many active sets?

    python benchmarks/contact.py
    python benchmarks/contact.py network [0.4M] [1M]

The second presses three balls into one fibre network on finer and finer meshes, P2, contrast 100,
with updated and with fixed normals, each in a process of its own: CPU seconds of the study,
assembly and measures included, and memory: the peak of the whole process, Python, its libraries
and the mesh included, and what of it came on top of the mesh ("study"). Asked there: at most ten
sets, 100 iterations of CG in all, from 50k to 0.5M unknowns growing by at most half; from 0.4M
unknowns on 130 us (100 with fixed normals) and 4.5 kB (the whole process) for each; a million in
150 s. `0.4M` adds 0.42M and 0.52M unknowns (six minutes), `1M` one million (another six, 5 GB).

Asked: at most ten sets in one step of 2 um, and no failure. Small balls that go in deeper than
their radius (in the last rows) take two steps. About four minutes on an idle machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
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
SMALL = ("1.8 um", "1.2 um", "0.9 um")  # cells at interfaces and under the balls
LARGE = {"0.4M": ("0.68 um", "0.6 um"), "1M": ("0.44 um",)}
MOST_CG, GROWTH = 100, 1.5
FLAT = (40e3, 600e3)  # unknowns between which CG may grow by that
MICROSECONDS, KILOBYTES, FROM = {"updated": 130.0, "fixed": 100.0}, 4.5, 400e3
MOST_SECONDS, MILLION = 150.0, 1e6


def network(size: str, normal: str) -> dict[str, Any]:
    """Three balls on the network with cells of `size`, in this process."""
    sizes = {"mesh": {"size": "3.6 um", "interface_size": size}}
    pressing = {"indentation.contact_size": size, "indentation.normal": normal}
    case = fem_spe.parse(NETWORK, {**sizes, **pressing})
    plan = MeshPlan(case.geometry.build(), Sizes(case.mesh.size, case.mesh.interface_size),
                    spots=indentation.plan(case, case.geometry.regions).spots)  # fmt: skip
    domain = build(MPI.COMM_WORLD, plan)
    case = with_solver_defaults(case, 3)
    before, start = memory("VmRSS"), time.process_time()
    found = indentation.run(case, domain, Clock())
    seconds, most = time.process_time() - start, memory("VmHWM")
    numbers = {"seconds": seconds, "bytes": most, "above": most - before}
    numbers |= {"sets": found.solver["iterations"], "krylov": found.solver["krylov"]}
    return numbers | {"unknowns": found.num_dofs}


def memory(what: str) -> float:
    """Bytes of this process: now (VmRSS) or at most so far (VmHWM)."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024.0 * float(next(line for line in lines if line.startswith(what)).split()[1])


def too_much(normal: str, row: dict[str, Any]) -> list[str]:
    """What of a row is more than is asked."""
    number = row["unknowns"]
    each, kilobytes = 1e6 * row["seconds"] / number, row["bytes"] / number / 1e3
    limits = [("sets", row["sets"], MOST_SETS), ("CG", row["krylov"], MOST_CG)]
    if number >= FROM:
        limits += [("us", each, MICROSECONDS[normal]), ("kB", kilobytes, KILOBYTES)]
    if number >= MILLION:
        limits.append(("s", row["seconds"], MOST_SECONDS))
    return [f"{what} > {limit:g}" for what, value, limit in limits if value > limit]


def networks(sizes: tuple[str, ...]) -> int:
    """The table of networks; 0 where all keeps to what is asked."""
    print(
        f"{'cells':8} {'normals':8} {'unknowns':>9} {'sets':>4} {'CG':>4} {'s':>6} {'us each':>8} "
        f"{'kB each':>8} {'study':>6}"
    )
    good = True
    for normal in MICROSECONDS:
        krylov = []
        for size in sizes:
            child = subprocess.run(
                [sys.executable, __file__, "network-of", size, normal], capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            if child.returncode != 0:
                print(f"{size:8} failed: {(child.stderr.strip().splitlines() or ['?'])[-1]}")
                return 1
            row = json.loads(child.stdout.splitlines()[-1])
            number, wrong = row["unknowns"], too_much(normal, row)
            print(
                f"{size:8} {normal:8} {number:9d} {row['sets']:4d} {row['krylov']:4d} "
                f"{row['seconds']:6.1f} {1e6 * row['seconds'] / number:8.1f} "
                f"{row['bytes'] / number / 1e3:8.2f} {row['above'] / number / 1e3:6.2f}  "
                f"{', '.join(wrong)}".rstrip(),
                flush=True,
            )
            good = good and not wrong
            if FLAT[0] <= number <= FLAT[1]:
                krylov.append(row["krylov"])
        growth = max(krylov) / min(krylov)
        print(f"{normal} normals: CG within {growth:.2f} x")
        good = good and growth <= GROWTH
    return 0 if good else 1


def main() -> int:
    """The table that the command line asks for."""
    what, *more = sys.argv[1:] or [""]
    if what == "network-of":
        print(json.dumps(network(*more)))
        return 0
    if what == "network":
        return networks(SMALL + sum((LARGE[name] for name in LARGE if name in more), ()))
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

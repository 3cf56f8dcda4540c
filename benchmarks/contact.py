"""Rigid balls on random and regular composites of contrast 1 to 1000: how many active sets?

    python benchmarks/contact.py

Asked: at most ten sets in one step of 2 um, and no failure. Small balls that go in deeper than
their radius (in the last rows) take two steps. About four minutes on an idle machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import fem_spe
from fem_spe.errors import FemSpeError

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


def main() -> int:
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

"""2000 random ellipses at fraction 0.4, placed, meshed and solved in one run.

    python benchmarks/many_fibers.py

Asked: at least 0.5M triangles, under 3 minutes, under 4 GB. Run it on an idle machine.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASE = """
title = "2000 random ellipses"
study = "diffusion"
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["400 um", "400 um"]
fiber_diameter = "4.5135 um"
fiber_fraction = 0.4
aspect = 2.0
seed = 1
[mesh]
interface_size = "0.42 um"  # a little below the default, for half a million triangles
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
[output]
figures = false
"""
LIMITS = {"triangles": 500_000, "seconds": 180.0, "GB": 4.0}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case.toml"
        case.write_text(CASE, encoding="utf-8")
        start = time.perf_counter()
        command = [sys.executable, "-m", "fem_spe", "run", str(case), "-o", f"{folder}/r", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
    summary = json.loads(done.stdout)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    cells = summary["mesh"]["cells"]
    print(f"triangles {cells}, unknowns {summary['mesh']['dofs']}")
    for stage, spent in summary["solver"]["seconds"].items():
        print(f"  {stage:8} {spent:7.1f} s")
    print(f"whole run {seconds:.1f} s (limit {LIMITS['seconds']:.0f})")
    print(f"memory    {memory:.2f} GB (limit {LIMITS['GB']:.0f})")
    for name in ("relative_diffusivity", "fiber_fraction"):
        print(f"{name} {summary['quantities'][name]['value']:.6f}")
    good = cells >= LIMITS["triangles"] and seconds < LIMITS["seconds"] and memory < LIMITS["GB"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Ions and potential in a large printed electrolyte: 3 x 3 pillars on both sides, two ranks.

    python benchmarks/printed_cell.py [SIZE [RANKS]]      (SIZE of the cells in um, default 5.9)

Asked: a million unknowns within 3 minutes on 2 cores, mesh and checks included.
Run it on an idle machine.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASE = """
study = "nernst_planck"
temperature = "30 degC"
[geometry]
kind = "printed"
pattern = "pillar"
base = "150 um"
width = "100 um"
height = "150 um"
gap = "200 um"
sides = 2
cell = "array"
count = 3
[mesh]
size = "{size} um"
interface_size = "{size} um"
[materials]
electrolyte = {{}}
[[species]]
name = "Li+"
charge = 1
diffusivity = "3.3e-12 m^2/s"
concentration = "1750 mol/m^3"
[[species]]
name = "TFSI-"
charge = -1
diffusivity = "1.553e-12 m^2/s"
concentration = "1750 mol/m^3"
[boundary.bottom]
current_density = "-0.5 mA/cm^2"
kinetics = {{ exchange_current = "0.5 mA/cm^2" }}
[boundary.top]
electrochemical_potential = "0 mV"
kinetics = {{ exchange_current = "0.5 mA/cm^2" }}
[output]
figures = false
"""
SECONDS, UNKNOWNS = 180.0, 1_000_000


def main(size: str, ranks: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder, "array.toml")
        case.write_text(CASE.format(size=size), encoding="utf-8")
        command = [sys.executable, "-m", "fem_spe", "run", str(case), "-o", f"{folder}/result"]
        start = time.perf_counter()
        done = subprocess.run(
            ["mpirun", "-n", ranks, *command, "--json"],
            stdout=subprocess.DEVNULL,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        whole = time.perf_counter() - start
        written = Path(folder, "result", "summary.json")
        if not written.exists():
            return done.returncode or 1  # the run has told why
        summary = json.loads(written.read_text(encoding="utf-8"))
    mesh, solver = summary["mesh"], summary["solver"]
    print(f"{mesh['cells']:,} cells, {mesh['dofs']:,} unknowns, {ranks} ranks")
    print(f"stages { ({k: round(v, 1) for k, v in solver['seconds'].items()}) }")
    print(f"whole {whole:.0f} s (limit {SECONDS:.0f} s for {UNKNOWNS:,})")
    for name in ("overpotential", "current_uniformity", "concentration_drop"):
        print(f"{name} {summary['quantities'][name]['value']:.6g}")
    for name, check in summary["checks"].items():
        print(f"{name} {check['value']:.1e} (limit {check['limit']:.0e})")
    enough = mesh["dofs"] >= UNKNOWNS and whole <= SECONDS
    return done.returncode or (0 if enough else 1)


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(given[0] if given else "5.9", given[1] if len(given) > 1 else "2"))

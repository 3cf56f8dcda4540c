"""The voxel path beside TauFactor on one image, and alone on a larger one.

    python benchmarks/voxels.py [--python OTHER] [--small]

TauFactor needs PyTorch, which this project does not: give with --python an interpreter that has it
(python -m venv other; other/bin/pip install taufactor), or install it here. Without it the voxel
path is measured alone. Asked: at 200^3 at most 0.15 of TauFactor's time at a tenth of its error,
300^3 in 20 s and 2 GB. Run it on an idle machine. --small takes 100^3 and 150^3.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TAUFACTOR = """
import json, sys, time
import numpy as np, taufactor, torch
image = np.load(sys.argv[1])
solver = taufactor.Solver((image == 0).astype(np.uint8), device="cpu")
start, used = time.perf_counter(), time.process_time()
solver.solve(verbose=False)
spent = {"wall": time.perf_counter() - start, "cpu": time.process_time() - used}
print(json.dumps({"value": float(np.ravel(solver.D_eff)[0]), **spent}))
"""
OWN = """
import json, sys, time
import numpy as np
from fem_spe.solve.voxel import conduct, warm_up
image = np.load(sys.argv[1])
values = np.array([[1.0] * 3, [0.0] * 3])
warm_up()
start, used = time.perf_counter(), time.process_time()
found = conduct(image, values, (1.0, 1.0, 1.0), 0, rtol=float(sys.argv[2]))
spent = {"wall": time.perf_counter() - start, "cpu": time.process_time() - used}
print(json.dumps({"value": float(found.effective), "iterations": found.iterations, **spent}))
"""
LIMITS = {"time": 0.15, "error": 0.1, "seconds": 20.0, "GB": 2.0}


def fibers(count: int, radius: float, fraction: float) -> np.ndarray:
    """Round fibres at random, all but in the plane of the last two axes; 1 in the fibres."""
    rng = np.random.default_rng(1)
    labels = np.zeros((count,) * 3, dtype=np.uint8)
    line = np.arange(count, dtype=np.float32) + 0.5
    z, y, x = np.meshgrid(line, line, line, indexing="ij", sparse=True)
    while labels.mean() < fraction:
        a, b, c = count * rng.random(3)
        angle, tilt = np.pi * rng.random(), 0.4 * (rng.random() - 0.5)
        along = np.cos(angle) * np.cos(tilt), np.sin(angle) * np.cos(tilt), np.sin(tilt)
        dx, dy, dz = x - a, y - b, z - c
        s = dx * along[0] + dy * along[1] + dz * along[2]
        labels[dx * dx + dy * dy + dz * dz - s * s < radius * radius] = 1
    return labels


def called(python: str, program: str, *words: str) -> dict[str, float]:
    """What a program of its own prints."""
    command = [python, "-c", program, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--small", action="store_true")
    asked = options.parse_args()
    count, large = (100, 150) if asked.small else (200, 300)
    good = True
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "image.npy")
        np.save(file, fibers(count, count / 25, 0.2))
        exact = called(sys.executable, OWN, file, "1e-13")["value"]
        print(f"{count}^3, fibres of 0.2: D_eff / D = {exact:.9f} when converged")
        runs = {f"voxel path, rtol {r}": called(sys.executable, OWN, file, r)
                for r in ("1e-4", "1e-5", "1e-7")}  # fmt: skip
        try:
            runs["TauFactor"] = called(asked.python, TAUFACTOR, file)
        except subprocess.CalledProcessError:
            print("TauFactor is not installed here: see --help")
        for name, run in runs.items():
            run["error"] = abs(run["value"] / exact - 1.0)
            print(f"  {name:24} {run['wall']:7.2f} s, {run['cpu']:7.2f} s of processor, "
                  f"{run['error']:.1e} off")  # fmt: skip
        if "TauFactor" in runs:
            other = runs["TauFactor"]
            own = min((r for n, r in runs.items() if n != "TauFactor"
                       and r["error"] <= LIMITS["error"] * other["error"]),
                      key=lambda r: r["wall"], default=runs["voxel path, rtol 1e-7"])  # fmt: skip
            share = own["wall"] / other["wall"], own["error"] / other["error"]
            print(f"{share[0]:.3f} of its time at {share[1]:.4f} of its error "
                  f"(limits {LIMITS['time']}, {LIMITS['error']})")  # fmt: skip
            good = share[0] <= LIMITS["time"] and share[1] <= LIMITS["error"]
        np.save(file, fibers(large, large / 25, 0.2))
        start = time.perf_counter()
        whole = called(sys.executable, CASE, file)
        seconds = time.perf_counter() - start
    memory = whole["GB"]
    print(f"{large}^3: {whole['iterations']:.0f} iterations in {whole['solve']:.1f} s")
    print(f"  whole run {seconds:.1f} s (limit {LIMITS['seconds']:.0f}), {whole['cpu']:.1f} s of "
          f"processor; {memory:.2f} GB (limit {LIMITS['GB']:.0f})")  # fmt: skip
    return 0 if good and seconds <= LIMITS["seconds"] and memory <= LIMITS["GB"] else 1


CASE = """
import json, resource, sys, time
import fem_spe
case = {"study": "diffusion", "materials": {"matrix": {"diffusivity": 1.0}, "fiber": "impermeable"},
        "geometry": {"kind": "image", "file": sys.argv[1], "voxel_size": 1e-6},
        "diffusion": {"method": "voxel", "direction": "x"}}
result = fem_spe.run(fem_spe.parse(case))
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(json.dumps({"GB": memory, "solve": result.seconds["solve"], "cpu": time.process_time(),
                  "iterations": result.solution.solver["iterations"]}))
"""


if __name__ == "__main__":
    sys.exit(main())

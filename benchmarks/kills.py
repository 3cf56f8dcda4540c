"""A dendrite killed at random moments, restarted each time: the same R_a in the end?

    python benchmarks/kills.py [KILLS]

20 kills -9 (or KILLS) at moments spread evenly at random over the steps of a run with noise, on one
rank; asked is that R_a and every other number differ by less than 1e-8 from those of the run that
nothing interrupts. About a minute.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fem_spe.checkpoint.file import read_head, state_file

CASE = """
title = "Dendrite that is killed"
study = "dendrite"
[geometry]
kind = "fiber_section"
arrangement = "aligned"
size = ["16 um", "16 um"]
count = [2, 2]
fiber_fraction = 0.15
[mesh]
size = "0.5 um"
[materials]
matrix = {}
fiber = "impermeable"
[dendrite]
interface_width = "1.5 um"
charge = "1.4 mA*h/cm^2"
noise = 0.01
[output]
figures = false
checkpoint = "2 steps"
"""
LIMIT = 1e-8
COMMAND = [sys.executable, "-m", "fem_spe", "run", "case.toml", "--quiet", "-o"]


def killed(folder: Path, after: int, moment: random.Random, *, restart: bool) -> int:
    """Kill a run some time after it has kept step `after`; the step that it had kept by then."""
    state, words = state_file(folder / "killed", 0), ["--restart"] * restart
    run = subprocess.Popen([*COMMAND, "killed", *words], cwd=folder)
    while not state.exists() or read_head(state)["state"]["index"] < after:
        if run.poll() is not None:
            raise RuntimeError("the run ended before it was killed")
        time.sleep(2e-3)
    time.sleep(moment.uniform(0.0, 0.05))
    run.send_signal(signal.SIGKILL)
    run.wait()
    return int(read_head(state)["state"]["index"])


def quantities(folder: Path) -> dict[str, Any]:
    """The numbers of a finished run."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    found = {name: q["value"] for name, q in summary["quantities"].items()}
    return found | {"steps": summary["solver"]["steps"]}


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    moment = random.Random(8)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "case.toml").write_text(CASE, encoding="utf-8")
        start = time.perf_counter()
        subprocess.run([*COMMAND, "whole"], cwd=folder, check=True)
        whole = quantities(folder / "whole")
        print(f"whole run: {whole['steps']} steps, {time.perf_counter() - start:.1f} s")
        last, kept = whole["steps"] - 4, 0
        for kill in range(kills):
            # of what is left, so that all kills find a run
            after = kept + moment.randint(1, max(1, 2 * (last - kept) // (kills - kill + 1)))
            kept = killed(folder, min(after, last), moment, restart=kill > 0)
            print(f"  kill {kill + 1:2d} with step {kept} kept", flush=True)
        subprocess.run([*COMMAND, "killed", "--restart"], cwd=folder, check=True)
        found = quantities(folder / "killed")
        left = (folder / "killed" / "restart").exists()
    worst = max(abs(found[n] - v) / max(abs(v), 1e-300) for n, v in whole.items() if v)
    off = abs(found["roughness"] / whole["roughness"] - 1.0)
    print(f"R_a {found['roughness']:.12g} um, off by {off:.1e}; any number by {worst:.1e}")
    return 0 if worst < LIMIT and not left else 1


if __name__ == "__main__":
    sys.exit(main())

"""What this machine has: for a bug report."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig

from fem_spe.results import provenance

_PROBE = """
from fem_spe.render.offscreen import pyvista
pv = pyvista()
plotter = pv.Plotter(off_screen=True, window_size=(64, 64))
plotter.add_mesh(pv.Sphere(), color="red")
picture = plotter.screenshot(return_img=True)
assert picture.std() > 1, "the picture is empty"
print(plotter.render_window.GetClassName())
"""


def describe() -> dict[str, str]:
    """Name -> value, in a sensible order."""
    known = provenance(1)
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    found = shutil.which(compiler) or shutil.which("cc")
    lines = {
        "fem-spe": known["version"],
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "cores": str(os.cpu_count()),
        **known["packages"],
        "mpi": _mpi(),
        "C compiler": found or "missing: forms cannot be compiled (apt install gcc)",
        "Python.h": _header(),
        "rendering": rendering(),
    }
    return {name: str(value) for name, value in lines.items()}


def rendering() -> str:
    """Whether pictures can be drawn; probed in a process of its own, for a missing GL
    library ends it."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return "does not answer: no pictures"
    if done.returncode == 0:
        return f"works ({done.stdout.split()[-1]})"
    return "fails: no pictures (apt install libegl1 libgl1 libglu1-mesa libxrender1)"


def _mpi() -> str:
    from mpi4py import MPI

    from fem_spe import comm  # noqa: F401 - fixes the import order

    return str(MPI.Get_library_version()).splitlines()[0].strip("\x00 ")


def _header() -> str:
    path = os.path.join(sysconfig.get_paths()["include"], "Python.h")
    return path if os.path.exists(path) else f"missing: {path} (apt install python3-dev)"

"""Print the path of this interpreter if fem-spe can live on it; else say what is missing, exit 1.

`scripts/install.sh` runs this with one candidate after another. A candidate of the wrong version
stays silent, so that the sentence shown in the end comes from the most promising one.
"""

import importlib.util
import os
import platform
import shlex
import subprocess
import sys
import sysconfig
import tempfile

FIRST, LAST = (3, 12), (3, 14)  # the versions for which requirements.lock has wheels


def compiles(compiler, code):
    """Whether the compiler builds a shared library from the code, as DOLFINx does at run time."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "probe.c")
        with open(source, "w") as file:
            file.write(code)
        include = sysconfig.get_path("include")
        command = [*compiler, "-shared", "-fPIC", f"-I{include}", source, "-o", f"{source}.so"]
        try:
            return subprocess.run(command, capture_output=True).returncode == 0
        except OSError:
            return False


def missing():
    """What is missing and what installs it, in one sentence; None when all is there."""
    libc, version = platform.libc_ver()
    right_system = (sys.platform, platform.machine(), libc) == ("linux", "x86_64", "glibc")
    if not right_system or tuple(map(int, version.split(".")[:2])) < (2, 34):
        return (
            "the DOLFINx wheel needs Linux on x86-64 with glibc >= 2.34, "
            "which this machine is not; the container image (make image) brings one."
        )
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return (
            f"{sys.executable} is a free-threaded Python, for which DOLFINx has no wheel; "
            "'pyenv install 3.13' or 'uv python install 3.13' installs a usual one."
        )
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return (
            f"{sys.executable} cannot make virtual environments; "
            "'sudo apt install python3-venv' (Debian, Ubuntu) installs what is missing."
        )
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if not compiles(compiler, "#include <stdlib.h>\n"):
        return (
            f"no working C compiler '{compiler[0]}', with which DOLFINx compiles its forms; "
            "'sudo apt install gcc libc6-dev' (Debian, Ubuntu) installs it."
        )
    if not compiles(compiler, "#include <Python.h>\n"):
        return (
            f"the header Python.h of {sys.executable} is missing, with which DOLFINx compiles "
            "its forms; 'sudo apt install python3-dev' (Debian, Ubuntu) installs it."
        )
    return None


if __name__ == "__main__":
    if not FIRST <= sys.version_info[:2] <= LAST:
        sys.exit(1)
    sentence = missing()
    # Of a virtual environment the interpreter below: .venv must not rest on itself.
    print(sentence or getattr(sys, "_base_executable", sys.executable))
    sys.exit(1 if sentence else 0)

"""What the tests share: a small case, and the command line on one or more ranks."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run; the first one may have to import or compile something.
settings.register_profile("fem_spe", deadline=None, derandomize=True)
settings.load_profile("fem_spe")

SHARED = Path(tempfile.gettempdir()) / f"fem-spe-tests-{os.getuid()}"

SMALL = """\
title = "Eight fibres"
study = "diffusion"
[geometry]
kind = "fiber_section"
arrangement = "aligned"
size = ["20 um", "10 um"]
count = [4, 2]
fiber_fraction = 0.2
[mesh]
size = "1.5 um"
interface_size = "0.6 um"
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
[output]
figures = false
"""

Done = subprocess.CompletedProcess[str]
_running: list[pytest.Item] = []


def pytest_configure() -> None:
    """Forms, a thousand on a clean machine, compile a third faster where they may be slower."""
    options = SHARED / "dolfinx" / "dolfinx_jit_options.json"
    options.parent.mkdir(parents=True, exist_ok=True)
    written = options.with_suffix(f".{os.getpid()}")  # another process may be reading it
    written.write_text('{ "cffi_extra_compile_args": ["-O1", "-g0"] }', encoding="utf-8")
    written.replace(options)
    os.environ["XDG_CONFIG_HOME"] = str(SHARED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Tests with several ranks run one at a time: more ranks than cores wait in circles."""
    _running[:] = [item]
    if not item.get_closest_marker("mpi"):
        return (yield)
    with (SHARED / "ranks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs that the tests start share their compiled modules: each starts twice as fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        yield


@pytest.fixture(scope="session")
def small_text() -> str:
    """A case that meshes and solves in a fraction of a second."""
    return SMALL


@pytest.fixture
def small_case(tmp_path: Path) -> Path:
    """The file of that case."""
    file = tmp_path / "small.toml"
    file.write_text(SMALL, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def fem_spe_command() -> str:
    """The console script of this environment."""
    return str(Path(sysconfig.get_path("scripts")) / "fem-spe")


@pytest.fixture(scope="session")
def fem_spe(fem_spe_command: str) -> Callable[..., Done]:
    """`fem_spe("run", file, cwd=…)`: the command line, on `ranks` ranks."""

    def run(*words: object, cwd: Path, ranks: int = 1, timeout: float = 120.0) -> Done:
        command = [fem_spe_command, *map(str, words)]
        return subprocess.run(
            on_ranks(command, ranks),
            cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def python() -> Callable[..., Done]:
    """`python(code, cwd=…)`: a Python program, on `ranks` ranks."""

    def run(code: str, *words: object, cwd: Path, ranks: int = 1, timeout: float = 120.0) -> Done:
        command = [sys.executable, "-c", code, *map(str, words)]
        return subprocess.run(
            on_ranks(command, ranks),
            cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    return run


def on_ranks(command: list[str], ranks: int) -> list[str]:
    """`command` under this environment's mpiexec, where more than one rank is asked for."""
    if ranks == 1:
        return command
    assert _running[0].get_closest_marker("mpi"), "mark the test as mpi: it starts several ranks"
    mpiexec = Path(sys.executable).parent / "mpiexec"
    assert os.access(mpiexec, os.X_OK), f"there is no {mpiexec}"
    return [str(mpiexec), "-n", str(ranks), *command]

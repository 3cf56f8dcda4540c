"""What the tests share: a small case, and the command line on one or more ranks."""

from __future__ import annotations

import fcntl
import io
import logging
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
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
    """Compile fast: a thousand forms on a clean machine, which may be slower; modules once."""
    options = SHARED / "dolfinx" / "dolfinx_jit_options.json"
    options.parent.mkdir(parents=True, exist_ok=True)
    written = options.with_suffix(f".{os.getpid()}")  # another process may be reading it
    written.write_text('{ "cffi_extra_compile_args": ["-O1", "-g0"] }', encoding="utf-8")
    written.replace(options)
    os.environ["XDG_CONFIG_HOME"] = str(SHARED)
    # All processes share their modules, also those that the tests start: without, each start
    # takes three times as long.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(SHARED / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Tests with several ranks run one at a time: more ranks than cores wait in circles."""
    _running[:] = [item]
    if not item.get_closest_marker("mpi"):
        return (yield)
    with (SHARED / "ranks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return (yield)


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


@pytest.fixture
def told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """`caplog` with what a run tells, though a test before this one may have silenced it."""
    monkeypatch.setattr(logging.getLogger("fem_spe"), "propagate", True)
    caplog.set_level("INFO", "fem_spe")
    return caplog


@pytest.fixture(scope="session")
def fem_spe_command() -> str:
    """The console script of this environment."""
    return str(Path(sysconfig.get_path("scripts")) / "fem-spe")


@pytest.fixture(scope="session")
def fem_spe(fem_spe_command: str) -> Callable[..., Done]:
    """`fem_spe("run", file, cwd=…)`: the command line, on `ranks` ranks.

    One rank is this process, which has imported everything, unless it is to be one `apart`.
    """

    def run(
        *words: object, cwd: Path, ranks: int = 1, apart: bool = False, timeout: float = 300.0
    ) -> Done:
        command = [fem_spe_command, *map(str, words)]
        if ranks == 1 and not apart:
            return within(command, cwd)
        return subprocess.run(
            on_ranks(command, ranks),
            cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    return run


def within(command: list[str], cwd: Path) -> Done:
    """What the console script does, in this process; it leaves nothing behind."""
    from fem_spe import cli

    out, err, log = io.StringIO(), io.StringIO(), logging.getLogger("fem_spe")
    before = log.handlers, log.level, log.propagate
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["fem-spe", *command[1:]])
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            log.handlers, log.level, log.propagate = before
    return Done(command, ended.value.code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def python() -> Callable[..., Done]:
    """`python(code, cwd=…)`: a Python program, on `ranks` ranks."""

    def run(code: str, *words: object, cwd: Path, ranks: int = 1, timeout: float = 300.0) -> Done:
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

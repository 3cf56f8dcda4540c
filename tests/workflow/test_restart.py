"""Runs in time that were interrupted go on as if nothing had been."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe as package
from fem_spe.case import to_toml
from fem_spe.checkpoint import Keeper
from fem_spe.checkpoint.file import read_head, state_file
from fem_spe.errors import CaseError, ConvergenceError, InterruptedRunError
from fem_spe.results import Result, read_summary
from fem_spe.units import FARADAY

LENGTH, C0, D_CATION, D_ANION = 45e-6, 1600.0, 5.82e-12, 1.18e-11
LIMIT = 4 * D_CATION * C0 / LENGTH
SALT = [
    {"name": "Li+", "charge": 1, "diffusivity": D_CATION, "concentration": C0},
    {"name": "TFSI-", "charge": -1, "diffusivity": D_ANION, "concentration": C0},
]
CELL = {
    "study": "nernst_planck",
    "geometry": {"kind": "box", "size": [LENGTH / 10, LENGTH]},
    "mesh": {"size": LENGTH / 10},
    "materials": {"matrix": {}},
    "species": SALT,
    "probe": {"middle": {"point": [LENGTH / 20, LENGTH / 2]}},
}
ENTERING = {"electrochemical_potential": "0 mV"}
CASES: dict[str, dict[str, Any]] = {
    "diffusion": {
        "study": "diffusion",
        "geometry": {"kind": "box", "size": ["10 um", "100 um"]},
        "mesh": {"size": "5 um"},
        "materials": {"matrix": {"diffusivity": 1e-11}},
        "diffusion": {"mode": "transient"},
        "time": {"end": "400 s", "output": ["1 s", "200 s"], "rtol": 1e-4},
        "probe": {
            "across": {"line": [["5 um", "0 um"], ["5 um", "100 um"]], "points": 5},
            "all": {"region": "matrix"},
        },
    },
    # twice the limiting current: an ion is used up
    "salt": CELL
    | {
        "nernst_planck": {"mode": "transient"},
        "boundary": {"bottom": ENTERING, "top": {"flux": {"Li+": 2 * LIMIT}}},
        "time": {"end": "100 s", "output": ["0.2 s"], "rtol": 1e-3},
    },
    "space_charge": CELL
    | {
        "nernst_planck": {
            "mode": "transient", "closure": "poisson", "debye_length": LENGTH / 100,
        },
        "boundary": {"bottom": ENTERING, "top": {"flux": {"Li+": 0.5 * LIMIT}}},
        "time": {"end": "0.2 s", "output": ["0.01 s"], "rtol": 1e-2},
    },
    "dendrite": {
        "study": "dendrite",
        "geometry": {
            "kind": "fiber_section", "arrangement": "aligned", "size": ["8 um", "10 um"],
            "count": [1, 1], "fiber_fraction": 0.1,
        },
        "mesh": {"size": "0.5 um"},
        "materials": {"matrix": {}, "fiber": "impermeable"},
        "dendrite": {
            "interface_width": "1.5 um", "charge": "0.1 mA*h/cm^2", "frames": 3, "noise": 0.01,
        },
    },
}  # fmt: skip
QUIET = {"output": {"figures": False, "checkpoint": "1 steps"}}


# near depletion round-off is a part of 1e-7 of what is left
BELOW = {"salt": {"boundary.top.flux": {"Li+": 0.5 * LIMIT}}}


def case(name: str, **changes: Any) -> package.Case:
    return package.parse(CASES[name] | QUIET, changes)


@pytest.fixture(scope="module")
def whole() -> Callable[[str], Result]:
    """The run of a case that nothing interrupts."""
    found: dict[str, Result] = {}

    def of(name: str) -> Result:
        if name not in found:
            found[name] = package.run(case(name))
        return found[name]

    return of


def interrupted(given: package.Case, folder: Path, after: int, *, restart: bool = False) -> None:
    """Run it into `folder`, and end that as a signal would after so many steps."""
    offer = Keeper.offer

    def end(keeper: Keeper[Any], record: Any) -> None:
        offer(keeper, record)
        if record.state.index == after:
            raise InterruptedRunError("ended by a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "offer", end)
        with pytest.raises(InterruptedRunError):
            package.run(given, output=folder, restart=restart)


def restarted(given: package.Case, folder: Path) -> tuple[Result, list[int]]:
    """The rest of a run, and the indices of its steps."""
    offer, met = Keeper.offer, list[int]()

    def noted(keeper: Keeper[Any], record: Any) -> None:
        met.append(record.state.index)
        offer(keeper, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "offer", noted)
        return package.run(given, output=folder, restart=True), met


def scale(head: str, values: Any) -> float:
    """What a field is small against: the charge of ions in balance is a difference of theirs."""
    return FARADAY * C0 if head.startswith("charge") else float(np.abs(values).max())


def require_same(found: Result, wanted: Result, rtol: float) -> None:
    assert found.solution.solver == wanted.solution.solver
    for name, quantity in wanted.quantities.items():
        assert found.quantities[name].value == pytest.approx(quantity.value, rel=rtol), name
    assert found.solution.tables.keys() == wanted.solution.tables.keys()
    for name, table in wanted.solution.tables.items():
        assert list(found.solution.tables[name]) == list(table)
        for head, column in table.items():
            size = scale(head, column)
            close = {"rtol": rtol, "atol": rtol * size, "equal_nan": True}
            assert np.allclose(found.solution.tables[name][head], column, **close), (name, head)
    frames = zip(found.solution.frames, wanted.solution.frames, strict=True)
    for own, other in frames:
        assert own.time == pytest.approx(other.time, rel=rtol)
        for name, values in other.values.items():
            assert np.allclose(own.values[name], values, rtol=rtol, atol=rtol * scale(name, values))
    assert found.checks.keys() == wanted.checks.keys()
    assert found.failed_checks == []


# salt stops at depletion: even after the last step there is something to go on from
@pytest.mark.parametrize(("name", "share"), [(n, 1.0 if n == "salt" else 0.5) for n in CASES])
def test_a_run_that_goes_on_ends_as_the_one_that_nothing_interrupted(name, share, whole, tmp_path):
    wanted = whole(name)
    after = int(share * int(wanted.solution.solver["steps"]))
    interrupted(case(name), tmp_path, after)
    found, met = restarted(case(name), tmp_path)
    require_same(found, wanted, 1e-12)
    assert met[:1] == ([] if name == "salt" else [after + 1])
    assert not (tmp_path / "restart").exists()
    assert read_summary(tmp_path)["status"] == "done"


ON_RANKS = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_restart as t
for name, after in json.loads(sys.argv[2]).items():
    often = {"output.checkpoint": "1e-6 s"}
    t.interrupted(t.case(name, **t.BELOW.get(name, {}), **often), Path(name), after, restart=True)
"""


@pytest.mark.mpi
def test_a_run_goes_on_on_two_ranks_and_then_on_one_again(whole, tmp_path, python):
    cases = {name: case(name, **BELOW.get(name, {})) for name in CASES}
    wanted = {n: package.run(own) if n in BELOW else whole(n) for n, own in cases.items()}
    steps = {name: int(result.solution.solver["steps"]) for name, result in wanted.items()}
    for name, count in steps.items():
        interrupted(cases[name], tmp_path / name, count // 3)
    later = json.dumps({name: 2 * count // 3 for name, count in steps.items()})
    done = python(ON_RANKS, Path(__file__).parent, later, cwd=tmp_path, ranks=2)
    assert done.returncode == 0, done.stderr
    for name, count in steps.items():
        found, met = restarted(cases[name], tmp_path / name)
        assert met[0] == 2 * count // 3 + 1
        require_same(found, wanted[name], 1e-8)


@pytest.mark.parametrize(("name", "kills"), [("diffusion", 1), ("salt", 1), ("dendrite", 2)])
def test_kill_9_at_random_moments_loses_one_interval_at_most(
    name, kills, whole, tmp_path, fem_spe_command
):
    (tmp_path / "c.toml").write_text(to_toml(case(name)))
    steps, moment = int(whole(name).solution.solver["steps"]), random.Random(name)
    state, words, reached = state_file(tmp_path / "r", 0), ["run", "c.toml", "-o", "r"], 0
    for kill in range(kills):
        after = moment.randint(reached + 1, steps * (kill + 1) // (kills + 1))
        run = subprocess.Popen(
            [fem_spe_command, *words, "--quiet", *["--restart"] * kill], cwd=tmp_path
        )
        while not state.exists() or (reached := read_head(state)["state"]["index"]) < after:
            assert run.poll() is None
            time.sleep(1e-3)
        time.sleep(moment.uniform(0.0, 0.02))
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
    found, met = restarted(case(name), tmp_path / "r")
    assert met[0] > reached
    require_same(found, whole(name), 1e-8)


def test_a_signal_keeps_the_last_step_whatever_the_interval(tmp_path):
    endless = case("diffusion", **{"time.rtol": 1e-9, "output.checkpoint": "1 h"})
    (tmp_path / "c.toml").write_text(to_toml(endless))
    patient = "from fem_spe import cli, interrupt; interrupt._GRACE = 120.0; cli.main()"
    run = subprocess.Popen(
        [sys.executable, "-c", patient, "run", "c.toml", "-o", "r"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        log = tmp_path / "r" / "log.txt"
        while not log.exists() or "t = 1 " not in log.read_text():
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGTERM)
        _, told = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 4
    assert "kept for --restart" in told
    assert told.splitlines()[-1].startswith("fem-spe: interrupted")
    assert "--restart" in told.splitlines()[-1]
    assert read_head(state_file(tmp_path / "r", 0))["times"][-1] >= 1.0


# --- what is refused ---------------------------------------------------------------------


def test_a_step_that_collapses_leaves_a_restart_file_that_a_larger_tolerance_goes_on_from(
    tmp_path,
):
    from fem_spe.studies.dendrites.model import Model

    advance = Model.advance

    def stuck(model, time, rate, guess):
        if time > 0.05:
            raise ConvergenceError("no solution")
        return advance(model, time, rate, guess)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "advance", stuck)
        with pytest.raises(ConvergenceError, match=r"collapsed .* at t = .* concentration at \("):
            package.run(case("dendrite", **{"output.checkpoint": "1 h"}), output=tmp_path)
    kept = read_head(state_file(tmp_path, 0))
    assert 0.0 < kept["times"][-1] <= 0.05
    found, met = restarted(case("dendrite", **{"dendrite.tolerance": 1e-2}), tmp_path)
    assert met[0] == kept["state"]["index"] + 1
    assert found.failed_checks == []


def test_what_cannot_go_on_is_refused_and_nothing_is_lost(tmp_path, whole):
    given, folder = case("diffusion"), tmp_path / "r"

    def refused(match: str, given: package.Case = given, **how: Any) -> None:
        with pytest.raises(CaseError, match=match):
            package.run(given, output=folder, **how)

    refused("there is nothing to restart from", restart=True)
    assert not folder.exists()
    interrupted(given, folder, 6)
    before = sorted((f.name, f.read_bytes()) for f in (folder / "restart").iterdir())
    refused("give --restart to go on")
    refused("give one of them", restart=True, force=True)
    refused(
        r"\[time\] end is \"500 s\" and was \"400 s\"",
        case("diffusion", **{"time.end": 500.0}),
        restart=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fem_spe.checkpoint.keeper.fingerprint", lambda mesh: "another")
        refused("another mesh", restart=True)
    assert sorted((f.name, f.read_bytes()) for f in (folder / "restart").iterdir()) == before
    found = package.run(given, output=folder, restart=True)
    require_same(found, whole("diffusion"), 1e-12)
    refused("a finished result: there is nothing to restart", restart=True)
    (folder / "summary.json").unlink()
    (folder / "restart").mkdir()
    state_file(folder, 0).write_bytes(b"PK nonsense")
    refused("cannot be read as a restart file", restart=True)
    state_file(folder, 0).write_bytes(b"nonsense")
    refused(r"restart file \(it is damaged, or another kind of file\)", restart=True)
    package.run(given, output=folder, force=True)
    assert not (folder / "restart").exists()


@pytest.mark.parametrize("value", ["0 steps", "-1 min", "often", 0.0, "5 um"])
def test_an_interval_is_a_time_or_steps(value):
    with pytest.raises(CaseError, match=r"\[output\] checkpoint"):
        case("diffusion", **{"output.checkpoint": value})


def test_a_mesh_study_goes_on_with_each_of_its_meshes(tmp_path):
    study = case("diffusion", **{"mesh.study": 3, "mesh.size": 1e-4})
    wanted = package.run(study)
    first = int(wanted.solution.solver["steps"])
    offer, met = Keeper.offer, list[int]()

    def end(keeper, record):
        met.append(record.state.index)
        offer(keeper, record)
        if met.count(5) == 2:
            raise InterruptedRunError("ended by a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "offer", end)
        with pytest.raises(InterruptedRunError):
            package.run(study, output=tmp_path)
    found, met = restarted(study, tmp_path)
    require_same(found, wanted, 1e-12)
    assert len(met) < 2 * first

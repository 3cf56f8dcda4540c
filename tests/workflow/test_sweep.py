"""Sweeps as a person meets them: killed and resumed, with members that fail, on two ranks."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
EIGHT = ["--sweep", "geometry.fiber_fraction=0.05,0.1,0.2,0.3",
         "--sweep", "mesh.size=1.5 um,1.2 um"]  # fmt: skip


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def stamps(folder: Path) -> dict[str, int]:
    """When each finished member was written, by name."""
    return {f.parent.name: f.stat().st_mtime_ns for f in folder.glob("*/summary.json")}


def ended(command: list[str], cwd: Path, members: int, number: int) -> tuple[int, str]:
    """Start a sweep, send `number` once `members` are done; exit code and standard error."""
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 300
        while len(stamps(cwd / "results" / "small_sweep")) < members:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_sweep_ended_in_the_middle_resumes_without_repeating_a_member(
    small_case, tmp_path, fem_spe, fem_spe_command, number
):
    folder = tmp_path / "results" / "small_sweep"
    words = ["run", str(small_case), *EIGHT]
    code, err = ended([fem_spe_command, *words], tmp_path, 2, number)
    if number == signal.SIGINT:
        assert code == 4
        assert err.startswith("fem-spe: interrupted")
        assert len(err.splitlines()) == 1
    before = stamps(folder)
    assert 2 <= len(before) < 8
    # the table knows all that was done, but for one that the kill met before its row
    known = {row["folder"] for row in table(folder) if row["status"] == "done"}
    assert known <= before.keys()
    assert len(before.keys() - known) <= 1

    done = fem_spe(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = stamps(folder)
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    assert done.stdout.count("done, kept") == len(before)
    assert done.stdout.rstrip().endswith("8 done: results/small_sweep/sweep.csv")
    rows = table(folder)
    assert [row["status"] for row in rows] == ["done"] * 8
    values = [float(row["relative_diffusivity"]) for row in rows[::2]]
    assert values == sorted(values, reverse=True)
    assert (folder / "sweep.png").stat().st_size > 5000
    assert not list(folder.rglob("*.part"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, fem_spe, small_text) -> tuple[Path, Done]:
    """A sweep with a member that does not converge, one that is a bad case, and good ones."""
    here = tmp_path_factory.mktemp("mixed")
    (here / "small.toml").write_text(small_text, "utf-8")
    words = ["--sweep", "solver.rtol=1e-12,1e-30", "--sweep", "geometry.fiber_fraction=0.2,0.95"]
    return here, fem_spe("run", "small.toml", *words, "-o", "s", cwd=here)


def test_failed_members_are_listed_and_the_others_go_on(mixed):
    here, done = mixed
    assert done.returncode == 3  # the largest of 0, 2 and 3
    assert [row["status"] for row in table(here / "s")] == ["done", "refused", "failed", "refused"]
    errors = done.stderr.splitlines()
    assert len(errors) == 3
    assert all(line.startswith("fem-spe: [") for line in errors)
    assert "0.95 touch" in errors[0]
    assert "residual" in errors[1]
    assert done.stdout.splitlines()[-1] == "1 done, 2 refused, 1 failed: s/sweep.csv"
    assert "residual" in table(here / "s")[2]["error"]
    assert list(stamps(here / "s")) == ["solver.rtol=1e-12,geometry.fiber_fraction=0.2"]


REFUSED = [
    (["--sweep", "geometry.fibre_fraction=0.1,0.2"], ["'fibre_fraction'", "'fiber_fraction'"]),
    (["--sweep", "geometry.fiber_fraction="], ["geometry.fiber_fraction=", "no values"]),
    (["--sweep", "geometry.fiber_fraction"], ["key=a,b,c"]),
    (["--sweep", "mesh.size=1 um", "-o", "mine"], ["mine", "no sweep", "-o"]),
    (["--sweep", "mesh.size=1 um", "-o", "mine", "--force"], ["mine", "no sweep", "-o"]),
    (["--sweep", "mesh.size=1 um", "-o", "small.toml"], ["small.toml", "written", "-o"]),
    (["--sweep", "mesh.size=1 um", "-o", "s"], ["s/sweep.csv", "solver.rtol", "-o"]),
    (["--sweep", "solver.rtol=1e-12", "--sweep", "geometry.fiber_fraction=0.2", "-o", "s",
      "--set", "mesh.size=1 um"], ["mesh.size: 1.5 um there, 1 um now", "--force"]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[" ".join(w) for w, _ in REFUSED])
def test_a_refused_sweep_says_why_in_one_line_and_touches_nothing(mixed, fem_spe, words, told):
    here, _ = mixed
    (here / "mine").mkdir(exist_ok=True)
    (here / "mine" / "notes.md").write_text("mine", "utf-8")
    before = {p: p.stat().st_mtime_ns for p in here.rglob("*")}
    done = fem_spe("run", "small.toml", *words, cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert [part for part in told if part not in done.stderr] == []
    assert {p: p.stat().st_mtime_ns for p in here.rglob("*")} == before


@pytest.mark.mpi
def test_two_ranks_sweep_alike_and_force_repeats(small_case, tmp_path, fem_spe):
    words = ["--sweep", "solver.rtol=1e-12,1e-30", "--sweep", "geometry.fiber_fraction=0.2,0.95"]
    found = {}
    for ranks in (1, 2):
        extra = ["-o", "s", "--json", *(["--force"] if ranks == 2 else [])]
        done = fem_spe("run", small_case, *words, *extra, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 3, done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("fem-spe:")]
        assert len(lines) == 3
        rows = json.loads(done.stdout)
        value = rows[0]["quantities"]["relative_diffusivity"]["value"]
        found[ranks] = (value, [row["status"] for row in rows], stamps(tmp_path / "s"))
    assert found[2][0] == pytest.approx(found[1][0], rel=1e-9)
    assert found[2][1] == found[1][1] == ["done", "refused", "failed", "refused"]
    assert found[2][2] != found[1][2]

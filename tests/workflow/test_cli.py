"""The command line as a person or a queue meets it: exit codes, one line per error, the folder."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fem_spe.case.templates import template

Done = subprocess.CompletedProcess[str]
HEAVY = ("dolfinx", "petsc4py", "mpi4py", "gmsh", "pyvista", "matplotlib", "pint", "pydantic")


def refused(done: Done, *told: str, code: int = 2) -> None:
    """`done` ended with one line that contains what is `told`, and nothing else."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("fem-spe: ")
    assert [part for part in told if part not in done.stderr] == []
    assert done.stdout == ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory, fem_spe, small_text) -> Path:
    """The folder of a small finished run, without pictures."""
    here = tmp_path_factory.mktemp("finished")
    (here / "small.toml").write_text(small_text, "utf-8")
    done = fem_spe("run", "small.toml", cwd=here, apart=True)
    assert done.returncode == 0, done.stderr
    (here / "stdout").write_text(done.stdout, "utf-8")
    return here / "results" / "small"


def test_a_run_prints_its_numbers_with_their_meaning_and_where_they_are(finished):
    text = (finished.parents[1] / "stdout").read_text("utf-8")
    assert re.search(r"relative_diffusivity +0\.66\d+ ± \S+ +D_eff / D_matrix", text)
    assert re.search(r"flux_imbalance .*limit.* ok", text)
    assert text.rstrip().endswith("done: results/small")


def test_the_result_folder_holds_what_is_promised(finished):
    kept = {str(p.relative_to(finished)) for p in finished.rglob("*") if p.is_file()}
    assert {"case.toml", "mesh.msh", "log.txt", "summary.json"} <= kept
    assert {"fields/diffusion.pvd", "tables/profile.csv", "tables/anode_flux.csv"} <= kept
    assert not [name for name in kept if name.endswith(".part")]
    log = (finished / "log.txt").read_text("utf-8")
    assert all(stage in log for stage in ("place", "mesh", "solve", "measure", "write"))


def test_the_summary_has_the_keys_of_the_contract(finished):
    summary = json.loads((finished / "summary.json").read_text("utf-8"))
    assert (summary["status"], summary["study"], summary["error"]) == ("done", "diffusion", None)
    assert summary["quantities"].keys() >= {
        "relative_diffusivity", "effective_diffusivity", "tortuosity_factor", "pathway_length",
        "flux_in", "flux_out", "flux_uniformity", "fiber_fraction",
    }  # fmt: skip
    for quantity in summary["quantities"].values():
        assert quantity.keys() == {"value", "unit", "description", "error", "singular"}
    for check in summary["checks"].values():
        assert check.keys() == {"value", "limit", "passed"}
        assert check["passed"] is True
    assert summary["mesh"].keys() >= {"cells", "vertices", "dofs", "min_quality", "min_jacobian"}
    assert summary["solver"].keys() >= {"iterations", "seconds"}
    assert summary["provenance"].keys() == {"version", "ranks", "packages"}
    assert summary["provenance"]["ranks"] == 1


def test_the_resolved_case_gives_the_same_mesh_and_numbers_again(finished, tmp_path, fem_spe):
    done = fem_spe("run", finished / "case.toml", "-o", "again", "--json", cwd=tmp_path)
    assert done.returncode == 0
    first = json.loads((finished / "summary.json").read_text("utf-8"))
    again = json.loads(done.stdout)
    assert again == json.loads((tmp_path / "again" / "summary.json").read_text("utf-8"))
    assert again["quantities"] == first["quantities"]
    assert again["mesh"] == first["mesh"]
    assert (tmp_path / "again/mesh.msh").read_bytes() == (finished / "mesh.msh").read_bytes()
    assert done.stderr == ""


def test_a_finished_result_is_kept_until_force_is_given(finished, small_case, tmp_path, fem_spe):
    words = ("run", small_case, "-o", "result", "--quiet")
    apart = {"cwd": tmp_path, "apart": True}  # nothing of a library reaches the terminal either
    shutil.copytree(finished, tmp_path / "result")
    summary = tmp_path / "result" / "summary.json"
    before = summary.read_bytes()
    mine = tmp_path / "result" / "notes.md"
    mine.write_text("mine", "utf-8")

    refused(fem_spe(*words, **apart), "result", "finished", "--force")
    assert summary.read_bytes() == before

    # a case that is wrong costs the old result nothing, even with --force
    wrong = fem_spe(*words, "--force", "--set", "materials.fibre=llzto", cwd=tmp_path)
    refused(wrong, "fibre")
    assert summary.read_bytes() == before

    done = fem_spe(*words, "--force", "--set", "geometry.fiber_fraction=0.3", **apart)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert summary.read_bytes() != before
    assert mine.read_text("utf-8") == "mine"
    resolved = tomllib.loads((tmp_path / "result" / "case.toml").read_text("utf-8"))
    assert resolved["geometry"]["fiber_fraction"] == 0.3


REFUSED: list[tuple[str, list[str]]] = [
    ("run small.toml --set geometry.fibre_fraction=0.2", ["'fibre_fraction'", "'fiber_fraction'"]),
    ('run small.toml --set \'geometry.size=["250 kg", "80 um"]\'', ["250 kg", "mass", "um"]),
    ("run small.toml --set 'geometry.fiber_diameter=5 um'", ["count", "fiber_fraction", "two of"]),
    ("run small.toml --set geometry.fiber_fraction=0.95", ["fiber_fraction", "0.95"]),
    ("run small.toml --set materials.matrix.diffusivity=0", ["diffusivity", '"impermeable"']),
    ("run small.toml --set materials.fibre=impermeable", ["[materials] fibre", "matrix, fiber"]),
    ("run small.toml --set geometry.fiber_fraction", ["geometry.fiber_fraction", "key=value"]),
    ("run small.toml --set study=difusion", ["'difusion'", "'diffusion'"]),
    ("run small.toml --sett a=1", ["--sett"]),
    ("run small.toml --set mesh.size=2 um", ["'um'", "quotes"]),
    ("run small.toml -o /proc/fem-spe", ["/proc/fem-spe", "written", "-o"]),
    ("run small.toml -o small.toml/result", ["small.toml/result", "written", "-o"]),
    ("run none.toml", ["none.toml", "no such file"]),
    ("run broken.toml", ["broken.toml", "line 1"]),
    ("run empty.toml", ["empty.toml", "missing"]),
    ("new alined", ["'alined'", "'aligned'"]),
    ("new box -o small.toml", ["small.toml", "exists", "-o"]),
    ("new box -o /proc/box.toml", ["/proc/box.toml", "written"]),
    ("mesh small.toml -o a.stl", ["a.stl", ".msh", ".vtu", ".xdmf"]),
    ("mesh small.toml -o none/a.msh", ["none"]),
    ("mesh small.toml -o /proc/a.msh", ["/proc/a.msh", "written"]),
    ("mesh none.toml -o a.msh", ["none.toml", "no such file"]),
    ("mesh small.toml", ["output"]),
    ("render .", ["case.toml"]),
    ("render none", ["none", "case.toml"]),
    ("report .", ["summary.json"]),
    ("report", ["at least one"]),
    ("materials llzto", ["llzto"]),
    ("rum small.toml", ["rum", "run"]),
]


@pytest.mark.parametrize(("line", "told"), REFUSED, ids=[line for line, _ in REFUSED])
def test_a_refused_command_says_why_in_one_line_and_leaves_nothing(
    line, told, tmp_path, fem_spe, small_text
):
    files = {"broken.toml": "study = diffusion", "empty.toml": "study = 'diffusion'"}
    files["small.toml"] = small_text
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    refused(fem_spe(*shlex.split(line), cwd=tmp_path), *told)
    assert sorted(p.name for p in tmp_path.iterdir()) == list(files)


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "mesh.interface_size=1 nm", "--set", "mesh.size=1 nm"],
        ["--set", "mesh.interface_size=0.05 nm"],
        ["--set", "geometry={ kind = 'box', size = ['1 mm', '1 mm', '1 mm'] }",
         "--set", "mesh={ size = '1 um' }", "--set", "materials={ matrix = 'llzto' }"],
    ],
    ids=["everywhere", "at interfaces", "in a box"],
)  # fmt: skip
def test_a_billion_cells_are_refused_before_meshing(small_case, tmp_path, fem_spe, words):
    start = time.process_time()
    done = fem_spe("run", small_case, "--quiet", *words, cwd=tmp_path)
    assert time.process_time() - start < 10
    refused(done, "[mesh]", "size", "cells", "try")
    assert not list(tmp_path.rglob("summary.json"))


def test_a_structure_without_a_path_is_refused(tmp_path, fem_spe):
    """Long fibres that overlap leave no way through."""
    (tmp_path / "case.toml").write_text(
        'study = "diffusion"\nmaterials = { matrix = "llzto", fiber = "impermeable" }\n'
        '[geometry]\nkind = "fiber_section"\narrangement = "random"\nshape = "rod"\n'
        'size = ["20 um", "20 um"]\nfiber_diameter = "2 um"\nlength = "19 um"\n'
        "fiber_fraction = 0.6\norientation = { kappa = 1000 }\nfused = true\n",
        "utf-8",
    )
    refused(fem_spe("run", "case.toml", "--quiet", cwd=tmp_path), "path")
    assert not list(tmp_path.rglob("summary.json"))


def test_a_solver_that_does_not_reach_its_tolerance_ends_with_3(small_case, tmp_path, fem_spe):
    words = ("--quiet", "--set", "solver.rtol=1e-30")
    done = fem_spe("run", small_case, *words, cwd=tmp_path, apart=True)
    refused(done, "diffusion", "residual", "rtol", code=3)
    assert not list(tmp_path.rglob("summary.json"))


AS_COMMAND = "import sys; from fem_spe import cli; {}; sys.argv[0] = 'fem-spe'; cli.main()"


def test_a_check_that_is_not_passed_ends_with_3_and_is_told(small_case, tmp_path, python):
    strict = "import fem_spe.comm; from fem_spe.studies import diffusion as d; d._BALANCE = 0.0"
    done = python(AS_COMMAND.format(strict), "run", small_case, "-o", "result", cwd=tmp_path)
    assert done.returncode == 3
    assert "NOT PASSED" in done.stdout
    summary = json.loads((tmp_path / "result" / "summary.json").read_text("utf-8"))
    assert summary["status"] == "failed"
    assert "flux_imbalance" in summary["error"]


def test_what_nobody_foresaw_is_one_line_too(tmp_path, python):
    broken = "import fem_spe.case as case; case.schema = lambda: 1 / 0"
    done = python(AS_COMMAND.format(broken), "schema", cwd=tmp_path)
    refused(done, "ZeroDivisionError", "report", code=1)


def test_debug_prints_the_traceback(tmp_path, fem_spe):
    done = fem_spe("run", "none.toml", "--debug", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_copies_that_a_queue_started_apart_are_refused(small_case, tmp_path, fem_spe, monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    refused(fem_spe("run", small_case, cwd=tmp_path), "srun", "mpiexec")


def ended() -> float:
    """Processor time of all that this process has started and that has ended, s."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def used(process: int) -> float:
    """Processor time of a process, s."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")")[-1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def interrupted(fem_spe_command) -> Callable[..., Done]:
    """Run until `stage` is the last line of the log, then send `number`."""

    def run(*words: object, cwd: Path, stage: str, number: int = signal.SIGINT) -> Done:
        command, before = [fem_spe_command, *map(str, words)], ended()
        process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            deadline = time.monotonic() + 300
            while not any(stage in log.read_text("utf-8") for log in cwd.rglob("log.txt")):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline, f"{stage} was not reached"
                time.sleep(0.02)
            time.sleep(0.5)  # into what comes next
            assert process.poll() is None, process.communicate()
            before += used(process.pid)
            process.send_signal(number)
            out, err = process.communicate(timeout=120)
            assert ended() - before < 5  # s of work, however slow others make it
        finally:
            process.kill()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupt_while_meshing_ends_with_4_and_no_summary(
    small_case, tmp_path, interrupted, fem_spe, number
):
    """A mesh of many seconds, which Python's own Ctrl-C would have to wait for."""
    fine = ["--set", "geometry.size=['400 um', '400 um']", "--set", "geometry.count=[40, 40]"]
    words = ("run", small_case, "--quiet", "-o", "result")
    done = interrupted(*words, *fine, cwd=tmp_path, stage="place", number=number)
    refused(done, "interrupted", code=4)
    assert not list(tmp_path.rglob("summary.json"))
    if number == signal.SIGINT:
        assert fem_spe(*words, cwd=tmp_path).returncode == 0


def test_an_interrupt_while_solving_ends_with_4_and_no_summary(tmp_path, interrupted):
    (tmp_path / "case.toml").write_text(
        'study = "diffusion"\nmaterials = { matrix = "llzto" }\nsolver = { degree = 2 }\n'
        'geometry = { kind = "box", size = ["20 um", "20 um", "30 um"] }\n'
        'mesh = { size = "0.9 um" }\n',
        "utf-8",
    )
    done = interrupted("run", "case.toml", "--quiet", cwd=tmp_path, stage="mesh")
    refused(done, "interrupted", code=4)
    assert not list(tmp_path.rglob("summary.json"))


def test_an_interrupt_that_a_library_turns_into_its_own_error_still_ends_with_4(tmp_path, python):
    """As cffi does, when the form compiler is interrupted."""
    swallow = (
        "import os, signal, fem_spe.case\n"
        "def load(*words):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        while True: pass\n"
        "    except Exception as error:\n"
        "        raise RuntimeError('not functional') from error\n"
        "fem_spe.case.load = load\n"
        "import sys; from fem_spe import cli; sys.argv[0] = 'fem-spe'; cli.main()"
    )
    refused(python(swallow, "run", "case.toml", cwd=tmp_path), "interrupted", code=4)


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_is_quick_for_it_imports_nothing_heavy(tmp_path, python, words):
    code = (
        "import sys, atexit; from fem_spe import cli\n"
        f"atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr))"
        "\nsys.argv[0] = 'fem-spe'; cli.main()"
    )
    done = python(code, *words, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip()
    assert done.stderr.strip() == "[]"


def test_new_writes_a_case_to_start_from(tmp_path, fem_spe):
    done = fem_spe("new", "box", cwd=tmp_path)
    assert done.returncode == 0
    assert "fem-spe run box.toml" in done.stdout
    assert (tmp_path / "box.toml").read_text("utf-8") == template("box")


@pytest.mark.parametrize(("suffix", "size"), [("vtu", "1.5 um"), ("xdmf", "3 um")])
def test_a_case_is_meshed_into_each_format(small_case, tmp_path, fem_spe, suffix, size):
    file = f"a.{suffix}"
    done = fem_spe("mesh", small_case, "-o", file, "--set", f"mesh.size={size}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.match(
        rf"{file}: \d+ cells, quality 0\.\d+\nregions matrix; faces bottom", done.stdout
    )
    assert (tmp_path / file).stat().st_size > 300


def test_a_geometry_alone_is_meshed_with_all_its_regions(tmp_path, fem_spe):
    text = 'kind = "fiber_section"\narrangement = "alternating"\nsize = ["20 um", "10 um"]\n'
    text += "count = [4, 2]\nfiber_fraction = 0.1\nfiller_fraction = 0.1\n"
    (tmp_path / "section.toml").write_text(text, "utf-8")
    done = fem_spe("mesh", "section.toml", "-o", "a.msh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("matrix", "fiber", "filler", "matrix-filler"))


def test_render_draws_the_pictures_of_a_finished_result(finished, fem_spe):
    done = fem_spe("render", finished, cwd=finished.parent)
    assert done.returncode == 0, done.stderr
    names = {Path(line).name for line in done.stdout.splitlines()}
    assert names == {"concentration.png", "mesh.png", "profile.png", "anode_flux.png"}
    assert all(Path(finished.parent, line).stat().st_size > 5000 for line in done.stdout.split())


def test_report_puts_results_side_by_side(finished, tmp_path, fem_spe):
    done = fem_spe("report", finished, finished, cwd=tmp_path)
    assert done.returncode == 0
    row = r"\| relative_diffusivity \|  \| 0\.66\d+ ± \S+ \| 0\.66\d+ ± \S+ \|"
    assert re.search(row, done.stdout)
    assert fem_spe("report", finished, "-o", "r.md", cwd=tmp_path).stdout == ""
    assert "fiber_fraction" in (tmp_path / "r.md").read_text("utf-8")
    refused(fem_spe("report", finished, "-o", "none/r.md", cwd=tmp_path), "none/r.md", "written")


def test_schema_is_json_and_materials_names_sources(tmp_path, fem_spe):
    whole: dict[str, Any] = json.loads(fem_spe("schema", cwd=tmp_path).stdout)
    assert {"study", "geometry", "mesh", "materials"} <= whole["properties"].keys()
    done = fem_spe("materials", cwd=tmp_path)
    assert done.returncode == 0
    assert re.search(r"llzto +conductivity +0\.454 mS/cm +\[L\] \S+", done.stdout)
    assert "[m] from memory, not verified" in done.stdout


@pytest.mark.parametrize("words", ["materials", "schema"])
def test_a_reader_that_leaves_early_is_no_error(tmp_path, fem_spe_command, words):
    pipe = f"set -o pipefail; {fem_spe_command} {words} | head -1"
    done = subprocess.run(
        ["bash", "-c", pipe], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_info_tells_what_a_bug_report_needs(tmp_path, fem_spe):
    done = fem_spe("info", cwd=tmp_path, apart=True)
    assert done.returncode == 0
    told = dict(re.findall(r"^(\S.*?) {2,}(.*)$", done.stdout, re.MULTILINE))
    assert told.keys() >= {"fem-spe", "python", "gmsh", "C compiler", "Python.h", "rendering"}
    assert re.match("MPICH|Open MPI", told["mpi"])

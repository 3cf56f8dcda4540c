"""The command line. Heavy imports stay inside the commands, so that --help is quick."""

from __future__ import annotations

import faulthandler
import json as json_module
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from fem_spe.errors import CaseError, FemSpeError, InterruptedRunError
from fem_spe.interrupt import MESSAGE as INTERRUPTED
from fem_spe.interrupt import ended_by_signals

app = App(
    name="fem-spe",
    help="Finite elements for structured solid polymer electrolytes.",
    version_flags=["--version"],
)

Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]
Debug = Annotated[bool, Parameter(negative="")]
Flag = Annotated[bool, Parameter(negative="")]
Sweeps = Annotated[list[str] | None, Parameter(name="--sweep", negative="", consume_multiple=False)]
Sets = Annotated[list[str] | None, Parameter(name="--set", negative="", consume_multiple=False)]


def main() -> None:
    """Entry point: run the command and leave with its exit code."""
    if sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)  # a library that crashes leaves at least the place
    try:
        code = app(exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except UnusedCliTokensError as error:
        print(
            f"fem-spe: nothing takes {' '.join(error.unused_tokens or ())!r}; a value with blanks "
            "stands in quotes, such as --set mesh.size='2 um'",
            file=sys.stderr,
        )
        code = CaseError.exit_code
    except CycloptsError as error:
        print(f"fem-spe: {' '.join(str(error).split())}", file=sys.stderr)
        code = CaseError.exit_code
    except BrokenPipeError:  # the reader of our output has left; Python flushes once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:  # where no run is on its way that could tell more
        print(f"fem-spe: {INTERRUPTED}", file=sys.stderr)
        code = InterruptedRunError.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _guarded(
    work: Callable[[], int], *, debug: bool, rank: int = 0, interrupted: Event | None = None
) -> int:
    """The exit code of `work`; errors become one line."""
    try:
        return work()
    except BrokenPipeError:
        raise
    except Exception as caught:
        error = caught
        if debug:
            traceback.print_exc()
    if interrupted is not None and interrupted.is_set():
        error = InterruptedRunError(INTERRUPTED)
    if isinstance(error, FemSpeError):
        if rank == 0:
            print(f"fem-spe: {error}", file=sys.stderr)
        return error.exit_code
    first = (str(error).splitlines() or [""])[0]
    print(
        f"fem-spe: unexpected {type(error).__name__}: {first} "
        "(run again with --debug for the traceback, and please report it)",
        file=sys.stderr,
    )
    return FemSpeError.exit_code


@app.command
def run(
    case: Path,
    /,
    *,
    output: Output = None,
    set_: Sets = None,
    sweep: Sweeps = None,
    force: Flag = False,
    restart: Flag = False,
    quiet: Flag = False,
    json: Flag = False,
    debug: Debug = False,
) -> int:
    """Run a case, or a sweep over it; the same under mpirun -n N.

    Parameters
    ----------
    case
        The case file (TOML).
    output
        Folder for the result; default: results/NAME here, for a sweep results/NAME_sweep, where
        NAME is that of the case file.
    set_
        Another value for a key, for example --set geometry.seed=3; may be repeated.
    sweep
        Run once for each value of a key, for example --sweep geometry.seed=1,2,3; repeat it
        for combinations. A member that is done is kept. The exit code is the largest of the
        members': 2 where one is a bad case, 3 where one did not converge.
    force
        Replace a finished result; repeat the finished members of a sweep.
    restart
        Go on with a run in time that was interrupted, on the same or another number of ranks.
    quiet
        Print errors alone.
    json
        Print the summary as JSON, nothing else.
    debug
        Print tracebacks.
    """
    from fem_spe.comm import agree_on_exit, on_root, world

    def work() -> int:
        comm = world()
        from fem_spe.case import load
        from fem_spe.progress import show

        if sweep is not None:
            if restart:
                raise CaseError(
                    "--restart is for a single run; a sweep that is run again keeps what is done"
                )
            show(enabled=False)
            return _sweep(
                case, sweep, set_ or [], output, comm, interrupted,
                force=force, quiet=quiet, as_json=json,
            )  # fmt: skip
        loaded = on_root(comm, lambda: load(case, _overrides(set_ or [])))
        folder = output or Path("results") / case.stem
        show(enabled=comm.rank == 0 and not (quiet or json))
        from fem_spe.job import run as run_job

        result = run_job(loaded, comm, folder, force=force, restart=restart)
        if comm.rank == 0:
            _report_run(folder, quiet=quiet, as_json=json)
        return 3 if result.failed_checks else 0

    from mpi4py import MPI

    rank = MPI.COMM_WORLD.rank
    # its own, for an interrupt can leave the ranks in different collective calls of the other
    leaving = MPI.COMM_WORLD.Dup()
    with ended_by_signals() as interrupted:
        code = _guarded(work, debug=debug, rank=rank, interrupted=interrupted)
        return agree_on_exit(leaving, code)


@app.command
def new(kind: str, /, *, output: Output = None) -> int:
    """Write a case file to start from.

    Parameters
    ----------
    kind
        aligned, random, alternating, box, fiber_network, printed, image, mesh_file, structure,
        transient, electrostatics, nernst_planck, dendrite, elasticity, indentation or
        indentation_3d.
    output
        The file to write; default: KIND.toml here.
    """

    def work() -> int:
        from fem_spe.case.templates import template

        text = template(kind)
        file = output or Path(f"{kind}.toml")
        if file.exists():
            raise CaseError(f"{file} exists already; give another name with -o")
        _write_text(file, text)
        print(f"{file} written; run it with: fem-spe run {file}")
        return 0

    return _guarded(work, debug=False)


@app.command
def mesh(description: Path, /, *, output: Output, set_: Sets = None, debug: Debug = False) -> int:
    """Mesh the structure of a case or of a geometry file.

    Parameters
    ----------
    description
        A case file, or a file with the keys of [geometry] alone.
    output
        The mesh: .msh, .vtu or .xdmf; or a voxel image, .tif (pages are z) or .npy [x, y, z],
        with voxels of --set mesh.voxel="0.1 um".
    set_
        Another value for a key, as for run.
    """

    def work() -> int:
        from fem_spe.geometry.image_file import FORMATS as IMAGES
        from fem_spe.job import image_only, mesh_only

        assert output is not None
        if output.suffix in IMAGES:
            print(f"{output}: {image_only(description, output, _overrides(set_ or []))}")
            return 0
        arrays = mesh_only(description, output, _overrides(set_ or []))
        regions, faces = ", ".join(arrays.regions), ", ".join(sorted(arrays.faces))
        print(f"{output}: {len(arrays.cells)} cells, quality {arrays.min_quality:.2f}")
        print(f"regions {regions}; faces {faces}")
        return 0

    with ended_by_signals() as interrupted:
        return _guarded(work, debug=debug, interrupted=interrupted)


@app.command
def render(folder: Path, /, *, debug: Debug = False) -> int:
    """Draw the pictures of a finished result again."""

    def work() -> int:
        from fem_spe.figures import draw

        for file in draw(folder):
            print(file)
        return 0

    return _guarded(work, debug=debug)


@app.command
def report(*folders: Path, output: Output = None) -> int:
    """Compare finished results in one table (Markdown).

    Parameters
    ----------
    folders
        Result folders.
    output
        File for the table; default: print it.
    """

    def work() -> int:
        from fem_spe.report import table

        text = table(list(folders))
        if output is None:
            print(text)
        else:
            _write_text(output, text + "\n")
        return 0

    return _guarded(work, debug=False)


@app.command
def verify(*, json: Flag = False) -> int:
    """Compare with exact solutions; exit code 1 if one differs by more than its limit."""

    def work() -> int:
        from fem_spe.verify import print_table, run_all

        rows = run_all()
        print_table(rows, as_json=json)
        return 0 if all(row.passed for row in rows) else 1

    return _guarded(work, debug=False)


@app.command
def info() -> int:
    """Versions, MPI, compiler and rendering of this machine, for a bug report."""

    def work() -> int:
        from fem_spe.info import describe

        for name, value in describe().items():
            print(f"{name:22} {value}")
        return 0

    return _guarded(work, debug=False)


@app.command
def schema() -> int:
    """Print the JSON schema of a case file."""

    def work() -> int:
        from fem_spe.case import schema as case_schema

        print(json_module.dumps(case_schema(), indent=2))
        return 0

    return _guarded(work, debug=False)


@app.command
def materials() -> int:
    """List the material table: value, unit, mark and source."""

    def work() -> int:
        from fem_spe.materials import entries
        from fem_spe.materials.table import MARKS

        for e in entries():
            print(f"{e.material:17} {e.name:18} {e.value:17} [{e.mark}] {e.source}")
        print("\n" + ", ".join(f"[{mark}] {meaning}" for mark, meaning in MARKS.items()))
        return 0

    return _guarded(work, debug=False)


def _overrides(pairs: list[str]) -> dict[str, Any]:
    """`key=value` pairs as keys and TOML values."""
    from fem_spe.case.load import toml_value

    overrides = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise CaseError(f"--set {pair}: write key=value, for example geometry.seed=3")
        overrides[key.strip()] = toml_value(value.strip())
    return overrides


def _sweep(
    case: Path,
    words: list[str],
    sets: list[str],
    output: Path | None,
    comm: Any,
    interrupted: Event,
    *,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Run a sweep and print a line for each member; failed ones also where `quiet`."""
    from fem_spe.ensemble import Outcome, read_sweeps
    from fem_spe.ensemble import sweep as run_sweep

    changes = _overrides(sets)
    folder = output or Path("results") / f"{case.stem}_sweep"

    def tell(line: str, outcome: Outcome) -> None:
        if outcome.error:
            print(f"fem-spe: {line}", file=sys.stderr, flush=True)
        elif not (quiet or as_json):
            print(line, flush=True)

    members = run_sweep(
        case, read_sweeps(words, list(changes)), folder,
        changes=changes, comm=comm, force=force, tell=tell, interrupted=interrupted.is_set,
    )  # fmt: skip
    if comm.rank == 0 and as_json:
        rows = [
            {"folder": str(folder / m.name), "keys": dict(m.texts), "status": o.status,
             "quantities": o.quantities, "error": o.error or None}
            for m, o in members
        ]  # fmt: skip
        print(json_module.dumps(rows, indent=2))
    elif comm.rank == 0 and not quiet:
        states = [outcome.status for _, outcome in members]
        counts = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
        print(f"\n{counts}: {folder / 'sweep.csv'}")
    return max(outcome.exit_code for _, outcome in members)


def _report_run(folder: Path, *, quiet: bool, as_json: bool) -> None:
    from fem_spe.report import overview
    from fem_spe.results import read_summary

    summary = read_summary(folder)
    if as_json:
        print(json_module.dumps(summary, indent=2))
    elif not quiet:
        print(f"\n{overview(summary)}\n\n{summary['status']}: {folder}")


def _write_text(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CaseError(f"{file}: cannot be written ({error.strerror})") from None

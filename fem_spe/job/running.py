"""One run from case to result: describe, mesh, solve, write, draw."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from mpi4py import MPI

from fem_spe import checkpoint
from fem_spe.case import Case, to_toml
from fem_spe.comm import on_root
from fem_spe.doubt import solved
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.geometry import Network
from fem_spe.job.pictures import draw, picture
from fem_spe.job.prepare import check, mesh_plan, placed, shown, with_sizes, with_voxels
from fem_spe.progress import Clock, log
from fem_spe.results import (
    Result,
    alone_in,
    discard,
    open_folder,
    write_fields,
    write_summary,
    write_tables,
    written,
)
from fem_spe.studies import Plan, Study

if TYPE_CHECKING:
    from PIL.Image import Image


def run(
    case: Case,
    comm: MPI.Intracomm | None = None,
    output: Path | str | None = None,
    *,
    force: bool = False,
    restart: bool = False,
) -> Result:
    """Run a case. Collective.

    Args:
        case: From `load` or `parse`.
        comm: The ranks that share the work; all of them by default.
        output: Folder for the result; None writes nothing.
        force: Replace a finished result, or one that was interrupted.
        restart: Go on with a run of the same case that was interrupted in that folder.

    Raises:
        FemSpeError: one line for a person, on all ranks alike.
    """
    comm = comm or MPI.COMM_WORLD
    # what is wrong in the case itself is told before a folder is touched
    study, plan = check(case)
    folder = None
    if restart and (output is None or force):
        raise CaseError(
            "--restart goes on with what --force would replace; give one of them"
            if force
            else "a restart needs the folder of the run that was interrupted: give output"
        )
    if output is not None:
        folder = Path(output)
    with ExitStack() as stack:
        if folder is not None:
            place = folder
            on_root(comm, lambda: _open(place, case, stack, force=force, restart=restart))
        handler = _log_to(folder, comm)
        refused = False
        try:
            with checkpoint.kept_in(folder, case, restart=restart):
                return _run(case, study, plan, comm, folder)
        except CaseError:
            refused = True
            raise
        finally:
            if handler is not None:
                log.removeHandler(handler)
                handler.close()
            if refused and not restart and folder is not None and comm.rank == 0:
                checkpoint.remove(folder)
                discard(folder)


def _open(folder: Path, case: Case, stack: ExitStack, *, force: bool, restart: bool) -> None:
    """Make `folder` ready for a new run, or for the rest of one, which the stack keeps others from.

    Raises:
        CaseError: if it cannot be that.
    """
    if restart:
        checkpoint.require_restart(folder, case)
        stack.enter_context(alone_in(folder))
        return
    stack.enter_context(alone_in(folder))
    if not force:
        checkpoint.require_new(folder)
    open_folder(folder, force=force)
    checkpoint.remove(folder)


def _log_to(folder: Path | None, comm: MPI.Intracomm) -> logging.Handler | None:
    if folder is None or comm.rank != 0:
        return None
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    return handler


def _run(
    case: Case, study: Study, plan: Plan | None, comm: MPI.Intracomm, folder: Path | None
) -> Result:
    clock = Clock()
    with clock.stage("place") as stage:
        structure = on_root(comm, lambda: placed(case))
        stage.note = shown(case, structure)
    domain = None
    if plan is None:
        case = whole = with_voxels(case, structure)
        work = study.on_structure
        assert work is not None  # it has asked for no mesh
        solution = on_root(comm, lambda: work(whole, structure, clock))
    else:
        case = with_sizes(case, structure)
        wanted = mesh_plan(case, structure, plan)
        file = folder / "mesh.msh" if folder else None
        case, domain, solution = solved(case, study, wanted, comm, file, clock)
    if isinstance(structure, Network) and comm.rank == 0:
        solution.tables["fibers"] = structure.table()
    drawer = partial(_figure, comm)
    result = Result(case, domain, solution, clock.seconds, folder, comm.size, drawer)
    if folder is not None:
        _write(result, folder, clock, comm)
    if solution.stopped:
        raise ConvergenceError(solution.stopped)
    return result


def _write(result: Result, folder: Path, clock: Clock, comm: MPI.Intracomm) -> None:
    """Everything into the folder, the summary last. Collective."""
    with clock.stage("write"):
        _write_data(result, folder, comm)
    figures: list[str] = []
    if result.case.output.figures:
        with clock.stage("draw") as stage:
            figures = on_root(comm, lambda: draw(folder))
            stage.note = ", ".join(figures) or "none"
    tables, study = result.solution.tables, result.case.study
    on_root(comm, lambda: write_summary(result, folder, written(folder, tables, figures, study)))
    on_root(comm, lambda: checkpoint.remove(folder))


def _write_data(result: Result, folder: Path, comm: MPI.Intracomm) -> None:
    """What pictures are drawn from. Collective."""
    on_root(comm, lambda: (folder / "case.toml").write_text(to_toml(result.case), "utf-8"))
    domain, frames = result.domain, result.solution.frames
    if domain is not None:
        write_fields(folder, result.case.study, domain, result.fields, frames)
    on_root(comm, lambda: write_tables(folder, result.solution.tables))


def _figure(comm: MPI.Intracomm, result: Result, name: str) -> Image:
    """The picture `name` of a result, by way of a folder that is gone afterwards. Collective.

    All ranks must see the folder for temporary files (TMPDIR).
    """
    temporary = on_root(comm, lambda: Path(mkdtemp(prefix="fem-spe-")))
    # a picture without a title shows the folder's name
    folder = on_root(comm, lambda: open_folder(temporary / result.case.study, force=True))
    try:
        _write_data(result, folder, comm)
        return on_root(comm, lambda: picture(folder, name))
    finally:
        if comm.rank == 0:
            rmtree(temporary, ignore_errors=True)

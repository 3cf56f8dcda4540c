"""One run from case to result: describe, mesh, solve, write, draw."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from mpi4py import MPI

from fem_spe.case import Case, load, parse, to_toml
from fem_spe.case.load import load_geometry, read_toml
from fem_spe.case.resolved import with_mesh_defaults, with_solver_defaults
from fem_spe.comm import on_root
from fem_spe.domain import MeshArrays
from fem_spe.doubt import solved
from fem_spe.errors import CaseError, FemSpeError
from fem_spe.geometry import Box, MeshFile, Section
from fem_spe.meshing import FORMATS, MeshPlan, Sizes, Structure, mesh_arrays
from fem_spe.progress import Clock, log
from fem_spe.results import (
    Result,
    discard,
    open_folder,
    write_fields,
    write_summary,
    write_tables,
    written,
)
from fem_spe.studies import Plan, Study, lookup

if TYPE_CHECKING:
    from PIL.Image import Image


def run(
    case: Case,
    comm: MPI.Intracomm | None = None,
    output: Path | str | None = None,
    *,
    force: bool = False,
) -> Result:
    """Run a case. Collective.

    Args:
        case: From `load` or `parse`.
        comm: The ranks that share the work; all of them by default.
        output: Folder for the result; None writes nothing.
        force: Replace a finished result.

    Raises:
        FemSpeError: one line for a person, on all ranks alike.
    """
    comm = comm or MPI.COMM_WORLD
    # what is wrong in the case itself is told before a folder is touched
    study, plan = check(case)
    folder = None
    if output is not None:
        folder = on_root(comm, lambda: open_folder(Path(output), force=force))
    handler = _log_to(folder, comm)
    refused = False
    try:
        return _run(case, study, plan, comm, folder)
    except CaseError:
        refused = True
        raise
    finally:
        if handler is not None:
            log.removeHandler(handler)
            handler.close()
        if refused and folder is not None and comm.rank == 0:
            discard(folder)


def check(case: Case) -> tuple[Study, Plan]:
    """The study of `case`, and what it wants of the mesh.

    Raises:
        CaseError: what is wrong in the case itself, before anything is built.
    """
    study = lookup(case.study)
    return study, study.plan(case, _regions(case))


def resolved(case: Case) -> list[Case]:
    """`case` as a run writes it out; one for each dimension that a mesh file may have.

    Raises:
        GeometryError: if the structure cannot be placed.
    """
    structure = _structure(case)
    dimensions = (2, 3) if isinstance(structure, MeshFile) else (len(structure.size),)
    whole = _resolve(case, structure)
    return [with_solver_defaults(whole, dimension) for dimension in dimensions]


def _run(case: Case, study: Study, plan: Plan, comm: MPI.Intracomm, folder: Path | None) -> Result:
    clock = Clock()
    with clock.stage("place") as stage:
        structure = on_root(comm, lambda: _structure(case))
        if isinstance(structure, Section):
            stage.note = f"{len(structure.inclusions)} inclusions"
    case = _resolve(case, structure)
    wanted = _mesh_plan(case, structure, plan)
    file = folder / "mesh.msh" if folder else None
    case, domain, solution = solved(case, study, wanted, comm, file, clock)
    result = Result(case, domain, solution, clock.seconds, folder, _figure)
    if folder is not None:
        _write(result, folder, clock)
    return result


def mesh_only(description: Path, file: Path, overrides: dict[str, Any]) -> MeshArrays:
    """Mesh a case, or a geometry with all its regions, into `file`. On one rank.

    Raises:
        FemSpeError: if the description is wrong or cannot be meshed.
    """
    if file.suffix not in FORMATS:
        raise CaseError(f"{file}: unknown mesh format; known are {', '.join(FORMATS)}")
    if not file.parent.is_dir():
        raise CaseError(f"{file}: there is no folder {file.parent}")
    _require_writable(file)
    data = read_toml(description)
    if "study" in data:
        case = load(description, overrides)
        _, plan = check(case)
    else:
        # a geometry alone: every region is meshed, whatever it may be made of
        geometry = load_geometry(description)
        any_material = {"matrix": {"diffusivity": 1.0}}
        whole = {"study": "diffusion", "geometry": geometry, "materials": any_material}
        case = parse(whole, overrides, folder=description.parent, name=str(description))
        plan = Plan()
    structure = _structure(case)
    return mesh_arrays(_mesh_plan(_resolve(case, structure), structure, plan), file)


def _require_writable(file: Path) -> None:
    there = file.exists()
    try:
        file.open("ab").close()
    except OSError as error:
        raise CaseError(f"{file}: cannot be written ({error.strerror})") from None
    if not there:
        file.unlink()


def _regions(case: Case) -> tuple[str, ...]:
    """The regions of the structure; those that the case names where a file decides."""
    geometry = case.geometry
    return tuple(case.materials) if isinstance(geometry, MeshFile) else geometry.regions


def _mesh_plan(case: Case, structure: Structure, plan: Plan) -> MeshPlan:
    sizes = Sizes(case.mesh.size or 0.0, case.mesh.interface_size or 0.0, case.mesh.order or 1)
    return MeshPlan(structure, sizes, **vars(plan))


def _structure(case: Case) -> Structure:
    geometry = case.geometry
    return geometry if isinstance(geometry, (Box, MeshFile)) else geometry.build()


def _resolve(case: Case, structure: Structure) -> Case:
    if isinstance(structure, MeshFile):
        if case.mesh.size or case.mesh.interface_size:
            raise CaseError("[mesh] size has no meaning for a mesh file; remove it")
        return case
    radius = None
    if isinstance(structure, Section):
        radius = float(structure.inclusions.b.min())
    return with_mesh_defaults(case, structure.size, radius)


def _write(result: Result, folder: Path, clock: Clock) -> None:
    """Everything into the folder, the summary last. Collective."""
    comm = result.domain.mesh.comm
    with clock.stage("write"):
        _write_data(result, folder)
    figures: list[str] = []
    if result.case.output.figures:
        with clock.stage("draw") as stage:
            figures = on_root(comm, lambda: _draw(folder))
            stage.note = ", ".join(figures) or "failed"
    tables, study = result.solution.tables, result.case.study
    on_root(comm, lambda: write_summary(result, folder, written(folder, tables, figures, study)))


def _write_data(result: Result, folder: Path) -> None:
    """What pictures are drawn from. Collective."""
    comm = result.domain.mesh.comm
    on_root(comm, lambda: (folder / "case.toml").write_text(to_toml(result.case), "utf-8"))
    write_fields(folder, result.case.study, result.domain, result.fields, result.solution.frames)
    on_root(comm, lambda: write_tables(folder, result.solution.tables))


def _figure(result: Result, name: str) -> Image:
    """The picture `name` of a result, by way of a folder that is gone afterwards. Collective.

    All ranks must see the folder for temporary files (TMPDIR).
    """
    comm = result.domain.mesh.comm
    temporary = on_root(comm, lambda: Path(mkdtemp(prefix="fem-spe-")))
    # a picture without a title shows the folder's name
    folder = on_root(comm, lambda: open_folder(temporary / result.case.study, force=True))
    try:
        _write_data(result, folder)
        return on_root(comm, lambda: _picture(folder, name))
    finally:
        if comm.rank == 0:
            rmtree(temporary, ignore_errors=True)


def _picture(folder: Path, name: str) -> Image:
    from PIL import Image

    done = _draw_apart(folder, name)
    if done.returncode != 0:
        kind = CaseError if done.returncode == CaseError.exit_code else FemSpeError
        raise kind(_last_line(done))
    with Image.open(done.stdout.strip()) as picture:
        return picture.copy()


def _draw(folder: Path) -> list[str]:
    """The names of all pictures, drawn; none where that failed."""
    done = _draw_apart(folder)
    if done.returncode != 0:
        log.warning(
            "no pictures: %s ('fem-spe info' tells more); the numbers stand", _last_line(done)
        )
        return []
    return [Path(line).name for line in done.stdout.splitlines()]


def _draw_apart(folder: Path, *name: str) -> subprocess.CompletedProcess[str]:
    """Draw in a process of its own, where a failing graphics driver harms no result."""
    # a child of an MPI rank must not take itself for one
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "MPI", "HYD"))}
    return subprocess.run(
        [sys.executable, "-m", "fem_spe.figures", str(folder), *name],
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["the graphics driver crashed"])[-1]


def _log_to(folder: Path | None, comm: MPI.Intracomm) -> logging.Handler | None:
    if folder is None or comm.rank != 0:
        return None
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    return handler

"""One run from case to result: describe, mesh, solve, write, draw."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from mpi4py import MPI

from fem_spe import checkpoint
from fem_spe.case import Case, load, parse, to_toml
from fem_spe.case.load import load_geometry, read_toml
from fem_spe.case.resolved import (
    with_mesh_defaults,
    with_solver_defaults,
    with_voxel_defaults,
)
from fem_spe.comm import on_root
from fem_spe.domain import MeshArrays
from fem_spe.doubt import solved
from fem_spe.errors import CaseError, ConvergenceError, FemSpeError
from fem_spe.geometry import Box, MeshFile, Network, Printed, Section, Voxels
from fem_spe.geometry.image_file import FORMATS as IMAGES
from fem_spe.geometry.image_file import write as write_image
from fem_spe.geometry.image_sample import default_voxel, voxelize
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
from fem_spe.studies.dendrites import width as dendrite_width

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
        folder = on_root(comm, lambda: _opened(Path(output), case, force=force, restart=restart))
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


def _opened(folder: Path, case: Case, *, force: bool, restart: bool) -> Path:
    """`folder`, ready for a new run, or for the rest of one that was interrupted."""
    if restart:
        checkpoint.require_restart(folder, case)
        return folder
    if not force:
        checkpoint.require_new(folder)
    open_folder(folder, force=force)
    checkpoint.remove(folder)
    return folder


def check(case: Case) -> tuple[Study, Plan | None]:
    """The study of `case`, and what it wants of the mesh, if it wants one.

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
    _, plan = check(case)
    if plan is None:
        return [_resolve_voxels(case, structure)]
    dimensions = (2, 3) if isinstance(structure, MeshFile) else (len(structure.size),)
    whole = _resolve(case, structure)
    return [with_solver_defaults(whole, dimension) for dimension in dimensions]


def _run(
    case: Case, study: Study, plan: Plan | None, comm: MPI.Intracomm, folder: Path | None
) -> Result:
    clock = Clock()
    with clock.stage("place") as stage:
        structure = on_root(comm, lambda: _structure(case))
        if isinstance(structure, Section):
            stage.note = f"{len(structure.inclusions)} inclusions"
        if isinstance(structure, Network):
            stage.note = f"{len(structure)} fibres"
        if isinstance(structure, Voxels):
            stage.note = f"{' x '.join(map(str, structure.labels.shape))} voxels"
    domain = None
    if plan is None:
        case = whole = _resolve_voxels(case, structure)
        work = study.on_structure
        assert work is not None  # it has asked for no mesh
        solution = on_root(comm, lambda: work(whole, structure, clock))
    else:
        case = _resolve(case, structure)
        wanted = _mesh_plan(case, structure, plan)
        file = folder / "mesh.msh" if folder else None
        case, domain, solution = solved(case, study, wanted, comm, file, clock)
    if isinstance(structure, Network) and comm.rank == 0:
        solution.tables["fibers"] = structure.table()
    draw = partial(_figure, comm)
    result = Result(case, domain, solution, clock.seconds, folder, comm.size, draw)
    if folder is not None:
        _write(result, folder, clock, comm)
    if solution.stopped:
        raise ConvergenceError(solution.stopped)
    return result


def mesh_only(description: Path, file: Path, overrides: dict[str, Any]) -> MeshArrays:
    """Mesh a case, or a geometry with all its regions, into `file`. On one rank.

    Raises:
        FemSpeError: if the description is wrong or cannot be meshed.
    """
    if file.suffix not in FORMATS:
        raise CaseError(
            f"{file}: unknown mesh format; known are {', '.join(FORMATS)}, and for voxels "
            f"{', '.join(IMAGES)}"
        )
    case, plan = _described(description, file, overrides)
    structure = _structure(case)
    wanted = _mesh_plan(_resolve(case, structure), structure, plan or Plan())
    return mesh_arrays(wanted, file)


def image_only(description: Path, file: Path, overrides: dict[str, Any]) -> Voxels:
    """The structure of a case, or of a geometry, as a voxel image in `file`. On one rank.

    Raises:
        FemSpeError: if the description is wrong, or of something that has no voxels.
    """
    case, _ = _described(description, file, overrides)
    structure = _structure(case)
    case = _resolve_voxels(case, structure)
    voxels = voxelize(structure, case.mesh.voxel or 0.0)
    write_image(file, voxels.labels, voxels.voxel_size)
    return voxels


def _described(
    description: Path, file: Path, overrides: dict[str, Any]
) -> tuple[Case, Plan | None]:
    """The case that `description` is, or wraps; `file` is what will be written."""
    if not file.parent.is_dir():
        raise CaseError(f"{file}: there is no folder {file.parent}")
    _require_writable(file)
    data = read_toml(description)
    if "study" in data:
        case = load(description, overrides)
        return case, check(case)[1]
    # a geometry alone: every region is meshed, whatever it may be made of
    geometry = load_geometry(description)
    any_material = {"matrix": {"diffusivity": 1.0}}
    whole = {"study": "diffusion", "geometry": geometry, "materials": any_material}
    return parse(whole, overrides, folder=description.parent, name=str(description)), Plan()


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
    size = case.mesh.coarsest or case.mesh.size or 0.0
    sizes = Sizes(size, case.mesh.interface_size or 0.0, case.mesh.order or 1)
    return MeshPlan(structure, sizes, **vars(plan))


def _structure(case: Case) -> Structure:
    geometry = case.geometry
    return geometry if isinstance(geometry, (Box, Printed, MeshFile)) else geometry.build()


def _resolve(case: Case, structure: Structure) -> Case:
    case = dendrite_width.fitted(case, structure)
    if isinstance(structure, MeshFile):
        if case.mesh.size or case.mesh.interface_size:
            raise CaseError("[mesh] size has no meaning for a mesh file; remove it")
        return case
    radius = None
    if isinstance(structure, Section):
        radius = float(structure.inclusions.b.min())
    elif isinstance(structure, (Network, Voxels)):
        radius = structure.thinnest / 2
    elif isinstance(structure, Printed):
        radius = structure.finest
    return with_mesh_defaults(case, structure.size, radius)


def _resolve_voxels(case: Case, structure: Structure) -> Case:
    """`case` with the voxels that the structure implies; no mesh is made."""
    if isinstance(structure, Voxels):
        if case.mesh.voxel is not None:
            raise CaseError("[mesh] voxel: an image has its own, [geometry] voxel_size; remove it")
        return with_voxel_defaults(case, None)
    return with_voxel_defaults(case, default_voxel(structure))


def _write(result: Result, folder: Path, clock: Clock, comm: MPI.Intracomm) -> None:
    """Everything into the folder, the summary last. Collective."""
    with clock.stage("write"):
        _write_data(result, folder, comm)
    figures: list[str] = []
    if result.case.output.figures:
        with clock.stage("draw") as stage:
            figures = on_root(comm, lambda: _draw(folder))
            stage.note = ", ".join(figures) or "failed"
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

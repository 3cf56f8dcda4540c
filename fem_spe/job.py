"""One run from case to result: describe, mesh, solve, write, draw."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mpi4py import MPI

from fem_spe.case import Case, load, parse, to_toml
from fem_spe.case.load import load_geometry, read_toml
from fem_spe.case.resolved import with_mesh_defaults, with_solver_defaults
from fem_spe.comm import on_root
from fem_spe.domain import MeshArrays
from fem_spe.errors import CaseError
from fem_spe.geometry import Box, MeshFile, Section
from fem_spe.meshing import FORMATS, MeshPlan, Sizes, Structure, build, mesh_arrays
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
    with clock.stage("mesh") as stage:
        wanted = _mesh_plan(case, structure, plan)
        domain = build(comm, wanted, folder / "mesh.msh" if folder else None)
        stage.note = (
            f"{domain.num_cells} cells, quality {domain.min_quality:.2f}, "
            f"Jacobian {domain.min_jacobian:.2f}"
        )
    case = with_solver_defaults(case, domain.dimension)
    solution = study.solve(case, domain, clock)
    result = Result(case, domain, solution, clock.seconds, folder)
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
    return MeshPlan(structure, sizes, plan.holes, plan.anchors, plan.across)


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
        on_root(comm, lambda: (folder / "case.toml").write_text(to_toml(result.case), "utf-8"))
        write_fields(
            folder, result.case.study, result.domain, result.fields, result.solution.frames
        )
        on_root(comm, lambda: write_tables(folder, result.solution.tables))
    figures: list[str] = []
    if result.case.output.figures:
        with clock.stage("draw") as stage:
            figures = on_root(comm, lambda: _draw(folder))
            stage.note = ", ".join(figures) or "failed"
    tables, study = result.solution.tables, result.case.study
    on_root(comm, lambda: write_summary(result, folder, written(folder, tables, figures, study)))


def _draw(folder: Path) -> list[str]:
    """Draw in a process of its own, where a failing graphics driver harms no result."""
    # a child of an MPI rank must not take itself for one
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "MPI", "HYD"))}
    done = subprocess.run(
        [sys.executable, "-m", "fem_spe.figures", str(folder)],
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["the graphics driver crashed"])[-1]
        log.warning("no pictures: %s ('fem-spe info' tells more); the numbers stand", last)
        return []
    return [Path(line).name for line in done.stdout.splitlines()]


def _log_to(folder: Path | None, comm: MPI.Intracomm) -> logging.Handler | None:
    if folder is None or comm.rank != 0:
        return None
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    return handler

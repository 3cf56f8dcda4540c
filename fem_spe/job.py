"""One run from case to result: describe, mesh, solve, write, draw."""

from __future__ import annotations

import logging
from pathlib import Path

from mpi4py import MPI

from fem_spe.case import Case, to_toml
from fem_spe.case.resolved import with_mesh_defaults, with_solver_defaults
from fem_spe.comm import on_root
from fem_spe.errors import CaseError
from fem_spe.geometry import Box, MeshFile, Section
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.progress import Clock, log
from fem_spe.results import (
    Result,
    open_folder,
    write_fields,
    write_summary,
    write_tables,
)
from fem_spe.studies import find


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
    folder = None
    if output is not None:
        folder = on_root(comm, lambda: open_folder(Path(output), force=force))
    handler = _log_to(folder, comm)
    try:
        return _run(case, comm, folder)
    finally:
        if handler is not None:
            log.removeHandler(handler)
            handler.close()


def _run(case: Case, comm: MPI.Intracomm, folder: Path | None) -> Result:
    clock = Clock()
    study = find(case.study)
    from_file = isinstance(case.geometry, MeshFile)
    plan = study.plan(case, tuple(case.materials) if from_file else case.geometry.regions)
    with clock.stage("place") as stage:
        structure = on_root(comm, lambda: _structure(case))
        if isinstance(structure, Section):
            stage.note = f"{len(structure.inclusions)} inclusions"
    case = _resolve(case, structure)
    with clock.stage("mesh") as stage:
        sizes = Sizes(case.mesh.size or 0.0, case.mesh.interface_size or 0.0, case.mesh.order or 1)
        wanted = MeshPlan(structure, sizes, plan.holes, plan.anchors, plan.across)
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


def _structure(case: Case) -> Section | Box | MeshFile:
    geometry = case.geometry
    return geometry if isinstance(geometry, (Box, MeshFile)) else geometry.build()


def _resolve(case: Case, structure: Section | Box | MeshFile) -> Case:
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
        write_fields(folder, result.case.study, result.domain, result.fields)
        on_root(comm, lambda: write_tables(folder, result.solution.tables))
    if result.case.output.figures:
        from fem_spe.render import draw

        with clock.stage("draw") as stage:
            files = on_root(comm, lambda: draw(folder))
            stage.note = ", ".join(file.name for file in files)
    on_root(comm, lambda: write_summary(result, folder))


def _log_to(folder: Path | None, comm: MPI.Intracomm) -> logging.Handler | None:
    if folder is None or comm.rank != 0:
        return None
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%Y-%m-%d %H:%M:%S"))
    log.addHandler(handler)
    return handler

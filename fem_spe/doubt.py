"""One solution, or several on finer and finer meshes, and what they tell of its error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from mpi4py import MPI

from fem_spe.adapt import finer, gathered
from fem_spe.case import Case
from fem_spe.case.resolved import with_solver_defaults
from fem_spe.comm import on_root
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.measure.richardson import estimate
from fem_spe.meshing import MeshPlan, build, write_arrays
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution, Table
from fem_spe.studies import Study

_MOST_MESHES = 12
_NO_BOUNDS = (
    "[mesh] adapt needs bounds of the error, which there are for steady diffusion by [diffusion] "
    "direction through a 2-D section that is in one piece and has no periodic faces; remove adapt, "
    "or give [mesh] study = 3 instead"
)


def solved(
    case: Case, study: Study, plan: MeshPlan, comm: MPI.Intracomm, file: Path | None, clock: Clock
) -> tuple[Case, Domain, Solution]:
    """Mesh and solve as [mesh] asks for: once, as a mesh study, or adaptively. Collective.

    Args:
        case: With sizes.
        study: What solves it.
        plan: How it is meshed.
        comm: The ranks that share the work.
        file: Where the last mesh is written, or None.
        clock: Of the run.

    Returns:
        The case with every default, the last mesh, and the solution on it.
    """

    def once(plan: MeshPlan) -> tuple[Case, Domain, Solution]:
        with clock.stage("mesh") as stage:
            domain = build(comm, plan, file)
            if isinstance(case.mesh.adapt, float) and domain.dimension == 3:
                raise CaseError(_NO_BOUNDS)  # sooner than after a long solution
            stage.note = (
                f"{domain.num_cells} cells, quality {domain.min_quality:.2f}, "
                f"Jacobian {domain.min_jacobian:.2f}"
            )
        whole = with_solver_defaults(case, domain.dimension)
        assert study.solve is not None  # it has asked for a mesh
        solution = study.solve(whole, domain, clock)
        if solution.domain is not None:
            domain = solution.domain
            if file is not None:
                _rewrite(file, domain)
        return whole, domain, solution

    if case.mesh.study is not None:
        return _halved([once(replace(plan, halvings=n)) for n in range(case.mesh.study)])
    found = once(plan)
    if not isinstance(case.mesh.adapt, float):
        return found
    return _adapted(found, plan, case.mesh.adapt, once)


def _halved(runs: list[tuple[Case, Domain, Solution]]) -> tuple[Case, Domain, Solution]:
    """The last of `runs`, with the order and the error that all of them show."""
    case, domain, last = runs[-1]
    table: Table = {
        "cells": np.array([float(d.num_cells) for _, d, _ in runs]),
        "unknowns": np.array([float(s.num_dofs) for _, _, s in runs]),
    }
    quantities: dict[str, Quantity] = {}
    for name, quantity in last.quantities.items():
        values = [s.quantities[name].value for _, _, s in runs if name in s.quantities]
        if len(values) < len(runs):
            quantities[name] = quantity
            continue
        told = estimate(values)
        quantities[name] = replace(
            quantity, error=told.error, order=told.order, singular=told.singular
        )
        unit = f" [{quantity.unit}]" if quantity.unit else ""
        table[f"{name}{unit}"] = np.array(values)
        if told.limit:
            table[f"error of {name}"] = np.abs(np.array(values) / told.limit - 1.0)
    checks = {name: max((s.checks[name] for _, _, s in runs), key=_size) for name in last.checks}
    tables = {**last.tables, "mesh_study": table}
    stopped = max(s.stopped for _, _, s in runs)
    return (
        case,
        domain,
        replace(last, quantities=quantities, checks=checks, tables=tables, stopped=stopped),
    )


def _rewrite(file: Path, domain: Domain) -> None:
    """The mesh that the fields are on in place of the one that the study began with."""
    arrays = gathered(domain)

    def work() -> None:
        assert arrays is not None
        write_arrays(file, arrays)

    on_root(domain.mesh.comm, work)


def _size(check: Check) -> float:
    return math.inf if math.isnan(check.value) else abs(check.value)


def _adapted(
    found: tuple[Case, Domain, Solution],
    plan: MeshPlan,
    wanted: float,
    once: Callable[[MeshPlan], tuple[Case, Domain, Solution]],
) -> tuple[Case, Domain, Solution]:
    """Mesh anew where the error comes from until it is below `wanted`.

    Raises:
        CaseError: if the solution does not tell where its error comes from.
        ConvergenceError: if it stays above.
    """
    cells, errors = [], []
    while True:
        _, domain, solution = found
        told = solution.cell_errors
        if told is None:
            raise CaseError(_NO_BOUNDS)
        cells.append(float(domain.num_cells))
        errors.append(told.total)
        log.info("  %d cells: relative error %.2e of %.2e", cells[-1], told.total, wanted)
        if told.total <= wanted:
            break
        if len(cells) == _MOST_MESHES:
            raise ConvergenceError(
                f"the error is {told.total:.1e} after {_MOST_MESHES} meshes, with "
                f"{domain.num_cells} cells; give a [mesh] adapt above {min(errors):.1e}"
            )
        field = finer(domain, told.shares, wanted, told.degree)
        found = once(replace(plan, field=field))
    case, domain, solution = found
    table: Table = {"cells": np.array(cells), "relative error": np.array(errors)}
    return case, domain, replace(solution, tables={**solution.tables, "adapt": table})

"""What a run found, and the folder it is kept in."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import CaseError, FemSpeError

if TYPE_CHECKING:
    from dolfinx import fem
    from PIL.Image import Image

    from fem_spe.case import Case
    from fem_spe.domain import Domain

_FOLDERS = ("fields", "figures", "tables")
_PACKAGES = ("dolfinx-solver-real", "gmsh", "meshio", "numpy", "pyvista", "mpi4py", "scipy")


Table = dict[str, NDArray[np.float64]]  # column head with unit -> values


@dataclass(frozen=True)
class Quantity:
    """A number with its unit; `error` is an estimate of its numerical error, where known.

    `singular` marks a value that grows with refinement; `order` is the order of convergence
    that a mesh study has observed.
    """

    value: float
    unit: str
    description: str
    error: float | None = None
    singular: bool = False
    order: float | None = None


@dataclass(frozen=True)
class Check:
    """Something that a right result fulfils: |value| <= limit."""

    value: float
    limit: float

    @property
    def passed(self) -> bool:
        """True where the value keeps to the limit; NaN does not."""
        return abs(self.value) <= self.limit


@dataclass(frozen=True)
class Frame:
    """The fields at an output time: name -> this rank's values."""

    time: float
    values: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class CellErrors:
    """Where the error of the main quantity comes from.

    Attributes:
        total: Relative error of the quantity.
        shares: Of each cell that this rank owns; all together make up `total`.
        degree: Of the finite elements.
    """

    total: float
    shares: NDArray[np.float64]
    degree: int


@dataclass(frozen=True)
class Solution:
    """What a study computed.

    Attributes:
        quantities, checks: By name.
        fields: DOLFINx functions that are written, the scalar ones drawn. A name may end in
            a unit, such as `potential [V]`. All are of one Lagrange element, or constant in
            each cell.
        tables: By name; filled on rank 0.
        solver: Iterations, method, residual.
        num_dofs: Unknowns.
        frames: The fields over time; empty for a steady study.
        cell_errors: Where the error comes from, where the study can tell.
        stopped: Why the load was not reached whole, one line; the numbers are those of the last
            good step.
        domain: The mesh of the fields, where it is not the one that the study was given.
    """

    quantities: dict[str, Quantity]
    checks: dict[str, Check]
    fields: dict[str, fem.Function]
    tables: dict[str, Table]
    solver: dict[str, Any]
    num_dofs: int
    frames: tuple[Frame, ...] = ()
    cell_errors: CellErrors | None = None
    stopped: str = ""
    domain: Domain | None = None


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        case: The case with every default.
        domain: Mesh and names; None where the study works on the structure itself.
        solution: What the study computed.
        seconds: Per stage.
        folder: Where it was written, or None.
        ranks: That shared the work.
        drawer: Draws a picture of this result, given its name. Pictures are made from result
            folders, by rooms that this one may not import: `fem_spe.run` knows both.
    """

    case: Case
    domain: Domain | None
    solution: Solution
    seconds: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None
    ranks: int = 1
    drawer: Callable[[Result, str], Image] | None = field(default=None, repr=False, compare=False)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """The numbers, by name."""
        return self.solution.quantities

    @property
    def checks(self) -> dict[str, Check]:
        """The checks, by name."""
        return self.solution.checks

    @property
    def fields(self) -> dict[str, fem.Function]:
        """The DOLFINx functions, by name."""
        return self.solution.fields

    def figure(self, name: str = "") -> Image:
        """A picture, which Jupyter shows and `.save("picture.png")` keeps. Collective.

        Args:
            name: As the files in `figures/` of a result folder, for example `mesh`; by
                default the main field. Path lines are drawn where the case has
                `[output] figures = true`.

        Raises:
            CaseError: if there is no such picture; the message names those there are.
            FemSpeError: if it could not be drawn on this machine.
        """
        if self.drawer is None:
            raise CaseError("this result cannot be drawn: only those of fem_spe.run can")
        return self.drawer(self, name)

    @property
    def failed_checks(self) -> list[str]:
        """Names of the checks that are not passed."""
        return [name for name, check in self.checks.items() if not check.passed]


def open_folder(path: Path, *, force: bool) -> Path:
    """Make `path` ready for a run: there, writable, and without an older summary.

    Only files that a run writes are ever replaced; nothing else is touched.

    Raises:
        CaseError: if it cannot be written, or holds a finished result and not `force`.
    """
    summary = path / "summary.json"
    if summary.exists() and not force:
        raise CaseError(
            f"{path} holds a finished result; give --force to replace it, or another folder with -o"
        )
    try:
        for name in _files_of(summary):
            (path / name).unlink(missing_ok=True)
        for name in _FOLDERS:
            (path / name).mkdir(parents=True, exist_ok=True)
        (path / "log.txt").write_text("", encoding="utf-8")
        summary.unlink(missing_ok=True)
    except OSError as error:
        raise CaseError(
            f"{path}: cannot be written ({error.strerror}); give another folder with -o"
        ) from None
    return path


def discard(folder: Path) -> None:
    """Leave nothing of a run that was refused; what else lies in `folder` stays."""
    for name in ("log.txt", "mesh.msh"):
        (folder / name).unlink(missing_ok=True)
    for empty in (*(folder / name for name in _FOLDERS), folder):
        with contextlib.suppress(OSError):  # not empty, so not only ours
            empty.rmdir()


def _files_of(summary: Path) -> list[str]:
    """What the run of `summary` wrote into the folders beside it, as it noted itself."""
    try:
        noted = json.loads(summary.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in noted if ".." not in Path(name).parts and not Path(name).is_absolute()]


def written(folder: Path, tables: Iterable[str], figures: Iterable[str], study: str) -> list[str]:
    """Names, relative to `folder`, of the files that a run has written."""
    names = [f"tables/{name}.csv" for name in tables] + [f"figures/{name}" for name in figures]
    fields = (folder / "fields").glob(f"{study}*")
    return sorted([*names, *(f"fields/{f.name}" for f in fields)])


def write_tables(folder: Path, tables: Mapping[str, Table]) -> None:
    """Each table as `tables/<name>.csv` with units in its head."""
    for name, columns in tables.items():
        np.savetxt(
            folder / "tables" / f"{name}.csv",
            np.column_stack(list(columns.values())),
            delimiter=",",
            header=",".join(columns),
            comments="",
            fmt="%.9g",
        )


def read_table(file: Path) -> Table:
    """The columns of a table that `write_tables` wrote."""
    with file.open(encoding="utf-8") as lines:
        heads = lines.readline().strip().split(",")
        values = np.loadtxt(lines, delimiter=",", ndmin=2)
    return dict(zip(heads, values.T, strict=True))


def write_fields(
    folder: Path,
    name: str,
    domain: Domain,
    fields: Mapping[str, fem.Function],
    frames: tuple[Frame, ...] = (),
) -> None:
    """The fields, with the region of each cell, as `fields/<name>.pvd`. Collective.

    With `frames` each of them is a time; the functions are left as the last one.

    Raises:
        FemSpeError: if the fields are of different elements.
    """
    from dolfinx import fem as dfem
    from dolfinx.io import VTKFile

    region = dfem.Function(dfem.functionspace(domain.mesh, ("DG", 0)), name="region")
    region.x.array[domain.cell_tags.indices] = domain.cell_tags.values
    region.x.scatter_forward()
    for key, function in fields.items():
        function.name = key
    with VTKFile(domain.mesh.comm, str(folder / "fields" / f"{name}.pvd"), "w") as file:
        for frame in frames or (Frame(0.0, {}),):
            for key, values in frame.values.items():
                fields[key].x.array[:] = values
            try:
                file.write_function([*fields.values(), region], frame.time)
            except RuntimeError as error:
                raise FemSpeError(
                    f"the fields {', '.join(fields)} cannot be written together ({error}); give "
                    "them one Lagrange element, or make them constant in each cell"
                ) from None


def write_summary(result: Result, folder: Path, files: Sequence[str] = ()) -> None:
    """`summary.json`, written whole or not at all; `files` are those of `written`."""
    failed = result.failed_checks
    summary = {
        "status": "failed" if failed else "done",
        "study": result.case.study,
        "error": result.solution.stopped
        or (f"checks not passed: {', '.join(failed)}" if failed else None),
        "quantities": {name: _told(q) for name, q in result.quantities.items()},
        "checks": {n: {**asdict(c), "passed": c.passed} for n, c in result.checks.items()},
        "mesh": _mesh(result),
        "solver": {**result.solution.solver, "seconds": result.seconds},
        "provenance": provenance(result.ranks),
        "files": list(files),
    }
    temporary = folder / "summary.json.part"
    temporary.write_text(json.dumps(_plain(summary), indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, folder / "summary.json")


def _mesh(result: Result) -> dict[str, Any]:
    """What a result's mesh is like; without one there are no cells and no quality."""
    domain = result.domain
    return {
        "cells": domain.num_cells if domain else 0,
        "vertices": domain.num_vertices if domain else 0,
        "dofs": result.solution.num_dofs,
        "min_quality": domain.min_quality if domain else None,
        "min_jacobian": domain.min_jacobian if domain else None,
        "regions": domain.regions if domain else {},
    }


def _told(quantity: Quantity) -> dict[str, Any]:
    """The quantity as data; with an order only where one was observed."""
    data = asdict(quantity)
    if quantity.order is None:
        del data["order"]
    return data


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a finished result.

    Raises:
        CaseError: if the folder holds none.
    """
    file = folder / "summary.json"
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise CaseError(f"{folder}: no finished result (there is no summary.json)") from None
    except (OSError, ValueError) as error:  # not JSON, or not UTF-8
        raise CaseError(f"{file}: cannot be read: {error}") from None


def provenance(ranks: int) -> dict[str, Any]:
    """Versions and ranks of this run."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "absent"
    try:
        own = version("fem-spe")
    except PackageNotFoundError:
        own = "not installed"
    return {"version": own, "ranks": ranks, "packages": packages}


def _plain(value: Any) -> Any:
    """`value` as JSON holds it: not-a-number becomes null."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

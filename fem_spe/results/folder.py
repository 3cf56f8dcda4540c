"""The folder that a result is kept in."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fem_spe.errors import CaseError, FemSpeError
from fem_spe.results.solution import Frame, Quantity, Result, Table

if TYPE_CHECKING:
    from dolfinx import fem

    from fem_spe.domain import Domain

_FOLDERS = ("fields", "figures", "tables")
_PACKAGES = ("dolfinx-solver-real", "gmsh", "meshio", "numpy", "pyvista", "mpi4py", "scipy")


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


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """In the block, no other process on this machine runs into `folder`, which is made.

    Raises:
        CaseError: if another does.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / "log.txt").open("ab")
    except OSError:  # open_folder says why
        yield
        return
    with log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CaseError(
                f"{folder}: another run is on its way there; wait for it, or give another folder "
                "with -o"
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


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


def read_case(folder: Path) -> dict[str, Any]:
    """The resolved case of a result folder, as TOML gives it.

    Raises:
        CaseError: if the folder holds none.
    """
    file = folder / "case.toml"
    if not file.exists():
        raise CaseError(f"{folder}: not a result folder (there is no case.toml)")
    return tomllib.loads(file.read_text(encoding="utf-8"))


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

"""One Gmsh session: quiet, single-threaded (bitwise repeatable), ended on any error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gmsh

from fem_spe.errors import MeshError

_ALGORITHMS = {6: "Frontal-Delaunay", 5: "Delaunay", 1: "MeshAdapt"}


@contextmanager
def session(name: str = "fem_spe") -> Iterator[None]:
    """A fresh Gmsh model for the block; only on one rank."""
    if gmsh.isInitialized():
        raise MeshError("Gmsh is in use already; finalise the other session first")
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("General.NumThreads", 1)
        gmsh.option.setNumber("Mesh.MeshSizeFromPoints", 0)
        gmsh.option.setNumber("Mesh.MeshSizeFromCurvature", 0)
        gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 0)
        gmsh.model.add(name)
        yield
    finally:
        gmsh.finalize()


def generate(dimension: int) -> str:
    """Mesh the current model, with another algorithm where one fails.

    Returns:
        Empty, or a sentence on which algorithm failed.

    Raises:
        MeshError: if all fail.
    """
    algorithms = _ALGORITHMS if dimension == 2 else {6: "Frontal-Delaunay"}
    failed = []
    for number, name in algorithms.items():
        gmsh.option.setNumber("Mesh.Algorithm", number)
        try:
            gmsh.model.mesh.generate(dimension)
        except Exception as error:
            failed.append(f"{name} ({error})")
            gmsh.model.mesh.clear()
            continue
        return f"meshed with {name} after {', '.join(failed)} failed" if failed else ""
    raise MeshError(
        f"Gmsh could not mesh the structure: {'; '.join(failed)}; "
        "try a smaller [mesh] interface_size, a larger min_gap or another seed"
    )

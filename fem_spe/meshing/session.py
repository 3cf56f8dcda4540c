"""One Gmsh session: quiet, single-threaded (bitwise repeatable), ended on any error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gmsh
import numpy as np

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
        if dimension == 2:
            _turn_left()
        return f"meshed with {name} after {', '.join(failed)} failed" if failed else ""
    raise MeshError(
        f"Gmsh could not mesh the structure: {'; '.join(failed)}; "
        "try a smaller [mesh] interface_size, a larger min_gap or another seed"
    )


def _turn_left() -> None:
    """Reverse the cells of surfaces whose outlines were given clockwise."""
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    place = np.zeros((int(tags.max(initial=0)) + 1, 2))
    place[tags.astype(np.int64)] = coordinates.reshape(-1, 3)[:, :2]
    clockwise = []
    for surface in gmsh.model.getEntities(2):
        nodes = gmsh.model.mesh.getElements(*surface)[2]
        if nodes:
            corners = place[nodes[0].reshape(-1, 3).astype(np.int64)]
            if np.linalg.det(corners[:, 1:] - corners[:, :1]).sum() < 0:
                clockwise.append(surface)
    if clockwise:
        gmsh.model.mesh.reverse(clockwise)

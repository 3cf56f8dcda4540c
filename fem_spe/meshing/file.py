"""A mesh file to a Gmsh model: .msh directly, other formats through meshio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gmsh
import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import MeshError
from fem_spe.geometry import MeshFile

# meshio cell type -> (dimension, Gmsh element type)
_TYPES = {
    "line": (1, 1),
    "line3": (1, 8),
    "triangle": (2, 2),
    "triangle6": (2, 9),
    "tetra": (3, 4),
    "tetra10": (3, 11),
}
_ID_KEYS = ("gmsh:physical", "nastran:ref", "medit:ref", "cell_tags", "region", "CellEntityIds")


def add_file(mesh_file: MeshFile) -> tuple[int, float]:
    """Load the file into the current model; (dimension, file units per metre).

    Raises:
        MeshError: if it cannot be read, or lacks a name; the message names those it has.
    """
    path = Path(mesh_file.file)
    if not path.is_file():
        raise MeshError(f"[geometry] file: there is no mesh file {path}")
    if path.suffix == ".msh":
        try:
            gmsh.merge(str(path))
        except Exception as error:
            raise MeshError(f"{path}: not a mesh that Gmsh reads: {error}") from None
        _rename_groups(path, mesh_file)
    else:
        _add_foreign(path, mesh_file)
    dimension = max((d for d, _ in gmsh.model.getEntities() if _has_cells(d)), default=0)
    if dimension < 2:
        raise MeshError(f"{path}: the mesh has neither triangles nor tetrahedra")
    if not gmsh.model.getPhysicalGroups(dimension):
        raise MeshError(f"{path}: the mesh has no named region; name one with a physical group")
    for d, entity in gmsh.model.getEntities():
        groups = gmsh.model.getPhysicalGroupsForEntity(d, entity)
        few = d == dimension and len(groups) == 0 and _has_cells(d, entity)
        if few or (d >= dimension - 1 and len(groups) > 1):
            kind = "region" if d == dimension else "face"
            names = " and ".join(repr(gmsh.model.getPhysicalName(d, g)) for g in groups)
            what = f"to no {kind}" if few else f"to more than one {kind}: {names}"
            raise MeshError(f"{path}: entity {entity} belongs {what}; give each one name")
    if dimension == 2:
        heights = gmsh.model.mesh.getNodes()[1].reshape(-1, 3)
        if np.ptp(heights[:, 2]) > 1e-9 * np.ptp(heights[:, :2]):
            raise MeshError(f"{path}: a mesh of triangles must lie in the x-y plane")
    return dimension, 1.0 / mesh_file.scale


def _has_cells(dimension: int, entity: int = -1) -> bool:
    return any(len(tags) for tags in gmsh.model.mesh.getElements(dimension, entity)[1])


def _rename_groups(path: Path, mesh_file: MeshFile) -> None:
    """Give the physical groups the names that the description has for their numbers."""
    dimension = gmsh.model.getDimension()
    for d, key, names in (
        (dimension, "regions", mesh_file.regions),
        (dimension - 1, "faces", mesh_file.faces),
    ):
        present = sorted(tag for _, tag in gmsh.model.getPhysicalGroups(d))
        for name, number in names.items():
            if number not in present:
                raise _no_such(key, path, number, name, present)
            gmsh.model.removePhysicalName(gmsh.model.getPhysicalName(d, number))
            gmsh.model.setPhysicalName(d, number, name)


def _no_such(key: str, path: Path, number: int, name: str, present: list[int]) -> MeshError:
    return MeshError(
        f"[geometry] {key}: {path.name} has no {key[:-1]} {number} for {name!r}; it has {present}"
    )


def _add_foreign(path: Path, mesh_file: MeshFile) -> None:
    """Read `path` with meshio and rebuild it as discrete entities with names."""
    import meshio

    try:
        mesh = meshio.read(path)
    except (Exception, SystemExit) as error:
        raise MeshError(f"{path}: meshio cannot read it: {error or 'unknown format'}") from None
    points = np.zeros((len(mesh.points), 3))
    points[:, : mesh.points.shape[1]] = mesh.points
    blocks = [
        (*_TYPES[block.type], block.data.astype(np.int64), _ids(mesh, k))
        for k, block in enumerate(mesh.cells)
        if block.type in _TYPES
    ]
    dimension = max((block[0] for block in blocks), default=0)
    if dimension < 2:
        raise MeshError(f"{path}: the mesh has neither triangles nor tetrahedra")
    present = {
        d: sorted({int(i) for block in blocks if block[0] == d for i in np.unique(block[3])})
        for d in (dimension, dimension - 1)
    }
    wanted = {dimension: mesh_file.regions, dimension - 1: mesh_file.faces}
    if not mesh_file.regions:
        raise MeshError(
            f"[geometry] regions is missing: {path.name} carries only numbers; name them, for "
            f"example regions = {{ matrix = {(present[dimension] or [1])[0]} }}; it has the "
            f"regions {present[dimension]} and the faces {present[dimension - 1]}"
        )
    others = {b.type for b in mesh.cells if b.dim == dimension and b.type not in _TYPES}
    if others:
        raise MeshError(
            f"{path}: {' and '.join(sorted(others))} cells beside the simplices; export the mesh "
            "with triangles or tetrahedra only"
        )
    nodes = np.arange(1, len(points) + 1)
    owner = gmsh.model.addDiscreteEntity(0)
    gmsh.model.mesh.addNodes(0, owner, nodes, points.ravel())
    for d, names in wanted.items():
        key = "regions" if d == dimension else "faces"
        for name, number in names.items():
            if number not in present[d]:
                raise _no_such(key, path, number, name, present[d])
            entity = gmsh.model.addDiscreteEntity(d)
            for block_dimension, kind, cells, ids in blocks:
                if block_dimension == d and (ids == number).any():
                    some = cells[ids == number] + 1
                    if kind == 11:
                        some = some[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]  # VTK's tet10 to Gmsh's
                    gmsh.model.mesh.addElementsByType(entity, kind, [], some.ravel())
            gmsh.model.addPhysicalGroup(d, [entity], name=name)
    unnamed = sorted(set(present[dimension]) - set(mesh_file.regions.values()))
    if unnamed:
        raise MeshError(
            f"[geometry] regions: {path.name} has the regions {unnamed} too; name them "
            '(a material "impermeable" leaves a region out)'
        )


def _ids(mesh: Any, block: int) -> NDArray[np.int64]:
    """The integer id of each cell of a meshio block; 1 where the file has none."""
    for key in (*_ID_KEYS, *mesh.cell_data):
        if key in mesh.cell_data and mesh.cell_data[key][block].dtype.kind in "iu":
            return np.asarray(mesh.cell_data[key][block], dtype=np.int64)
    return np.ones(len(mesh.cells[block].data), dtype=np.int64)

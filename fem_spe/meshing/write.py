"""A mesh to a file: Gmsh's own format, or through meshio."""

from __future__ import annotations

from pathlib import Path

import gmsh
import numpy as np

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.meshing.discrete import add_arrays
from fem_spe.meshing.periodic import forget_sides
from fem_spe.meshing.session import session

FORMATS = (".msh", ".vtu", ".xdmf")
_CELLS = {(2, 1): "triangle", (2, 2): "triangle6", (3, 1): "tetra", (3, 2): "tetra10"}


def write_arrays(file: Path, arrays: MeshArrays) -> None:
    """Write straight cells in metres; the mesh need not be Gmsh's."""
    with session():
        add_arrays(arrays)
        write(file, 1.0, arrays)


def write(file: Path, scale: float, arrays: MeshArrays) -> None:
    """Write the current model's mesh, in metres.

    Args:
        file: Path with a suffix of `FORMATS`.
        scale: Model units per metre.
        arrays: The mesh as extracted from the model.
    """
    if file.suffix == ".msh":
        shrink = np.diag([1 / scale, 1 / scale, 1 / scale, 1.0])
        gmsh.model.mesh.affineTransform(shrink.ravel().tolist()[:12])
        forget_sides()
        gmsh.write(str(file))
        return
    if file.suffix not in FORMATS:
        raise MeshError(f"{file}: unknown mesh format; known are {', '.join(FORMATS)}")
    import meshio

    points = np.zeros((len(arrays.points), 3))
    points[:, : arrays.points.shape[1]] = arrays.points
    cells = arrays.cells
    if arrays.cells.shape[1] == 10:
        cells = cells[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]  # Gmsh's tet10 to VTK's
    kind = _CELLS[arrays.points.shape[1], arrays.order]
    meshio.write(
        file, meshio.Mesh(points, [(kind, cells)], cell_data={"region": [arrays.cell_tags]})
    )

"""The facets on the box and on the interface, and whether they are watertight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.meshing.areas import volumes

# the facet without each of the corners, its normal out of the cell
_OPPOSITE = np.array([(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)])
_TIGHT = 1e-12  # relative, of areas and volumes


def box_facets(cells: NDArray[np.int32], fixed: NDArray[np.uint8]) -> dict[str, NDArray[np.int32]]:
    """The facets on each face of the box, shape (num_facets, 3).

    Args:
        cells: Shape (num_cells, 4).
        fixed: The box faces that each node is on, as in `Lattice`.
    """
    outer = cells[np.count_nonzero(fixed[cells], axis=1) >= 3]
    found = {}
    for axis, names in enumerate(BOX_FACES[3]):
        for end, name in enumerate(names):
            on = (fixed[outer] >> (2 * axis + end) & 1).astype(bool)
            flat = on.sum(axis=1) == 3
            found[name] = outer[flat][on[flat]].reshape(-1, 3)
    return found


def facing(
    facets: dict[str, NDArray[np.int32]], points: NDArray[np.float64], periodic: tuple[int, ...]
) -> tuple[dict[str, NDArray[np.int32]], NDArray[np.int32]]:
    """Facets of a mesh with holes: those on box faces, and those that face a hole.

    Across a periodic axis a facet whose image has no cell is a part of the interface: the hole
    begins just there, on the other side of the box.

    Args:
        facets: As from `box_facets`.
        points: Shape (num_points, 3).
        periodic: Axes across which the faces are alike.
    """
    bare = [np.empty((0, 3), dtype=np.int32)]
    for axis in periodic:
        names = BOX_FACES[3][axis]
        middles = [np.delete(points[facets[name]].mean(axis=1), axis, axis=1) for name in names]
        slack = 1e-9 * float(np.max(points))
        for name, own, other in zip(names, middles, middles[::-1], strict=True):
            away = cKDTree(other).query(own)[0] if len(other) else np.full(len(own), np.inf)
            bare.append(facets[name][away > slack])
            facets = facets | {name: facets[name][away <= slack]}
    return facets, np.concatenate(bare)


def interface_facets(
    cells: NDArray[np.int32], tags: NDArray[np.int32], on: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """The facets between the phases, their normals out of the second, shape (num_facets, 3).

    Args:
        cells: Shape (num_cells, 4).
        tags: 1 or 2 for each cell.
        on: The nodes on the interface.
    """
    near = np.flatnonzero(on[cells].sum(axis=1) >= 3)
    facets = cells[near][:, _OPPOSITE].reshape(-1, 3)
    side = np.repeat(tags[near], 4)
    flat = on[facets].all(axis=1)
    facets, side = facets[flat], side[flat]
    key = np.sort(facets, axis=1)
    order = np.lexsort((side, *key.T))
    key, side = key[order], side[order]
    pair = (key[1:] == key[:-1]).all(axis=1) & (side[1:] != side[:-1])
    return np.asarray(facets[order[1:][pair]])


def leaks(arrays: MeshArrays) -> float:
    """By how much a whole mesh of a box fails to be watertight, relative.

    The largest of: the volumes of the cells against the box, the areas of the facets of each box
    face against the face, and the share of interface edges inside the box that do not have an even
    number of interface facets.
    """
    assert arrays.box is not None
    size = np.array(arrays.box)
    volume = float(volumes(arrays).sum())
    worst = abs(volume / float(np.prod(size)) - 1.0)
    inside = []
    for name, tag in arrays.faces.items():
        facets = arrays.facets[arrays.facet_tags == tag]
        axis = next((k for k, names in enumerate(BOX_FACES[3]) if name in names), None)
        if axis is None:
            inside.append(facets)
            continue
        x = arrays.points[facets]
        area = np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1).sum() / 2
        worst = max(worst, abs(float(area) / float(np.prod(np.delete(size, axis))) - 1.0))
    for facets in inside:
        edges = np.sort(facets[:, [(0, 1), (1, 2), (2, 0)]].reshape(-1, 2), axis=1)
        count = len(arrays.points)
        keys, counts = np.unique(edges[:, 0] * count + edges[:, 1], return_counts=True)
        odd = keys[counts % 2 == 1]
        x = arrays.points[np.stack([odd // count, odd % count], axis=1)]
        on_box = np.any(np.all(x == 0.0, axis=1) | np.all(x == size, axis=1), axis=1)
        worst = max(worst, float(np.count_nonzero(~on_box)) / max(len(keys), 1))
    return worst


def require_watertight(arrays: MeshArrays) -> None:
    """Raise where the cells do not fill the box, or facets are missing.

    Raises:
        MeshError: with what is missing; it would be a fault of the mesher.
    """
    found = leaks(arrays)
    if found > _TIGHT:
        raise MeshError(
            f"the mesh leaks ({found:.1e} of a face or of the volume); give another [mesh] "
            "interface_size"
        )

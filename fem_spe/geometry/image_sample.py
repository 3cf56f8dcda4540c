"""Any structure as voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import GeometryError
from fem_spe.geometry.box import Box
from fem_spe.geometry.image_voxels import Voxels
from fem_spe.geometry.implicit import Implicit

_PER_THICKNESS = 8  # voxels across the thinnest part
_PER_BOX = 64  # voxels along the shortest side of a box
_MOST = 1_000_000_000
_MIDDLE = (-0.0625, 0.5625, 0.5625, -0.0625)  # cubic interpolation between four points


def default_voxel(structure: object) -> float:
    """Edge of the voxels that shows the structure well, m.

    Raises:
        GeometryError: for a structure that has no voxels.
    """
    structure = _solid(structure)
    if isinstance(structure, Box):
        return min(structure.size) / _PER_BOX
    return structure.thinnest / _PER_THICKNESS


def voxelize(structure: object, voxel: float) -> Voxels:
    """The phase at the centre of each voxel.

    Args:
        structure: Two phases told apart by a distance, or a box in layers, in 3-D.
        voxel: Wanted edge, m; along each axis it is changed a little for a whole number.

    Raises:
        GeometryError: for a structure that has no voxels, voxels larger than its thinnest part,
            or more of them than fit into the memory of a laptop.
    """
    structure = _solid(structure)
    if isinstance(structure, Voxels):
        return structure
    counts = np.maximum(np.rint(np.asarray(structure.size) / voxel), 1).astype(int)
    number = float(np.prod(counts.astype(float)))
    if number > _MOST:
        least = (float(np.prod(structure.size)) / _MOST) ** (1 / 3)
        raise GeometryError(
            f"[mesh] voxel = {voxel * 1e6:g} um makes {number:.2g} voxels, more than {_MOST:.0e}; "
            f"give at least {least * 1e6:.2g} um"
        )
    if min(counts) < 2:
        raise GeometryError(
            f"[mesh] voxel = {voxel * 1e6:g} um: fewer than two voxels fit along a side"
        )
    x, y, z = (float(length / n) for length, n in zip(structure.size, counts, strict=True))
    if isinstance(structure, Box):
        return Voxels(_layers(structure, counts), (x, y, z), structure.regions)
    if structure.thinnest < max(x, y, z):
        raise GeometryError(
            f"[mesh] voxel = {voxel * 1e6:g} um loses parts that are "
            f"{structure.thinnest * 1e6:.3g} um thin; give at most "
            f"{structure.thinnest / 4 * 1e6:.2g} um"
        )
    values = structure.distance((int(counts[0]) + 1, int(counts[1]) + 1, int(counts[2]) + 1))
    for axis in range(3):
        values = _between(values, axis)
    labels = (values < 0).astype(np.uint8)
    return Voxels(labels, (x, y, z), structure.regions, structure.periodic)


def _solid(structure: object) -> Implicit | Box:
    """`structure`, if its phase is known at every point of a box in 3-D."""
    known = isinstance(structure, Box) and len(structure.size) == 3
    if not known and not hasattr(structure, "distance"):
        raise GeometryError(
            "[geometry] voxels are made of images, fibre networks and boxes in 3-D; this "
            "structure is for a mesh alone"
        )
    return structure  # type: ignore[return-value]


def _layers(box: Box, counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The layer that the centre of each voxel lies in."""
    tops = np.cumsum(list(box.layers.values()) or [box.size[-1]])
    centres = (np.arange(counts[2]) + 0.5) * box.size[-1] / counts[2]
    layer = np.minimum(np.searchsorted(tops, centres), len(tops) - 1).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(layer, tuple(int(n) for n in counts)))


def _between(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Values half way between the points along `axis`: cubic, linear at the ends."""
    v = np.moveaxis(values, axis, 0)
    middle = 0.5 * (v[:-1] + v[1:])
    if len(v) > 3:
        a, b, c, d = (np.float32(w) for w in _MIDDLE)
        middle[1:-1] = a * v[:-3] + b * v[1:-2] + c * v[2:-1] + d * v[3:]
    return np.moveaxis(middle, 0, axis)

"""Orientation of the fibres in an image, from its structure tensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST = 400_000  # fibre voxels that are looked at


@dataclass(frozen=True)
class Order:
    """Order parameters of directions in the plane x-y, as `geometry.network.Network` has them.

    Attributes:
        plane: S = 2 <cos^2> - 1 of the angle to the mean axis.
        space: P2 = (3 <cos^2> - 1) / 2 with the weight |sin| of the solid angle.
    """

    plane: float
    space: float


def order_of_image(
    fibers: NDArray[np.bool_], voxel_size: tuple[float, float, float], thickness: float
) -> Order:
    """The order of the fibres' directions, weighted by volume.

    The direction at a fibre voxel is the eigenvector of the least eigenvalue of the tensor of
    gradient products, averaged over a fibre's radius.

    Args:
        fibers: True in the fibres, shape (nx, ny, nz).
        voxel_size: Edges of a voxel, m.
        thickness: Of a fibre, m.
    """
    from scipy import ndimage

    h = min(voxel_size)
    narrow = [h / edge for edge in voxel_size]
    wide = [max(0.5 * thickness, h) / edge for edge in voxel_size]
    blurred = ndimage.gaussian_filter(fibers.astype(np.float32), narrow, mode="nearest")
    slopes = np.gradient(blurred, *voxel_size)
    at = np.flatnonzero(fibers)
    at = at[:: max(1, len(at) // _MOST)]
    tensor = np.empty((len(at), 3, 3))
    for i in range(3):
        for j in range(i, 3):
            product = ndimage.gaussian_filter(slopes[i] * slopes[j], wide, mode="nearest")
            tensor[:, i, j] = tensor[:, j, i] = product.ravel()[at]
    direction = np.linalg.eigh(tensor)[1][:, :, 0]
    weight = np.hypot(direction[:, 0], direction[:, 1])
    return order(np.arctan2(direction[:, 1], direction[:, 0]), weight)


def order(angle: NDArray[np.float64], weight: NDArray[np.float64]) -> Order:
    """The order of directions in the plane.

    Args:
        angle: From x, rad; a direction and its opposite are one.
        weight: Length or volume of each, as seen along z.
    """
    mean = np.sum(weight * np.exp(2j * angle))
    off = angle - 0.5 * np.angle(mean)
    solid = weight * np.abs(np.sin(off))
    square = np.sum(solid * np.cos(off) ** 2) / solid.sum() if solid.sum() > 0 else 1.0
    return Order(float(abs(mean) / weight.sum()), float(1.5 * square - 0.5))

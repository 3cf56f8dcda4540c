"""The connected parts of the phases of an image: none is lost without a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fem_spe.progress import log

_SPECK = 27  # voxels, a cube of three: what is smaller is noise rather than shape


def report_parts(labels: NDArray[np.uint8], regions: tuple[str, ...]) -> None:
    """Tell how many parts of each phase are no more than specks."""
    for k, region in enumerate(regions):
        _, sizes = _parts(labels == k)
        small = sizes[sizes < _SPECK]
        if len(small):
            log.warning(
                "%s: %d of %d connected parts have fewer than %d voxels, %.2g %% of the image "
                "together; they are kept ([geometry] drop = %d drops them)",
                region, len(small), len(sizes), _SPECK, 100.0 * small.sum() / labels.size, _SPECK,
            )  # fmt: skip


def drop_parts(labels: NDArray[np.uint8], least: int) -> tuple[NDArray[np.uint8], float]:
    """`labels` in which parts of fewer than `least` voxels have their nearest neighbour's label.

    Returns:
        The labels, and the share of the voxels that were changed.
    """
    from scipy import ndimage

    speck = np.zeros(labels.shape, dtype=bool)
    for k in np.unique(labels):
        parts, sizes = _parts(labels == k)
        small = np.concatenate([[False], sizes < least])
        speck |= small[parts]
    count = int(np.count_nonzero(speck))
    if count == 0 or count == labels.size:
        return labels, 0.0
    nearest = ndimage.distance_transform_edt(speck, return_distances=False, return_indices=True)
    log.warning(
        "%d voxels in parts of fewer than %d, %.2g %% of the image, were given to the phase "
        "around them", count, least, 100.0 * count / labels.size,
    )  # fmt: skip
    return labels[tuple(nearest)], count / labels.size


def _parts(phase: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number, from 1, of the part that each voxel belongs to, by faces; voxels of each part."""
    from scipy import ndimage

    parts, count = ndimage.label(phase)
    return parts, np.bincount(parts.ravel(), minlength=count + 1)[1:]

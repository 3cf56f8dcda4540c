"""Which parts of a voxel image hang together, and whether they lead through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parts:
    """Parts of a phase, joined by the faces of voxels.

    Attributes:
        part: Number, from 1, of the part that each voxel belongs to; 0 elsewhere.
        sizes: Voxels of each part.
    """

    part: NDArray[np.int32]
    sizes: NDArray[np.int64]

    @property
    def largest_share(self) -> float:
        """Share of the phase in its largest part."""
        total = int(self.sizes.sum())
        return float(self.sizes.max()) / total if total else 0.0

    def through(self, axis: int) -> NDArray[np.int64]:
        """Numbers of the parts that reach from one face across `axis` to the other."""
        ends = np.moveaxis(self.part, axis, 0)
        both = np.intersect1d(ends[0], ends[-1])
        return both[both > 0].astype(np.int64)


def parts(phase: NDArray[np.bool_]) -> Parts:
    """The connected parts of `phase`, shape (nx, ny, nz)."""
    from scipy import ndimage

    part, count = ndimage.label(phase)
    return Parts(part, np.bincount(part.ravel(), minlength=count + 1)[1:])

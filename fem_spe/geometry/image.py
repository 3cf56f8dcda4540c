"""A structure from an image: tomography, or any other labelled box of voxels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt, MinLen
from numpy.typing import NDArray

from fem_spe.errors import GeometryError
from fem_spe.geometry.image_file import Raw, extent, read
from fem_spe.geometry.image_parts import drop_parts, report_parts
from fem_spe.geometry.image_voxels import Voxels
from fem_spe.geometry.regular import PositiveLength

_SHOWN = 8  # values of an image that a message lists


@dataclass(frozen=True, kw_only=True)
class ImageFilter:
    """What the grey values are smoothed by before the threshold; in voxels.

    Attributes:
        gaussian: Standard deviation of a Gaussian.
        median: Edge of the cube whose median is taken, an odd number.
    """

    gaussian: Annotated[float, Gt(0.0)] | None = None
    median: Annotated[int, Gt(1)] | None = None

    def __post_init__(self) -> None:
        if (self.gaussian is None) == (self.median is None):
            raise GeometryError("give one of gaussian (voxels) and median (voxels)")
        if self.median is not None and self.median % 2 == 0:
            raise GeometryError(f"median = {self.median}: must be odd, such as 3")


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An image file and how its values become phases.

    The pages of a TIFF stack are z, its rows y, its columns x; an array in a .npy file is
    [x, y, z]; in a raw file x runs fastest, then y.

    Attributes:
        file: A TIFF stack, a .npy array, or raw values (give `shape` and `dtype`).
        voxel_size: Edge of a voxel, or its three edges along x, y, z, m.
        threshold: Grey values above it become 1, the others 0; "otsu" finds it where it parts
            the values best (Otsu 1979). Without it the image is labelled already.
        filter: Applied before the threshold; nothing by default.
        phases: Region -> value after the threshold, or label. Meshes take two: the first is
            the one around.
        drop: Parts of a phase with fewer voxels are given to the phase that is nearest; by
            default small parts are reported, and kept.
        shape: Of a raw file: voxels along x, y, z.
        dtype: Of a raw file, in numpy's words: "uint8", "<u2", ...
    """

    file: str
    voxel_size: PositiveLength | tuple[PositiveLength, PositiveLength, PositiveLength]
    kind: Literal["image"] = "image"
    threshold: float | Literal["otsu"] | None = None
    filter: ImageFilter | None = None
    phases: Annotated[dict[str, int], MinLen(2)] = field(
        default_factory=lambda: {"matrix": 0, "fiber": 1}
    )
    drop: Annotated[int, Gt(1)] | None = None
    shape: tuple[int, int, int] | None = None
    dtype: str | None = None

    def __post_init__(self) -> None:
        if (self.shape is None) != (self.dtype is None):
            raise GeometryError("a raw image needs both shape = [nx, ny, nz] and dtype")
        if len(set(self.phases.values())) < len(self.phases):
            raise GeometryError(f"phases = {self.phases}: two regions have the same value")
        if self.filter is not None and self.threshold is None:
            raise GeometryError(
                'filter smooths grey values before a threshold: give threshold, or "otsu"'
            )
        if self.threshold is not None and set(self.phases.values()) != {0, 1}:
            raise GeometryError(
                f"phases = {self.phases}: after a threshold the values are 0 (below) and 1 (above)"
            )

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(self.phases)

    @property
    def edges(self) -> tuple[float, float, float]:
        """Edges of a voxel along x, y, z, m."""
        if isinstance(self.voxel_size, tuple):
            return self.voxel_size
        return (self.voxel_size,) * 3

    @property
    def size(self) -> tuple[float, float, float]:
        """Extent of the box, m, from the file's head.

        Raises:
            GeometryError: if there is no such image.
        """
        x, y, z = (n * h for n, h in zip(extent(self.file, self._raw), self.edges, strict=True))
        return x, y, z

    @property
    def _raw(self) -> Raw | None:
        if self.shape is None or self.dtype is None:
            return None
        return Raw(self.shape, self.dtype)

    def build(self) -> Voxels:
        """The image as labelled voxels; its small parts are told, not taken away.

        Raises:
            GeometryError: if there is no such image, or it shows one phase alone.
        """
        values = read(self.file, self._raw)
        labels = self._labels(values)
        counts = np.bincount(labels.ravel(), minlength=len(self.phases))
        if np.count_nonzero(counts) < 2:
            only = self.regions[int(counts.argmax())]
            raise GeometryError(
                f"{self.file}: the image is all {only} (values {values.min():g} to "
                f"{values.max():g}); give another threshold, or other phases"
            )
        dropped = 0.0
        if self.drop is not None:
            labels, dropped = drop_parts(labels, self.drop)
        report_parts(labels, self.regions)
        return Voxels(labels, self.edges, self.regions, dropped=dropped)

    def _labels(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Index of each voxel's phase."""
        if self.threshold is not None:
            values = _above(self._filtered(values), self.threshold)
        labels = np.full(values.shape, len(self.phases), dtype=np.uint8)
        for k, value in enumerate(self.phases.values()):
            labels[values == value] = k
        unknown = np.unique(values[labels == len(self.phases)])
        if len(unknown):
            shown = ", ".join(f"{v:g}" for v in unknown[:_SHOWN])
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise GeometryError(
                f"{self.file}: holds the values {shown}{more}, which phases does not name; name "
                'them, or give threshold = "otsu"'
            )
        return labels

    def _filtered(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        if self.filter is None:
            return values
        from scipy import ndimage

        if self.filter.median is not None:
            return np.asarray(ndimage.median_filter(values, size=self.filter.median))
        return np.asarray(ndimage.gaussian_filter(values.astype(np.float32), self.filter.gaussian))


def _above(values: NDArray[np.generic], threshold: float | Literal["otsu"]) -> NDArray[np.uint8]:
    """1 where the value is above the threshold."""
    if threshold == "otsu":
        from skimage.filters import threshold_otsu

        if values.min() == values.max():
            return np.zeros(values.shape, dtype=np.uint8)  # one phase, which is told
        threshold = float(threshold_otsu(values))
    return np.asarray(np.greater(values, threshold), dtype=np.uint8)

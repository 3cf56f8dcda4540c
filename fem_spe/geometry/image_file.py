"""Image files: TIFF stacks, numpy arrays and raw values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import GeometryError

Shape = tuple[int, int, int]

FORMATS = (".tif", ".tiff", ".npy")
_TIFF = FORMATS[:2]


@dataclass(frozen=True)
class Raw:
    """What a raw file does not tell itself: voxels along x, y, z, and numpy's dtype."""

    shape: Shape
    dtype: str


def extent(file: str, raw: Raw | None) -> Shape:
    """Voxels along x, y, z, without reading the values.

    Raises:
        GeometryError: if there is no such image.
    """
    return _opened(Path(file), raw, values=False)[0]


def read(file: str, raw: Raw | None) -> NDArray[np.generic]:
    """The values, shape (nx, ny, nz), C order.

    Raises:
        GeometryError: if there is no such image, or it is no box of single values.
    """
    _, values = _opened(Path(file), raw, values=True)
    assert values is not None
    return np.ascontiguousarray(values)


def write(file: Path, labels: NDArray[np.uint8], voxel_size: tuple[float, float, float]) -> None:
    """Labels as a TIFF stack (pages z, rows y) or a numpy array [x, y, z].

    A TIFF carries the edges of a voxel the way ImageJ writes them.
    """
    if file.suffix == ".npy":
        np.save(file, labels)
        return
    import tifffile

    x, y, z = (1e6 * edge for edge in voxel_size)
    tifffile.imwrite(
        file, np.ascontiguousarray(labels.transpose(2, 1, 0)), imagej=True,
        resolution=(1.0 / x, 1.0 / y), metadata={"spacing": z, "unit": "um", "axes": "ZYX"},
    )  # fmt: skip


def _opened(
    file: Path, raw: Raw | None, *, values: bool
) -> tuple[Shape, NDArray[np.generic] | None]:
    if not file.is_file():
        raise GeometryError(f"[geometry] file: there is no image {file}")
    try:
        if raw is not None:
            found = _raw(file, raw)
        elif file.suffix == ".npy":
            found = np.load(file, mmap_mode="r")
        elif file.suffix in _TIFF:
            return _tiff(file, values=values)
        else:
            raise GeometryError(
                f"{file}: unknown image format; known are {', '.join(FORMATS)}, and raw values "
                "with shape and dtype"
            )
    except GeometryError:
        raise
    except Exception as error:  # what a damaged file makes of its reader
        raise GeometryError(f"{file}: cannot be read as an image ({error})") from None
    return _box(file, found.shape), found if values else None


def _raw(file: Path, raw: Raw) -> NDArray[np.generic]:
    try:
        dtype = np.dtype(raw.dtype)
    except TypeError:
        raise GeometryError(
            f'[geometry] dtype = {raw.dtype!r}: give numpy\'s name, such as "uint8" or "<u2"'
        ) from None
    wanted, there = int(np.prod(raw.shape)) * dtype.itemsize, file.stat().st_size
    if min(raw.shape) < 1 or wanted != there:
        raise GeometryError(
            f"{file}: shape = {list(raw.shape)} of {raw.dtype} takes {wanted} bytes, but the file "
            f"has {there}"
        )
    return np.memmap(file, dtype, mode="r", shape=raw.shape, order="F")


def _tiff(file: Path, *, values: bool) -> tuple[Shape, NDArray[np.generic] | None]:
    import tifffile

    with tifffile.TiffFile(file) as stack:
        series = stack.series[0]
        if "S" in series.axes or "C" in series.axes:
            raise GeometryError(f"{file}: is in colour; save it as a stack of grey values")
        # pages z, rows y, columns x
        shape = _box(file, tuple(series.shape)[::-1])
        return shape, series.asarray().transpose(2, 1, 0) if values else None


def _box(file: Path, shape: tuple[int, ...]) -> Shape:
    if len(shape) != 3 or min(shape) < 2:
        raise GeometryError(
            f"{file}: has {' x '.join(map(str, shape))} values; a structure needs at least two "
            "voxels along each of three axes"
        )
    return shape[0], shape[1], shape[2]

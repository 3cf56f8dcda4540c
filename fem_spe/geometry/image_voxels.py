"""A structure as labelled voxels, and the signed distance that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import GeometryError

_BLUR = 1.0  # voxels: standard deviation of the Gaussian that the surface is read from
_NEAR, _FAR = 1.5, 2.5  # voxels: where the smooth distance begins to give way, and has
_LEAST = 0.02  # voxels: of the distance at a centre, on the side of its label
_THIN = 0.05  # share of the phase that may be thinner than `thinnest`


@dataclass(frozen=True, eq=False)
class Voxels:
    """A box of voxels with a corner at the origin.

    Attributes:
        labels: Index into `regions` of each voxel, shape (nx, ny, nz), C order.
        voxel_size: Edges of a voxel, m.
        regions: Names of the phases.
        periodic: Axes across which the structure repeats.
        dropped: Share of the box whose label was changed because it was a speck.
    """

    labels: NDArray[np.uint8]
    voxel_size: tuple[float, float, float]
    regions: tuple[str, ...] = ("matrix", "fiber")
    periodic: tuple[int, ...] = ()
    dropped: float = 0.0

    def __str__(self) -> str:
        counts = " x ".join(map(str, self.labels.shape))
        shares = ", ".join(f"{name} {share:.4f}" for name, share in self.fractions.items())
        return f"{counts} voxels of {self.edges}; {shares}"

    @property
    def edges(self) -> str:
        """The edges of a voxel for a person."""
        um = [f"{1e6 * edge:.4g}" for edge in self.voxel_size]
        return f"{um[0] if len(set(um)) == 1 else ' x '.join(um)} um"

    @property
    def size(self) -> tuple[float, float, float]:
        """Extent of the box, m."""
        x, y, z = (n * h for n, h in zip(self.labels.shape, self.voxel_size, strict=True))
        return x, y, z

    @cached_property
    def fractions(self) -> dict[str, float]:
        """Share of each phase in the box."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.regions))
        return {name: float(counts[k]) / self.labels.size for k, name in enumerate(self.regions)}

    @property
    def fraction(self) -> float:
        """Share of the second phase, which a mesh is to have too."""
        return self.fractions[self.regions[1]]

    @cached_property
    def thinnest(self) -> float:
        """Thickness, m, that all but a twentieth of the second phase exceeds.

        It is read on the phase's middle lines, each point of which stands for its cross section.

        Slivers where the box cuts a fibre, and specks, would make the least thickness one voxel
        in every image; a mesh tells what it loses of them.
        """
        from scipy import ndimage

        inside = self.labels == 1
        depth = _inner_distance(inside, self.voxel_size)
        middle = inside & (depth >= ndimage.maximum_filter(depth, size=3))
        # bumps of the surface are middles too, many and thin: by area they hardly count
        found = np.sort(depth[middle].astype(np.float64))
        share = np.cumsum(found**2)
        return 2.0 * float(found[np.searchsorted(share, _THIN * share[-1])])

    def distance(self, shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """Signed distance to the interface, m, negative in the second phase.

        The labels know the surface to half a voxel only: near it the distance is that of a
        plane which, blurred by a Gaussian, leaves the share that the blurred labels have, less
        what the blur moves a curved surface; farther off it is the Euclidean transform. A
        voxel's centre stays on the side of its label, so that nothing is lost.

        Args:
            shape: Points of the grid along each axis, both ends on the box's faces.

        Raises:
            GeometryError: if there are more than two phases.
        """
        if len(self.regions) != 2:
            raise GeometryError(
                f"a distance tells two phases apart, but the image has {len(self.regions)}: "
                f'{", ".join(self.regions)}; give [diffusion] method = "voxel"'
            )
        values = self._at_centres
        for axis, (n, count) in enumerate(zip(shape, self.labels.shape, strict=True)):
            values = _sampled(values, axis, np.linspace(-0.5, count - 0.5, n))
        return values

    @cached_property
    def _at_centres(self) -> NDArray[np.float32]:
        """The distance at the centres of the voxels, m."""
        from scipy import ndimage, special

        inside = self.labels == 1
        h = min(self.voxel_size)
        far = _inner_distance(~inside, self.voxel_size) - _inner_distance(inside, self.voxel_size)
        blurs = [_BLUR * h / edge for edge in self.voxel_size]
        share = ndimage.gaussian_filter(inside.astype(np.float32), blurs, mode="nearest")
        near = -_BLUR * h * special.ndtri(np.clip(share, 1e-6, 1.0 - 1e-6))
        near = near.astype(np.float32)
        # a blur of variance s^2 moves a surface of mean curvature H by s^2 H (Merriman, Bence &
        # Osher 1992): the Laplacian of a distance is twice H
        bend = sum(
            ndimage.correlate1d(near, [1.0, -2.0, 1.0], axis, mode="nearest") / edge**2
            for axis, edge in enumerate(self.voxel_size)
        )
        limit = 1.0 / h  # of a ball of a voxel's radius: more is noise
        near -= 0.5 * (_BLUR * h) ** 2 * np.clip(bend, -limit, limit)
        weight = np.clip((np.abs(far) / h - _NEAR) / (_FAR - _NEAR), 0.0, 1.0)
        both = np.where(np.abs(share - 0.5) < 0.499, (1.0 - weight) * near + weight * far, far)
        least = _LEAST * h
        return np.where(inside, np.minimum(both, -least), np.maximum(both, least)).astype(
            np.float32
        )


def _inner_distance(
    phase: NDArray[np.bool_], voxel_size: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Depth of each voxel's centre below the surface of `phase`, m; zero outside."""
    from edt import edt  # type: ignore[import-not-found]

    if phase.all():
        return np.full(phase.shape, max(phase.shape) * max(voxel_size), dtype=np.float32)
    depth = edt(phase, anisotropy=voxel_size)
    # the surface lies between the centres, about half a voxel before the next phase's
    return np.asarray(np.where(phase, depth - np.float32(0.5 * min(voxel_size)), 0.0), np.float32)


def _sampled(
    values: NDArray[np.float32], axis: int, places: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Linear interpolation along `axis` at `places`, in voxels from the first centre."""
    if values.shape[axis] == 1:
        return np.repeat(values, len(places), axis=axis)
    first = np.clip(np.floor(places).astype(int), 0, values.shape[axis] - 2)
    after = np.clip(places - first, 0.0, 1.0)  # beyond the outermost centres: as there
    weight = after.astype(np.float32).reshape([-1 if d == axis else 1 for d in range(3)])
    low, high = values.take(first, axis=axis), values.take(first + 1, axis=axis)
    return np.asarray(low + weight * (high - low), np.float32)

"""Sizes of the pores of a voxel image, with PoreSpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PoreSizes:
    """How the volume of the pores is shared among their sizes.

    Attributes:
        edges: Of the classes of diameters, m, shape (n + 1,).
        share: Of the pore volume in each class, shape (n,); their sum is what was filled.
        mean: Diameter, m, averaged over the volume.
        spread: Its standard deviation, m.
    """

    edges: NDArray[np.float64]
    share: NDArray[np.float64]
    mean: float
    spread: float

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middles of the classes, m."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def peak(self) -> float:
        """Diameter of the class with most volume per width, m."""
        return float(self.centres[np.argmax(self.share / np.diff(self.edges))])


def pore_sizes(pores: NDArray[np.bool_], edge: float, *, most: int) -> tuple[PoreSizes, PoreSizes]:
    """By local thickness, and by intrusion from the lower and the upper face across z.

    Local thickness: the diameter of the largest ball in the pores that covers a point. Intrusion:
    that of the largest that covers it and came in from outside, as mercury does under rising
    pressure; pores behind narrow throats count as small.

    Args:
        pores: True in the pores, shape (nx, ny, nz).
        edge: Of a cubic voxel, m.
        most: Classes at most.
    """
    from edt import edt as distance  # type: ignore[import-not-found]
    from porespy import filters, settings

    settings.loglevel, settings.tqdm = 40, {**settings.tqdm, "disable": True}
    depth = distance(pores)
    most = min(most, 1 + int(2.0 * depth.max()))  # no two radii nearer than half a voxel
    radii = np.linspace(1.0, float(depth.max()), most)
    inlets = np.zeros(pores.shape, dtype=bool)
    inlets[:, :, [0, -1]] = True
    # "legacy" alone takes radii between whole numbers: the others make every ball a voxel small
    thick = filters.local_thickness(pores, dt=depth, method="legacy", sizes=radii)
    intruded = np.zeros(pores.shape)
    for radius in radii[::-1]:  # a ball whose centre is joined with a face by centres like it
        centres = filters.trim_disconnected_voxels(depth >= radius, inlets=inlets)
        if centres.any():
            filled = pores & (distance(~centres) < radius) & (intruded == 0)
            intruded[filled] = radius
    return _shared(thick[pores], radii, edge), _shared(intruded[pores], radii, edge)


def _shared(radius: NDArray[np.float64], radii: NDArray[np.float64], edge: float) -> PoreSizes:
    """Shares of the classes, from the radius in voxels that each pore voxel has; 0: not filled."""
    half = 0.5 * (radii[1] - radii[0]) if len(radii) > 1 else 0.5
    between = np.append(radii - half, radii[-1] + half)
    edges = 2.0 * edge * between
    share = np.histogram(radius[radius > 0], between)[0] / max(len(radius), 1)
    filled = share.sum() or 1.0
    mean = float(np.sum(share * 2.0 * edge * radii) / filled)
    square = float(np.sum(share * (2.0 * edge * radii - mean) ** 2) / filled)
    return PoreSizes(edges, share, mean, square**0.5)

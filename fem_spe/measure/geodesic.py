"""Shortest ways through the pores of a voxel image.

The time T at which a front of unit speed arrives from one face solves |grad T| = 1 in the pores.
It is found by fast sweeping (Zhao, Math. Comp. 74 (2005) 603) with first-order upwind differences:
exact along an axis, a little too long around corners.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_CHANGE = 1e-3  # of an edge: when a round of sweeps moves no front by more, it has settled
_MOST_ROUNDS = 500


def path_tortuosity(
    pores: NDArray[np.bool_], voxel_size: tuple[float, float, float], axis: int
) -> float | None:
    """Mean shortest way from one face across `axis` to the other, over the distance of the faces.

    The mean is over the pore voxels of the upper face that a way leads to.

    Args:
        pores: True where a way may lead, shape (nx, ny, nz).
        voxel_size: Edges of a voxel, m.
        axis: Of the faces.

    Returns:
        At least 1; None where no way leads through.
    """
    turned = np.ascontiguousarray(np.moveaxis(pores, axis, 0))
    edges = np.array([voxel_size[axis], *np.delete(voxel_size, axis)]) / voxel_size[axis]
    arrival = np.full(tuple(n + 2 for n in turned.shape), np.inf)
    arrival[1, 1:-1, 1:-1][turned[0]] = 0.5
    for _ in range(_MOST_ROUNDS):
        if _sweep(arrival, turned, edges) < _CHANGE:
            break
    ends = arrival[-2, 1:-1, 1:-1]
    reached = ends[np.isfinite(ends)]
    return float(reached.mean() + 0.5) / len(turned) if len(reached) else None


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _sweep(t: Any, pores: Any, edges: Any) -> float:  # pragma: no cover - compiled
    """Eight sweeps, one from each corner, in place; the largest change of an arrival."""
    nx, ny, nz = pores.shape
    hx, hy, hz = edges[0], edges[1], edges[2]
    largest = 0.0
    a, h = np.empty(3), np.empty(3)
    for corner in range(8):
        for p in range(nx):
            i = nx - p if corner & 1 else p + 1
            for q in range(ny):
                j = ny - q if corner & 2 else q + 1
                for r in range(nz):
                    k = nz - r if corner & 4 else r + 1
                    if not pores[i - 1, j - 1, k - 1]:
                        continue
                    a[0], h[0] = min(t[i - 1, j, k], t[i + 1, j, k]), hx
                    a[1], h[1] = min(t[i, j - 1, k], t[i, j + 1, k]), hy
                    a[2], h[2] = min(t[i, j, k - 1], t[i, j, k + 1]), hz
                    for one, two in ((0, 1), (1, 2), (0, 1)):  # the earliest first
                        if a[one] > a[two]:
                            a[one], a[two] = a[two], a[one]
                            h[one], h[two] = h[two], h[one]
                    if a[0] == np.inf:
                        continue
                    new = a[0] + h[0]
                    # sum over the axes of ((T - a) / h)^2 = 1, of as many as are earlier than T
                    first, second, third = 1.0 / h[0] ** 2, a[0] / h[0] ** 2, (a[0] / h[0]) ** 2
                    for m in range(1, 3):
                        if new <= a[m]:
                            break
                        first += 1.0 / h[m] ** 2
                        second += a[m] / h[m] ** 2
                        third += (a[m] / h[m]) ** 2
                        root = second * second - first * (third - 1.0)
                        new = (second + np.sqrt(max(root, 0.0))) / first
                    if new < t[i, j, k]:
                        change = t[i, j, k] - new
                        largest = max(largest, change)
                        t[i, j, k] = new
    return largest

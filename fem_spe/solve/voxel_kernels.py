"""Loops over voxels, compiled by numba and kept beside this file (or in NUMBA_CACHE_DIR).

The conductance g[axis][i, j, k] belongs to the face between a voxel and the one before it along
that axis; the last entry is the face at the end of the box. Vectors of unknowns have a layer of
zeros about them, so that no loop asks where the box ends: there the value is zero, or g is.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_options = {"cache": True, "error_model": "numpy", "nogil": True}
_ordered = numba.njit(**_options)  # Gauss-Seidel: each value needs the one before
_summed = numba.njit(**_options, fastmath=True)
_TINY = np.float32(1e-30)  # in place of no conductance at all: 0 / tiny is 0


@_summed  # type: ignore[untyped-decorator]
def conductances(labels: Any, table: Any, ends: Any, axis: int, g: Any) -> None:  # pragma: no cover
    """Fill `g` across `axis`: `table[a, b]` between labels, `ends[a]` at both ends of the box."""
    n0, n1, n2 = g.shape
    last = labels.shape[axis]
    s0, s1, s2 = int(axis == 0), int(axis == 1), int(axis == 2)
    for i in range(n0):
        for j in range(n1):
            for k in range(n2):
                place = i * s0 + j * s1 + k * s2
                if place == 0:
                    g[i, j, k] = ends[labels[i, j, k]]
                elif place == last:
                    g[i, j, k] = ends[labels[i - s0, j - s1, k - s2]]
                else:
                    g[i, j, k] = table[labels[i - s0, j - s1, k - s2], labels[i, j, k]]


@_summed  # type: ignore[untyped-decorator]
def coarsen(g: Any, axis: int, coarse: Any) -> None:  # pragma: no cover
    """Add half the sum of the fine conductances that cross each coarse face."""
    n0, n1, n2 = g.shape
    s0, s1, s2 = int(axis == 0), int(axis == 1), int(axis == 2)
    last = g.shape[axis] - 1
    end = coarse.shape[axis] - 1
    half = np.float32(0.5)
    for i in range(n0):
        for j in range(n1):
            for k in range(n2):
                place = i * s0 + j * s1 + k * s2
                if place == last:
                    coarse[
                        end * s0 + (1 - s0) * (i // 2),
                        end * s1 + (1 - s1) * (j // 2),
                        end * s2 + (1 - s2) * (k // 2),
                    ] += half * g[i, j, k]
                elif place % 2 == 0:
                    coarse[i // 2, j // 2, k // 2] += half * g[i, j, k]


@_ordered  # type: ignore[untyped-decorator]
def descend(gx: Any, gy: Any, gz: Any, b: Any, z: Any, below: Any) -> None:  # pragma: no cover
    """One forward sweep from zero, and its residual summed into the voxels `below`.

    What a forward sweep from zero leaves over is what comes from the neighbours behind.
    """
    nx, ny, nz = b.shape
    below[:] = 0.0
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                low_x, low_y, low_z = gx[i, j, k], gy[i, j, k], gz[i, j, k]
                total = low_x + low_y + low_z
                total += gx[i + 1, j, k] + gy[i, j + 1, k] + gz[i, j, k + 1]
                inverse = np.float32(1.0) / max(total, _TINY)
                value = np.float32(b[i, j, k])
                value += low_x * z[i, j + 1, k + 1] + low_y * z[i + 1, j, k + 1]
                value = (value + low_z * z[i + 1, j + 1, k]) * inverse
                z[i + 1, j + 1, k + 1] = value
                if i > 0:
                    below[(i - 1) // 2, j // 2, k // 2] += low_x * value
                if j > 0:
                    below[i // 2, (j - 1) // 2, k // 2] += low_y * value
                if k > 0:
                    below[i // 2, j // 2, (k - 1) // 2] += low_z * value


@_ordered  # type: ignore[untyped-decorator]
def ascend(gx: Any, gy: Any, gz: Any, b: Any, z: Any, above: Any) -> float:  # pragma: no cover
    """Add the correction of the coarser level, one backward sweep; the product of b and z.

    `above` is the coarser level's vector with its layer of zeros.
    """
    nx, ny, nz = b.shape
    product = 0.0
    for i in range(nx - 1, -1, -1):
        ci, before_i = i // 2 + 1, (i + 1) // 2
        for j in range(ny - 1, -1, -1):
            cj, before_j = j // 2 + 1, (j + 1) // 2
            for k in range(nz - 1, -1, -1):
                ck, before_k = k // 2 + 1, (k + 1) // 2
                low_x, low_y, low_z = gx[i, j, k], gy[i, j, k], gz[i, j, k]
                up_x, up_y, up_z = gx[i + 1, j, k], gy[i, j + 1, k], gz[i, j, k + 1]
                total = low_x + low_y + low_z + up_x + up_y + up_z
                inverse = np.float32(1.0) / max(total, _TINY)
                value = np.float32(b[i, j, k])
                # those before have not had their correction yet
                value += low_x * (z[i, j + 1, k + 1] + above[before_i, cj, ck])
                value += low_y * (z[i + 1, j, k + 1] + above[ci, before_j, ck])
                value += low_z * (z[i + 1, j + 1, k] + above[ci, cj, before_k])
                value += up_x * z[i + 2, j + 1, k + 1] + up_y * z[i + 1, j + 2, k + 1]
                value = (value + up_z * z[i + 1, j + 1, k + 2]) * inverse
                z[i + 1, j + 1, k + 1] = value
                product += b[i, j, k] * value
    return product


@_ordered  # type: ignore[untyped-decorator]
def relax(gx: Any, gy: Any, gz: Any, b: Any, z: Any, rounds: int) -> None:  # pragma: no cover
    """So many forward sweeps from zero, then as many backward: the coarsest level."""
    nx, ny, nz = b.shape
    z[:] = 0.0
    for sweep in range(2 * rounds):
        back = sweep >= rounds
        for place in range(nx * ny * nz):
            at = nx * ny * nz - 1 - place if back else place
            i, j, k = at // (ny * nz), at // nz % ny, at % nz
            total = gx[i, j, k] + gy[i, j, k] + gz[i, j, k]
            total += gx[i + 1, j, k] + gy[i, j + 1, k] + gz[i, j, k + 1]
            value = np.float32(b[i, j, k])
            value += gx[i, j, k] * z[i, j + 1, k + 1] + gx[i + 1, j, k] * z[i + 2, j + 1, k + 1]
            value += gy[i, j, k] * z[i + 1, j, k + 1] + gy[i, j + 1, k] * z[i + 1, j + 2, k + 1]
            value += gz[i, j, k] * z[i + 1, j + 1, k] + gz[i, j, k + 1] * z[i + 1, j + 1, k + 2]
            z[i + 1, j + 1, k + 1] = value / max(total, _TINY)


@_summed  # type: ignore[untyped-decorator]
def turn(gx: Any, gy: Any, gz: Any, z: Any, beta: float, p: Any) -> float:  # pragma: no cover
    """p <- z + beta p; the product of p and A p."""
    nx, ny, nz = gx.shape[0] - 1, gx.shape[1], gx.shape[2]
    energy = 0.0
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                p[i + 1, j + 1, k + 1] = z[i + 1, j + 1, k + 1] + beta * p[i + 1, j + 1, k + 1]
            for k in range(nz):
                here = p[i + 1, j + 1, k + 1]
                energy += gx[i, j, k] * (here - p[i, j + 1, k + 1]) ** 2
                energy += gy[i, j, k] * (here - p[i + 1, j, k + 1]) ** 2
                energy += gz[i, j, k] * (here - p[i + 1, j + 1, k]) ** 2
            energy += gz[i, j, nz] * p[i + 1, j + 1, nz] ** 2
        for k in range(nz):
            energy += gy[i, ny, k] * p[i + 1, ny, k + 1] ** 2
    for j in range(ny):
        for k in range(nz):
            energy += gx[nx, j, k] * p[nx, j + 1, k + 1] ** 2
    return energy


@_summed  # type: ignore[untyped-decorator]
def step(
    gx: Any, gy: Any, gz: Any, p: Any, alpha: float, x: Any, r: Any
) -> None:  # pragma: no cover
    """x <- x + alpha p, r <- r - alpha A p."""
    nx, ny, nz = r.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                here = p[i + 1, j + 1, k + 1]
                flow = gx[i, j, k] * (here - p[i, j + 1, k + 1])
                flow += gx[i + 1, j, k] * (here - p[i + 2, j + 1, k + 1])
                flow += gy[i, j, k] * (here - p[i + 1, j, k + 1])
                flow += gy[i, j + 1, k] * (here - p[i + 1, j + 2, k + 1])
                flow += gz[i, j, k] * (here - p[i + 1, j + 1, k])
                flow += gz[i, j, k + 1] * (here - p[i + 1, j + 1, k + 2])
                x[i, j, k] += alpha * here
                r[i, j, k] -= alpha * flow

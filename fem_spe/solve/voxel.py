"""Effective conduction of a voxel image: finite volumes, solved by multigrid.

Seven-point finite volumes on the voxels themselves: harmonic means between neighbours, the
electrodes half a voxel from the outermost centres. Conjugate gradients in double precision, with
a V(1,1) multigrid cycle in single precision as preconditioner: forward and backward Gauss-Seidel,
2 x 2 x 2 voxels joined into one, its conductances half the sum of the fine ones that cross (for a
uniform box those of the coarse grid itself).

The energy J of the field tells the conductance, from above and with an error quadratic in that of
the field. It is known without a sum over the voxels: J <- J - (r.z)^2 / (p.Ap) in each step.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import ConvergenceError
from fem_spe.progress import log

Faces = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

_COARSEST = 64  # voxels: solved by sweeps alone
_ROUNDS = 16  # of sweeps there, forward and backward
_WINDOW = 3  # steps whose gain together tells the error
_MOST_STEPS = 2000


@dataclass(frozen=True)
class Conduction:
    """What a voxel image conducts along an axis.

    Attributes:
        effective: Effective coefficient, in the unit of the voxels'.
        flows: Through the lower and the upper electrode under a unit difference, over the cross
            section and the inverse length: both `effective` when converged.
        change: Relative gain of the energy in the last steps, about the error of the iteration.
        iterations: Steps of the conjugate gradients.
        num_dofs: Voxels that conduct.
    """

    effective: float
    flows: tuple[float, float]
    change: float
    iterations: int
    num_dofs: int


@dataclass(frozen=True)
class _Level:
    """One grid of the cycle: conductances, unknowns with a layer of zeros, right-hand side."""

    g: Faces
    z: NDArray[np.float32]
    b: NDArray[np.float32] | None  # the finest has the residual itself


def warm_up() -> str:
    """Load the compiled loops, or compile them, which a machine does once; what was done."""
    from fem_spe.solve import voxel_kernels as kernels

    loops = [f for f in vars(kernels).values() if hasattr(f, "stats")]
    if not any(True for _ in Path(loops[0].stats.cache_path).glob("voxel_kernels.*.nbi")):
        log.info("  compiling the loops over voxels, once on this machine (some 20 s)")
    box = np.zeros((12, 12, 12), dtype=np.uint8)  # three grids: all kinds of arguments
    conduct(box, np.ones((1, 3)), (1.0, 1.0, 1.0), 0, rtol=0.1)
    missed = any(sum(f.stats.cache_misses.values()) for f in loops)
    return "the loops over voxels, once on this machine" if missed else "kept from before"


def conduct(
    labels: NDArray[np.uint8],
    values: NDArray[np.float64],
    voxel_size: tuple[float, float, float],
    axis: int,
    *,
    rtol: float,
) -> Conduction:
    """The effective coefficient of a voxel image along `axis`.

    Every voxel that conducts must be connected, through faces, with an electrode.

    Args:
        labels: Phase of each voxel, shape (nx, ny, nz).
        values: Coefficient of each phase along each axis, shape (num_phases, 3), zero where
            nothing passes.
        voxel_size: Edges of a voxel, m.
        axis: From whose one face to the other it is driven.
        rtol: Relative gain of the energy in the last three steps at which the iteration ends.

    Raises:
        ConvergenceError: if it does not end.
    """
    from fem_spe.solve import voxel_kernels as kernels

    scale = float(values.max())
    g = _conductances(labels, values / scale, voxel_size, axis)
    r, energy = _start(g, axis)
    x = np.zeros(labels.shape)
    p = np.zeros(tuple(n + 2 for n in labels.shape))
    levels = _levels(g)
    gained: list[float] = []
    before, change = 1.0, 1.0
    for iteration in range(_MOST_STEPS + 1):
        product = _cycle(levels, r)
        if product <= 0.0 or not np.isfinite(product):
            break  # nothing is left to gain: exact but for rounding
        curvature = kernels.turn(*g, levels[0].z, product / before if iteration else 0.0, p)
        kernels.step(*g, p, product / curvature, x, r)
        gain = product**2 / curvature
        energy -= gain
        before = product
        gained = [*gained[-_WINDOW + 1 :], gain]
        change = sum(gained) / energy if len(gained) == _WINDOW else gained[0] / energy
        if (len(gained) == _WINDOW or gain < 1e-15 * energy) and change < rtol:
            break
    else:
        raise ConvergenceError(
            f"the voxel solver gained {change:.1e} of the energy in its last steps after "
            f"{_MOST_STEPS}, asked {rtol:.1e}; give a larger [diffusion] rtol"
        )
    section = float(np.prod(voxel_size) / voxel_size[axis] * labels.size / labels.shape[axis])
    to_effective = scale * labels.shape[axis] * voxel_size[axis] / section
    low, high = _electrode_flows(g[axis], x, axis)
    return Conduction(
        to_effective * energy,
        (to_effective * low, to_effective * high),
        change,
        iteration + 1,
        int(np.count_nonzero(values.max(axis=1)[labels])),
    )


def _conductances(
    labels: NDArray[np.uint8],
    values: NDArray[np.float64],
    voxel_size: tuple[float, float, float],
    axis: int,
) -> Faces:
    """Of all faces, in the unit of `values` times m; the sides let nothing through."""
    from fem_spe.solve import voxel_kernels as kernels

    faces = []
    for across in range(3):
        k = values[:, across]
        per_face = np.prod(voxel_size) / voxel_size[across] ** 2
        total = np.maximum(k[:, None] + k[None, :], np.finfo(float).tiny)
        table = (per_face * 2.0 * k[:, None] * k[None, :] / total).astype(np.float32)
        ends = (per_face * 2.0 * k * (across == axis)).astype(np.float32)
        shape = tuple(n + (across == d) for d, n in enumerate(labels.shape))
        g = np.empty(shape, dtype=np.float32)
        kernels.conductances(labels, table, ends, across, g)
        faces.append(g)
    return faces[0], faces[1], faces[2]


def _start(g: Faces, axis: int) -> tuple[NDArray[np.float64], float]:
    """Residual and energy of the field that rises evenly between the electrodes."""
    driven = g[axis]
    count = driven.shape[axis] - 1
    rise = np.full(count + 1, 1.0 / count)
    rise[[0, -1]] *= 0.5
    along = np.moveaxis(driven, axis, 0)
    sums = np.sum(along, axis=(1, 2), dtype=np.float64)
    energy = float(np.sum(sums * rise**2))
    r = np.empty(tuple(n - (d == axis) for d, n in enumerate(driven.shape)))
    out = np.moveaxis(r, axis, 0)
    for i in range(count):
        np.multiply(along[i + 1], rise[i + 1], out=out[i], dtype=np.float64)
        out[i] -= along[i] * rise[i]
    return r, energy


def _levels(g: Faces) -> list[_Level]:
    """The grids of the cycle, the finest first."""
    from fem_spe.solve import voxel_kernels as kernels

    shape = (g[0].shape[0] - 1, g[0].shape[1], g[0].shape[2])
    levels = [_Level(g, _unknowns(shape), None)]
    while np.prod(shape) > _COARSEST:
        shape = ((shape[0] + 1) // 2, (shape[1] + 1) // 2, (shape[2] + 1) // 2)
        coarse = []
        for axis in range(3):
            own = np.zeros(tuple(n + (axis == d) for d, n in enumerate(shape)), dtype=np.float32)
            kernels.coarsen(levels[-1].g[axis], axis, own)
            coarse.append(own)
        faces = (coarse[0], coarse[1], coarse[2])
        levels.append(_Level(faces, _unknowns(shape), np.zeros(shape, dtype=np.float32)))
    return levels


def _unknowns(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    return np.zeros(tuple(n + 2 for n in shape), dtype=np.float32)


def _cycle(levels: list[_Level], r: NDArray[np.float64]) -> float:
    """One V(1,1) cycle on the residual, into the finest `z`; the product of both."""
    from fem_spe.solve import voxel_kernels as kernels

    sides = [r if level.b is None else level.b for level in levels]
    for level, b, below in zip(levels[:-1], sides[:-1], sides[1:], strict=True):
        kernels.descend(*level.g, b, level.z, below)
    kernels.relax(*levels[-1].g, sides[-1], levels[-1].z, _ROUNDS)
    product = float(np.sum(r * levels[0].z[1:-1, 1:-1, 1:-1])) if len(levels) == 1 else 0.0
    for k in range(len(levels) - 2, -1, -1):
        product = kernels.ascend(*levels[k].g, sides[k], levels[k].z, levels[k + 1].z)
    return product


def _electrode_flows(
    g: NDArray[np.float32], x: NDArray[np.float64], axis: int
) -> tuple[float, float]:
    """Flows at both ends, of the even rise and its correction `x`."""
    driven, found = np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)
    half = 0.5 / len(found)
    low = float(np.sum(driven[0] * (half + found[0])))
    high = float(np.sum(driven[-1] * (half - found[-1])))
    return low, high

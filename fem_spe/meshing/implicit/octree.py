"""Which cubes a box is divided into: fine where the phases meet, at most 2:1 between neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_LEAST = 2  # coarse cubes along each axis: a periodic one must not meet its own image
_SKEW = 1.2  # longest over shortest edge of a cube above which a level less is taken
_WASTE = 1.15  # finest cubes along an axis over those needed: the same


@dataclass(frozen=True)
class Grid:
    """The finest cubes of a box.

    Attributes:
        size: Extent of the box, m.
        counts: Finest cubes along each axis.
        levels: How often cubes may be twice as large.
    """

    size: tuple[float, float, float]
    counts: tuple[int, int, int]
    levels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Points half a finest cube apart: corners, middles and centres of cubes of all levels."""
        nx, ny, nz = self.counts
        return 2 * nx + 1, 2 * ny + 1, 2 * nz + 1

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of a finest cube, m, shape (3,)."""
        return np.asarray(np.array(self.size) / np.array(self.counts))


def grid(size: tuple[float, float, float], fine: float, coarse: float) -> Grid:
    """The cubes no larger than `fine`, and as many levels as lead to about `coarse`, m.

    They are as nearly cubic as the box allows, at the price of a level where it is thin.
    """
    levels = max(0, round(math.log2(coarse / fine)))
    while True:
        block = 2**levels
        most = [math.ceil(s / (fine * block) - 1e-6) for s in size]
        edges = [s / (n * block) for s, n in zip(size, most, strict=True)]
        cubic = max(edges) <= _SKEW * min(edges) and fine <= _WASTE * min(edges)
        if levels == 0 or (min(most) >= _LEAST and cubic):
            nx, ny, nz = (max(n, _LEAST) * block for n in most)
            return Grid(size, (nx, ny, nz), levels)
        levels -= 1


@dataclass(frozen=True)
class Octree:
    """Cubes of several levels, each twice as large as those of the level below.

    Attributes:
        exist: Per level, where the cubes or smaller ones in their place are.
        leaf: Per level, where cubes are that are not divided.
    """

    exist: list[Mask]
    leaf: list[Mask]

    @property
    def num_leaves(self) -> int:
        """Undivided cubes of all levels."""
        return sum(int(leaf.sum()) for leaf in self.leaf)


def octree(finest: Mask, divided: Sequence[Mask], periodic: tuple[int, ...]) -> Octree:
    """The coarsest cubes among which those in `finest` are of the lowest level.

    Any two that touch, be it at a corner, differ by one level at most; layers at opposite
    periodic faces are alike.

    Args:
        finest: Where the finest cubes are wanted.
        divided: Per level from 1 up, where cubes must be divided for other reasons.
        periodic: Axes across which the box repeats.
    """
    split = [np.zeros_like(finest)]  # level 0 is never divided
    wanted = finest
    for level, asked in enumerate(divided, start=1):
        # a divided cube's neighbours exist on its own level: their parents are divided
        near = wanted if level == 1 else _grown(split[-1], periodic)
        parent = _any_child(near) | asked
        _alike(parent, periodic)
        split.append(parent)
    exist, leaf = [], []
    for level in range(len(split)):
        if level + 1 < len(split):
            there = split[level + 1]
            for axis in range(3):
                there = np.repeat(there, 2, axis=axis)
        else:
            there = np.ones_like(split[level])
        exist.append(there)
        leaf.append(there & ~split[level])
    return Octree(exist, leaf)


def _any_child(mask: Mask) -> Mask:
    nx, ny, nz = (n // 2 for n in mask.shape)
    return np.asarray(mask.reshape(nx, 2, ny, 2, nz, 2).any(axis=(1, 3, 5)))


def _grown(mask: Mask, periodic: tuple[int, ...]) -> Mask:
    """`mask` and its 26 neighbours."""
    for axis in range(3):
        ahead, behind = np.roll(mask, 1, axis), np.roll(mask, -1, axis)
        if axis not in periodic:
            np.moveaxis(ahead, axis, 0)[0] = False
            np.moveaxis(behind, axis, 0)[-1] = False
        mask = mask | ahead | behind
    return mask


def _alike(mask: Mask, periodic: tuple[int, ...]) -> None:
    """Make the first and the last layer across each of the axes the same, in place."""
    for _ in periodic:  # a layer of one axis holds an edge of another
        for axis in periodic:
            layers = np.moveaxis(mask, axis, 0)
            layers[0] |= layers[-1]
            layers[-1] = layers[0]


def cut_cubes(values: NDArray[np.float32], reach: float) -> Mask:
    """The finest cubes that the interface may pass through.

    Args:
        values: Signed distance at the grid's points.
        reach: Half the diagonal of a cube: no interface of a cube is farther from its centre.
    """
    found = np.abs(values[1::2, 1::2, 1::2]) <= reach
    negative = values[::2, ::2, ::2] < 0
    some, every = np.zeros(found.shape, bool), np.ones(found.shape, bool)
    for corner in product((slice(None, -1), slice(1, None)), repeat=3):
        some |= negative[corner]
        every &= negative[corner]
    return np.asarray(found | (some & ~every))

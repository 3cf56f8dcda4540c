"""A graded body-centred lattice of tetrahedra over the cubes of an octree.

Two cubes of one size that share a face hold a fan of tetrahedra about the line between their
centres, one for each edge of the face, or two where the edge's middle is a node. Where a large
cube meets small ones, each small face carries two half pyramids on either side. A face on the
box has a node in its middle, and a fan about it. The radius ratio is 0.64 or more for cubes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from fem_spe.meshing.implicit.octree import Grid, Octree
from fem_spe.meshing.implicit.quality import volumes

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Lattice:
    """Tetrahedra whose nodes are points of a grid.

    Attributes:
        nodes: Place of each node in the flattened grid, rising, shape (num_nodes,).
        index: The same along each axis, shape (num_nodes, 3).
        cells: Positively oriented, shape (num_cells, 4).
        fixed: A bit for each box face that the node is on: 1 x low, 2 x high, 4 y low, ...
        twin: The node that stands for this one and its periodic images, shape (num_nodes,).
    """

    nodes: Ints
    index: NDArray[np.float64]
    cells: NDArray[np.int32]
    fixed: NDArray[np.uint8]
    twin: NDArray[np.int32]


def lattice(grid: Grid, tree: Octree, periodic: tuple[int, ...]) -> Lattice:
    """The tetrahedra over the undivided cubes."""
    shape = grid.shape
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    corner = np.zeros(int(np.prod(shape)), dtype=bool)
    for level, leaf in enumerate(tree.leaf):
        low = 2 ** (level + 1) * np.argwhere(leaf) @ strides
        for offset in product((0, 2 ** (level + 1)), repeat=3):
            corner[low + np.dot(offset, strides)] = True
    cells = np.concatenate(
        [
            tets
            for level in range(len(tree.leaf))
            for axis in range(3)
            for tets in _across(level, axis, tree, corner, strides)
        ]
    )
    used = np.zeros(len(corner), dtype=bool)
    used[cells] = True
    nodes = np.flatnonzero(used)
    number = np.zeros(len(corner), dtype=np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    index = np.stack(np.unravel_index(nodes, shape), axis=1).astype(np.float64)
    fixed, master = np.zeros(len(nodes), dtype=np.uint8), nodes.copy()
    for axis in range(3):
        high = index[:, axis] == shape[axis] - 1
        fixed |= np.where(index[:, axis] == 0, 1 << 2 * axis, 0).astype(np.uint8)
        fixed |= np.where(high, 2 << 2 * axis, 0).astype(np.uint8)
        if axis in periodic:
            master[high] -= (shape[axis] - 1) * strides[axis]
    cells = number[cells]
    turned = volumes(index, cells) < 0
    cells[turned] = cells[turned][:, [0, 1, 3, 2]]
    return Lattice(nodes, index, cells, fixed, number[master])


def _across(
    level: int, axis: int, tree: Octree, corner: NDArray[np.bool_], strides: Ints
) -> Iterator[Ints]:
    """The tetrahedra about the faces across `axis` of the cubes of one level, as grid places."""
    half = 2**level
    leaf, exist = tree.leaf[level], tree.exist[level]
    along = half * strides
    last = leaf.shape[axis] - 1

    def centre(cube: Ints) -> Ints:
        return np.asarray((2 * cube + 1) @ along)

    # between two of one size
    here = np.moveaxis(leaf, axis, 0)
    pair = np.zeros_like(leaf)
    np.moveaxis(pair, axis, 0)[:-1] = here[:-1] & here[1:]
    first = centre(np.argwhere(pair))
    yield from _fan(first, first + 2 * along[axis], first + along[axis], axis, along, corner)

    cubes = np.argwhere(leaf)
    for step in (-1, 1):
        beside = cubes.copy()
        beside[:, axis] += step
        outside = cubes[:, axis] == (0 if step < 0 else last)
        own = centre(cubes[outside])
        face = own + step * along[axis]
        yield from _fan(own, face, face, axis, along, corner)

        # towards a larger one: the diagonal of the small face leads to the large face's middle
        inside = np.flatnonzero(~outside)
        larger = inside[~exist[tuple(beside[inside].T)]]
        own = centre(cubes[larger])
        large = (2 * (beside[larger] // 2) + 1) @ (2 * along)
        b, c = (k for k in range(3) if k != axis)
        parity = 1 - 2 * (cubes[larger] % 2)
        to_b, to_c = parity[:, b] * along[b], parity[:, c] * along[c]
        face = own + step * along[axis]
        middle, opposite = face + to_b + to_c, face - to_b - to_c
        for side in (face + to_b - to_c, face - to_b + to_c):
            yield np.stack([own, middle, opposite, side], axis=1)
            yield np.stack([large, middle, opposite, side], axis=1)


def _fan(
    first: Ints, second: Ints, face: Ints, axis: int, along: Ints, corner: NDArray[np.bool_]
) -> Iterator[Ints]:
    """Tetrahedra from the line first-second to the four edges of the square about `face`."""
    b, c = (k for k in range(3) if k != axis)
    for out, run in ((b, c), (c, b)):
        for sign in (-1, 1):
            middle = face + sign * along[out]
            start, end = middle - along[run], middle + along[run]
            halved = corner[middle]
            one = ~halved
            yield np.stack([first[one], second[one], start[one], end[one]], axis=1)
            for tip in (start, end):
                yield np.stack([first, second, tip, middle], axis=1)[halved]

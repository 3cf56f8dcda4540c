"""A box in flat cells that are thin at walls and grow away from them: layers of any thinness.

Grid lines across each axis, and each brick between them split along a diagonal (Kuhn), every other
one in the mirror. Cells a million times as wide as thick are as good as any where the solution
varies across them alone: no angle is obtuse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations

import gmsh
import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.geometry import Box
from fem_spe.geometry.faces import BOX_FACES, interface_name
from fem_spe.meshing.discrete import add_arrays

LAYER_GROWTH = 1.04  # of a cell's thickness over that of the one before, within a layer
GROWTH = 1.15  # the same beyond it
_MOST_CELLS = 3e6

Places = NDArray[np.float64]
Cells = NDArray[np.int64]


@dataclass(frozen=True)
class WallLayer:
    """A face with thin cells.

    Attributes:
        face: Of the box, or an interface between two of its layers.
        size: Thickness of the cells there, m.
        depth: Distance from it within which they grow slowly, m.
    """

    face: str
    size: float
    depth: float


def graded_box(
    box: Box, layers: Sequence[WallLayer], size: float, holes: frozenset[str], halvings: int = 0
) -> MeshArrays:
    """The mesh of `box`, also as a discrete model of the current Gmsh session, in metres.

    Args:
        box: What is meshed.
        layers: Where cells are thin.
        size: Of the cells elsewhere, m.
        holes: Regions that are left out.
        halvings: How often all cells are halved.

    Raises:
        MeshError: if a layer has no such face, all is a hole, or there are too many cells.
    """
    regions = list(box.layers or {"matrix": box.size[-1]})
    if holes.issuperset(regions):
        raise MeshError("every region is left out of the mesh; name another material for one")
    levels = [0.0, *np.cumsum([*box.layers.values()][:-1]).tolist(), box.size[-1]]
    lines = [
        _halved(_lines(box, axis, levels, {w.face: w for w in layers}, size), halvings)
        for axis in range(len(box.size))
    ]
    cells = math.factorial(len(lines)) * math.prod(len(line) - 1 for line in lines)
    if cells > _MOST_CELLS:
        raise MeshError(
            f"[mesh] size = {size * 1e6:.3g} um with layers at {', '.join(w.face for w in layers)} "
            f"would make {cells:.1e} cells, and {_MOST_CELLS:.0e} is the most; give a larger size"
        )
    return _Grid(lines, regions, levels, holes).arrays(box)


class _Ramp:
    """Thickness of the cells over the distance from one end of a line.

    Args:
        wall: The layer at the end; None where cells are of `size` throughout.
        size: The largest thickness, m.
    """

    def __init__(self, wall: WallLayer | None, size: float) -> None:
        self.at, self.thickness = [0.0], [size]
        if wall is not None and wall.size < size:
            # the first cell of a geometric row is a little thicker than the thickness at its wall
            slope = math.log(LAYER_GROWTH)
            self.thickness = [slope / (LAYER_GROWTH - 1) * wall.size]
            self._grow(slope, min(size, self.thickness[0] + slope * wall.depth))
            self._grow(math.log(GROWTH), size)
        numbers = [0.0]
        for (s, t), (h, k) in zip(pairwise(self.at), pairwise(self.thickness), strict=True):
            numbers.append(numbers[-1] + math.log(k / h) * (t - s) / (k - h))
        self.numbers = numbers

    def _grow(self, slope: float, to: float) -> None:
        if to > self.thickness[-1]:
            self.at.append(self.at[-1] + (to - self.thickness[-1]) / slope)
            self.thickness.append(to)

    def size(self, s: float) -> float:
        """The thickness at the distance `s`."""
        return float(np.interp(s, self.at, self.thickness))

    def number(self, s: float) -> float:
        """Cells up to the distance `s`: the integral of 1 / thickness."""
        k = int(np.searchsorted(self.at, s, side="right")) - 1
        slope = self._slope(k)
        own = (s - self.at[k]) / self.thickness[k]
        return self.numbers[k] + (math.log1p(slope * own) / slope if slope else own)

    def place(self, number: float) -> float:
        """Its inverse."""
        k = int(np.searchsorted(self.numbers, number, side="right")) - 1
        slope, own = self._slope(k), number - self.numbers[k]
        return self.at[k] + self.thickness[k] * (math.expm1(slope * own) / slope if slope else own)

    def _slope(self, k: int) -> float:
        if k + 1 == len(self.at):
            return 0.0
        rise = self.thickness[k + 1] - self.thickness[k]
        return rise / (self.at[k + 1] - self.at[k])


def graded_line(
    length: float, low: WallLayer | None, high: WallLayer | None, size: float
) -> Places:
    """Nodes from 0 to `length`, with layers at 0 and at the end, and cells of `size` elsewhere.

    They are placed evenly in the integral of 1 / thickness, the far ones by their distance from
    the far end, whose cells may be smaller than the round-off of the length.
    """
    left, right = _Ramp(low, size), _Ramp(high, size)
    inner, outer = 0.0, length  # the thicknesses of both meet between
    for _ in range(60):
        meet = (inner + outer) / 2
        if left.size(meet) < right.size(length - meet):
            inner = meet
        else:
            outer = meet
    near, far = left.number(outer), right.number(length - outer)
    count = max(1, math.ceil((near + far) * (1 - 1e-9)))
    nodes = np.empty(count + 1)
    for k in range(count + 1):
        number = (near + far) * k / count
        if number <= near:
            nodes[k] = left.place(number)
        else:
            nodes[k] = length - right.place(max(near + far - number, 0.0))
    nodes[0], nodes[-1] = 0.0, length
    return nodes


def _lines(
    box: Box, axis: int, levels: list[float], thin: dict[str, WallLayer], size: float
) -> Places:
    """Grid lines across an axis."""
    dimension = len(box.size)
    low, high = (thin.get(name) for name in BOX_FACES[dimension][axis])
    if axis < dimension - 1:
        return graded_line(box.size[axis], low, high, size)
    joints = [thin.get(interface_name(a, b)) for a, b in pairwise(box.layers)]
    ends = [low, *joints, high]
    parts = [
        b + graded_line(t - b, ends[k], ends[k + 1], size)
        for k, (b, t) in enumerate(pairwise(levels))
    ]
    return np.concatenate([parts[0], *(p[1:] for p in parts[1:])])


def _halved(line: Places, times: int) -> Places:
    for _ in range(times):
        line = np.sort(np.concatenate([line, (line[1:] + line[:-1]) / 2]))
    return line


class _Grid:
    """Bricks between lines, split into simplices."""

    def __init__(
        self, lines: list[Places], regions: list[str], levels: list[float], holes: frozenset[str]
    ) -> None:
        self.lines, self.regions = lines, regions
        self.counts = tuple(len(line) for line in lines)
        self.number = np.arange(math.prod(self.counts)).reshape(self.counts)
        self.strides = [math.prod(self.counts[k + 1 :]) for k in range(len(lines))]
        middle = (lines[-1][1:] + lines[-1][:-1]) / 2
        self.layer = np.searchsorted(levels[1:-1], middle)  # of each row of bricks
        self.kept = np.array([name not in holes for name in regions])

    def arrays(self, box: Box) -> MeshArrays:
        """The mesh, with names."""
        dimension = len(self.lines)
        axes = range(dimension)
        cells, layer = self._split(axes, {})
        kept = self.kept[layer]
        cells, layer = cells[kept], layer[kept]
        facets = {
            name: self._side(axis, -end % self.counts[axis])
            for axis in axes
            for end, name in enumerate(BOX_FACES[dimension][axis])
        }
        for row in np.flatnonzero(np.diff(self.layer)):
            below, above = self.layer[row], self.layer[row + 1]
            if self.kept[below] or self.kept[above]:
                name = interface_name(self.regions[below], self.regions[above])
                own, _ = self._split(axes[:-1], {dimension - 1: int(row) + 1})
                facets[name] = np.concatenate([facets.get(name, own[:0]), own])
        facets = {name: own for name, own in facets.items() if len(own)}

        used, inverse = np.unique(cells, return_inverse=True)
        renumber = np.full(self.number.size, -1)
        renumber[used] = np.arange(len(used))
        grid = np.meshgrid(*self.lines, indexing="ij")
        points = np.column_stack([g.ravel() for g in grid])[used]
        wanted = [name for name, kept in zip(self.regions, self.kept, strict=True) if kept]
        names = list(dict.fromkeys(wanted))
        tag_of = np.array([names.index(r) + 1 if r in names else 0 for r in self.regions])
        found = MeshArrays(
            points=points,
            cells=inverse.reshape(cells.shape),
            cell_tags=tag_of[layer].astype(np.int32),
            facets=renumber[np.concatenate(list(facets.values()))],
            facet_tags=np.repeat(
                np.arange(1, len(facets) + 1, dtype=np.int32), [len(f) for f in facets.values()]
            ),
            regions={name: k + 1 for k, name in enumerate(names)},
            faces={name: k + 1 for k, name in enumerate(facets)},
            order=1,
            min_quality=0.0,
            min_jacobian=1.0,
            box=box.size,
        )
        return MeshArrays(**{**vars(found), "min_quality": _min_quality(found)})

    def _side(self, axis: int, level: int) -> Cells:
        """The facets of a side of the box that bound a kept brick."""
        dimension = len(self.lines)
        own, layer = self._split([k for k in range(dimension) if k != axis], {axis: level})
        if axis == dimension - 1:
            layer = np.full(len(own), self.layer[0 if level == 0 else -1])
        return np.asarray(own[self.kept[layer]])

    def _split(self, axes: Sequence[int], fixed: dict[int, int]) -> tuple[Cells, Cells]:
        """Simplices along `axes` on the grid lines `fixed`, and the layer that each is in."""
        last = len(self.lines) - 1
        corner = self.number[
            tuple(fixed[k] if k in fixed else slice(0, -1) for k in range(last + 1))
        ]
        layer = np.zeros(corner.shape, dtype=np.int64)
        if last in axes:
            layer = layer + self.layer  # the last axis comes last
        # every other brick is the mirror image of its neighbour: about each node cells lie alike
        index = np.indices(corner.shape).reshape(corner.ndim, -1)
        odd = dict(zip([k for k in range(last + 1) if k not in fixed], index % 2, strict=True))
        start = corner.ravel() + sum(self.strides[k] * odd[k] for k in axes)
        found = []
        for order in permutations(axes):
            path = [start]
            for axis in order:
                path.append(path[-1] + self.strides[axis] * (1 - 2 * odd[axis]))
            some = np.column_stack(path)
            mirrored = (sum(odd[k] for k in axes) + _parity(order)) % 2 == 1
            some[mirrored, -2:] = some[mirrored, :-3:-1]
            found.append(some)
        return np.concatenate(found), np.tile(layer.ravel(), len(found))


def _parity(order: Sequence[int]) -> int:
    """Of the number of pairs out of order."""
    return sum(a > b for a, b in combinations(order, 2)) % 2


def _min_quality(arrays: MeshArrays) -> float:
    """The smallest radius ratio of the cells, by Gmsh."""
    add_arrays(arrays)  # numbers cells from 1 on
    cells = np.arange(1, len(arrays.cells) + 1).tolist()
    return float(np.min(gmsh.model.mesh.getElementQualities(cells, "gamma")))

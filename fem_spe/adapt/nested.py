"""Triangles split in four, and those beside them in two: finer meshes of one base mesh.

A cell is split at the middles of its edges, its parts are like itself (red). Where a neighbour
was split once, and no more than one, a cell is halved to the middle of their edge (green); it
is halved in no finer mesh, which begins with the whole. So cells keep their shape, whatever is
refined how often, and meshes of one base differ by whole cells. (Bank, Sherman & Weiser, Refinement
algorithms and data structures for regular local mesh refinement, 1983.)

All of it is done with arrays on one rank: the mesh does not depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Wanted = Callable[[Floats, Ints], NDArray[np.bool_]]

DEEPEST = 8
"""How often a cell may be split: its key holds no more."""
_STRIDE = DEEPEST + 1
_PATHS = 4**DEEPEST


@dataclass(frozen=True)
class Nested:
    """A mesh of triangles within those of a base mesh.

    Attributes:
        points: m, shape (num_points, 2); those of the base come first.
        parents: Ends of the edge that each point halves, shape (num_points, 2); -1 in the base.
        cells: Corners, shape (num_cells, 3).
        keys: The cell by splitting in four that each is, or is half of, shape (num_cells,), as
            `key` makes them; sorted.
    """

    points: Floats
    parents: Ints
    cells: Ints
    keys: Ints

    @property
    def roots(self) -> Ints:
        """The cell of the base that each lies in, shape (num_cells,)."""
        return np.asarray(self.keys // (_STRIDE * _PATHS))

    @property
    def areas(self) -> Floats:
        """Of the cells, m^2, shape (num_cells,)."""
        return areas(self.points[self.cells])


def areas(corners: Floats) -> Floats:
    """Of triangles, m^2, given their corners, shape (n, 3, 2)."""
    return np.asarray(np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 2.0)


def sizes(corners: Floats) -> Floats:
    """Sides of the regular triangles of the same area, m, shape (n,)."""
    return np.asarray(np.sqrt(4.0 / np.sqrt(3.0) * areas(corners)))


def key(roots: Ints, paths: Ints, levels: Ints) -> Ints:
    """One number for each cell: its root, which fourth of which fourth it is, how deep."""
    return np.asarray((roots * _PATHS + paths) * _STRIDE + levels)


def coarser(keys: Ints, others: Ints) -> Ints:
    """Of each cell and that of `others`, sorted, which lies there too, the one that holds both."""
    places = others // _STRIDE
    there = others[np.searchsorted(places, keys // _STRIDE, side="right") - 1]
    return np.where(there % _STRIDE <= keys % _STRIDE, there, keys)


class _Middles:
    """The points that halve edges, each known by its ends; `parents` as in `Nested`."""

    def __init__(self, points: Floats, parents: Ints) -> None:
        self.points, self.parents = points, parents
        self._order()

    def _order(self) -> None:
        inner = np.flatnonzero(self.parents[:, 0] >= 0)
        edges = self._named(self.parents[inner])
        order = np.argsort(edges)
        self._edges, self._points = edges[order], inner[order]

    @staticmethod
    def _named(ends: Ints) -> Ints:
        return np.asarray(ends.min(axis=-1) << 32 | ends.max(axis=-1))

    def of(self, ends: Ints) -> Ints:
        """The point that halves each edge, shape (...); -1 where there is none."""
        named = self._named(ends)
        if not len(self._edges):
            return np.full(named.shape, -1)
        at = np.minimum(np.searchsorted(self._edges, named), len(self._edges) - 1)
        return np.where(self._edges[at] == named, self._points[at], -1)

    def halve(self, ends: Ints) -> None:
        """Let each edge have its point."""
        named = np.unique(self._named(ends[self.of(ends) < 0]))
        new = np.column_stack([named >> 32, named & 0xFFFFFFFF])
        self.points = np.concatenate([self.points, self.points[new].mean(axis=1)])
        self.parents = np.concatenate([self.parents, new])
        self._order()


_ENDS = ((0, 1), (1, 2), (2, 0))  # of the edges of a cell


def _edges(cells: Ints) -> Ints:
    """Shape (num_cells, 3, 2)."""
    return np.stack([cells[:, ends] for ends in _ENDS], axis=1)


def nested(base: MeshArrays, wanted: Wanted) -> Nested:
    """The cells of `base` split while `wanted`, and as neighbours ask for.

    Args:
        base: Straight triangles.
        wanted: Of the corners of cells, shape (n, 3, 2), and their roots, shape (n,), those
            that are to be split, shape (n,). It is asked once of each cell.
    """
    middles = _Middles(base.points, np.full((len(base.points), 2), -1, dtype=np.int64))
    cells, roots = base.cells, np.arange(len(base.cells))
    paths, levels = np.zeros_like(roots), np.zeros_like(roots)

    def split(chosen: NDArray[np.bool_]) -> None:
        nonlocal cells, roots, paths, levels
        old = cells[chosen]
        middles.halve(_edges(old))
        ab, bc, ca = middles.of(_edges(old)).T
        a, b, c = old.T
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (bc, ca, ab)]
        new = np.stack([np.column_stack(part) for part in parts], axis=1).reshape(-1, 3)
        step = 4 ** (DEEPEST - 1 - levels[chosen])
        inner = (paths[chosen] + step * np.arange(4)[:, None]).T.ravel()
        kept = ~chosen
        cells = np.concatenate([cells[kept], new])
        roots = np.concatenate([roots[kept], np.repeat(roots[chosen], 4)])
        paths = np.concatenate([paths[kept], inner])
        levels = np.concatenate([levels[kept], np.repeat(levels[chosen] + 1, 4)])

    fresh = np.ones(len(cells), dtype=np.bool_)
    while fresh.any():
        chosen = fresh & (levels < DEEPEST)
        chosen[chosen] = wanted(middles.points[cells[chosen]], roots[chosen])
        split(chosen)
        fresh = np.arange(len(cells)) >= len(cells) - 4 * chosen.sum()
    while True:
        edges = _edges(cells)
        halves = middles.of(edges)
        deeper = np.zeros(len(cells), dtype=np.bool_)
        for end in (0, 1):
            beyond = middles.of(np.stack([edges[..., end], halves], axis=-1))
            deeper |= ((halves >= 0) & (beyond >= 0)).any(axis=1)
        chosen = deeper | ((halves >= 0).sum(axis=1) > 1)
        if not chosen.any():
            break
        split(chosen)
    keys = key(roots, paths, levels)
    cells, keys = _halve_beside(cells, keys, halves)
    order = np.argsort(keys, kind="stable")
    return Nested(middles.points, middles.parents, cells[order], keys[order])


def _halve_beside(cells: Ints, keys: Ints, halves: Ints) -> tuple[Ints, Ints]:
    """Cells with one edge halved, by `halves` of each edge, are halved as well."""
    one = (halves >= 0).any(axis=1)
    edge = halves[one].argmax(axis=1)
    rows = np.arange(len(edge))
    a, b, c = (cells[one][rows, (edge + turn) % 3] for turn in range(3))
    middle = halves[one][rows, edge]
    parts = [np.column_stack([a, middle, c]), np.column_stack([middle, b, c])]
    return (
        np.concatenate([cells[~one], *parts]),
        np.concatenate([keys[~one], keys[one], keys[one]]),
    )


def halved(base: MeshArrays, mesh: Nested) -> MeshArrays:
    """`mesh` with the names of `base`."""
    middles = _Middles(mesh.points, mesh.parents)
    facets, tags = base.facets, base.facet_tags
    while True:
        middle = middles.of(facets)
        cut = middle >= 0
        if not cut.any():
            break
        first = np.column_stack([facets[cut, 0], middle[cut]])
        second = np.column_stack([middle[cut], facets[cut, 1]])
        facets = np.concatenate([facets[~cut], first, second])
        tags = np.concatenate([tags[~cut], tags[cut], tags[cut]])
    return replace(
        base,
        points=mesh.points,
        cells=mesh.cells,
        cell_tags=base.cell_tags[mesh.roots],
        facets=facets,
        facet_tags=tags,
    )

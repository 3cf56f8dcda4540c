"""Nodal values from one nested mesh to another of the same base, with or without their integral."""

from __future__ import annotations

import numpy as np

from fem_spe.adapt.nested import Floats, Ints, Nested, coarser


class Transfer:
    """Carries functions that are linear on the cells of `old` to `new`.

    A point that both have keeps its value; one that is new halves an edge, and has the mean of
    the ends. What an integral loses by it is given back where it was lost: in each cell that is
    split in one mesh and whole in the other.
    """

    def __init__(self, old: Nested, new: Nested) -> None:
        self.old, self.new = old, new
        known = old.points[:, 0] + 1j * old.points[:, 1]
        order = np.argsort(known)
        asked = new.points[:, 0] + 1j * new.points[:, 1]
        at = order[np.minimum(np.searchsorted(known[order], asked), len(order) - 1)]
        self._kept = known[at] == asked  # bit by bit: a point is always made alike
        self._from = at[self._kept]
        self._births = _generations(new.parents, self._kept)
        shared = [coarser(old.keys, new.keys), coarser(new.keys, old.keys)]
        names, places = np.unique(np.concatenate(shared), return_inverse=True)
        self._patches = len(names)
        self._before, self._after = np.split(places, [len(old.cells)])

    def interpolated(self, values: Floats) -> Floats:
        """Values at the points of `new`, of those at the points of `old`, shape (num_points, n)."""
        found = np.empty((len(self.new.points), values.shape[1]))
        found[self._kept] = values[self._from]
        for points in self._births:
            found[points] = found[self.new.parents[points]].mean(axis=1)
        return found

    def conserved(self, values: Floats) -> Floats:
        """The same, with the integral over each cell that one mesh splits and the other does not.

        What is missing per area there is spread over the points about it, by the share of their
        volume that lies in it.
        """
        found = self.interpolated(values)
        areas = self.new.areas
        room = np.bincount(self._after, areas, self._patches)
        volumes = np.bincount(self.new.cells.ravel(), np.repeat(areas / 3.0, 3))
        for k in range(values.shape[1]):
            before = _integrals(self.old, values[:, k], self._before, self._patches)
            missing = before - _integrals(self.new, found[:, k], self._after, self._patches)
            share = np.repeat((missing / room)[self._after] * areas / 3.0, 3)
            found[:, k] += np.bincount(self.new.cells.ravel(), share) / volumes
        return found


def _generations(parents: Ints, kept: np.ndarray) -> list[Ints]:
    """Points that are not kept, in the order in which their parents are known."""
    known, found = kept.copy(), []
    while not known.all():
        now = np.flatnonzero(~known)
        now = now[known[parents[now]].all(axis=1)]
        found.append(now)
        known[now] = True
    return found


def _integrals(mesh: Nested, values: Floats, patches: Ints, count: int) -> Floats:
    """Of a function over each patch of cells, shape (count,)."""
    return np.bincount(patches, mesh.areas * values[mesh.cells].mean(axis=1), count)

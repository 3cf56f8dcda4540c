"""Planes across a mesh of tetrahedra: means over a section are exact for the discrete field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import basix
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain

_DEGREE = 4  # of the rule on each piece: exact to fields of this degree

Array = NDArray[np.float64]
Cells = NDArray[np.int32]


@dataclass(frozen=True)
class Pieces:
    """The triangles in which a plane cuts the cells of this rank.

    Attributes:
        cells: That each lies in, shape (n,).
        corners: Shape (n, 3, 3).
    """

    cells: Cells
    corners: Array

    @property
    def areas(self) -> Array:
        """Shape (n,)."""
        first, second = (self.corners[:, k] - self.corners[:, 0] for k in (1, 2))
        return np.asarray(0.5 * np.linalg.norm(np.cross(first, second), axis=1))


def cut(domain: Domain, height: float, axis: int = 2) -> Pieces:
    """The plane where the coordinate `axis` is `height`, in straight tetrahedra.

    A face of cells that lies in the plane counts once, for the cell below it.
    """
    mesh = domain.mesh
    owned = mesh.topology.index_map(3).size_local
    nodes = np.asarray(mesh.geometry.dofmaps[0][:owned, :4])
    points = mesh.geometry.x[nodes]
    order = np.argsort(points[:, :, axis], axis=1, kind="stable")
    points = np.take_along_axis(points, order[:, :, None], axis=1)
    below = np.sum(points[:, :, axis] < height, axis=1)
    cells: list[Cells] = []
    corners: list[Array] = []

    def crossing(some: Array, a: int, b: int) -> Array:
        low, high = some[:, a], some[:, b]
        share = (height - low[:, axis]) / (high[:, axis] - low[:, axis])
        return low + share[:, None] * (high - low)

    # nodes a, b, c, d from the lowest up: the edges that the plane crosses
    for count, triangles in (
        (1, [((0, 1), (0, 2), (0, 3))]),
        (2, [((0, 2), (0, 3), (1, 3)), ((0, 2), (1, 3), (1, 2))]),
        (3, [((0, 3), (1, 3), (2, 3))]),
    ):
        found = np.flatnonzero(below == count).astype(np.int32)
        some = points[found]
        for triangle in triangles:
            cells.append(found)
            corners.append(np.stack([crossing(some, a, b) for a, b in triangle], axis=1))
    return Pieces(np.concatenate(cells), np.concatenate(corners))


@dataclass(frozen=True)
class Section:
    """What a plane crosses.

    Attributes:
        area: Of each region, m^2.
        integral: Of each field over each region: field -> region -> value.
    """

    area: dict[str, float]
    integral: dict[str, dict[str, float]]

    def mean(self, field: str, weights: Mapping[str, float]) -> float:
        """Over the regions named, each weighted by its area times the weight; NaN in none."""
        area = sum(w * self.area[r] for r, w in weights.items())
        whole = sum(w * self.integral[field][r] for r, w in weights.items())
        return whole / area if area > 0.0 else float("nan")


def section(domain: Domain, height: float, fields: Mapping[str, fem.Function]) -> Section:
    """Cut a mesh of straight tetrahedra across z and integrate fields over it. Collective."""
    pieces = cut(domain, height)
    rule, weights = basix.make_quadrature(basix.CellType.triangle, _DEGREE)
    shape = np.column_stack([1.0 - rule.sum(axis=1), rule])
    places = np.einsum("qk,nkd->nqd", shape, pieces.corners).reshape(-1, 3)
    at = np.repeat(pieces.cells, len(rule))
    region = np.zeros(_num_local(domain), dtype=np.int32)
    region[domain.cell_tags.indices] = domain.cell_tags.values
    tags, areas = region[pieces.cells], pieces.areas
    names = list(domain.regions)
    own = [[areas[tags == domain.regions[n]].sum() for n in names]]
    for function in fields.values():
        values = np.asarray(function.eval(places, at)).reshape(-1, len(rule)) if len(at) else (
            np.zeros((0, len(rule)))
        )  # fmt: skip
        mean = 2.0 * values @ weights
        own.append([(areas * mean)[tags == domain.regions[n]].sum() for n in names])
    whole = np.array(own)
    domain.mesh.comm.Allreduce(MPI.IN_PLACE, whole, op=MPI.SUM)
    found = [dict(zip(names, map(float, row), strict=True)) for row in whole]
    return Section(found[0], dict(zip(fields, found[1:], strict=True)))


def _num_local(domain: Domain) -> int:
    index = domain.mesh.topology.index_map(3)
    return int(index.size_local + index.num_ghosts)

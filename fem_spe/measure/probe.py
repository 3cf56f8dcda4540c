"""Values of fields at points, along lines, in regions and on faces that a case names.

What can be found once is found once: the cell that holds a point, the forms of a mean.
A value is then that of the field alone, so that following it over time costs little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem, geometry
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.case.probe import Probe, require, shown
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.measure.extremes import extremes

Columns = dict[str, NDArray[np.float64]]  # column head with unit -> values

_INSIDE = 1e-7  # of a cell: a point on a curved border lies in it for all its rounding
_PADDING = 0.05  # of a mean cell: a curved edge may leave the box of its nodes by less


class Follower:
    """Follows fields at the probes of a case. Made and used by all ranks together.

    Regions and faces give the volume- or area-weighted mean and the extremes over the
    nodes; along a line, samples in a hole are NaN. Values are those of the fields as they
    are written: a concentration is c / partition. A point on the border between ranks is
    taken from the lowest of them.

    Args:
        domain: The mesh.
        probes: By name.
        fields: Column head, such as `concentration [mol/m^3]`, -> scalar function, whose
            values may change between the measurements.

    Raises:
        CaseError: if a probe finds no place: an unknown region or face, a point outside
            the box or in a hole.
    """

    def __init__(
        self, domain: Domain, probes: Mapping[str, Probe], fields: Mapping[str, fem.Function]
    ) -> None:
        high = [a + b for a, b in zip(domain.origin, domain.size, strict=True)]
        require(
            probes, regions=domain.regions, faces=domain.faces, low=domain.origin, high=high
        )  # fmt: skip
        self.fields = fields
        self.samples: dict[str, _Samples] = {}
        self.parts: dict[str, dict[str, _Part]] = {}
        for name, probe in probes.items():
            if probe.region is not None or probe.face is not None:
                self.parts[name] = {head: _part(domain, probe, u) for head, u in fields.items()}
            else:
                self.samples[name] = _located(domain, name, probe)
        self.rows: dict[str, list[list[float]]] = {n: [] for n in probes if not self._is_line(n)}
        self.curves: dict[str, Columns] = {n: {} for n in self.samples if self._is_line(n)}

    def _is_line(self, name: str) -> bool:
        return name in self.samples and len(self.samples[name].points) > 1

    def record(self, time: float) -> None:
        """Add a row to the tables of points, regions and faces."""
        for name, rows in self.rows.items():
            rows.append([time, *(float(v[0]) for v in self._now(name).values())])

    def record_lines(self, time: float) -> None:
        """Add a column to the tables of lines."""
        for name, curves in self.curves.items():
            for head, values in self._now(name).items():
                curves[_at(head, time)] = values

    def told(self) -> dict[str, Any]:
        """What was recorded, as it is now; with arrays as lists it is what JSON holds."""
        rows = {name: list(own) for name, own in self.rows.items()}
        return {"rows": rows, "curves": {name: dict(own) for name, own in self.curves.items()}}

    def resume(self, told: dict[str, Any]) -> None:
        """Make what was recorded what was `told` of another run."""
        self.rows = {name: [list(row) for row in rows] for name, rows in told["rows"].items()}
        self.curves = {
            name: {head: np.array(values) for head, values in curves.items()}
            for name, curves in told["curves"].items()
        }

    def history(self) -> dict[str, Columns]:
        """What was recorded, as tables `probe_<name>`; their values hold on rank 0."""
        tables: dict[str, Columns] = {}
        for name, rows in self.rows.items():
            heads = ["t [s]", *self._heads(name)]
            tables[f"probe_{name}"] = dict(zip(heads, np.array(rows).T, strict=True))
        for name, curves in self.curves.items():
            tables[f"probe_{name}"] = {"distance [um]": self.samples[name].distance, **curves}
        return tables

    def snapshot(self) -> dict[str, Columns]:
        """The present values, as tables `probe_<name>`; they hold on rank 0."""
        tables: dict[str, Columns] = {}
        for name in (*self.samples, *self.parts):
            place: Columns = {}
            if name in self.samples:
                if self._is_line(name):
                    place["distance [um]"] = self.samples[name].distance
                for axis, x in zip("xyz", self.samples[name].points.T, strict=False):
                    place[f"{axis} [um]"] = 1e6 * x
            tables[f"probe_{name}"] = place | self._now(name)
        return tables

    def _heads(self, name: str) -> list[str]:
        if name in self.samples:
            return list(self.fields)
        return [f"{what} {head}" for head in self.fields for what in ("mean", "min", "max")]

    def _now(self, name: str) -> Columns:
        """The present values by column head."""
        if name in self.samples:
            values = [self.samples[name].values(u) for u in self.fields.values()]
        else:
            measured = [self.parts[name][h].values(u) for h, u in self.fields.items()]
            values = [np.array([v]) for three in measured for v in three]
        return dict(zip(self._heads(name), values, strict=True))


@dataclass(frozen=True)
class _Samples:
    """Points, and the cells of this rank that hold some of them.

    Attributes:
        points: m, shape (n, gdim).
        mine: Indices of the points that this rank gives the value of, shape (k,).
        cells: That hold them, shape (k,).
        found: Whether a rank does, shape (n,).
    """

    points: NDArray[np.float64]
    mine: NDArray[np.int64]
    cells: NDArray[np.int32]
    found: NDArray[np.bool_]

    @property
    def distance(self) -> NDArray[np.float64]:
        """From the first point, um, shape (n,)."""
        return np.asarray(1e6 * np.linalg.norm(self.points - self.points[0], axis=1))

    def values(self, u: fem.Function) -> NDArray[np.float64]:
        """Of `u` at the points on rank 0, shape (n,); NaN where no cell is. Collective."""
        own = np.zeros(len(self.points))
        if len(self.mine):
            own[self.mine] = u.eval(_three(self.points[self.mine]), self.cells).ravel()
        total = np.zeros_like(own)
        u.function_space.mesh.comm.Reduce(own, total, op=MPI.SUM)
        total[~self.found] = np.nan
        return total


@dataclass(frozen=True)
class _Part:
    """A region or a face for one function: its integral, its measure, its unknowns."""

    integral: fem.Form
    measure: float
    dofs: NDArray[np.int32]

    def values(self, u: fem.Function) -> tuple[float, float, float]:
        """Mean, smallest and largest. Collective."""
        comm = u.function_space.mesh.comm
        mean = float(comm.allreduce(fem.assemble_scalar(self.integral)) / self.measure)
        return mean, *extremes(comm, u.x.array[self.dofs])


def _part(domain: Domain, probe: Probe, u: fem.Function) -> _Part:
    mesh, space = domain.mesh, u.function_space
    if probe.region is not None:
        tag = domain.regions[probe.region]
        dofs = fem.locate_dofs_topological(space, domain.dimension, domain.cell_tags.find(tag))
        measure = domain.dx(tag)
    else:
        assert probe.face is not None
        dofs = domain.face_dofs(space, probe.face)
        sides = [(1, _one_sided(domain, domain.face(probe.face)))]
        measure = ufl.Measure("ds", domain=mesh, subdomain_data=sides)(1)
    one = fem.Constant(mesh, 1.0)
    return _Part(fem.form(u * measure), domain.integrate(one * measure), np.asarray(dofs))


def _one_sided(domain: Domain, tag: int) -> NDArray[np.int32]:
    """(cell, facet of the cell) for each tagged facet that this rank owns, flat.

    An interface inside the mesh is integrated from one of its sides alone: fields are
    continuous, and the other side may belong to another rank.
    """
    topology, dim = domain.mesh.topology, domain.dimension
    topology.create_connectivity(dim - 1, dim)
    topology.create_connectivity(dim, dim - 1)
    to_cell, to_facet = topology.connectivity(dim - 1, dim), topology.connectivity(dim, dim - 1)
    facets = domain.facet_tags.find(tag)
    pairs = []
    for facet in facets[facets < topology.index_map(dim - 1).size_local]:
        cell = to_cell.links(facet)[0]
        pairs += [cell, int(np.flatnonzero(to_facet.links(cell) == facet)[0])]
    return np.array(pairs, dtype=np.int32)


def _located(domain: Domain, name: str, probe: Probe) -> _Samples:
    """The samples of a point or a line. Collective.

    Raises:
        CaseError: if none of them lies in the mesh.
    """
    first, last = np.array(probe.ends[0]), np.array(probe.ends[-1])
    share = np.linspace(0.0, 1.0, probe.points or 1)[:, None]
    points = first + share * (last - first)
    cells = _holding(domain, points)
    comm = domain.mesh.comm
    owner = np.where(cells >= 0, comm.rank, comm.size)
    comm.Allreduce(MPI.IN_PLACE, owner, op=MPI.MIN)
    if np.all(owner == comm.size):
        region, away = _nearest(domain, first)
        what = "lies" if probe.point is not None else "begins a line that lies"
        raise CaseError(
            f"[probe.{name}] {shown(probe.ends[0])} {what} in a hole of the mesh; the nearest "
            f"region is {region}, {1e6 * away:.3g} um away"
        )
    mine = np.flatnonzero(owner == comm.rank)
    return _Samples(points, mine, cells[mine], owner < comm.size)


def _holding(domain: Domain, points: NDArray[np.float64]) -> NDArray[np.int32]:
    """A cell of this rank that holds each of `points`, or -1; shape (n,).

    Cells may be curved, and holes are what matters: the coordinates within the cell decide,
    not the hull of its nodes.
    """
    mesh, dim = domain.mesh, domain.dimension
    own = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    cells = np.full(len(points), -1, dtype=np.int32)
    if len(own) == 0:
        return cells
    mean = (float(np.prod(domain.size)) / domain.num_cells) ** (1 / dim)
    tree = geometry.bb_tree(mesh, dim, entities=own, padding=_PADDING * mean)
    near = geometry.compute_collisions_points(tree, _three(points))
    nodes, cell_nodes = mesh.geometry.x[:, :dim], mesh.geometry.dofmaps[0]
    for k, point in enumerate(points):
        deepest = -_INSIDE
        for cell in near.links(k):
            depth = _depth(mesh.geometry.cmaps[0], point, nodes[cell_nodes[cell]])
            if depth > deepest:
                cells[k], deepest = cell, depth
    return cells


def _depth(
    cmap: fem.CoordinateElement, point: NDArray[np.float64], nodes: NDArray[np.float64]
) -> float:
    """The smallest barycentric coordinate of `point` in the simplex on `nodes`."""
    try:
        inner = cmap.pull_back(point[None], nodes)[0]
    except RuntimeError:  # Newton's method finds no way back: far outside of a curved cell
        return -np.inf
    return float(min(inner.min(), 1.0 - inner.sum()))


def _nearest(domain: Domain, point: NDArray[np.float64]) -> tuple[str, float]:
    """The region nearest to `point` and how far it is, m. Collective."""
    mesh, dim = domain.mesh, domain.dimension
    own = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    found = (np.inf, "")
    if len(own):
        at = _three(point[None])
        tree = geometry.bb_tree(mesh, dim, entities=own)
        middles = geometry.create_midpoint_tree(mesh, dim, own)
        cell = geometry.compute_closest_entity(tree, middles, mesh, at)
        away = float(np.sqrt(geometry.squared_distance(mesh, dim, cell, at)[0]))
        tag = domain.cell_tags.values[domain.cell_tags.indices == cell[0]][0]
        found = (away, next(name for name, t in domain.regions.items() if t == tag))
    away, region = min(mesh.comm.allgather(found))
    return region, away


def _three(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points with three coordinates, as DOLFINx wants them, shape (n, 3)."""
    return np.pad(points, ((0, 0), (0, 3 - points.shape[1])))


def _at(head: str, time: float) -> str:
    """`c at 2 s [mol/m^3]` for `c [mol/m^3]`."""
    name, bracket, unit = head.partition(" [")
    return f"{name} at {time:.6g} s{bracket}{unit}"

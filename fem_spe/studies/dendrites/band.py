"""Fine cells about a front that moves, coarse ones elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fem_spe.adapt import Nested, Transfer, Wanted, gathered, halved, nested
from fem_spe.adapt.nested import sizes
from fem_spe.checkpoint.layout import Order
from fem_spe.comm import on_root
from fem_spe.domain import Domain, MeshArrays, distribute
from fem_spe.studies.dendrites.model import Array, Model

_TAIL = 0.01  # of the order parameter: a front reaches as far as it is this much from 0 and 1
_AHEAD, _BEHIND = 0.5, 0.15  # interface widths beyond that which are fine as well
_SLACK = 1.3  # largest cell over the asked size: a cell split once more is half as large
_STEEP = 0.2  # largest change of ln c over a cell of the electrolyte
_METAL = 0.5  # order parameter above which its cells count no more


class Band:
    """The meshes of a deposit. Made and used by all ranks together.

    They are made and filled on rank 0, so that they do not depend on the number of ranks.

    Args:
        base: The coarse mesh; its cells are split at the front, never joined.
        size: Of cells at the front, m.
        width: Of the front, m.

    Attributes:
        whole: All of the base split to `size`: the mesh that fields are written on.
    """

    def __init__(self, base: Domain, size: float, width: float) -> None:
        self._comm, self._size, self._width = base.mesh.comm, size, width
        self._base = gathered(base)
        self._mesh: Nested | None = None  # that of now, on rank 0
        self._whole = self._nested(lambda corners, _: sizes(corners) > _SLACK * size)
        self.whole = self._spread(self._whole)
        self._canvas = fem.functionspace(self.whole.mesh, ("Lagrange", 1))
        self._order = _by_input(self._canvas)
        self._onto: Transfer | None = None  # from the mesh of now to the whole, on rank 0

    def begin(self, phase: Callable[[Array], Array]) -> Domain:
        """The mesh for a front where `phase`, of points (m), is the order parameter."""

        def fitted(base: MeshArrays) -> Nested:
            mesh = nested(base, lambda _, roots: np.zeros(len(roots), dtype=np.bool_))
            while True:
                before = len(mesh.cells)
                values = phase(mesh.points.T)
                mesh = nested(base, self._wanted(mesh, values, np.zeros(len(values))))
                if len(mesh.cells) <= before:
                    return mesh

        self._mesh = self._rooted(fitted)
        return self._spread(self._mesh)

    def outgrown(self, model: Model) -> bool:
        """Whether the front of `model` has left the fine cells. Collective."""
        mesh = model.domain.mesh
        owned = mesh.topology.index_map(2).size_local
        coarse = sizes(mesh.geometry.x[mesh.geometry.dofmaps[0][:owned], :2]) > _SLACK * self._size
        phi = model.phi.x.array[model.space.dofmap.list[:owned][coarse]]
        met = bool(np.any((phi > _TAIL) & (phi < 1.0 - _TAIL)))
        return bool(self._comm.allreduce(met, op=MPI.LOR))

    def move(
        self, model: Model, make: Callable[[Domain], Model], values: tuple[Array, ...]
    ) -> tuple[Model, tuple[Array, ...]]:
        """A model on a mesh about where the front is now, and the values there. Collective.

        Lithium and deposit keep their integrals.

        Args:
            model: Its unknowns tell where the front is.
            make: What makes a model of a mesh.
            values: Of `model`, to be carried; what is not of a node stays.
        """
        order, count = _by_input(model.space), 5 * model.owned
        unknowns = np.column_stack([f.x.array[: model.owned] for f in (model.phi, model.y)])
        now = order.gather(unknowns)
        fields = [order.gather(v[:count].reshape(5, -1).T) for v in values]
        old, carried = self._mesh, list[Array]()

        def moved(base: MeshArrays) -> Nested:
            assert old is not None
            assert now is not None
            new = nested(base, self._wanted(old, *now.T))
            transfer = Transfer(old, new)
            for whole in fields:
                assert whole is not None
                led, kept = transfer.interpolated(whole[:, :3]), transfer.conserved(whole[:, 3:])
                carried.append(np.column_stack([led, kept]))
            return new

        self._mesh = self._rooted(moved)
        fresh = make(self._spread(self._mesh))
        order = _by_input(fresh.space)
        own = [order.scatter(carried[k] if carried else None) for k in range(len(values))]
        found = tuple(
            np.concatenate([v.T.ravel(), old[count:]]) for v, old in zip(own, values, strict=True)
        )
        fresh.restore(found[-1])
        return fresh, found

    def functions(self, names: list[str]) -> dict[str, fem.Function]:
        """Functions on `whole`."""
        return {name: fem.Function(self._canvas) for name in names}

    def draw(self, fields: Mapping[str, fem.Function], onto: Mapping[str, fem.Function]) -> None:
        """Bring fields of the present mesh `onto` functions on `whole`. Collective."""
        space = next(iter(fields.values())).function_space
        owned = space.dofmap.index_map.size_local
        values = np.column_stack([f.x.array[:owned] for f in fields.values()])
        found = _by_input(space).gather(values)
        if found is not None:
            assert self._mesh is not None
            assert self._whole is not None
            if self._onto is None or self._onto.old is not self._mesh:
                self._onto = Transfer(self._mesh, self._whole)
            found = self._onto.interpolated(found)
        own = self._order.scatter(found)
        for column, name in zip(own.T, fields, strict=True):
            onto[name].x.array[: len(column)] = column
            onto[name].x.scatter_forward()

    def kept(self) -> dict[str, NDArray[np.generic]]:
        """The present mesh as arrays, on rank 0; elsewhere none."""
        return {} if self._mesh is None else dict(vars(self._mesh))

    def again(self, kept: Mapping[str, NDArray[np.generic]]) -> Domain:
        """The mesh that `kept` told of. Collective."""
        self._mesh = Nested(**kept) if self._comm.rank == 0 else None  # type: ignore[arg-type]
        return self._spread(self._mesh)

    def _wanted(self, mesh: Nested, phi: Array, y: Array) -> Wanted:
        """Which cells are too large, given the unknowns at the points of `mesh`."""
        electrolyte = phi < _METAL
        parts = [
            (mesh.points[electrolyte & (phi > _TAIL)], _AHEAD * self._width),
            (mesh.points[~electrolyte & (phi < 1.0 - _TAIL)], _BEHIND * self._width),
        ]
        trees = [(cKDTree(points), reach) for points, reach in parts if len(points)]
        steep = self._allowed(mesh, phi, y)

        def too_large(corners: Array, roots: NDArray[np.int64]) -> NDArray[np.bool_]:
            middle = corners.mean(axis=1)
            radius = np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1)
            limit = steep[roots]
            for tree, reach in trees:
                near = tree.query(middle, distance_upper_bound=reach + float(radius.max()))[0]
                limit = np.where(near <= reach + radius, 0.0, limit)
            return np.asarray(sizes(corners) > np.maximum(limit, _SLACK * self._size))

        return too_large

    def _allowed(self, mesh: Nested, phi: Array, y: Array) -> Array:
        """Size that the slope of ln c in the electrolyte allows in each cell of the base, m."""
        corners, values = mesh.points[mesh.cells], y[mesh.cells]
        edges, rises = corners[:, 1:] - corners[:, :1], values[:, 1:] - values[:, :1]
        slope = np.linalg.norm(np.linalg.solve(edges, rises[..., None])[..., 0], axis=1)
        slope[phi[mesh.cells].min(axis=1) > _METAL] = 0.0
        allowed = np.full(int(mesh.roots.max()) + 1, np.inf)
        np.minimum.at(allowed, mesh.roots, _STEEP / np.maximum(slope, 1e-30))
        return allowed

    def _nested(self, wanted: Wanted) -> Nested | None:
        return self._rooted(lambda base: nested(base, wanted))

    def _rooted(self, work: Callable[[MeshArrays], Nested]) -> Nested | None:
        """What `work` makes of the base, on rank 0; errors reach all. Collective."""
        made: list[Nested] = []
        base = self._base

        def at_root() -> None:
            assert base is not None
            made.append(work(base))

        on_root(self._comm, at_root)
        return made[0] if made else None

    def _spread(self, mesh: Nested | None) -> Domain:
        named = None
        if self._base is not None and mesh is not None:
            named = halved(self._base, mesh)
        return distribute(self._comm, named)


def _by_input(space: fem.FunctionSpace) -> Order:
    """The nodes of a linear space as the points of the mesh were given. Collective."""
    mesh, owned = space.mesh, int(space.dofmap.index_map.size_local)
    index = np.zeros(owned + space.dofmap.index_map.num_ghosts, dtype=np.int64)
    nodes = mesh.geometry.dofmaps[0].ravel()
    index[space.dofmap.list.ravel()] = mesh.geometry.input_global_indices[nodes]
    found = mesh.comm.gather(index[:owned])
    return Order(mesh.comm, owned, None if found is None else np.concatenate(found))

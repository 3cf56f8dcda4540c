"""Where the values of ranks belong in the mesh as it was read, whoever holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A stretch of the values that a study leads through time.

    Attributes:
        place: What each rank holds some of, `node` or `cell`; `shared` where all hold the same.
        width: Values of a place.
        by_field: True where one value of all places comes after the other.
    """

    place: Literal["node", "cell", "shared"]
    width: int = 1
    by_field: bool = False


class Order:
    """An order of nodes or cells that does not depend on the ranks. Made by all together.

    Args:
        comm: The ranks.
        held: Places that this rank owns; the ranks' places follow one another.
        position: On rank 0 the place of each of them in that order.
    """

    def __init__(self, comm: MPI.Intracomm, held: int, position: Indices | None) -> None:
        self.comm, self.held, self.position = comm, held, position
        self.ends = np.cumsum(comm.allgather(held))[:-1]

    def gather(self, values: Array) -> Array | None:
        """Of what each rank holds, shape (held, n), the whole in order on rank 0. Collective."""
        found = self.comm.gather(values)
        if found is None or self.position is None:
            return None
        whole = np.empty((len(self.position), values.shape[1]))
        whole[self.position] = np.concatenate(found)
        return whole

    def scatter(self, whole: Array | None) -> Array:
        """What this rank holds of the `whole` of rank 0, shape (held, n). Collective."""
        pieces = None
        if whole is not None and self.position is not None:
            pieces = np.split(whole[self.position], self.ends)
        return np.asarray(self.comm.scatter(pieces))


def nodes(space: fem.FunctionSpace) -> Order:
    """The nodes of a Lagrange space, as the cells of the mesh file meet them. Collective."""
    mesh, dofmap = space.mesh, space.dofmap
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    local = np.asarray(dofmap.list[:owned], dtype=np.int32)
    numbers = dofmap.index_map.local_to_global(local.ravel()).reshape(local.shape)
    met = _by_cell(mesh, np.asarray(numbers, dtype=np.int64))
    position = None
    if met is not None:
        unique, first = np.unique(met.ravel(), return_index=True)
        position = np.empty(len(unique), dtype=np.int64)
        position[unique[np.argsort(first)]] = np.arange(len(unique))
    return Order(mesh.comm, int(dofmap.index_map.size_local), position)


def cells(mesh: dmesh.Mesh) -> Order:
    """The cells as they are in the mesh file. Collective."""
    owned = int(mesh.topology.index_map(mesh.topology.dim).size_local)
    found = mesh.comm.gather(np.asarray(mesh.topology.original_cell_index[:owned]))
    return Order(mesh.comm, owned, None if found is None else np.concatenate(found))


def _by_cell(mesh: dmesh.Mesh, own: NDArray[Any]) -> NDArray[Any] | None:
    """Rows of the cells that each rank owns, as in the mesh file; on rank 0. Collective."""
    index = mesh.topology.original_cell_index[: len(own)]
    found = mesh.comm.gather((index, own))
    if found is None:
        return None
    order = np.argsort(np.concatenate([index for index, _ in found]))
    return np.asarray(np.concatenate([rows for _, rows in found])[order])


def fingerprint(mesh: dmesh.Mesh) -> str:
    """A hash of points and cells as they were read, on rank 0; elsewhere empty. Collective."""
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    index = np.asarray(mesh.geometry.input_global_indices)
    own = index[np.asarray(mesh.geometry.dofmaps[0][:owned])]
    met = _by_cell(mesh, own)
    found = mesh.comm.gather((index, np.array(mesh.geometry.x)))
    if found is None or met is None:
        return ""
    points = np.zeros((max(int(i.max(initial=-1)) for i, _ in found) + 1, 3))
    for where, x in found:
        points[where] = x
    told = hashlib.sha256(np.ascontiguousarray(met, dtype=np.int64).tobytes())
    told.update(points.tobytes())
    return told.hexdigest()


class Layout:
    """What the values of a study are made of. Made and used by all ranks together.

    Args:
        space: Whose nodes they belong to.
        parts: In order; the first ends where the second begins.
    """

    def __init__(self, space: fem.FunctionSpace, parts: Sequence[Part]) -> None:
        self.comm, self.parts = space.mesh.comm, tuple(parts)
        kinds = {part.place for part in parts}
        self.orders: dict[str, Order] = {"node": nodes(space)}
        if "cell" in kinds:
            self.orders["cell"] = cells(space.mesh)

    def gather(self, values: Array) -> list[Array] | None:
        """The parts, whole and in order, on rank 0. Collective."""
        found, at = [], 0
        for part in self.parts:
            if part.place == "shared":
                found.append(values[at : at + part.width])
                at += part.width
                continue
            order = self.orders[part.place]
            count = order.held * part.width
            own = values[at : at + count]
            shaped = own.reshape(part.width, -1).T if part.by_field else own.reshape(order.held, -1)
            whole = order.gather(shaped)
            if whole is not None:
                found.append(whole)
            at += count
        return found if self.comm.rank == 0 else None

    def scatter(self, whole: list[Array] | None) -> Array:
        """The values of this rank, given the parts on rank 0. Collective."""
        own = []
        for k, part in enumerate(self.parts):
            given = None if whole is None else whole[k]
            if part.place == "shared":
                own.append(np.asarray(self.comm.bcast(given)))
                continue
            shaped = self.orders[part.place].scatter(given)
            own.append((shaped.T if part.by_field else shaped).ravel())
        return np.concatenate(own)

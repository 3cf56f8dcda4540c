"""Contact of two meshed bodies without friction: a dual mortar with an active set.

Slaves, nodes of the upper body, that touch follow the lower one along their normal: u = T w
+ t with T and t from `ties`, of the present places of both surfaces in each iteration.
The same T takes their forces to the masters below, so that action is reaction whatever the
meshes. Surfaces are small against bodies: every rank holds both of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import coo_array

from fem_spe.domain import Domain
from fem_spe.solve.solids.active_set import Patience
from fem_spe.solve.solids.equilibrium import Supports
from fem_spe.solve.solids.mortar.faces import gather, weigh
from fem_spe.solve.solids.mortar.lines import Weights
from fem_spe.solve.solids.mortar.ties import tie
from fem_spe.solve.solids.tied_levels import Ties

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLOSED = 3e-9  # of the largest displacement, at which a gap counts as closed
_PULL = 1e-8  # of the largest pressure: below it a node is not pulled
_START = 0.5  # of the deepest: what is deeper is taken to touch at first


@dataclass(frozen=True)
class Touch:
    """What two bodies do to one another.

    Attributes:
        force: On the upper body, and on the lower one, N, in the plane N/m, shape (2, gdim).
        nodal: On the slaves, shape (slaves, gdim); zero where they do not touch.
        moved: Displacement of the slaves, m, shape (slaves, gdim).
        at: Places of the slaves where they have moved to, in the plane from left to right, m,
            shape (slaves, gdim).
        area: That each slave stands for, m^2, in the plane m; zero where it has come to stand
            upright.
        pressure: On them, Pa; zero where they do not touch.
        gap: Below them, m; infinite where they stand upright.
        active: Which of them touch.
    """

    force: Floats
    nodal: Floats
    moved: Floats
    at: Floats
    area: Floats
    pressure: Floats
    gap: Floats
    active: NDArray[np.bool_]


class Mortar:
    """The surface of one body over that of another; a `Constraint` of `equilibrium.balance`.

    Slaves are all nodes of the upper line in the plane; in three dimensions the corners of the
    upper triangles.

    Args:
        domain: A mesh of both.
        space: Of the displacement, linear or quadratic.
        supports: What is held.
        upper: Face of the body above, whose nodes are slaves.
        lower: Face of the body below; reaches beyond `upper` on all sides.
        shape: From the nodes of the upper face in the mesh to where they are in truth, m, shape
            (n, gdim): sides of straight cells bow in, by h^2 / 8R on a ball of radius R.
    """

    def __init__(
        self,
        domain: Domain,
        space: fem.FunctionSpace,
        supports: Supports,
        upper: str,
        lower: str,
        shape: Callable[[Floats], Floats] = lambda nodes: nodes,
    ) -> None:
        self.comm, self.space, self.gdim = space.mesh.comm, space, domain.dimension
        self.first, end = space.dofmap.index_map.local_range
        self.owned = end - self.first
        self.upper, self.lower = gather(domain, space, upper), gather(domain, space, lower)
        self.nodes = np.concatenate([self.upper.nodes, self.lower.nodes])
        self.mine = np.flatnonzero((self.nodes >= self.first) & (self.nodes < end))
        # from the contact's own origin: gaps are small against coordinates
        self.origin = self.lower.at[len(self.lower.at) // 2]
        self.places = np.concatenate([shape(self.upper.at), self.lower.at]) - self.origin
        held = supports.fixed.reshape(-1, self.gdim).astype(float)
        self.free = self._gathered([held])[0] < 0.5
        self.active = np.zeros(self.upper.slaves, dtype=bool)
        self.last: Touch | None = None
        # every rank holds all slaves
        self._patience = Patience(MPI.COMM_SELF, np.arange(self.upper.slaves, dtype=float))
        self._T: PETSc.Mat | None = None
        self._normal = np.zeros((self.upper.slaves, self.gdim))  # zero where nothing is tied
        self._bent = np.zeros(len(self.upper.ends), dtype=bool)
        self._seam = np.zeros(0, dtype=np.int64)
        self._shift = np.zeros((self.owned, self.gdim))

    def update(self, u: Floats, residual: Floats) -> bool:
        """Look at the state, owned unknowns; True where set and gaps have settled. Collective.

        Raises:
            ConvergenceError: if the surfaces no longer lie over one another.
        """
        d, n, slaves = self.gdim, len(self.upper.nodes), self.upper.slaves
        moved, force = self._gathered([u.reshape(-1, d), residual.reshape(-1, d)])
        # where a component is fixed the residual holds the support's reaction, too
        force[~self.free] = 0.0
        places = self.places + moved
        weights = weigh(self.upper, places[:n], self.lower, places[n:])
        normal = weights.normal * self.free[:slaves]
        normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-3)[:, None]
        nodal = force[:slaves].copy()
        np.add.at(nodal, self.upper.ends, 0.5 * force[slaves:n, None])
        nodal[~self.free[:slaves]] = 0.0
        push = np.sum(nodal * normal, axis=1)
        pressure = push / np.maximum(weights.area, 1e-300)
        pressure[weights.area == 0.0] = 0.0
        largest = float(self.comm.allreduce(np.max(np.abs(u), initial=0.0), op=MPI.MAX))
        shut = _CLOSED * largest
        if largest == 0.0:
            wanted = self.active
        elif not self.active.any():
            wanted = weights.gap < min(-shut, _START * float(weights.gap.min()))
        else:
            pull = _PULL * float(np.max(np.abs(pressure[self.active])))
            wanted = np.where(self.active, pressure >= -pull, weights.gap < -shut)
            wanted &= weights.area > 0.0
        wrong = wanted != self.active
        changes = int(np.count_nonzero(wrong))
        wrong = self._patience.pick(wrong, changes)
        closed = np.all(np.abs(weights.gap[self.active]) <= shut)
        if changes == 0:
            self._patience.restart()
        nodal[~self.active] = 0.0
        below = force[n:].copy()
        taken = -weights.share.T @ ((push * self.active)[:, None] * normal)
        below[~self.free[n:]] = taken[~self.free[n:]]
        self.last = Touch(
            np.array([nodal.sum(axis=0), below.sum(axis=0)]),
            nodal,
            moved[:slaves],
            places[:slaves] + self.origin,
            weights.area,
            np.where(self.active, pressure, 0.0),
            weights.gap,
            self.active.copy(),
        )
        self.active = (self.active ^ wrong) & (weights.area > 0.0)
        self._tie(weights, normal)
        return bool(changes == 0 and closed)

    def ties(self) -> Ties:
        """T, as it is in this iteration."""
        n, slaves = len(self.upper.nodes), self.upper.slaves
        tied = self.mine[self.mine < slaves]
        tied = tied[self.active[tied]]
        bent = self.mine[(self.mine >= slaves) & (self.mine < n)]
        bent = bent[self._bent[bent - slaves]]
        rows, bows = (self.nodes[which] - self.first for which in (tied, bent))
        return Ties(self._T, rows, self._normal[tied], bows, self._seam)

    def collect(self, vector: PETSc.Vec) -> None:
        """T^T times the vector, in place. Collective."""
        whole = vector.copy()
        self._T.multTranspose(whole, vector)  # type: ignore[union-attr]
        whole.destroy()

    def spread(self, vector: PETSc.Vec) -> None:
        """T times the vector, in place. Collective."""
        left = vector.copy()
        self._T.mult(left, vector)  # type: ignore[union-attr]
        left.destroy()

    def shift(self) -> Floats:
        """What closes the gaps of slaves that touch, owned unknowns."""
        return self._shift.ravel()

    def state(self) -> NDArray[np.bool_]:
        """What `restore` brings back."""
        return self.active.copy()

    def restore(self, state: NDArray[np.bool_]) -> None:
        """Go back to an earlier `state`."""
        self.active = state.copy()
        self._patience.restart()

    def _gathered(self, owned: list[Floats]) -> list[Floats]:
        """Values at the surfaces' nodes from their owners, shape (nodes, gdim). Collective."""
        table = np.zeros((len(owned), len(self.nodes), self.gdim))
        for k, values in enumerate(owned):
            table[k, self.mine] = values[self.nodes[self.mine] - self.first]
        self.comm.Allreduce(MPI.IN_PLACE, table, op=MPI.SUM)
        return list(table)

    def _tie(self, weights: Weights, normal: Floats) -> None:
        """Make T and t: the identity but for the surfaces."""
        d, size = self.gdim, self.gdim * self.owned
        self._normal = np.where(self.active[:, None], normal, 0.0)
        T, shift, self._bent = tie(self.upper, self.lower, weights, self._normal, self.active)
        whole = T.tocoo()
        row, column = whole.coords
        tied = (row != column) & (whole.data != 0.0)
        self._seam = np.unique(self.nodes[np.concatenate([row[tied], column[tied]]) // d])
        rows = self.nodes[self.mine] - self.first
        self._shift = np.zeros((self.owned, d))
        self._shift[rows] = shift[self.mine]
        unknowns = (d * self.mine[:, None] + np.arange(d)).ravel()
        own = T[unknowns].tocoo()
        in_rows = (d * rows[:, None] + np.arange(d)).ravel()
        columns = (d * self.nodes[:, None] + np.arange(d)).ravel()
        others = np.setdiff1d(np.arange(size), in_rows, assume_unique=True)
        whole = d * self.space.dofmap.index_map.size_global
        values = np.concatenate([own.data, np.ones(len(others))])
        place = (
            np.concatenate([in_rows[own.coords[0]], others]),
            np.concatenate([columns[own.coords[1]], others + d * self.first]),
        )
        table = coo_array((values, place), shape=(size, whole)).tocsr()
        table.sort_indices()  # as PETSc takes them to be
        if self._T is not None:
            self._T.destroy()
        index, layout = PETSc.IntType, (size, whole)
        csr = (table.indptr.astype(index), table.indices.astype(index), table.data)
        self._T = PETSc.Mat().createAIJ((layout, layout), csr=csr, comm=self.comm)
        self._T.setBlockSize(d)

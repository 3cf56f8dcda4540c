"""Contact of two meshed bodies without friction: a dual mortar with an active set, in the plane.

Slaves, the nodes of the upper body, that touch follow the lower one along their normal: u = T w
+ t with T and t from `mortar_weights`, of the present places of both surfaces in each iteration.
The same T takes their forces to the masters below, so that action is reaction whatever the
meshes. Lines of contact are short: every rank holds both of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.sparse import coo_array

from fem_spe.domain import Domain
from fem_spe.solve.solids.equilibrium import Supports
from fem_spe.solve.solids.mortar_weights import Weights, weigh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLOSED = 3e-9  # of the largest displacement, at which a gap counts as closed
_PULL = 1e-8  # of the largest pressure: below it a node is not pulled
_START = 0.5  # of the deepest: what is deeper is taken to touch at first
_PATIENCE = 3  # sets without an improvement, after which only one node is exchanged


@dataclass(frozen=True)
class Touch:
    """What two bodies do to one another.

    Attributes:
        force: On the upper body, and on the lower one, N/m, shape (2, 2).
        nodal: On the slaves, N/m, shape (slaves, 2); zero where they do not touch.
        moved: Displacement of the slaves, m, shape (slaves, 2).
        x: Abscissae of the slaves where they have moved to, from left to right, m, shape (slaves,).
        pressure: On them, Pa; zero where they do not touch.
        gap: Below them, m.
        active: Which of them touch.
    """

    force: Floats
    nodal: Floats
    moved: Floats
    x: Floats
    pressure: Floats
    gap: Floats
    active: NDArray[np.bool_]


class Mortar:
    """The surface of one body over that of another; a `Constraint` of `equilibrium.balance`.

    Args:
        domain: A mesh of both.
        space: Of the displacement, linear or quadratic.
        supports: What is held.
        upper: Face of the body above, whose nodes are slaves.
        lower: Face of the body below; reaches beyond `upper` on both sides.
    """

    def __init__(
        self, domain: Domain, space: fem.FunctionSpace, supports: Supports, upper: str, lower: str
    ) -> None:
        self.comm, self.space = space.mesh.comm, space
        self.first, end = space.dofmap.index_map.local_range
        self.owned = end - self.first
        self.upper, self.upper_edges, self.upper_at = _line(domain, space, upper)
        self.lower, self.lower_edges, self.lower_at = _line(domain, space, lower)
        self.nodes = np.concatenate([self.upper, self.lower])
        # from the contact's own origin: gaps are small against coordinates
        self.origin = self.lower_at[len(self.lower_at) // 2]
        self.places = np.concatenate([self.upper_at, self.lower_at]) - self.origin
        held = supports.fixed.reshape(-1, 2).astype(float)
        self.free = self._gathered([held])[0] < 0.5
        self.active = np.zeros(len(self.upper), dtype=bool)  # of the slaves
        self.last: Touch | None = None
        self._fewest, self._patience = np.inf, _PATIENCE
        self._T: PETSc.Mat | None = None
        self._rows, self._normals = np.zeros(0, dtype=np.int64), np.zeros((0, 2))
        self._shift = np.zeros((self.owned, 2))

    def update(self, u: Floats, residual: Floats) -> bool:
        """Look at the state, owned unknowns; True where set and gaps have settled. Collective.

        Raises:
            ConvergenceError: if the surfaces no longer lie over one another.
        """
        moved, force = self._gathered([u.reshape(-1, 2), residual.reshape(-1, 2)])
        n, places = len(self.upper), self.places + moved
        weights = weigh(places[:n], self.upper_edges, places[n:], self.lower_edges)
        normal = weights.normal * self.free[:n]
        normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-3)[:, None]
        pressure = np.sum(force[:n] * normal, axis=1) / np.maximum(weights.length, 1e-300)
        pressure[weights.length == 0.0] = 0.0
        largest = float(self.comm.allreduce(np.max(np.abs(u), initial=0.0), op=MPI.MAX))
        shut = _CLOSED * largest
        if largest == 0.0:
            wanted = self.active
        elif not self.active.any():
            wanted = weights.gap < min(-shut, _START * float(weights.gap.min()))
        else:
            pull = _PULL * float(np.max(np.abs(pressure[self.active])))
            wanted = np.where(self.active, pressure >= -pull, weights.gap < -shut)
            wanted &= weights.length > 0.0
        wrong = wanted != self.active
        changes = int(np.count_nonzero(wrong))
        if changes >= self._fewest and self._patience == 0:
            wrong &= np.arange(n) == np.flatnonzero(wrong).max(initial=-1)
        self._patience = _PATIENCE if changes < self._fewest else max(0, self._patience - 1)
        self._fewest = min(self._fewest, changes)
        closed = np.all(np.abs(weights.gap[self.active]) <= shut)
        if changes == 0:
            self._fewest, self._patience = np.inf, _PATIENCE
        # where a component is fixed the residual holds the support's reaction, too
        below = np.where(self.free[n:], force[n:], 0.0).sum(axis=0)
        on_both = np.array([force[:n][self.active].sum(axis=0), below])
        self.last = Touch(
            on_both,
            np.where(self.active[:, None], force[:n], 0.0),
            moved[:n],
            places[:n, 0] + self.origin[0],
            np.where(self.active, pressure, 0.0),
            weights.gap,
            self.active.copy(),
        )
        self.active = self.active ^ wrong
        self._tie(weights, normal)
        return bool(changes == 0 and closed)

    def reduce(self, matrix: PETSc.Mat) -> PETSc.Mat:
        """T^T K T, with K's own size along the normals of slaves that touch. Collective."""
        small = matrix.PtAP(self._T)
        diagonal = matrix.getDiagonal()
        first = 2 * self.first
        for row, normal in zip(self._rows, self._normals, strict=True):
            rows = 2 * row + np.arange(2, dtype=PETSc.IntType)
            size = float(diagonal.array[rows].mean())
            at = (rows + first).astype(PETSc.IntType)
            small.setValues(at, at, size * np.outer(normal, normal), PETSc.InsertMode.ADD)
        small.assemble()
        diagonal.destroy()
        return small

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
        self._fewest, self._patience = np.inf, _PATIENCE

    def _gathered(self, owned: list[Floats]) -> list[Floats]:
        """Values of the surface nodes from their owners, each of shape (nodes, 2). Collective."""
        mine = (self.nodes >= self.first) & (self.nodes < self.first + self.owned)
        table = np.zeros((len(owned), len(self.nodes), 2))
        for k, values in enumerate(owned):
            table[k, mine] = values[self.nodes[mine] - self.first]
        self.comm.Allreduce(MPI.IN_PLACE, table, op=MPI.SUM)
        return list(table)

    def _tie(self, weights: Weights, normal: Floats) -> None:
        """Make T and t of the slaves that touch: I, and n (share of masters - I) n^T there."""
        mine = (self.upper >= self.first) & (self.upper < self.first + self.owned)
        touching = np.flatnonzero(self.active & mine)
        self._rows = self.upper[touching] - self.first
        self._normals = n = normal[touching]
        self._shift = np.zeros((self.owned, 2))
        self._shift[self._rows] = -weights.gap[touching][:, None] * n
        dyad = n[:, :, None] * n[:, None, :]
        slave, master = np.nonzero(weights.share[touching])
        blocks = weights.share[touching][slave, master][:, None, None] * dyad[slave]
        every = np.arange(2 * self.owned)
        k, j = np.meshgrid([0, 1], [0, 1], indexing="ij")  # row and column in a block of two

        def spread(blocks_at: Ints, part: NDArray[np.int64]) -> Ints:
            return np.asarray((2 * blocks_at[:, None, None] + part).ravel())

        upper = self.upper[touching]
        rows = [every, spread(self._rows, k), spread(self._rows[slave], k)]
        columns = [every + 2 * self.first, spread(upper, j), spread(self.lower[master], j)]
        values = [np.ones(2 * self.owned), -dyad.ravel(), blocks.ravel()]
        whole = 2 * self.space.dofmap.index_map.size_global
        place = np.concatenate(rows), np.concatenate(columns)
        table = coo_array((np.concatenate(values), place), shape=(2 * self.owned, whole)).tocsr()
        table.sort_indices()  # as PETSc takes them to be
        if self._T is not None:
            self._T.destroy()
        index, layout = PETSc.IntType, (2 * self.owned, whole)
        csr = (table.indptr.astype(index), table.indices.astype(index), table.data)
        self._T = PETSc.Mat().createAIJ((layout, layout), csr=csr, comm=self.comm)
        self._T.setBlockSize(2)


def _line(domain: Domain, space: fem.FunctionSpace, face: str) -> tuple[Ints, Ints, Floats]:
    """A face as a line, on every rank: nodes from left to right, edges between, places, m.

    Nodes are global blocks of the space, edges shape (m, nodes of an edge). Collective.
    """
    topology, dofmap = domain.mesh.topology, space.dofmap
    topology.create_connectivity(1, 2)
    topology.create_connectivity(2, 1)
    facets = domain.facet_tags.find(domain.face(face))
    facets = facets[facets < topology.index_map(1).size_local]
    cell_of, facets_of = topology.connectivity(1, 2), topology.connectivity(2, 1)
    closure = [dofmap.dof_layout.entity_closure_dofs(1, k) for k in range(3)]
    local = np.zeros((len(facets), len(closure[0])), dtype=np.int32)
    for row, facet in enumerate(facets):
        cell = cell_of.links(facet)[0]
        place = int(np.flatnonzero(facets_of.links(cell) == facet)[0])
        local[row] = dofmap.cell_dofs(cell)[closure[place]]
    x = space.tabulate_dof_coordinates()[:, :2]
    edges = dofmap.index_map.local_to_global(local.ravel()).reshape(local.shape)
    every = np.concatenate(space.mesh.comm.allgather(edges.astype(np.int64)))
    places = np.concatenate(space.mesh.comm.allgather(x[local]))
    nodes, first, inverse = np.unique(every, return_index=True, return_inverse=True)
    at = places.reshape(-1, 2)[first]
    order = np.argsort(at[:, 0])
    number = np.empty(len(nodes), dtype=np.int64)
    number[order] = np.arange(len(nodes))
    renumbered = number[inverse.reshape(every.shape)]
    renumbered[:, :2].sort(axis=1)
    renumbered = renumbered[np.argsort(renumbered[:, 0])]
    return nodes[order], renumbered, at[order]

"""A porous electrode on a mesh: what its volume takes up, and what that leaves in the solid."""

from __future__ import annotations

import math
from typing import Any

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.la import InsertMode
from numpy.typing import NDArray

from fem_spe.case.cathode import PorousElectrode
from fem_spe.domain import Domain
from fem_spe.studies.ions.cathode_law import (
    FullError,
    Law,
    Points,
    Uptake,
    potential,
    respond,
)
from fem_spe.studies.ions.cell import Cell
from fem_spe.units import FARADAY

_ROOM = 1.0 + 1e-7  # over the current, that there must be in the solid
REACTION, LITHIATION = "reaction [A/m^3]", "lithiation"

Array = NDArray[np.float64]


class Cathode:
    """A region that takes up a given current, evenly or by a reaction with one potential.

    The reaction is known at quadrature points alone, where its own equations are solved; to the
    forms it is i - di/dV (mu - mu'), with mu' the electrochemical potential of now, which has
    the value and the derivative of the reaction.

    Args:
        domain: The mesh.
        cell: What is asked for; with a cathode.
        mu: Electrochemical potential over RT/F, an expression of the unknowns.
        degree: Of the unknowns.

    Attributes:
        name: Of the region.
        rule: Integration over it.
        volume: m^3; m^2 in 2-D.
        volt: RT/F, V.
        total: Current into the electrolyte over F D+ c0, m (2-D: without unit); negative.
        law: Of the reaction; None where the current is spread evenly.
        potential: V of the solid over RT/F, with the law.
        taken: Share of the capacity at each point, shape (cells, points).
        points: What they do now.
    """

    def __init__(self, domain: Domain, cell: Cell, mu: Any, degree: int) -> None:
        assert cell.cathode is not None
        self.domain, self.given, self.name = domain, cell.cathode.given, cell.cathode.name
        self._scale = FARADAY * cell.salt.flux_scale
        self.volt = cell.salt.thermal_voltage
        self.law = _law(self.given, self._scale, self.volt)
        tag = domain.regions[self.name]
        points, weights, rule = _rule(domain, degree)
        self.rule = domain.dx(tag, metadata=rule)
        self.mu = mu
        mesh = domain.mesh
        owned = mesh.topology.index_map(domain.dimension).size_local
        cells = domain.cell_tags.find(tag)
        self.cells = np.asarray(cells[cells < owned], dtype=np.int32)
        self.per_cell, self._owned_cells = len(points), int(owned)
        self._mu = fem.Expression(mu, points)
        jacobian = fem.Expression(abs(ufl.JacobianDeterminant(mesh)), points)
        self.weights = self._at_points(jacobian) * weights
        self.volume = self.summed(np.ones_like(self.weights))
        footprint = math.prod(domain.size[:-1])
        self.total = -self.given.current_density * footprint / self._scale
        element = basix.ufl.quadrature_element(
            mesh.basix_cell().name, points=points, weights=weights, degree=rule["quadrature_degree"]
        )
        space = fem.functionspace(mesh, element)
        self._dofs = np.asarray(space.dofmap.list[self.cells])
        self._current, self._slope, self._before = (fem.Function(space) for _ in range(3))
        self._even = fem.Constant(mesh, 0.0)
        self.potential = self.law.rest if self.law else 0.0
        self.taken = np.full(self.weights.shape, self.given.lithiation or 0.0)
        self.uptake: Uptake | None = None
        self.points = self._at_rest()

    def _at_rest(self) -> Points:
        zero = np.zeros_like(self.weights)
        return Points(zero, zero, self.taken, zero)

    def _at_points(self, expression: fem.Expression) -> Array:
        """Values of an expression at the points, shape (cells, points)."""
        shape = (len(self.cells), self.per_cell)
        if not len(self.cells):
            return np.zeros(shape)
        return np.asarray(expression.eval(self.domain.mesh, self.cells)).reshape(shape)

    def summed(self, values: Array) -> float:
        """The integral over the region of what is known at its points. Collective."""
        return float(self.domain.mesh.comm.allreduce(float(np.sum(self.weights * values))))

    def mean(self, values: Array) -> float:
        """The mean over the region. Collective."""
        return self.summed(values) / self.volume

    def density(self) -> Any:
        """The current into the electrolyte per volume over F D+ c0, for the forms."""
        if self.law is None:
            return self._even
        return self._current - self._slope * (self.mu - self._before)

    def shared(self, u: fem.Function, v: Any) -> list[tuple[Any, Any]]:
        """The derivative of the load, tested by `v`, with respect to the solid's potential.

        And how that follows the unknowns `u`, through mu.
        """
        if self.law is None:
            return []
        moved = ufl.derivative(self.mu, u, ufl.TestFunction(u.function_space))
        return [(self._slope * v * self.rule, self._slope * moved * self.rule)]

    def follow(self, level: float) -> None:
        """Find potential and reaction for today's unknowns at a share of the current. Collective.

        Raises:
            FullError: if the solid has no room for it.
        """
        if self.law is None:
            even = level * self.total / self.volume
            self._even.value = even
            self.points = self._spread(even)
            return
        law, mu, total = self.law, self._at_points(self._mu), level * self.total
        if self.uptake is not None and self.summed(self.uptake.lowest_current) >= total * _ROOM:
            raise FullError("the solid has no room left for the current")

        def at(v: float) -> Points:
            return respond(law, v, mu, self.points.taken, self.uptake)

        def both(points: Points) -> tuple[float, float]:
            return self.summed(points.current), self.summed(points.slope)

        with np.errstate(over="ignore", invalid="ignore"):
            begin = self.potential if math.isfinite(self.potential) else law.rest
            self.potential = potential(total, begin, at, both)
            found = at(self.potential)
        for function, values in (
            (self._current, found.current), (self._slope, found.slope), (self._before, mu),
        ):  # fmt: skip
            function.x.array[self._dofs] = values
        if np.isfinite(found.taken).all():
            self.points = found

    def _spread(self, even: float) -> Points:
        """The points where the current is given."""
        current, taken = np.full_like(self.weights, even), self.taken
        if self.uptake is not None:
            taken = -(self.uptake.rest + self.uptake.per_current * current) / self.uptake.weight
        zero = np.zeros_like(current)
        return Points(current, zero, taken, zero)

    @property
    def follows_uptake(self) -> bool:
        """True where the solid fills."""
        return self.given.capacity is not None

    def state(self) -> Array:
        """The share that is taken now, of each point of each cell that this rank owns."""
        whole = np.zeros((self._owned_cells if self.follows_uptake else 0, self.per_cell))
        if self.follows_uptake:
            whole[self.cells] = self.points.taken
        return whole.ravel()

    def set_rate(self, weight: float, rest: Array) -> None:
        """Make ds/dt `weight` s + `rest` (1/s, laid out as `state`)."""
        if not self.follows_uptake:
            return
        assert self.given.capacity is not None
        rest = rest.reshape(self._owned_cells, self.per_cell)[self.cells]
        self.uptake = Uptake(weight, rest, self._scale / self.given.capacity)

    @property
    def full_time(self) -> float:
        """When all of the capacity is used up, s; infinite without one. Collective."""
        if self.given.capacity is None:
            return math.inf
        left = (1.0 - (self.given.lithiation or 0.0)) * self.given.capacity * self.volume
        return left / (-self.total * self._scale)

    def lithiation(self) -> float:
        """Mean share of the capacity that is taken. Collective."""
        return self.mean(self.points.taken)

    def relative_potential(self) -> float:
        """V less what it would be at rest, with the same charge taken up, over RT/F. Collective.

        Where the current is spread evenly, the mean of mu: what its reaction takes is not known.
        """
        if self.law is None:
            return self.mean(self._at_points(self._mu))
        taken = self.lithiation()
        return self.potential - float(self.law.at_rest(np.array(taken)))

    def reaction(self) -> Array:
        """Charge taken up per volume and time at each point, A/m^3."""
        return -self._scale * self.points.current

    def losses(self) -> tuple[float, float]:
        """Integrals of eta i and of mu i over the volume, over RT/F and F D+ c0. Collective."""
        mu = self._at_points(self._mu)
        current = self.points.current
        return self.summed(self.points.eta * current), self.summed(mu * current)

    def known(self) -> dict[str, Array]:
        """Reaction and, where it is followed, lithiation at the points."""
        found = {REACTION: self.reaction()}
        if self.uptake is not None:
            found[LITHIATION] = self.points.taken
        return found

    def by_cell(self) -> dict[str, fem.Function]:
        """The same as means of cells; zero in other regions. Collective."""
        found = {}
        for name, values in self.known().items():
            mean = fem.Function(fem.functionspace(self.domain.mesh, ("DG", 0)))
            mean.x.array[self.cells] = np.sum(self.weights * values, 1) / self._volumes
            mean.x.scatter_forward()
            found[name] = mean
        return found

    def at_nodes(self, space: fem.FunctionSpace) -> dict[str, fem.Function]:
        """The same at the nodes of `space`, as means of the region's cells there. Collective."""
        around = self._about_nodes(space, self._volumes)
        there = around.x.array > 0.0
        found = {}
        for name, values in self.known().items():
            function = self._about_nodes(space, np.sum(self.weights * values, 1))
            function.x.array[there] /= around.x.array[there]
            found[name] = function
        return found

    @property
    def _volumes(self) -> Array:
        return np.asarray(np.sum(self.weights, axis=1))

    def _about_nodes(self, space: fem.FunctionSpace, values: Array) -> fem.Function:
        """At each node the sum over the region's cells that have it. Collective."""
        found = fem.Function(space)
        nodes = np.asarray(space.dofmap.list[self.cells])
        np.add.at(found.x.array, nodes, np.broadcast_to(values[:, None], nodes.shape))
        found.x.scatter_reverse(InsertMode.add)
        found.x.scatter_forward()
        return found


def _rule(domain: Domain, degree: int) -> tuple[Array, Array, dict[str, Any]]:
    """Points, weights and name of the rule for unknowns of this degree.

    Linear ones react at the nodes of the mesh: where the salt runs out the reaction falls off
    within less than a cell, and other points would drive c at the next node below zero.
    """
    cell = domain.mesh.basix_cell()
    if degree == 1:
        points = np.asarray(basix.geometry(cell))
        weights = np.full(len(points), 1.0 / math.factorial(len(points)))
        return points, weights, {"quadrature_rule": "vertex", "quadrature_degree": 1}
    points, weights = basix.make_quadrature(cell, 2 * degree)
    return points, weights, {"quadrature_degree": 2 * degree}


def _law(given: PorousElectrode, scale: float, volt: float) -> Law | None:
    kinetics = given.kinetics
    if kinetics is None:
        return None
    assert given.specific_area is not None
    empty, full = given.potentials
    return Law(
        given.specific_area * kinetics.exchange_current / scale,
        kinetics.alpha if kinetics.law == "full" else None,
        empty / volt,
        (full - empty) / volt,
        given.capacity is not None,
    )

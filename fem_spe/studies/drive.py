"""What drives the ions: values and fluxes on named faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry.faces import faces_across, opposite, thickness
from fem_spe.measure.charge import once
from fem_spe.measure.flux import through
from fem_spe.physics import diffusion
from fem_spe.solve.constraints import Ties
from fem_spe.solve.periodic import face_dofs, periodic


@dataclass(frozen=True)
class Drive:
    """Boundary data by face name.

    Attributes:
        fixed: Concentrations, mol/m^3; without unit when `unit_difference`.
        given: Fluxes into the domain, mol/m^2/s.
        axis: The driven axis; the thickness where faces are given one by one.
        unit_difference: True for 0 and 1 on the two faces across the axis.
        periodic: Axes across which opposite faces are one. Where the driven axis is among
            them, the field rises by the unit difference from each cell to the next.
    """

    fixed: dict[str, float]
    given: dict[str, float]
    axis: int
    unit_difference: bool
    periodic: tuple[int, ...] = ()

    @property
    def rises(self) -> bool:
        """True where the field is periodic but for a rise along the driven axis."""
        return self.unit_difference and self.axis in self.periodic

    def ties(self, domain: Domain, space: fem.FunctionSpace) -> Ties | None:
        """What periodic faces tie. Collective."""
        return periodic(domain, space, self.periodic) if self.periodic else None

    def side_ties(self, domain: Domain, space: fem.FunctionSpace) -> Ties | None:
        """The ties across the axes that are not driven. Collective."""
        sides = [axis for axis in self.periodic if axis != self.axis]
        return periodic(domain, space, sides) if sides else None

    def rise(self, domain: Domain, space: fem.FunctionSpace) -> NDArray[np.float64] | None:
        """Owned unknowns of the linear rise, where the field has one."""
        if not self.rises:
            return None
        x = space.tabulate_dof_coordinates()[: space.dofmap.index_map.size_local]
        return np.asarray((x[:, self.axis] - domain.origin[self.axis]) / domain.size[self.axis])

    @property
    def high(self) -> str:
        """The face that the ions enter by under a unit difference."""
        return list(self.fixed)[-1]

    @property
    def anode(self) -> str | None:
        """Where the flux density is reported: where driven ions leave, or the bottom."""
        if self.unit_difference:
            return next(iter(self.fixed))
        return "bottom" if "bottom" in self.fixed else None

    def flows(self, domain: Domain, residual: fem.Function, scale: float) -> dict[str, float]:
        """Total inflow through each driven face; `residual` is over `scale`. Collective."""
        ties = self.side_ties(domain, residual.function_space)
        inflow = through(domain, residual, self.fixed, ties)
        flows = {n: scale * q for n, q in inflow.items()}
        v, on = ufl.TestFunction(residual.function_space), once(domain, self.given)
        for name, value in self.given.items():
            # with the rule that the load has, on curved faces too
            form = diffusion.inflow(v, fem.Constant(domain.mesh, value), on(domain.face(name)))
            own = fem.assemble_vector(fem.form(form)).array.sum()
            flows[name] = float(domain.mesh.comm.allreduce(own))
        return flows

    def boundary(
        self, domain: Domain, space: fem.FunctionSpace, v: ufl.Argument, scale: float
    ) -> tuple[ufl.Form, list[fem.DirichletBC]]:
        """The load over `scale`, and the fixed values. Collective."""
        load = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
        on = once(domain, self.given)
        for name, value in self.given.items():
            scaled = fem.Constant(domain.mesh, value / scale)
            load += diffusion.inflow(v, scaled, on(domain.face(name)))
        if self.rises:
            return load, [self._anchor(domain, space)]
        ties = self.ties(domain, space)
        bcs = [
            fem.dirichletbc(value, face_dofs(domain, space, name, ties), space)
            for name, value in self.fixed.items()
        ]
        return load, bcs

    def _anchor(self, domain: Domain, space: fem.FunctionSpace) -> fem.DirichletBC:
        """One unknown, which is no slave, at its value of the rise: fixes the level."""
        ties, rise = self.ties(domain, space), self.rise(domain, space)
        assert ties is not None
        assert rise is not None
        free = np.setdiff1d(np.arange(len(rise)), ties.slaves)[:1]
        ranks = domain.mesh.comm.allgather(len(free))
        mine = domain.mesh.comm.rank == ranks.index(1)
        node = free.astype(np.int32) if mine else np.empty(0, dtype=np.int32)
        return fem.dirichletbc(float(rise[node[0]]) if mine else 0.0, node, space)


def in_and_out(flows: Mapping[str, float]) -> tuple[float, float]:
    """What enters and what leaves, both positive, of the inflows of all faces."""
    return sum(q for q in flows.values() if q > 0), -sum(q for q in flows.values() if q < 0)


def drive(case: Case, dimension: int) -> Drive:
    """The drive that a case describes.

    Raises:
        CaseError: if its direction needs a third dimension.
    """
    direction = case.diffusion.direction
    axes = periodic_axes(case, dimension)
    if direction is not None:
        low, high = faces_across(dimension, direction)
        axis = "xyz".index(direction)
        return Drive({low: 0.0, high: 1.0}, {}, axis, unit_difference=True, periodic=axes)
    fixed = {n: b.fixed for n, b in case.boundary.items() if b.fixed is not None}
    given = {n: b.inflow for n, b in case.boundary.items() if b.inflow is not None}
    axis = "xyz".index(thickness(dimension))
    return Drive(fixed, given, axis, unit_difference=False, periodic=axes)


def periodic_axes(case: Case, dimension: int) -> tuple[int, ...]:
    """The axes across which the case makes opposite faces one.

    Raises:
        CaseError: if one of them has a value or a flux as well, or is no face of the box.
    """
    axes = set()
    for name in case.boundary.keys() - case.driven_faces.keys():
        found = opposite(dimension, name)
        if found is None:
            raise CaseError(f"[boundary.{name}] periodic: only faces of the box can be periodic")
        axis, other = found
        if other in case.driven_faces:
            raise CaseError(
                f"[boundary.{other}]: periodic with {name}, so that it can have no concentration "
                "or flux; remove one of the two"
            )
        axes.add(axis)
    return tuple(sorted(axes))

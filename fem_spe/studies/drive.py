"""What drives the ions: values and fluxes on named faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.geometry.faces import faces_across, thickness
from fem_spe.measure.flux import through
from fem_spe.physics import diffusion


@dataclass(frozen=True)
class Drive:
    """Boundary data by face name.

    Attributes:
        fixed: Concentrations, mol/m^3; without unit when `unit_difference`.
        given: Fluxes into the domain, mol/m^2/s.
        axis: The driven axis; the thickness where faces are given one by one.
        unit_difference: True for 0 and 1 on the two faces across the axis.
    """

    fixed: dict[str, float]
    given: dict[str, float]
    axis: int
    unit_difference: bool

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
        flows = {n: scale * q for n, q in through(domain, residual, self.fixed).items()}
        for name, value in self.given.items():
            flows[name] = value * domain.integrate(1.0 * domain.ds(domain.face(name)))
        return flows

    def boundary(
        self, domain: Domain, space: fem.FunctionSpace, v: ufl.Argument, scale: float
    ) -> tuple[ufl.Form, list[fem.DirichletBC]]:
        """The load over `scale`, and the fixed values. Collective."""
        load = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
        for name, value in self.given.items():
            scaled = fem.Constant(domain.mesh, value / scale)
            load += diffusion.inflow(v, scaled, domain.ds(domain.face(name)))
        bcs = [
            fem.dirichletbc(value, domain.face_dofs(space, name), space)
            for name, value in self.fixed.items()
        ]
        return load, bcs


def in_and_out(flows: Mapping[str, float]) -> tuple[float, float]:
    """What enters and what leaves, both positive, of the inflows of all faces."""
    return sum(q for q in flows.values() if q > 0), -sum(q for q in flows.values() if q < 0)


def drive(case: Case, dimension: int) -> Drive:
    """The drive that a case describes.

    Raises:
        CaseError: if its direction needs a third dimension.
    """
    direction = case.diffusion.direction
    if direction is not None:
        low, high = faces_across(dimension, direction)
        return Drive({low: 0.0, high: 1.0}, {}, "xyz".index(direction), unit_difference=True)
    fixed = {n: b.concentration for n, b in case.boundary.items() if b.concentration is not None}
    given = {n: b.flux for n, b in case.boundary.items() if b.flux is not None}
    axis = "xyz".index(thickness(dimension))
    return Drive(fixed, given, axis, unit_difference=False)

"""Diffusivities that depend on concentration: as coefficients, and where they are negative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any

import basix
import numpy as np
import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError, FemSpeError
from fem_spe.materials import lowest
from fem_spe.solve.constraints import Ties
from fem_spe.solve.linear import Solved
from fem_spe.solve.newton import Newton
from fem_spe.studies.transport import Transport
from fem_spe.units import in_um

_DEGREE = 4  # of the quadrature: 6 points per triangle, 24 per tetrahedron


def mobility(domain: Domain, coefficients: Transport, u: fem.Function) -> Any:
    """K D(K u) over the scale of `coefficients`; piecewise constant where no D has a law.

    K is the partition coefficient, so that K u is the concentration.
    """
    relative, laws = coefficients.relative(), coefficients.laws
    if not laws:
        return domain.coefficient(relative)
    total: Any = domain.coefficient({r: 0.0 * v if r in laws else v for r, v in relative.items()})
    number = partial(fem.Constant, domain.mesh)
    for region, law in laws.items():
        inside = domain.coefficient({r: float(r == region) for r in domain.regions})
        partition = coefficients.partition[region]
        value = law.scaled(partition / coefficients.scale).at(number(partition) * u, number)
        axes = total.ufl_shape
        total += ufl.as_vector([inside * value] * axes[0]) if axes else inside * value
    return total


def converge(
    domain: Domain,
    coefficients: Transport,
    a: Any,
    load: Any,
    u: fem.Function,
    bcs: Sequence[fem.DirichletBC],
    *,
    rtol: float,
    method: str,
    ties: Ties | None,
) -> Solved:
    """Solve a(u; u, v) = load(v) from the guess in `u`, on which the form `a` depends. Collective.

    Raises:
        CaseError: if the diffusivity is negative somewhere in the solution, or where Newton's
            method came to an end without one.
        ConvergenceError: if it did for another reason.
    """
    newton = Newton(ufl.action(a, u), load, u, tuple(bcs), rtol, method, "diffusion", ties)
    positive = Positive(domain, coefficients, u)
    try:
        solved = newton.solve(u.x.array[: u.function_space.dofmap.index_map.size_local].copy())
    except ConvergenceError as error:
        raise positive.explained(error) from None
    positive.require()
    return solved


def require(case: Case, coefficients: Transport) -> None:
    """Raise if a law is driven without concentrations, or negative between those prescribed.

    Boundary values are over the partition coefficient, as is a single initial value; the
    initial values of regions are not.

    Raises:
        CaseError: naming the region, and what would work or where D is negative.
    """
    if coefficients.laws and not case.driven_faces:
        region = next(iter(coefficients.laws))
        raise CaseError(
            f"[materials] {region}: the diffusivity depends on concentration, but the unit "
            "difference that drives has no unit; give [boundary.*] concentrations in place of "
            "[diffusion] direction"
        )
    given = [b.fixed for b in case.boundary.values() if b.fixed is not None]
    initial = case.diffusion.initial
    if case.diffusion.mode == "transient":
        partition = coefficients.partition
        if isinstance(initial, dict):
            given += [value / partition[region] for region, value in initial.items()]
        else:
            given.append(initial)
    if not given:
        return
    for region, law in coefficients.laws.items():
        low, high = (coefficients.partition[region] * c for c in (min(given), max(given)))
        place, value = lowest(law, low, high)
        if value < 0:
            raise CaseError(
                f"[materials] {region}: the diffusivity is negative, {value:.3g} m^2/s, at "
                f"{place:.6g} mol/m^3, and the case prescribes concentrations from {low:.6g} to "
                f"{high:.6g} mol/m^3 there; give others, or a diffusivity that is positive"
            )


@dataclass(frozen=True, order=True)
class Lowest:
    """The smallest diffusivity of a field, m^2/s, with concentration, mol/m^3, and place, m."""

    value: float
    concentration: float
    place: tuple[float, ...]
    region: str

    def __str__(self) -> str:
        return (
            f"{self.value:.3g} m^2/s, at ({in_um(self.place)}) um, where the concentration is "
            f"{self.concentration:.6g} mol/m^3"
        )


class Positive:
    """Looks for negative diffusivities in the field `u`, at quadrature points on all ranks."""

    def __init__(self, domain: Domain, coefficients: Transport, u: fem.Function) -> None:
        self.domain, self.coefficients, self.u = domain, coefficients, u

    def require(self) -> None:
        """Raise if D is negative in the field as it is now. Collective.

        Raises:
            CaseError: naming the region, the place, the concentration and the value.
        """
        lowest = self._lowest()
        if lowest is not None and lowest.value < 0:
            raise CaseError(
                f"[materials] {lowest.region}: the diffusivity is negative, {lowest}; give a "
                "diffusivity that is positive there, or smaller fluxes"
            )

    def explained(self, error: ConvergenceError) -> FemSpeError:
        """The better reason for `error`, if the field as it is now tells one. Collective."""
        try:
            self.require()
        except CaseError as negative:
            return negative
        return error

    def follow[Step](self, steps: Iterator[Step]) -> Iterator[Step]:
        """The steps, each looked at before it is handed on.

        Raises:
            CaseError: if D is negative after a step, or where the steps came to an end.
            ConvergenceError: if they did for another reason.
        """
        try:
            for step in steps:
                self.require()
                yield step
        except ConvergenceError as error:
            raise self.explained(error) from None

    @cached_property
    def _sample(self) -> fem.Expression:
        mesh = self.domain.mesh
        points, _ = basix.make_quadrature(mesh.basix_cell(), _DEGREE)
        return fem.Expression(ufl.as_vector([self.u, *ufl.SpatialCoordinate(mesh)]), points)

    def _lowest(self) -> Lowest | None:
        mesh, dimension = self.domain.mesh, self.domain.dimension
        owned = mesh.topology.index_map(dimension).size_local
        found = []
        for region, law in self.coefficients.laws.items():
            cells = self.domain.cell_tags.find(self.domain.regions[region])
            values = self._sample.eval(mesh, cells[cells < owned]).reshape(-1, 1 + dimension)
            concentration = self.coefficients.partition[region] * values[:, 0]
            diffusivity = law.at(concentration) + np.zeros(len(values))
            for k in np.argsort(diffusivity)[:1]:
                place = tuple(values[k, 1:].tolist())
                found.append(Lowest(float(diffusivity[k]), float(concentration[k]), place, region))
        return min(chain.from_iterable(mesh.comm.allgather(found)), default=None)

"""The discrete electroneutral cell: forms, Newton's method, and what crosses each face."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.measure.flux import through
from fem_spe.physics.nernst_planck import storage, transport
from fem_spe.solve.linear import assemble
from fem_spe.solve.newton import Newton
from fem_spe.studies.drive import in_and_out
from fem_spe.studies.ions.applied import Applied
from fem_spe.studies.ions.cathode import Cathode
from fem_spe.studies.ions.cell import Cell, Porous
from fem_spe.units import FARADAY

_PINCH = 0.1  # of storage, over the rate of diffusion along the cell
_ROUND_OFF = 1e-10  # of the residual, which one more correction then takes to its floor
_SMALLEST_PART = 1 / 64  # of the data that is applied at a time

DIRECT_LIMIT = 60_000  # unknowns up to which steps in 3-D are factorised

Array = NDArray[np.float64]


class DepletedError(ConvergenceError):
    """No solution in which every ion is left everywhere."""


def _method(num_dofs: int, dimension: int) -> str:
    """How the steps of Newton's method are solved."""
    return "direct" if dimension == 2 or num_dofs <= DIRECT_LIMIT else "coupled"


def _logarithms(cell: Cell, method: str) -> float:
    """How many ln c the second unknown is short of mu.

    It is psi where faces fix that. Where a cathode uses up its salt it is psi - ln(c) / |z-|, what
    drives the anions: they come to rest exactly then, and however far mu falls from one node to
    the next, c stays above zero. With mu itself c falls to zero where mu falls by four within a
    cell. Multigrid wants c in the balance of anions, though, and its meshes are fine.
    """
    ions = cell.salt.ions
    if cell.potentials:
        return 1.0 / ions.cation
    if cell.cathode is not None and not cell.electrodes and method == "direct":
        return 1.0 / ions.cation + 1.0 / abs(ions.anion)
    return 0.0


class Model:
    """The unknowns (c / c0 - 1, mu) of a cell, and the forms that bind them.

    Attributes:
        u: The unknowns, in blocks of two; zero is the even bulk at rest.
        logarithms: How many ln c the second of them is short of mu.
        weight, rest: The rate of c is `weight` u + `rest`, over D+, 1/m^2.
        applied: The data on the faces.
        cathode: The region that takes up cations, where there is one.
        share: Of the volume that the electrolyte fills, an expression.
        c, mu: Cations over c0 and their electrochemical potential over RT/F, expressions of u.
        inner: Form whose value at a boundary node is what enters there.
    """

    def __init__(self, case: Case, domain: Domain, cell: Cell) -> None:
        self.domain, self.cell, mesh = domain, cell, domain.mesh
        ions = cell.salt.ions
        # a constant, so that forms are compiled once for all salts
        self.ions = replace(ions, d_anion=fem.Constant(mesh, ions.d_anion))
        self.share: Any = 1.0
        if cell.cathode is not None:
            self._fill_pores(cell.cathode)
        degree = case.solver.degree or 1
        self.space = fem.functionspace(mesh, ("Lagrange", degree, (2,)))
        self.num_dofs = 2 * int(self.space.dofmap.index_map.size_global)
        self.owned = 2 * int(self.space.dofmap.index_map.size_local)
        self.u, self.rest = fem.Function(self.space), fem.Function(self.space)
        self.weight = fem.Constant(mesh, 0.0)
        self.c, self.mu = 1 + self.u[0], self.u[1]
        method = _method(self.num_dofs, domain.dimension)
        self.logarithms = _logarithms(cell, method)
        if self.logarithms:
            self.mu = self.u[1] + self.logarithms * ufl.ln(self.c)
        q, v = ufl.TestFunction(self.space)
        dx = domain.dx
        rate = self.share * (self.weight * self.u[0] + self.rest[0])
        self.inner = storage(self.ions, rate, q, dx)
        self.inner += transport(self.ions, self.c, self.mu, q, v, dx)
        self.applied = Applied(domain, cell, self.space)
        load = self.applied.load(self.mu, q, v)
        shared = self.applied.shared(v)
        self.cathode: Cathode | None = None
        if cell.cathode is not None:
            self.cathode = Cathode(domain, cell, self.mu, degree)
            # a part of what is inside: what is left enters through faces
            self.inner -= self.cathode.density() * v * self.cathode.rule
            shared += self.cathode.shared(self.u, v)
        self._inner_form = fem.form(self.inner)
        rtol, bcs = max(case.solver.rtol, _ROUND_OFF), tuple(self.applied.bcs)
        self.newton = Newton(
            self.inner, load, self.u, bcs, rtol, method, "nernst_planck",
            before=self._follow, shared=shared,
        )  # fmt: skip
        self._resting = False
        self.scalar, self._first = self.space.sub(0).collapse()
        _, self._second = self.space.sub(1).collapse()
        self.rate_form = fem.form(self.ions.ratio * rate * dx)
        self.moved_form = fem.form(abs(self.ions.ratio * rate) * dx)
        self.volume = domain.integrate(self.share * dx)
        self._mean = fem.form(self.share * self.u[0] * dx)

    def solve(self, guess: Array) -> Array:
        """The owned unknowns for today's rate. Collective.

        Raises:
            DepletedError: if there are none with positive concentrations.
            ConvergenceError: if Newton's method fails for another reason.
        """
        try:
            self.newton.solve(guess)
        except ConvergenceError as error:
            if self.lowest() > 0.0:
                raise
            raise DepletedError(str(error)) from None
        if self.lowest() <= 0.0:
            raise DepletedError("an ion is used up somewhere")
        return np.array(self.u.x.array[: self.owned])

    def steady(self) -> None:
        """Solve for the steady state. Collective.

        The data are applied in parts where all at once would be too much for Newton's method. Its
        matrix has a pinch of storage, which makes it regular in a closed cell, too; in the
        residual no more is stored than keeps the mean of such a cell.

        Raises:
            DepletedError: if there is none with positive concentrations.
            ConvergenceError: if it is not found for another reason.
        """
        reached, part, guess = 0.0, 1.0, np.zeros(self.owned)
        self.weight.value = _PINCH / max(self.domain.size) ** 2
        self._resting = True
        while reached < 1.0:
            self.applied.set_level(min(reached + part, 1.0))
            try:
                guess = self.solve(guess)
            except ConvergenceError as error:
                part /= 2.0
                if part >= _SMALLEST_PART:
                    continue
                if isinstance(error, DepletedError):
                    raise DepletedError(
                        f"{100 * reached:.0f} % of what is asked for still pass"
                    ) from None
                raise
            reached = min(reached + part, 1.0)

    def _follow(self) -> None:
        """What of the forms follows the unknowns. Collective."""
        if self._resting:
            mean = self.mean() - 1.0 if self.cell.closed else 0.0
            self.rest.x.array[:] = -self.weight.value * (self.u.x.array - mean)
        self.applied.follow()
        if self.cathode is not None:
            self.cathode.follow(float(self.applied.level.value))

    def _fill_pores(self, cathode: Porous) -> None:
        """Less electrolyte, and longer ways, where it fills the pores of a region."""
        domain, given = self.domain, cathode.given
        if cathode.name not in domain.regions:
            raise CaseError(
                f"[reaction.{cathode.name}]: the mesh has no such region; it has "
                f"{', '.join(domain.regions)}"
            )
        shares, factors = dict.fromkeys(domain.regions, 1.0), dict.fromkeys(domain.regions, 1.0)
        shares[cathode.name], factors[cathode.name] = given.porosity, given.transport
        self.share, factor = domain.coefficient(shares), domain.coefficient(factors)
        ions = self.ions
        self.ions = replace(ions, d_cation=ions.d_cation * factor, d_anion=ions.d_anion * factor)

    def scalar_function(self, values: Array) -> fem.Function:
        """A function on the scalar space."""
        function = fem.Function(self.scalar)
        function.x.array[:] = values
        return function

    def concentration(self) -> fem.Function:
        """Cations over c0."""
        return self.scalar_function(1.0 + self.u.x.array[self._first])

    def electrochemical(self) -> fem.Function:
        """mu over RT/F."""
        mu = self.u.x.array[self._second]
        if self.logarithms:
            mu = mu + self.logarithms * np.log(1.0 + self.u.x.array[self._first])
        return self.scalar_function(mu)

    def lowest(self) -> float:
        """Smallest nodal value of the cations over c0 that mobile anions balance."""
        low = float((1.0 + self.u.x.array[: self.owned : 2]).min(initial=np.inf))
        return float(self.domain.mesh.comm.allreduce(low, op=MPI.MIN)) - self.ions.fixed

    def mean(self) -> float:
        """Mean concentration over c0, of the electrolyte."""
        return 1.0 + self.total(self._mean) / self.volume

    def current(self) -> float:
        """Total current through the cell, A/m (2-D) or A. Collective."""
        into, _ = in_and_out(self.flows()[1])
        return FARADAY * self.cell.salt.flux_scale * into

    def restore(self, values: Array) -> None:
        """Make `values` the owned unknowns. Collective."""
        self.u.x.array[: self.owned] = values
        self.u.x.scatter_forward()
        self._follow()

    def total(self, form: Any) -> float:
        """The value of a compiled scalar form. Collective."""
        return float(self.domain.mesh.comm.allreduce(fem.assemble_scalar(form)))

    def densities(self) -> tuple[fem.Function, fem.Function]:
        """What enters at each node: anions over D+ c0 and current over F D+ c0."""
        whole = self._nodal()
        return self.scalar_function(whole[self._first]), self.scalar_function(whole[self._second])

    def _nodal(self) -> Array:
        """The assembled `inner`, ghosts included."""
        vector = assemble(self._inner_form)
        found = fem.Function(self.space)
        found.x.array[: self.owned] = vector.array
        found.x.scatter_forward()
        vector.destroy()
        return np.asarray(found.x.array)

    def flows(self) -> tuple[dict[str, float], dict[str, float]]:
        """Anions and current into the electrolyte through each face, in those units. Collective.

        What a porous cathode gives comes under its name.
        """
        anions, current = self.densities()
        faces, cathode = self.cell.faces, self.cathode
        flows = through(self.domain, anions, faces), through(self.domain, current, faces)
        if cathode is not None:
            flows[0][cathode.name] = 0.0
            flows[1][cathode.name] = cathode.summed(cathode.points.current)
        return flows

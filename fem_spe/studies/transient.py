"""Diffusion in time: charging of a structure, and when ions break through.

d(K u)/dt = div(D K grad u), with u = c / K and K the partition coefficient, by BDF2 with
error control.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.measure.profile import profile
from fem_spe.physics import diffusion
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Frame, Quantity, Solution, Table
from fem_spe.solve.bdf2 import Rate, Step, integrate
from fem_spe.solve.linear import Problem, choose, residual_vector
from fem_spe.studies.drive import Drive, drive, in_and_out
from fem_spe.studies.transport import Transport, transport

_BALANCE = 1e-10  # of a step, relative to the largest rate of storage
_BREAKTHROUGH = 0.5  # of the steady outflow


@dataclass(frozen=True)
class History:
    """What is followed over time, one row for each accepted step.

    Attributes:
        time: s.
        stored: Amount in the structure, mol/m (2-D) or mol.
        mean: Mean concentration.
        flux_in, flux_out: Total fluxes.
        imbalance: Storage rate less net inflow, over the largest storage rate so far.
    """

    time: NDArray[np.float64]
    stored: NDArray[np.float64]
    mean: NDArray[np.float64]
    flux_in: NDArray[np.float64]
    flux_out: NDArray[np.float64]
    imbalance: NDArray[np.float64]


def require_storage(case: Case, coefficients: Transport, regions: Collection[str]) -> None:
    """Raise unless each of the conducting `regions` tells how much it stores, and from where.

    Raises:
        CaseError: if one has no diffusivity, or the initial values are those of others.
    """
    if coefficients.form != "diffusivity":
        raise CaseError(
            '[diffusion] mode = "transient" needs a diffusivity in every region: a conductivity '
            "alone does not tell how much lithium a region stores"
        )
    given = case.diffusion.initial
    missing = sorted(set(given) ^ set(regions)) if isinstance(given, dict) else []
    if missing:
        raise CaseError(
            f"[diffusion] initial: {missing[0]} is not named in both; give one "
            f"value for each region: {', '.join(regions)}"
        )


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Integrate and measure; the case has passed `require_storage`. Collective.

    Raises:
        ConvergenceError: if the time step collapses.
    """
    assert case.time is not None
    coefficients = transport(case, domain.regions, domain.dimension)
    driven = drive(case, domain.dimension)
    with clock.stage("solve") as stage:
        model = _Model(case, domain, coefficients, driven)
        rows: list[tuple[float, ...]] = []
        frames: list[Frame] = []
        rejected = 0
        for step in integrate(
            model.advance,
            model.start,
            end=case.time.end,
            outputs=case.time.outputs,
            rtol=case.time.rtol,
            norm=model.norm,
        ):
            rejected += step.rejected
            rows.append(model.measure(step))
            if step.is_output:
                log.info("  t = %-10.6g s  step %d of %.3g s", step.time, step.index, step.size)
                frames.append(Frame(step.time, {"concentration": model.u.x.array.copy()}))
        stage.note = f"{model.num_dofs} unknowns, {len(rows)} steps, {rejected} rejected"
    with clock.stage("measure"):
        history = History(*np.array(rows).T)
        quantities, checks = _numbers(domain, coefficients, driven, history)
        if driven.unit_difference:
            quantities["breakthrough_time"] = Quantity(
                breakthrough(history, model.steady_outflow),
                "s",
                "when the outflow reaches half of its steady value",
            )
        unit = coefficients.flux_unit(domain.dimension)
        tables = _tables(domain, driven, history, unit, model.u, frames)
    information = {"steps": len(rows), "rejected": rejected, "method": model.problem.method}
    fields = {"concentration": model.u}
    return Solution(quantities, checks, fields, tables, information, model.num_dofs, tuple(frames))


class _Model:
    """The forms of one transient, and the field that they act on."""

    def __init__(self, case: Case, domain: Domain, coefficients: Transport, driven: Drive) -> None:
        self.domain, self.driven, self.coefficients = domain, driven, coefficients
        mesh = domain.mesh
        self.space = fem.functionspace(mesh, ("Lagrange", case.solver.degree or 1))
        self.num_dofs = int(self.space.dofmap.index_map.size_global)
        self.u, self.rest = fem.Function(self.space), fem.Function(self.space)
        # over the diffusivity's scale, so that both terms are of the order of the mesh
        self.weight = fem.Constant(mesh, 0.0)
        partition = {r: (m.partition if (m := case.material(r)) else None) for r in domain.regions}
        self.capacity = domain.coefficient({r: k or 1.0 for r, k in partition.items()})
        mobility = domain.coefficient(coefficients.relative())
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        dx = domain.dx
        load, bcs = driven.boundary(domain, self.space, v, coefficients.scale)
        self.a = diffusion.storage(u, v, self.weight, self.capacity, dx)
        self.a += diffusion.bilinear(u, v, mobility, dx)
        self.load = load - self.capacity * self.rest * v * dx
        method = choose(self.num_dofs, domain.dimension)
        self.problem = Problem(
            self.a, self.load, self.space, tuple(bcs), case.solver.rtol, method, "diffusion"
        )
        self.owned = self.space.dofmap.index_map.size_local
        self.volume = domain.integrate(self.capacity * dx)
        self.stored = fem.form(self.capacity * self.u * dx)
        self.rate = fem.form(self.capacity * (self.weight * self.u + self.rest) * dx)
        self.largest_rate = 0.0
        # errors are relative to the larger of start and end: an empty structure has no size
        final = self.steady()
        self.steady_outflow = self.outflow(final)
        self.start = self._initial(case)
        self.size = max(self._largest(self.u), self._largest(final)) or 1.0

    def _initial(self, case: Case) -> NDArray[np.float64]:
        """The unknowns at the start, boundary values set."""
        given = case.diffusion.initial
        if isinstance(given, dict):
            for name, tag in self.domain.regions.items():
                cells = self.domain.cell_tags.find(tag)
                capacity = float(self.capacity.x.array[cells[0]]) if len(cells) else 1.0
                value = given[name] / capacity
                self.u.interpolate(lambda x, value=value: np.full(x.shape[1], value), cells)
        else:
            self.u.x.array[:] = given
        for bc in self.problem.bcs:
            bc.set(self.u.x.array)
        self.u.x.scatter_forward()
        return np.array(self.u.x.array[: self.owned])

    def advance(self, time: float, rate: Rate, guess: NDArray[np.float64]) -> NDArray[np.float64]:
        """The owned unknowns at the end of a step."""
        scale = self.coefficients.scale
        self.weight.value = rate.weight / scale
        self.rest.x.array[: self.owned] = rate.rest / scale
        self.rest.x.scatter_forward()
        self.u.x.array[:] = self.problem.solve(guess).u.x.array
        return np.array(self.u.x.array[: self.owned])

    def steady(self) -> fem.Function:
        """The field that the transient tends to."""
        self.weight.value = 0.0
        self.rest.x.array[:] = 0.0
        return self.problem.solve().u

    def outflow(self, u: fem.Function) -> float:
        """The total outflow of a steady field."""
        residual = residual_vector(self.a, self.load, u)
        return -min(self.driven.flows(self.domain, residual, self.coefficients.scale).values())

    def norm(self, difference: NDArray[np.float64]) -> float:
        """Root mean square of the unknowns' difference over the size of the solution."""
        total = self.domain.mesh.comm.allreduce(float(difference @ difference))
        return float(np.sqrt(total / self.num_dofs) / self.size)

    def _largest(self, u: fem.Function) -> float:
        own = float(np.abs(u.x.array).max(initial=0.0))
        return float(self.domain.mesh.comm.allreduce(own, op=MPI.MAX))

    def measure(self, step: Step) -> tuple[float, ...]:
        """A row of `History`."""
        comm, scale = self.domain.mesh.comm, self.coefficients.scale
        residual = residual_vector(self.a, self.load, self.u)
        flows = self.driven.flows(self.domain, residual, scale)
        stored = comm.allreduce(fem.assemble_scalar(self.stored))
        storing = scale * comm.allreduce(fem.assemble_scalar(self.rate))
        net = sum(flows.values())
        self.largest_rate = max(self.largest_rate, abs(storing))
        imbalance = abs(storing - net) / self.largest_rate if self.largest_rate else abs(net)
        return step.time, stored, stored / self.volume, *in_and_out(flows), imbalance


def breakthrough(history: History, steady: float) -> float:
    """When the outflow first reaches half of its steady value, s; NaN if it does not.

    Between steps the outflow is taken as linear.
    """
    reached = np.flatnonzero(history.flux_out >= _BREAKTHROUGH * steady)
    if len(reached) == 0:
        return float("nan")
    k = reached[0]
    if k == 0:
        return float(history.time[0])
    part = slice(k - 1, k + 1)
    return float(np.interp(_BREAKTHROUGH * steady, history.flux_out[part], history.time[part]))


def _numbers(
    domain: Domain, coefficients: Transport, driven: Drive, history: History
) -> tuple[dict[str, Quantity], dict[str, Check]]:
    unit = coefficients.flux_unit(domain.dimension)
    amount = unit.removesuffix("/s")
    concentration = "" if driven.unit_difference else "mol/m^3"
    quantities = {
        "flux_in": Quantity(float(history.flux_in[-1]), unit, "total inflow at the end"),
        "flux_out": Quantity(float(history.flux_out[-1]), unit, "total outflow at the end"),
        "stored_amount": Quantity(float(history.stored[-1]), amount, "in the structure at the end"),
        "mean_concentration": Quantity(
            float(history.mean[-1]), concentration, "over partition, at the end"
        ),
    }
    checks = {"mass_imbalance": Check(float(history.imbalance.max()), _BALANCE)}
    return quantities, checks


def _tables(
    domain: Domain,
    driven: Drive,
    history: History,
    flux_unit: str,
    u: fem.Function,
    frames: list[Frame],
) -> dict[str, Table]:
    axis = driven.axis
    unit = "" if driven.unit_difference else " [mol/m^3]"
    curve = {
        "t [s]": history.time,
        f"mean{unit}": history.mean,
        f"stored [{flux_unit.removesuffix('/s')}]": history.stored,
        f"flux in [{flux_unit}]": history.flux_in,
        f"flux out [{flux_unit}]": history.flux_out,
    }
    profiles: Table = {}
    final = u.x.array.copy()
    for frame in frames:
        u.x.array[:] = frame.values["concentration"]
        slices = profile(domain, u, axis)
        profiles[f"{'xyz'[axis]} [um]"] = slices.position * 1e6
        profiles[f"mean at {frame.time:.6g} s{unit}"] = slices.mean
    u.x.array[:] = final
    return {"charging": curve, "profiles": profiles}

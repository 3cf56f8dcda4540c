"""Diffusion in time: charging of a structure, and when ions break through.

d(K u)/dt = div(D K grad u) - k K u - s, with u = c / K, K the partition coefficient and k and s
the reactions of order one and zero, by backward differentiation with error
control.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.measure.probe import Follower
from fem_spe.measure.profile import profile
from fem_spe.physics import diffusion
from fem_spe.progress import Clock
from fem_spe.results import Check, Frame, Quantity, Solution, Table
from fem_spe.solve.bdf import Rate, State, Step, march, start
from fem_spe.solve.linear import Problem, choose, residual_vector, solve
from fem_spe.solve.newton import Newton
from fem_spe.studies import concentration, reaction
from fem_spe.studies.drive import Drive, drive, in_and_out
from fem_spe.studies.in_time import Journal, accurate_from
from fem_spe.studies.transport import Transport, transport

_BALANCE = 1e-10  # of a step, relative to the largest rate at which content moves
_BREAKTHROUGH = 0.5  # of the steady outflow
_STILL = 1e-4  # of the stored amount per step: a rate below which its round-off would show


@dataclass(frozen=True)
class History:
    """What is followed over time, one row for each accepted step.

    Attributes:
        time: s.
        stored: Amount in the structure, mol/m (2-D) or mol.
        mean: Mean concentration.
        flux_in, flux_out: Total fluxes.
        consumed: Rate of what reacts.
        imbalance: Storage rate and consumption less net inflow, over the largest rate so far
            at which content moves within the structure or is consumed.
    """

    time: NDArray[np.float64]
    stored: NDArray[np.float64]
    mean: NDArray[np.float64]
    flux_in: NDArray[np.float64]
    flux_out: NDArray[np.float64]
    consumed: NDArray[np.float64]
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
    wrong = sorted(set(given) ^ set(regions)) if isinstance(given, dict) else []
    if wrong:
        what = "is missing" if wrong[0] in regions else "is no region that conducts"
        raise CaseError(
            f"[diffusion] initial: {wrong[0]} {what}; give one value for each of "
            f"{', '.join(regions)}"
        )


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Integrate and measure; the case has passed `require_storage`. Collective.

    Raises:
        CaseError: if a diffusivity becomes negative.
        ConvergenceError: if the time step collapses.
    """
    assert case.time is not None
    coefficients = transport(case, domain.regions, domain.dimension)
    driven = drive(case, domain.dimension)
    with clock.stage("solve") as stage:
        model = _Model(case, domain, coefficients, driven)
        unit = "" if driven.unit_difference else " [mol/m^3]"
        fields = {"concentration": model.u}
        probes = Follower(domain, case.probe, {f"concentration{unit}": model.u})
        since = accurate_from(case.time, float(domain.size[driven.axis]), coefficients.scale)
        state = start(model.start, math.sqrt(case.time.rtol) * since)
        keeper = Keeper(case, State, model.space, [Part("node")], model.space)
        journal = Journal(probes, keeper, case.time.end)
        if (before := keeper.before) is not None:
            state, model.largest_rate = before.state, before.told["largest_rate"]
        steps = march(
            model.advance,
            state,
            end=case.time.end,
            outputs=case.time.outputs,
            rtol=case.time.rtol,
            norm=model.norm,
        )
        with keeper:
            for step, state in model.positive.follow(steps):
                journal.write(step, model.measure(step))
                if step.is_output:
                    slices = profile(domain, model.u, driven.axis)
                    frame = Frame.of(step.time, fields)
                    journal.show(frame, slices.at(step.time, driven.axis, unit))
                journal.keep(step, state, largest_rate=model.largest_rate)
        count, rejected = len(journal.rows), journal.rejected
        stage.note = f"{model.num_dofs} unknowns, {count} steps, {rejected} rejected"
    with clock.stage("measure"):
        history = History(*np.array(journal.rows).T)
        flux_unit = coefficients.flux_unit(domain.dimension)
        quantities, checks = _numbers(driven, history, flux_unit)
        if case.reaction:
            consumed = float(history.consumed[-1])
            quantities["consumed"] = Quantity(consumed, flux_unit, "by reactions, at the end")
        if driven.unit_difference:
            quantities["breakthrough_time"] = Quantity(
                breakthrough(history, model.steady_outflow),
                "s",
                "when the outflow reaches half of its steady value",
            )
        curve = _curve(history, unit, flux_unit)
        if case.reaction:
            curve[f"consumed [{flux_unit}]"] = history.consumed
        tables = {"charging": curve, "profiles": journal.profiles} | probes.history()
    information = {"steps": count, "rejected": rejected, "method": model.problem.method}
    return Solution(
        quantities, checks, fields, tables, information, model.num_dofs, tuple(journal.frames)
    )


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
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        dx = domain.dx
        load, bcs = driven.boundary(domain, self.space, v, coefficients.scale)
        self.sinks = reaction.sinks(case, domain, coefficients)

        def weak(mobility: Any) -> Any:
            a = diffusion.storage(u, v, self.weight, self.capacity, dx)
            a += diffusion.bilinear(u, v, mobility, dx)
            return a if self.sinks is None else a + self.sinks.bilinear(u, v, dx)

        self.load = load - self.capacity * self.rest * v * dx
        if self.sinks is not None:
            self.load -= self.sinks.load(v, dx)
        self.a = weak(domain.coefficient(coefficients.relative()))
        method = choose(self.num_dofs, domain.dimension)
        self.ties = driven.ties(domain, self.space)
        rules = (tuple(bcs), case.solver.rtol, method, "diffusion", self.ties)
        self.linear = Problem(self.a, self.load, self.space, *rules)
        self.problem: Problem | Newton = self.linear
        self.positive = concentration.Positive(domain, coefficients, self.u)
        if coefficients.laws:
            self.a = weak(concentration.mobility(domain, coefficients, self.u))
            self.problem = Newton(ufl.action(self.a, self.u), self.load, self.u, *rules)
        self.owned = self.space.dofmap.index_map.size_local
        self.volume = domain.integrate(self.capacity * dx)
        self.stored = fem.form(self.capacity * self.u * dx)
        rate = self.capacity * (self.weight * self.u + self.rest)
        self.rate, self.moved = fem.form(rate * dx), fem.form(abs(rate) * dx)
        self.consumption = None if self.sinks is None else fem.form(self.sinks.total(self.u, dx))
        self.largest_rate = self.steady_outflow = 0.0
        # errors are relative to the larger of start and end: an empty structure has no size
        sizes = []
        if driven.fixed or reaction.holds_level(case, domain.regions):
            final = self.steady()
            sizes.append(self._largest(final))
            if driven.unit_difference:
                self.steady_outflow = self.outflow(final)
        self.start = self._initial(case)
        sizes.append(self._largest(self.u))
        self.size = max(sizes) or 1.0

    def _initial(self, case: Case) -> NDArray[np.float64]:
        """The unknowns at the start, boundary values set."""
        given = case.diffusion.initial
        domain, u, v = self.domain, ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        if isinstance(given, dict):
            content: Any = domain.coefficient(given)
        else:
            content = fem.Constant(domain.mesh, given) * self.capacity
        # what each node stores is right then, also next to a jump: values at the nodes would
        # shift it by a part of a cell
        projected = solve(
            self.capacity * u * v * domain.dx, content * v * domain.dx, self.space,
            self.problem.bcs, rtol=1e-12, method="jacobi", name="initial", ties=self.ties,
        )  # fmt: skip
        self.u.x.array[:] = projected.u.x.array
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
        """The field that the transient tends to, for the typical diffusivities."""
        self.weight.value = 0.0
        self.rest.x.array[:] = 0.0
        return self.linear.solve().u

    def outflow(self, u: fem.Function) -> float:
        """The total outflow of a steady field."""
        residual = residual_vector(self.a, self.load, u)
        return -min(self.driven.flows(self.domain, residual, self.coefficients.scale).values())

    def norm(self, difference: NDArray[np.float64]) -> float:
        """Mean of the unknowns' absolute difference over the size of the solution.

        It bounds the error of the mean; a root mean square would have thin layers at the
        faces, which soon fade, steer the early steps.
        """
        total = self.domain.mesh.comm.allreduce(float(np.abs(difference).sum()))
        return float(total / self.num_dofs / self.size)

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
        consumed = 0.0
        if self.consumption is not None:
            consumed = scale * comm.allreduce(fem.assemble_scalar(self.consumption))
        net = sum(flows.values()) - consumed
        moved = scale * comm.allreduce(fem.assemble_scalar(self.moved))
        self.largest_rate = max(self.largest_rate, moved, abs(consumed))
        # where nothing moves, the stored amount's own round-off is what there is to compare
        scale = max(self.largest_rate, _STILL * abs(stored) / step.size)
        imbalance = abs(storing - net) / scale if scale else abs(net)
        return step.time, stored, stored / self.volume, *in_and_out(flows), consumed, imbalance


def breakthrough(history: History, steady: float) -> float:
    """When the outflow first reaches half of its steady value, s; NaN if it does not.

    Between steps the outflow is a monotone cubic.
    """
    reached = np.flatnonzero(history.flux_out >= _BREAKTHROUGH * steady)
    if len(reached) == 0:
        return float("nan")
    k = reached[0]
    if k == 0:
        return float(history.time[0])
    part = slice(max(k - 2, 0), k + 2)
    curve = scipy.interpolate.PchipInterpolator(history.time[part], history.flux_out[part])
    crossings = curve.solve(_BREAKTHROUGH * steady, extrapolate=False)
    return float(crossings[crossings >= history.time[k - 1]][0])


def _numbers(
    driven: Drive, history: History, unit: str
) -> tuple[dict[str, Quantity], dict[str, Check]]:
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


def _curve(history: History, unit: str, flux_unit: str) -> Table:
    """What is stored, and what comes and goes, over time."""
    return {
        "t [s]": history.time,
        f"mean{unit}": history.mean,
        f"stored [{flux_unit.removesuffix('/s')}]": history.stored,
        f"flux in [{flux_unit}]": history.flux_in,
        f"flux out [{flux_unit}]": history.flux_out,
    }

"""An electroneutral cell in time: up to the end, or to where an ion is used up."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part
from fem_spe.domain import Domain
from fem_spe.errors import ConvergenceError
from fem_spe.measure.probe import Follower
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution, Table
from fem_spe.solve.bdf import Rate, State, Step, march, start
from fem_spe.studies.in_time import Journal, accurate_from
from fem_spe.studies.ions import cathode_measure, depletion
from fem_spe.studies.ions.cathode_law import FullError
from fem_spe.studies.ions.cell import Cell
from fem_spe.studies.ions.electroneutral import DepletedError, Model
from fem_spe.studies.ions.limits import Limits
from fem_spe.studies.ions.salt_fields import Fields, current_unit
from fem_spe.studies.ions.salt_measure import balances, measure, overpotential

_CLOSE = 1e-5  # of the time: how near to depletion the last step comes
DEPLETED, CUT_OFF, FULL = "an ion is used up", "the cut-off is reached", "the capacity is used up"
_INSTANT = 1e-12  # of the cell's diffusion time: too short for the concentration to change

Array = NDArray[np.float64]


class _ReachedError(Exception):
    """The last step has come as near to the end of the discharge as `_CLOSE`."""


class _CutOffError(DepletedError):
    """More overpotential than the cathode is to have."""


class _Run:
    """A model that is led through time.

    Attributes:
        last: The formula and the values of the last step; None before the first.
        ended: Why, where it is not at the end that was given.
    """

    def __init__(self, case: Case, model: Model) -> None:
        assert case.time is not None
        self.model, self.end, self.given_end = model, case.time.end, case.time.end
        if model.cathode is not None:
            self.end = min(self.end, model.cathode.full_time)
        self.diffusivity = model.cell.salt.cation.diffusivity
        self.time, self.ended = 0.0, ""
        self.last: tuple[Rate, Array] | None = None

    def advance(self, time: float, rate: Rate, guess: Array) -> Array:
        """The owned unknowns at the end of a step.

        Raises:
            _ReachedError: if there are none and the step is as short as it need be.
            ConvergenceError: if there are none.
        """
        self._apply(rate)
        try:
            return self._solved(guess)
        except (DepletedError, FullError) as error:
            if time - self.time <= _CLOSE * time:
                self.ended = _why(error)
                raise _ReachedError from None
            raise

    def _solved(self, guess: Array) -> Array:
        model = self.model
        values = model.solve(guess[: model.owned])
        if model.cathode is None:
            return values
        volts = overpotential(model)
        if volts > model.cathode.given.cutoff:
            raise _CutOffError(f"an overpotential of {volts:.3g} V")
        return np.concatenate([values, model.cathode.state()])

    def _apply(self, rate: Rate) -> None:
        model = self.model
        model.weight.value = rate.weight / self.diffusivity
        model.rest.x.array[: model.owned] = rate.rest[: model.owned] / self.diffusivity
        model.rest.x.scatter_forward()
        if model.cathode is not None:
            model.cathode.set_rate(rate.weight, rate.rest[model.owned :])

    def resume(self, state: State, rate: Rate) -> None:
        """Go on from a state that was reached with the formula `rate`. Collective."""
        self.time, self.last = state.past.times[-1], (rate, state.past.values[-1])
        self.step_back()

    def step_back(self) -> None:
        """Make the state at the end of the last step that of the model. Collective.

        Raises:
            ConvergenceError: if there was none.
        """
        if self.last is None:
            raise ConvergenceError(f"{self.ended} within the first step; give a smaller flux")
        rate, values = self.last
        self._apply(rate)
        self.model.restore(values[: self.model.owned])

    def follow(self, steps: Iterator[tuple[Step, State]]) -> Iterator[tuple[Step, State]]:
        """The steps, up to depletion or the end of a discharge."""
        try:
            for step, state in steps:
                self.time, self.last = step.time, (step.rate, step.values)
                yield step, state
            if self.end < self.given_end:
                self.ended = FULL
        except _ReachedError:
            log.warning("stopped at t = %.6g s: %s", self.time, self.ended)

    def norm(self, difference: Array) -> float:
        """Largest change of c / c0 at a node, for layers at electrodes count, or of lithiation."""
        owned = self.model.owned
        own = float(np.abs(difference[:owned:2]).max(initial=0.0))
        own = max(own, float(np.abs(difference[owned:]).max(initial=0.0)))
        return float(max(self.model.domain.mesh.comm.allgather(own)))

    def row(self) -> tuple[float, ...]:
        """Of the history, at the end of the last step. Collective."""
        model, salt = self.model, self.model.cell.salt
        low = salt.concentration * (model.lowest() + salt.fixed)
        row = (self.time, low, overpotential(model), model.current())
        return row if model.cathode is None else (*row, model.cathode.lithiation())

    def checks(self) -> dict[str, Check]:
        """The balances there, of what the cathode has taken up, too. Collective."""
        found, cathode = balances(self.model), self.model.cathode
        if cathode is not None and cathode.follows_uptake:
            found["lithium_lost"] = cathode_measure.inserted(cathode, self.time)
        return found


def run(case: Case, domain: Domain, clock: Clock, driven: Cell, limits: Limits) -> Solution:
    """Integrate and measure. Collective.

    Raises:
        ConvergenceError: if the time step collapses though every ion is left.
    """
    assert case.time is not None
    model = Model(case, domain, driven)
    with clock.stage("solve") as stage:
        experiment = case.experiment.kind if case.experiment is not None else None
        first = _at_once(model) if experiment == "chronoamperometry" else None
        walk, fields = _Run(case, model), Fields(model, lines=case.output.figures)
        since = min(accurate_from(case.time, limits.length, walk.diffusivity), limits.sand_time)
        state = start(_at_rest(model), math.sqrt(case.time.rtol) * since)
        keeper = Keeper(case, State, model.space, _parts(model), model.scalar)
        journal = Journal(Follower(domain, case.probe, fields.functions), keeper)
        if (before := keeper.before) is not None:
            state = before.state
            walk.resume(state, Rate(before.told["weight"], before.extra[0]))
            fields.update()
        steps = march(
            walk.advance,
            state,
            end=walk.end,
            outputs=[t for t in case.time.outputs if t <= walk.end],
            rtol=case.time.rtol,
            norm=walk.norm,
        )
        with keeper:
            for step, state in walk.follow(steps):
                fields.update()
                journal.write(step, walk.row(), walk.checks())
                if step.is_output:
                    journal.show(fields.frame(step.time), fields.slices(step.time))
                journal.keep(step, state, (step.rate.rest,), weight=step.rate.weight)
        walk.step_back()  # from where there was no further one
        if all(frame.time < walk.time for frame in journal.frames):
            journal.show(fields.frame(walk.time), fields.slices(walk.time))
        stage.note = f"{model.num_dofs} unknowns, {len(journal.rows)} steps"
    with clock.stage("measure"):
        quantities, _, tables = measure(model, limits, fields, case)
        quantities |= _ends(walk)
        if first is not None:
            quantities |= _bruce_vincent(model, first)
        if experiment == "chronopotentiometry":
            quantities = depletion.measured(case, driven, limits, quantities)
        tables |= journal.probes.history() | {"history": _history(model, journal.rows)}
        if model.cathode is not None and model.cathode.follows_uptake:
            time, _, volts, _, taken = np.array(journal.rows).T
            tables["discharge"] = cathode_measure.discharge(model.cathode, time, volts, taken)
        tables["profiles"] = journal.profiles
        written = fields.written()
    information = {"steps": len(journal.rows), "method": model.newton.method}
    return Solution(
        quantities, journal.checks, written, tables, information, model.num_dofs,
        tuple(journal.frames),
    )  # fmt: skip


def _why(error: ConvergenceError) -> str:
    """What ended a run, in words that do not depend on the step."""
    if isinstance(error, _CutOffError):
        return CUT_OFF
    return FULL if isinstance(error, FullError) else DEPLETED


def _ends(walk: _Run) -> dict[str, Quantity]:
    """When a run was over, where that is not the end that was given."""
    found: dict[str, Quantity] = {}
    if walk.ended == DEPLETED:
        found["depletion_time"] = Quantity(
            walk.time, "s", "when an ion is used up somewhere, and the run stops"
        )
    if walk.model.cathode is not None:
        why = walk.ended or "until the end that was given"
        found["discharge_time"] = Quantity(walk.time, "s", f"of the cathode: {why}")
    return found


def _at_rest(model: Model) -> Array:
    """The owned unknowns at the start, and what the cathode holds then."""
    held = np.zeros(0) if model.cathode is None else model.cathode.state()
    return np.concatenate([np.zeros(model.owned), held])


def _parts(model: Model) -> list[Part]:
    """What the values of a step are made of."""
    parts = [Part("node", 2)]
    if model.cathode is not None and model.cathode.follows_uptake:
        parts.append(Part("cell", model.cathode.per_cell))
    return parts


def _at_once(model: Model) -> float:
    """The current before the concentration has changed, A/m or A. Collective."""
    model.weight.value = 1.0 / (_INSTANT * model.domain.size[-1] ** 2)
    model.rest.x.array[:] = 0.0
    model.solve(np.zeros(model.owned))
    current = model.current()
    model.u.x.array[:] = 0.0
    return current


def _bruce_vincent(model: Model, first: float) -> dict[str, Quantity]:
    """t+ as chronoamperometry finds it (Evans, Vincent & Bruce, Polymer 28, 1987, 2324).

    I_s (dV - I_0 R) / (I_0 (dV - I_s R)), R the resistances of both reactions at small currents.
    """
    last, voltage = model.current(), overpotential(model)
    resistance = model.applied.reaction_resistance()
    ratio = last * (voltage - first * resistance) / (first * (voltage - last * resistance))
    unit = current_unit(model.domain.dimension)
    return {
        "initial_current": Quantity(first, unit, "before the concentration has changed"),
        "final_current": Quantity(last, unit, "at the end"),
        "bruce_vincent": Quantity(ratio, "", "t+ as the experiment would have it"),
    }


def _history(model: Model, rows: list[tuple[float, ...]]) -> Table:
    unit = current_unit(model.domain.dimension)
    heads = ("t [s]", "min [mol/m^3]", "overpotential [V]", f"current [{unit}]")
    return dict(zip(heads, np.array(rows).T, strict=False))

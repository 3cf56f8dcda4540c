"""An electroneutral cell in time: up to the end, or to where an ion is used up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from fem_spe import checkpoint
from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part, Record
from fem_spe.domain import Domain
from fem_spe.errors import ConvergenceError
from fem_spe.measure.probe import Follower
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Frame, Quantity, Solution, Table
from fem_spe.solve.bdf import Rate, State, Step, march, start
from fem_spe.studies.ions import cathode_measure, depletion
from fem_spe.studies.ions.cathode_law import FullError
from fem_spe.studies.ions.cell import Cell, Limits
from fem_spe.studies.ions.electroneutral import DepletedError, Model
from fem_spe.studies.ions.salt_fields import Fields
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
    """A model that is led through time."""

    def __init__(self, case: Case, model: Model) -> None:
        assert case.time is not None
        self.model, self.end, self.given_end = model, case.time.end, case.time.end
        if model.cathode is not None:
            self.end = min(self.end, model.cathode.full_time)
        self.diffusivity = model.cell.salt.cation.diffusivity
        self.time, self.balances = 0.0, dict[str, Check]()
        self.ended = ""  # why, where it is not the given end
        self.rows: list[tuple[float, ...]] = []

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

    def return_to(self, rate: Rate, values: Array) -> None:
        """Make the state at the end of a step that of the model. Collective."""
        self._apply(rate)
        self.model.restore(values[: self.model.owned])

    def follow(self, steps: Iterator[tuple[Step, State]]) -> Iterator[tuple[Step, State]]:
        """The steps, up to depletion or the end of a discharge."""
        try:
            for step, state in steps:
                self.time = step.time
                self._record()
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

    def _record(self) -> None:
        model, salt = self.model, self.model.cell.salt
        found = balances(model)
        if model.cathode is not None and model.cathode.follows_uptake:
            found["lithium_lost"] = cathode_measure.inserted(model.cathode, self.time)
        for name, check in found.items():
            worst = max(abs(check.value), self.balances[name].value if self.balances else 0.0)
            found[name] = Check(worst, check.limit)
        self.balances = found
        low = salt.concentration * (model.lowest() + salt.fixed)
        row = (self.time, low, overpotential(model), model.current())
        self.rows.append(row if model.cathode is None else (*row, model.cathode.lithiation()))


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
        probes, frames = Follower(domain, case.probe, fields.functions), list[Frame]()
        soonest = min(case.time.outputs[0], 0.01 * limits.length**2 / walk.diffusivity)
        smallest = math.sqrt(case.time.rtol) * min(soonest, limits.sand_time)
        state = start(_at_rest(model), smallest)
        last: tuple[Rate, Array] | None = None
        profiles: Table = {}
        keeper = Keeper(case, State, model.space, _parts(model), model.scalar)
        if (before := keeper.before) is not None:
            state, told = before.state, before.told
            last = Rate(told["weight"], before.extra[0]), state.past.values[-1]
            walk.time, walk.rows = state.past.times[-1], checkpoint.rows(told["rows"])
            walk.balances = {name: Check(*own) for name, own in told["balances"].items()}
            frames, profiles = list(before.frames), checkpoint.columns(told["profiles"])
            checkpoint.resume(probes, told["probes"])
            walk.return_to(*last)
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
                last = step.rate, step.values
                fields.update()
                probes.record(step.time)
                if step.is_output:
                    frames.append(fields.frame(step.time))
                    profiles |= fields.slices(step.time)
                    probes.record_lines(step.time)
                told = {
                    "weight": step.rate.weight,
                    "rows": list(walk.rows),
                    "balances": {name: astuple(own) for name, own in walk.balances.items()},
                    "profiles": dict(profiles),
                    "probes": checkpoint.probed(probes),
                }
                keeper.offer(Record(state, told, tuple(frames), (step.rate.rest,)))
                if step.is_output:  # told once it is kept
                    log.info("  t = %-10.6g s  step %d of %.3g s", step.time, step.index, step.size)
        stage.note = f"{model.num_dofs} unknowns, {len(walk.rows)} steps"
    if last is None:
        raise ConvergenceError(f"{walk.ended} within the first step; give a smaller flux")
    with clock.stage("measure"):
        if walk.ended:
            frames.append(fields.frame(walk.time))
            profiles |= fields.slices(walk.time)
        walk.return_to(*last)
        quantities, _, tables = measure(model, limits, fields, case)
        quantities |= _ends(walk)
        if first is not None:
            quantities |= _bruce_vincent(model, first)
        if experiment == "chronopotentiometry":
            quantities = depletion.measured(case, driven, limits, quantities)
        tables |= probes.history() | {"history": _history(model, walk.rows)}
        if model.cathode is not None and model.cathode.follows_uptake:
            time, _, volts, _, taken = np.array(walk.rows).T
            tables["discharge"] = cathode_measure.discharge(model.cathode, time, volts, taken)
        tables["profiles"] = profiles
        written = fields.written()
    information = {"steps": len(walk.rows), "method": model.newton.method}
    return Solution(
        quantities, walk.balances, written, tables, information, model.num_dofs,
        tuple(frames),
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
    unit = "A/m" if model.domain.dimension == 2 else "A"
    return {
        "initial_current": Quantity(first, unit, "before the concentration has changed"),
        "final_current": Quantity(last, unit, "at the end"),
        "bruce_vincent": Quantity(ratio, "", "t+ as the experiment would have it"),
    }


def _history(model: Model, rows: list[tuple[float, ...]]) -> Table:
    unit = "A/m" if model.domain.dimension == 2 else "A"
    heads = ("t [s]", "min [mol/m^3]", "overpotential [V]", f"current [{unit}]")
    return dict(zip(heads, np.array(rows).T, strict=False))

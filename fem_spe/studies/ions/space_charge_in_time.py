"""A cell with charged layers in time."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from fem_spe import checkpoint
from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part, Record
from fem_spe.measure.probe import Follower
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Frame, Solution, Table
from fem_spe.solve.bdf import Rate, State, march, start
from fem_spe.studies.ions.cell import Limits
from fem_spe.studies.ions.space_charge_measure import (
    Fields,
    balances,
    current,
    measure,
    overpotential,
)
from fem_spe.studies.ions.space_charge_model import Model

_FIRST = 4.5  # of rtol: change of c / c0 at an electrode in the first step, sqrt(t / Sand's time)

Array = NDArray[np.float64]


class InTime:
    """A model that is led through time.

    What the formulas extrapolate are the unknowns, and behind them the concentrations at the
    quadrature points, of which alone the rate is taken: no guess is negative, and what is stored
    adds up.
    """

    def __init__(self, model: Model) -> None:
        self.model, self.diffusivity = model, model.walls.bulk.diffusivity
        self._largest = self._scales(model.sample())

    def start(self) -> Array:
        """The bulk at rest."""
        return np.concatenate([np.zeros(self.model.owned), self.model.sample()])

    def advance(self, time: float, rate: Rate, guess: Array) -> Array:
        """The values at the end of a step.

        Raises:
            ConvergenceError: if there are none.
        """
        model = self.model
        model.weight.value = rate.weight / self.diffusivity
        model.set_rest(rate.rest[model.owned :] / self.diffusivity)
        found = model.solve(guess[: model.owned])
        return np.concatenate([found, model.sample()])

    def norm(self, difference: Array) -> float:
        """Largest change of a concentration over the largest of its ion."""
        own = difference[self.model.owned :].reshape(-1, len(self.model.ions))
        return self.model.largest(own / self._largest)

    def parts(self) -> list[Part]:
        """What the values are made of."""
        ions = len(self.model.ions)
        cells = int(
            self.model.domain.mesh.topology.index_map(self.model.domain.dimension).size_local
        )
        # the same on all ranks, one without cells included
        comm = self.model.domain.mesh.comm
        per_cell = max(comm.allgather(self.model.stored // cells if cells else 0))
        return [Part("node", ions + 1), Part("cell", per_cell)]

    def accept(self) -> None:
        """Measure later changes by the concentrations of now. Collective."""
        self._largest = self._scales(self.model.sample())

    def _scales(self, sample: Array) -> Array:
        columns = sample.reshape(-1, len(self.model.ions)).T
        return np.array([self.model.largest(column) for column in columns])


def run(case: Case, model: Model, limits: Limits, clock: Clock) -> Solution:
    """Integrate and measure. Collective.

    Raises:
        ConvergenceError: if the time step collapses.
    """
    assert case.time is not None
    if limits.flux >= limits.limiting:
        log.warning(
            "beyond the limiting flux: from about Sand's time on the cell's charge, not its salt, "
            "carries the current, at voltages that know no end"
        )
    with clock.stage("solve") as stage:
        walk, fields = InTime(model), Fields(model)
        probes, frames = Follower(model.domain, case.probe, fields.functions), list[Frame]()
        soonest = min(case.time.outputs[0], 0.01 * limits.length**2 / walk.diffusivity)
        rows: list[tuple[float, ...]] = []
        checks: dict[str, Check] = {}
        profiles: Table = {}
        rejected = 0
        first = min(
            math.sqrt(case.time.rtol) * soonest,
            (_FIRST * case.time.rtol) ** 2 * limits.sand_time,
        )
        state = start(walk.start(), first)
        keeper = Keeper(case, State, model.space, walk.parts(), model.scalar)
        if (before := keeper.before) is not None:
            state, told = before.state, before.told
            rows, frames = checkpoint.rows(told["rows"]), list(before.frames)
            rejected, model.methods = told["rejected"], dict(told["methods"])
            checks = {name: Check(*own) for name, own in told["checks"].items()}
            profiles = checkpoint.columns(told["profiles"])
            checkpoint.resume(probes, told["probes"])
            model.restore(state.past.values[-1][: model.owned])
            walk.accept()
        steps = march(
            walk.advance,
            state,
            end=case.time.end,
            outputs=case.time.outputs,
            rtol=case.time.rtol,
            norm=walk.norm,
        )
        with keeper:
            for step, state in steps:
                walk.accept()
                rejected += step.rejected
                flows = model.flows()
                checks = _worst(checks, balances(model, flows))
                voltage, now = overpotential(model) or 0.0, current(model, flows)
                rows.append((step.time, model.lowest(), voltage, now))
                fields.update()
                probes.record(step.time)
                if step.is_output:
                    frames.append(fields.frame(step.time))
                    profiles |= fields.slices(step.time)
                    probes.record_lines(step.time)
                if step.time < case.time.end:  # the end is measured from a step to it
                    told = {
                        "rows": list(rows),
                        "rejected": rejected,
                        "methods": dict(model.methods),
                        "checks": {name: astuple(check) for name, check in checks.items()},
                        "profiles": dict(profiles),
                        "probes": checkpoint.probed(probes),
                    }
                    keeper.offer(Record(state, told, tuple(frames)))
                if step.is_output:  # told once it is kept
                    log.info("  t = %-10.6g s  step %d of %.3g s", step.time, step.index, step.size)
        stage.note = f"{model.num_dofs} unknowns, {len(rows)} steps"
    with clock.stage("measure"):
        quantities, _, tables = measure(model, limits, fields)
        unit = "A/m" if model.domain.dimension == 2 else "A"
        heads = ("t [s]", "min / bulk", "overpotential [V]", f"current [{unit}]")
        tables |= probes.history()
        tables["history"] = dict(zip(heads, np.array(rows).T, strict=True))
        tables["profiles"] = profiles
    information = {
        "steps": len(rows),
        "rejected": rejected,
        "method": ", ".join(model.methods),
        "closure": case.nernst_planck.closure,
    }
    return Solution(
        quantities, checks, fields.functions, tables, information, model.num_dofs, tuple(frames)
    )


def _worst(before: dict[str, Check], now: dict[str, Check]) -> dict[str, Check]:
    """The larger of each check."""
    return {n: max(c, before.get(n, c), key=lambda own: abs(own.value)) for n, c in now.items()}

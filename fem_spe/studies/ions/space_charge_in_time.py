"""A cell with charged layers in time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part
from fem_spe.measure.probe import Follower
from fem_spe.progress import Clock, log
from fem_spe.results import Solution
from fem_spe.solve.bdf import Rate, State, march, start
from fem_spe.studies.in_time import Journal, accurate_from
from fem_spe.studies.ions.limits import Limits
from fem_spe.studies.ions.salt_fields import current_unit
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
        first = min(
            math.sqrt(case.time.rtol) * accurate_from(case.time, limits.length, walk.diffusivity),
            (_FIRST * case.time.rtol) ** 2 * limits.sand_time,
        )
        state = start(walk.start(), first)
        keeper = Keeper(case, State, model.space, walk.parts(), model.scalar)
        probes = Follower(model.domain, case.probe, fields.functions)
        journal = Journal(probes, keeper, case.time.end)
        if (before := keeper.before) is not None:
            state, model.methods = before.state, dict(before.told["methods"])
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
                fields.update()
                flows = model.flows()
                voltage, now = overpotential(model) or 0.0, current(model, flows)
                row = (step.time, model.lowest(), voltage, now)
                journal.write(step, row, balances(model, flows))
                if step.is_output:
                    journal.show(fields.frame(step.time), fields.slices(step.time))
                journal.keep(step, state, methods=dict(model.methods))
        stage.note = f"{model.num_dofs} unknowns, {len(journal.rows)} steps"
    with clock.stage("measure"):
        quantities, _, tables = measure(model, limits, fields)
        unit = current_unit(model.domain.dimension)
        heads = ("t [s]", "min / bulk", "overpotential [V]", f"current [{unit}]")
        tables |= probes.history()
        tables["history"] = dict(zip(heads, np.array(journal.rows).T, strict=True))
        tables["profiles"] = journal.profiles
    information = {
        "steps": len(journal.rows),
        "rejected": journal.rejected,
        "method": ", ".join(model.methods),
        "closure": case.nernst_planck.closure,
    }
    return Solution(
        quantities, journal.checks, fields.functions, tables, information, model.num_dofs,
        tuple(journal.frames),
    )  # fmt: skip

"""A deposit in time: up to a charge, a duration, or the short circuit."""

from __future__ import annotations

import time as clocks
from collections.abc import Iterator
from typing import Any

import numpy as np

from fem_spe import checkpoint
from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part, Record
from fem_spe.errors import ConvergenceError
from fem_spe.measure.probe import Follower
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Frame, Quantity, Solution
from fem_spe.solve.bdf import Array, Step
from fem_spe.solve.march import State, march, start
from fem_spe.studies.dendrites import measure
from fem_spe.studies.dendrites.model import Model

_BALANCE = {"monolithic": 1e-9, "segregated": 1e-8}  # of what has been deposited by the end
_FIRST = 1e-3  # s
_LANDING = 1e-6  # of the last mark: how exactly a charge is met
_INSTANT = 1e-12  # of the last mark: how exactly a time is
_PARTS = (Part("node", 5, by_field=True), Part("shared", 2))  # of Model.values
_SHOWN = 20.0  # s of the clock between two lines of progress
_OCCUPIED = 0.97  # share of the metal's sites below which lithium is missing in it


class Walk:
    """A model that is led through time, and what it has conserved.

    Attributes:
        origin: The values at time 0.
        state: After the last step.
        worst: Largest lithium and charge that balances were off by so far, over c0 and c_Li.
    """

    def __init__(self, model: Model, values: Array) -> None:
        self.model, self.origin = model, values
        self.deposit, self.lithium = model.total(values, 4), model.total(values, 3)
        self.state = start(values, _FIRST)
        self.worst = np.zeros(2)
        self.rejected = 0

    def resume(self, state: State, told: dict[str, Any]) -> None:
        """Go on from a state, with what `told` said there."""
        self.state, self.rejected = state, told["rejected"]
        self.worst = np.array(told["worst"])
        self.model.resume(state.index)

    def told(self) -> dict[str, Any]:
        """What it holds besides the state."""
        return {"rejected": self.rejected, "worst": self.worst}

    @property
    def charge(self) -> float:
        """Deposited so far, C/m^2. Collective."""
        return self.model.charge(self.state.values, self.deposit)

    def steps(self, case: Case) -> Iterator[Step]:
        """The accepted steps up to the charge or the duration of the case. Collective.

        Raises:
            ConvergenceError: if the step collapses.
        """
        model, dendrite = self.model, case.dendrite
        assert dendrite is not None
        end = dendrite.charge or dendrite.duration
        assert end is not None

        def progress(time: float, values: Array) -> float:
            return time if dendrite.charge is None else model.charge(values, self.deposit)

        shares = np.arange(1, dendrite.frames + 1) / dendrite.frames
        walk = march(
            model.advance,
            self.state,
            marks=[float(end * share) for share in shares],
            progress=progress,
            tolerance=end * (_LANDING if dendrite.charge else _INSTANT),
            rtol=dendrite.tolerance,
            norm=model.norm,
            culprit=model.culprit,
        )
        shown = clocks.monotonic()
        began, at = shown, progress(self.state.time, self.state.values)
        for step, self.state in walk:
            model.accepted()
            self.rejected += step.rejected
            self._balance(step.values)
            done = progress(step.time, step.values)
            now = clocks.monotonic()
            if now - shown > _SHOWN:
                shown, rate = now, max(done - at, 1e-12 * end) / (now - began)
                log.info(
                    "  t = %-9.4g s  step %d of %.2g s  %4.1f %%  about %.0f s left",
                    step.time, step.index, step.size, 100 * done / end, (end - done) / rate,
                )  # fmt: skip
            yield step

    def _balance(self, values: Array) -> None:
        model = self.model
        lithium = model.total(values, 3) - self.lithium - values[-2]
        charge = model.total(values, 4) - self.deposit - values[-1]
        self.worst = np.maximum(self.worst, np.abs([lithium, charge]))

    def checks(self) -> dict[str, Check]:
        """What came in against what is there, over all that was deposited. Collective."""
        values, ratio = self.state.values, self.model.metal.ratio
        deposited = abs(self.model.total(values, 4) - self.deposit)
        limit = _BALANCE[self.model.method]
        lithium, charge = self.worst / np.array([ratio, 1.0]) / deposited
        return {
            "lithium_imbalance": Check(float(lithium), limit),
            "charge_imbalance": Check(float(charge), limit),
        }


def run(case: Case, model: Model, layer: float, clock: Clock) -> Solution:
    """Grow from a flat `layer` (m), and measure. Collective.

    Raises:
        ConvergenceError: if the time step collapses.
    """
    domain = model.domain
    assert case.dendrite is not None
    with clock.stage("solve") as stage:
        walk = Walk(model, model.start(layer))
        fields = measure.Fields(model)
        outline = measure.Outline(model)
        probes, frames = Follower(domain, case.probe, fields.functions), list[Frame]()
        rows: list[tuple[float, ...]] = []
        keeper = Keeper(case, State, model.space, _PARTS, model.space)
        if (before := keeper.before) is not None:
            walk.resume(before.state, before.told)
            rows, frames = checkpoint.rows(before.told["rows"]), list(before.frames)
            checkpoint.resume(probes, before.told["probes"])
        shorted, high = False, domain.origin[1] + domain.size[1] - model.metal.interface_width
        with keeper:
            for step in walk.steps(case):
                fields.update()
                shape = outline.shape()
                if shape is None:
                    raise ConvergenceError(
                        f"the front is gone at t = {step.time:.6g} s; give a thicker [dendrite] "
                        "layer"
                    )
                rows.append(measure.row(model, step.time, walk.charge, shape))
                probes.record(step.time)
                shorted = shape.top >= high
                if step.is_output or shorted:
                    log.info(
                        "  t = %-9.4g s  deposit %.3g um, R_a %.3g um, step %d of %.2g s",
                        step.time, rows[-1][2], rows[-1][5], step.index, step.size,
                    )  # fmt: skip
                    frames.append(fields.frame(step.time))
                    probes.record_lines(step.time)
                if shorted:
                    log.warning("stopped at the short circuit, t = %.6g s", step.time)
                    break
                if len(frames) < case.dendrite.frames:  # the end is measured from a step to it
                    told = walk.told() | {"rows": list(rows), "probes": checkpoint.probed(probes)}
                    keeper.offer(Record(walk.state, told, tuple(frames)))
        stage.note = f"{model.num_dofs} unknowns, {len(rows)} steps, {walk.rejected} rejected"
    with clock.stage("measure"):
        quantities = measure.quantities(model, rows)
        if shorted:
            quantities["short_circuit_time"] = Quantity(
                walk.state.time, "s", "when the front comes within its width of the top"
            )
        if quantities["min_occupancy"].value < _OCCUPIED:
            log.warning(
                "the electrolyte is exhausted in places: %.2g of the metal's sites there hold no "
                "lithium; a smaller overpotential leaves more",
                1.0 - quantities["min_occupancy"].value,
            )
        tables = {"front": measure.history(rows), "along_front": outline.along()}
        tables |= probes.history()
    information = {"steps": len(rows), "rejected": walk.rejected, "method": model.method}
    return Solution(
        quantities, walk.checks(), fields.functions, tables, information, model.num_dofs,
        tuple(frames),
    )  # fmt: skip

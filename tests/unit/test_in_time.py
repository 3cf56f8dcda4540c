"""The journal of a run in time: what it notes, hands to its keeper, and goes on from."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fem_spe.checkpoint import Record
from fem_spe.results import Check, Frame
from fem_spe.solve.bdf import Past, Rate, State, Step
from fem_spe.studies.in_time import Journal

NOTHING = np.zeros(0)


class Probes:
    """Follows a single number."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def record(self, time: float) -> None:
        self.times.append(time)

    def record_lines(self, time: float) -> None:
        self.times.append(-time)

    def told(self) -> list[float]:
        return list(self.times)

    def resume(self, told: list[float]) -> None:
        self.times = told


def keeper(before: Any = None) -> Any:
    """Keeps all that it is offered."""
    found: Any = SimpleNamespace(before=before, records=[])
    found.offer = found.records.append
    return found


def step(index: int, *, rejected: int = 0, is_output: bool = False) -> Step:
    rate = Rate(0.0, NOTHING)
    return Step(index, float(index), 1.0, NOTHING, rate, 0.0, rejected, is_output)


def noted(journal: Journal[State], own: Step, off: float) -> None:
    """Write, show and keep a step."""
    journal.write(own, (own.time, off), {"imbalance": Check(off, 1e-3)})
    if own.is_output:
        journal.show(Frame(own.time, {"c": np.ones(2)}), {"mean": np.array([off])})
    journal.keep(own, State(Past((own.time,), (NOTHING,)), 1.0), weight=2.0)


def journal(before: Record[State] | None = None, **how: Any) -> Journal[State]:
    return Journal(Probes(), keeper(before), **how)


def test_the_worst_of_each_check_and_every_row_is_told() -> None:
    own = journal()
    for index, off in enumerate((1e-6, -3e-5, 2e-5), start=1):
        noted(own, step(index, rejected=index), off)
    assert own.rows == [(1.0, 1e-6), (2.0, -3e-5), (3.0, 2e-5)]
    assert own.checks == {"imbalance": Check(-3e-5, 1e-3)}
    assert own.rejected == 6


def test_a_journal_that_goes_on_is_the_one_that_was_kept() -> None:
    whole, first = journal(), journal()
    for index in (1, 2):
        noted(whole, step(index, is_output=index == 2), 1e-5 * index)
        noted(first, step(index, is_output=index == 2), 1e-5 * index)
    kept = first.keeper.records[-1]
    assert kept.told["weight"] == 2.0
    on_disk = json.loads(json.dumps(kept.told, default=lambda array: array.tolist()))
    rest = journal(Record(kept.state, on_disk, kept.frames))
    for own in (whole, rest):
        noted(own, step(3, rejected=1, is_output=True), 4e-6)
    assert rest.told()["profiles"]["mean"] == whole.told()["profiles"]["mean"]
    for name in ("rows", "checks", "rejected", "probes"):
        assert rest.told()[name] == whole.told()[name]
    assert [frame.time for frame in rest.frames] == [2.0, 3.0]


def test_what_was_offered_does_not_change_afterwards() -> None:
    own = journal()
    noted(own, step(1, is_output=True), 1e-6)
    before = json.dumps(own.keeper.records[0].told, default=np.ndarray.tolist)
    noted(own, step(2, is_output=True), 1e-5)
    record = own.keeper.records[0]
    assert json.dumps(record.told, default=np.ndarray.tolist) == before
    assert len(record.frames) == 1


def test_an_output_is_told_once_it_is_kept_and_the_end_is_not_kept(
    told: pytest.LogCaptureFixture,
) -> None:
    own = journal(end=2.0)
    own.keeper.offer = lambda record: pytest.fail("a signal")
    with pytest.raises(pytest.fail.Exception):
        noted(own, step(1, is_output=True), 0.0)
    assert told.messages == []
    noted(own, step(2, is_output=True), 0.0)
    assert [line.split("step")[1] for line in told.messages] == [" 2 of 1 s"]

"""What a run in time notes on its way, and what it goes on from where it was interrupted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.case.transport import Time
from fem_spe.checkpoint import Keeper, Record, Steps
from fem_spe.measure.probe import Follower
from fem_spe.progress import log
from fem_spe.results import Check, Frame, Table
from fem_spe.solve.bdf import Step

_FELT = 0.01  # of L^2 / D: when the far face first feels what the near one is given


def accurate_from(time: Time, length: float, diffusivity: float) -> float:
    """From when on steps are to be accurate, s: the first output, or when the far face feels it.

    Args:
        time: Of the case.
        length: Between the faces, m.
        diffusivity: m^2/s.
    """
    return min(time.outputs[0], _FELT * length**2 / diffusivity)


class Journal[S: Steps]:
    """The rows, fields and checks so far. Made and used by all ranks together.

    Args:
        probes: What the case follows.
        keeper: Keeps what is noted. What it has kept of an earlier run is noted already.
        end: Time of a step that is not kept, s: the last of a study that measures its end from
            the step to it.

    Attributes:
        rows: One for each step; the study knows their columns.
        frames: The fields at the output times.
        profiles: Columns of the output times.
        checks: The worst of each.
        rejected: Steps that were thrown away.
    """

    def __init__(self, probes: Follower, keeper: Keeper[S], end: float = math.inf) -> None:
        self.probes, self.keeper, self.end = probes, keeper, end
        self.rows: list[tuple[float, ...]] = []
        self.frames: list[Frame] = []
        self.profiles: Table = {}
        self.checks: dict[str, Check] = {}
        self.rejected = 0
        if keeper.before is not None:
            self._resume(keeper.before)

    def write(
        self, step: Step, row: tuple[float, ...], checks: Mapping[str, Check] | None = None
    ) -> None:
        """Note a step, and what the probes find in the fields of now. Collective."""
        self.rejected += step.rejected
        self.rows.append(row)
        for name, check in (checks or {}).items():
            worst = self.checks.get(name, check)
            self.checks[name] = max(check, worst, key=lambda own: abs(own.value))
        self.probes.record(step.time)

    def show(self, frame: Frame, profiles: Table | None = None) -> None:
        """Note the fields of now as those of an output time. Collective."""
        self.frames.append(frame)
        self.profiles |= profiles or {}
        self.probes.record_lines(frame.time)

    def keep(
        self, step: Step, state: S, extra: tuple[NDArray[np.float64], ...] = (), **own: Any
    ) -> None:
        """Offer all of it to the keeper, with what is the study's `own`. Collective.

        Args:
            step: The last.
            state: Of the integrator after it.
            extra: More values, as in a record.
            own: Numbers, as JSON holds them.
        """
        if step.time < self.end:
            self.keeper.offer(Record(state, self.told() | own, tuple(self.frames), extra))
        # only now: a signal between the two would lose what the log had shown
        if step.is_output:
            log.info("  t = %-10.6g s  step %d of %.3g s", step.time, step.index, step.size)

    def told(self) -> dict[str, Any]:
        """What a record holds of it, as it is now."""
        return {
            "rows": list(self.rows),
            "profiles": dict(self.profiles),
            "checks": {name: astuple(check) for name, check in self.checks.items()},
            "rejected": self.rejected,
            "probes": self.probes.told(),
        }

    def _resume(self, before: Record[S]) -> None:
        told = before.told
        self.rows, self.frames = [tuple(row) for row in told["rows"]], list(before.frames)
        self.profiles = {head: np.array(values) for head, values in told["profiles"].items()}
        self.checks = {name: Check(*own) for name, own in told["checks"].items()}
        self.rejected = told["rejected"]
        self.probes.resume(told["probes"])

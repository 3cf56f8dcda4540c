"""What a run tells while it works: one line per stage, and the seconds each took."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

log = logging.getLogger("fem_spe")


def show(*, enabled: bool) -> None:
    """Print the lines of a run on this rank, or keep silent."""
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers = [h for h in log.handlers if isinstance(h, logging.FileHandler)]
    if enabled:
        log.addHandler(_console())
    else:
        log.addHandler(logging.NullHandler())


def _console() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


@dataclass
class Stage:
    """A named piece of work; set `note` inside to say what came of it."""

    name: str
    note: str = ""


@dataclass
class Clock:
    """Seconds per stage of one run, in the order they were done."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time the block as `name` and log one line when it is done."""
        stage = Stage(name)
        start = time.perf_counter()
        yield stage
        spent = time.perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + spent
        log.info("%-8s %7.2f s  %s", name, spent, stage.note)

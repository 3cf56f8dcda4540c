"""Restart files of a study in time: when they are written, and what is found in them."""

from __future__ import annotations

import time as clocks
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.checkpoint import file as files
from fem_spe.checkpoint.layout import Layout, Order, Part, fingerprint, nodes
from fem_spe.comm import on_root
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.progress import log
from fem_spe.results import Frame
from fem_spe.solve.bdf import Past

Array = NDArray[np.float64]


class Steps(Protocol):
    """The state of an integrator: a frozen dataclass of numbers, and the past."""

    @property
    def past(self) -> Past:
        """Values so far."""
        ...

    @property
    def index(self) -> int:
        """Steps so far."""
        ...


@dataclass(frozen=True)
class Record[S: Steps]:
    """All that a run in time goes on from.

    Attributes:
        state: Of the integrator.
        told: What was measured so far, as JSON holds it; arrays come back as lists.
        frames: Fields at the output times so far.
        extra: More values of the same layout as those of the state.
        space: Whose nodes the values belong to, where meshes change.
        mesh: What that mesh is made from again, on rank 0.
    """

    state: S
    told: dict[str, Any]
    frames: tuple[Frame, ...] = ()
    extra: tuple[Array, ...] = ()
    space: fem.FunctionSpace | None = None
    mesh: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass
class _Run:
    """The run that is on its way.

    Attributes:
        folder: Of its result.
        case: As it was given.
        restart: True where restart files are read.
        solves: Studies so far: a mesh study solves several times.
    """

    folder: Path
    case: Case
    restart: bool
    solves: int = 0


# a study takes a case and a mesh, from outside the package too: where its result goes is no
# concern of it
_RUN: ContextVar[_Run | None] = ContextVar("run", default=None)


@contextmanager
def kept_in(folder: Path | None, case: Case, *, restart: bool) -> Iterator[None]:
    """In the block, studies in time keep restart files in `folder`; none where it is None."""
    before = _RUN.set(None if folder is None else _Run(folder, case, restart))
    try:
        yield
    finally:
        _RUN.reset(before)


class Keeper[S: Steps]:
    """Keeps the state of one study. Made and used by all ranks together.

    In a `with` block around the steps, the last state offered is written as well when the step
    collapses, or when anything else ends the block on a single rank: among several, ranks that
    were interrupted may be in different places.

    Args:
        case: With every default.
        kind: Of the state.
        space: Whose nodes the values belong to.
        parts: What they are made of.
        scalar: That of the frames' fields.
        again: Where meshes change: the space of the values, given what a record's mesh is made
            from. Called by all ranks.

    Attributes:
        before: What an earlier run has kept; None where this one begins anew.

    Raises:
        CaseError: if that was on another mesh, or cannot be read.
    """

    def __init__(
        self,
        case: Case,
        kind: Callable[..., S],
        space: fem.FunctionSpace,
        parts: Sequence[Part],
        scalar: fem.FunctionSpace,
        again: Callable[[dict[str, NDArray[Any]]], fem.FunctionSpace] | None = None,
    ) -> None:
        self.kind, self.scalar, self.comm, self._again = kind, scalar, space.mesh.comm, again
        self.before: Record[S] | None = None
        self._run = _RUN.get()
        if self._run is None:
            return
        self._solve = self._run.solves
        self._run.solves += 1
        self._layout, self._nodes = Layout(space, parts), nodes(scalar)
        self._mesh = fingerprint(space.mesh)
        self._interval = case.output.interval
        self._offered: Record[S] | None = None
        self._frames, self._written = 0, -1  # frames on disk, index of the state there
        self._since = clocks.monotonic()
        if self._run.restart:
            self.before = self._read()

    def offer(self, record: Record[S]) -> None:
        """Write `record` if it is time to; keep it at hand. Collective.

        What it holds must not change afterwards.
        """
        if self._run is None:
            return
        self._offered = record
        seconds, steps = self._interval
        due = clocks.monotonic() - self._since >= seconds if steps is None else (
            record.state.index % steps == 0
        )  # fmt: skip
        if steps is None:
            due = self.comm.bcast(due)
        if due:
            self._write(record)

    def __enter__(self) -> Keeper[S]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._run is None or error is None or isinstance(error, CaseError):
            return
        collapsed = isinstance(error, ConvergenceError)
        last = self._offered
        if last is not None and (collapsed or self.comm.size == 1):
            if last.state.index != self._written:
                self._write(last)
            log.info("  t = %-10.6g s  kept for --restart", last.state.past.times[-1])

    def _write(self, record: Record[S]) -> None:
        """Frames that are new, then the state that counts them."""
        run = self._run
        assert run is not None
        numbers = {
            f.name: getattr(record.state, f.name)
            for f in fields(record.state)  # type: ignore[arg-type]
            if f.name != "past"
        }
        head = {
            "format": files.FORMAT,
            "case": files.as_data(run.case),
            "mesh": self._mesh,
            "times": record.state.past.times,
            "state": numbers,
            "told": record.told,
            "frames": len(record.frames),
            "extra": len(record.extra),
        }
        layout = self._layout
        if record.space is not None:
            layout = Layout(record.space, layout.parts)
        parts = [layout.gather(v) for v in (*record.state.past.values, *record.extra)]
        fresh = [self._gathered(frame) for frame in record.frames[self._frames :]]

        def work() -> None:
            for k, frame in enumerate(fresh):
                assert frame is not None
                files.write(files.frame_file(run.folder, self._solve, self._frames + k), *frame)
            arrays = {
                f"values_{i}_{j}": part
                for i, own in enumerate(parts)
                for j, part in enumerate(own or ())
            }
            arrays |= {f"mesh_{name}": values for name, values in record.mesh.items()}
            files.write(files.state_file(run.folder, self._solve), head, arrays)

        def tried() -> str | None:
            try:
                work()
            except OSError as error:
                return str(error.strerror)
            return None

        failed = on_root(self.comm, tried)
        self._since = clocks.monotonic()
        if failed:
            log.warning("no restart file could be written (%s); the run goes on", failed)
            return
        self._frames, self._written = len(record.frames), record.state.index

    def _gathered(self, frame: Frame) -> tuple[dict[str, Any], dict[str, Array]] | None:
        """A frame as numbers and whole arrays, on rank 0."""
        whole = [self._nodes.gather(_column(v, self._nodes)) for v in frame.values.values()]
        if self.comm.rank != 0:
            return None
        head = {"format": files.FORMAT, "time": frame.time, "names": list(frame.values)}
        return head, {f"field_{k}": v for k, v in enumerate(whole) if v is not None}

    def _read(self) -> Record[S] | None:
        """What there is of this solve; None where it had not begun."""
        run = self._run
        assert run is not None
        file = files.state_file(run.folder, self._solve)

        def head_and_arrays() -> tuple[dict[str, Any], dict[str, Array]] | None:
            if not file.exists():
                return None
            found = files.read(file)
            if found[0]["mesh"] != self._mesh:
                raise CaseError(
                    f"{file} is of another mesh than this run makes, perhaps with another version "
                    "of the mesher; give --force in place of --restart to begin anew"
                )
            return found

        kept: dict[str, Array] = {}

        def told() -> dict[str, Any] | None:
            found = head_and_arrays()
            if found is None:
                return None
            kept.update(found[1])
            return found[0]

        head = on_root(self.comm, told)
        if head is None:
            return None
        layout = self._layout
        if self._again is not None:
            mesh = {n.removeprefix("mesh_"): v for n, v in kept.items() if n.startswith("mesh_")}
            layout = Layout(self._again(mesh), layout.parts)
        count, width = len(head["times"]), len(layout.parts)
        values = [
            layout.scatter([kept[f"values_{i}_{j}"] for j in range(width)] if kept else None)
            for i in range(count + head["extra"])
        ]
        past = Past(tuple(head["times"]), tuple(values[:count]))
        frames = tuple(self._read_frame(k) for k in range(head["frames"]))
        self._frames, self._written = len(frames), head["state"]["index"]
        record = Record(
            self.kind(past=past, **head["state"]), head["told"], frames, tuple(values[count:])
        )
        self._offered = record
        log.info("  t = %-10.6g s  step %d, from the restart file", past.times[-1], self._written)
        return record

    def _read_frame(self, k: int) -> Frame:
        run = self._run
        assert run is not None
        file = files.frame_file(run.folder, self._solve, k)
        kept: dict[str, Array] = {}

        def told() -> dict[str, Any]:
            head, arrays = files.read(file)
            kept.update(arrays)
            return head

        head = on_root(self.comm, told)
        values = {}
        for j, name in enumerate(head["names"]):
            own = self._nodes.scatter(kept.get(f"field_{j}"))
            function = fem.Function(self.scalar)
            function.x.array[: len(own)] = own[:, 0]
            function.x.scatter_forward()
            values[name] = np.array(function.x.array)
        return Frame(head["time"], values)


def _column(values: Array, order: Order) -> Array:
    return values[: order.held, None]

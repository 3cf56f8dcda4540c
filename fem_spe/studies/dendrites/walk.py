"""A deposit that is led through time, on a mesh that may follow its front."""

from __future__ import annotations

import time as clocks
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.checkpoint import Record
from fem_spe.domain import Domain
from fem_spe.progress import log
from fem_spe.results import Check, Frame, Table
from fem_spe.solve.bdf import Array, Past, Step
from fem_spe.solve.march import State, march, start
from fem_spe.studies.dendrites.band import Band
from fem_spe.studies.dendrites.model import Model

_BALANCE = {"monolithic": 1e-9, "segregated": 1e-8}  # of what has been deposited by the end
_FIRST = 1e-3  # s
_LANDING = 1e-6  # of the last mark: how exactly a charge is met
_INSTANT = 1e-12  # of the last mark: how exactly a time is
_SHOWN = 20.0  # s of the clock between two lines of progress
_USED = 3  # values so far that a step of second order depends on


class Walk:
    """A model that is led through time, and what it has conserved.

    Args:
        make: Makes a model of a mesh.
        domain: The mesh, or that of the start where a band moves it.
        layer: Of lithium at the start, m.
        band: Moves the mesh with the front; None where it stays.

    Attributes:
        model: On the mesh of now.
        state: After the last step.
        worst: Largest lithium and charge that balances were off by so far, over c0 and c_Li.
        meshes: Step, time in s, cells and unknowns of each mesh so far.
    """

    def __init__(
        self, make: Callable[..., Model], domain: Domain, layer: float, band: Band | None = None
    ) -> None:
        self.model, self.band = make(domain), band
        method = self.model.method  # of the first mesh: the limits of the balances are its own
        self._make = partial(make, method=method)
        values = self.model.start(layer)
        self.deposit, self.lithium = self.model.total(values, 4), self.model.total(values, 3)
        self.state = start(values, _FIRST)
        self.worst = np.zeros(2)
        self.meshes: list[tuple[float, ...]] = []
        self._count()

    def again(self, mesh: Mapping[str, NDArray[np.generic]]) -> fem.FunctionSpace:
        """Be on the mesh that a record holds; the space of the values there. Collective."""
        assert self.band is not None
        before, self.model = self.model, self._make(self.band.again(mesh))
        before.destroy()
        return self.model.space

    def resume(self, state: State, told: dict[str, Any]) -> None:
        """Go on from a state, with what `told` said there. Collective."""
        self.state = state
        self.worst = np.array(told["worst"])
        self.meshes = [tuple(row) for row in told["meshes"]]
        self.model.resume(state.index, state.time)
        self.model.restore(state.values)

    def record(self, told: dict[str, Any], frames: tuple[Frame, ...]) -> Record[State]:
        """All that it goes on from, with what else was `told`."""
        own = {"worst": self.worst, "meshes": list(self.meshes)}
        mesh = self.band.kept() if self.band is not None else {}
        space = self.model.space if self.band is not None else None
        return Record(self.state, told | own, frames, space=space, mesh=mesh)

    @property
    def charge(self) -> float:
        """Deposited so far, C/m^2. Collective."""
        return self.model.charge(self.state.values, self.deposit)

    def steps(self, case: Case) -> Iterator[Step]:
        """The accepted steps up to the charge or the duration of the case. Collective.

        Raises:
            ConvergenceError: if the step collapses.
        """
        dendrite = case.dendrite
        assert dendrite is not None
        end = dendrite.charge or dendrite.duration
        assert end is not None

        def progress(time: float, values: Array) -> float:
            return time if dendrite.charge is None else self.model.charge(values, self.deposit)

        def march_on() -> Iterator[tuple[Step, State]]:
            """On the mesh of now."""
            return march(
                self.model.advance,
                self.state,
                marks=marks,
                progress=progress,
                tolerance=near,
                rtol=dendrite.tolerance,
                norm=self.model.norm,
                culprit=self.model.culprit,
            )

        marks = [end * k / dendrite.frames for k in range(1, dendrite.frames + 1)]
        near = end * (_LANDING if dendrite.charge else _INSTANT)
        shown = clocks.monotonic()
        began, at = shown, progress(self.state.time, self.state.values)
        self._follow()
        walk = march_on()
        while (stepped := next(walk, None)) is not None:
            step, self.state = stepped
            self.model.accepted(step.time)
            self._balance(step.values)
            done = progress(step.time, step.values)
            now = clocks.monotonic()
            if now - shown > _SHOWN:
                shown, rate = now, max(done - at, 1e-12 * end) / (now - began)
                log.info(
                    "  t = %-9.4g s  step %d of %.2g s  %4.1f %%  about %.0f s left",
                    step.time, step.index, step.size, 100 * done / end, max(end - done, 0.0) / rate,
                )  # fmt: skip
            yield step
            if done < end - near and self._follow():
                walk = march_on()

    def _follow(self) -> bool:
        """Move the mesh where the front has left its fine cells; whether it did. Collective."""
        if self.band is None or not self.band.outgrown(self.model):
            return False
        past = self.state.past.last(_USED)
        before = self.model
        self.model, values = self.band.move(before, self._make, past.values)
        before.destroy()
        self.state = replace(self.state, past=Past(past.times, values))
        self.model.resume(self.state.index, self.state.time)
        self._count()
        return True

    def _count(self) -> None:
        domain, state = self.model.domain, self.state
        self.meshes.append((state.index, state.time, domain.num_cells, self.model.num_dofs))

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

    def history(self) -> dict[str, Table]:
        """The meshes, where they moved."""
        if self.band is None:
            return {}
        heads = ("step", "t [s]", "cells", "unknowns")
        return {"meshes": dict(zip(heads, np.array(self.meshes).T, strict=True))}

"""A deposit in time: up to a charge, a duration, or the short circuit."""

from __future__ import annotations

from collections.abc import Callable

from fem_spe.case import Case
from fem_spe.checkpoint import Keeper, Part
from fem_spe.domain import Domain
from fem_spe.errors import ConvergenceError
from fem_spe.exact.phase_field import profile
from fem_spe.measure.front import Front
from fem_spe.measure.probe import Follower
from fem_spe.progress import Clock, log
from fem_spe.results import Frame, Quantity, Solution
from fem_spe.solve.march import State
from fem_spe.studies.dendrites import measure
from fem_spe.studies.dendrites.band import Band
from fem_spe.studies.dendrites.model import Model
from fem_spe.studies.dendrites.walk import Walk
from fem_spe.studies.dendrites.width import front_size, metal
from fem_spe.studies.in_time import Journal

_PARTS = (Part("node", 5, by_field=True), Part("shared", 2))  # of Model.values
_OCCUPIED = 0.97  # share of the metal's sites below which lithium is missing in it


class _View:
    """What is seen of a walk: its front, and its fields on the mesh that they are written on."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._look()
        own, band = self.fields.functions, walk.band
        self.functions = own if band is None else band.functions(list(own))
        self.domain = walk.model.domain if band is None else band.whole

    def _look(self) -> None:
        self.fields = measure.Fields(self.walk.model)
        self.outline = measure.Outline(self.walk.model)

    def shape(self) -> Front | None:
        """Of the front of now. Collective."""
        if self.outline.model is not self.walk.model:
            self._look()
        return self.outline.shape()

    def update(self) -> None:
        """Take the fields of now. Collective."""
        self.fields.update()
        if self.walk.band is not None:
            self.walk.band.draw(self.fields.functions, self.functions)

    def frame(self, time: float) -> Frame:
        """The fields as those of an output time."""
        return Frame.of(time, self.functions)


def run(
    case: Case, domain: Domain, make: Callable[..., Model], layer: float, clock: Clock
) -> Solution:
    """Grow from a flat `layer` (m), and measure. Collective.

    Args:
        case: With every default.
        domain: The mesh, or what is split at the front.
        make: Makes a model of a mesh.
        layer: Of lithium on the anode.
        clock: Of the run.

    Raises:
        ConvergenceError: if the time step collapses.
    """
    band = None
    if case.mesh.adapt == "front":
        band = Band(domain, front_size(case), metal(case).interface_width)
        low = domain.origin[-1] + layer
        width = metal(case).interface_width
        domain = band.begin(lambda x: profile(x[-1] - low, width))
    walk = Walk(make, domain, layer, band)
    try:
        return _grow(case, walk, clock)
    finally:
        walk.model.destroy()


def _grow(case: Case, walk: Walk, clock: Clock) -> Solution:
    assert case.dendrite is not None
    with clock.stage("solve") as stage:
        view = _View(walk)
        canvas = view.functions[measure.ORDER].function_space
        again = walk.again if walk.band is not None else None
        keeper = Keeper(case, State, canvas, _PARTS, canvas, again)
        journal = Journal(Follower(view.domain, case.probe, view.functions), keeper)
        if (before := keeper.before) is not None:
            walk.resume(before.state, before.told)
        high = view.domain.origin[1] + view.domain.size[1] - walk.model.metal.interface_width
        shorted = False
        with keeper:
            for step in walk.steps(case):
                shape = view.shape()
                if shape is None:
                    raise ConvergenceError(
                        f"the front is gone at t = {step.time:.6g} s: the metal dissolved; give a "
                        "thicker [dendrite] layer, or a larger overpotential"
                    )
                shorted = shape.top >= high
                shown = step.is_output or shorted
                if shown or case.probe:
                    view.update()
                row = measure.row(walk.model, step.time, walk.charge, shape)
                journal.write(step, row)
                if shown:
                    journal.show(view.frame(step.time))
                # the end is measured from a step to it
                if not shorted and len(journal.frames) < case.dendrite.frames:
                    keeper.offer(walk.record(journal.told(), tuple(journal.frames)))
                if shown:  # told once it is kept
                    log.info(
                        "  t = %-9.4g s  deposit %.3g um, R_a %.3g um, step %d of %.2g s",
                        step.time, row[2], row[5], step.index, step.size,
                    )  # fmt: skip
                if shorted:
                    log.warning("stopped at the short circuit, t = %.6g s", step.time)
                    break
        unknowns = int(max(walk.meshes, key=lambda mesh: mesh[-1])[-1])
        count, rejected = len(journal.rows), journal.rejected
        stage.note = f"{unknowns} unknowns, {count} steps, {rejected} rejected"
        if walk.band is not None:
            stage.note += f", {len(walk.meshes)} meshes"
    with clock.stage("measure"):
        quantities = measure.quantities(walk.model, journal.rows)
        if shorted:
            quantities["short_circuit_time"] = Quantity(
                walk.state.time, "s", "when the front comes within its width of the top"
            )
        if quantities["min_occupancy"].value < _OCCUPIED:
            log.warning(
                "the electrolyte is exhausted in places: %.2g of the metal's sites there hold no "
                "lithium, for the front's own motion takes more than the electrolyte brings; a "
                "larger diffusivity leaves more",
                1.0 - quantities["min_occupancy"].value,
            )
        tables = {"front": measure.history(journal.rows), "along_front": view.outline.along()}
        tables |= walk.history() | journal.probes.history()
    information = {
        "steps": count, "rejected": rejected, "method": walk.model.method,
        "meshes": len(walk.meshes),
    }  # fmt: skip
    return Solution(
        quantities, walk.checks(), view.functions, tables, information, unknowns,
        tuple(journal.frames), domain=view.domain if walk.band is not None else None,
    )  # fmt: skip

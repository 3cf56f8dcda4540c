"""The state of an electroneutral cell as fields in SI."""

from __future__ import annotations

import numpy as np
from dolfinx import fem

from fem_spe.geometry.faces import BOX_FACES
from fem_spe.measure.path import stream_function
from fem_spe.measure.profile import profile
from fem_spe.physics.nernst_planck import current
from fem_spe.results import Frame, Table
from fem_spe.studies.ions.electroneutral import Model
from fem_spe.units import FARADAY

CONCENTRATION, POTENTIAL = "concentration [mol/m^3]", "potential [V]"
ELECTROCHEMICAL = "electrochemical potential [V]"
LINES = "stream_function"
_NO_CURRENT = 1e-9  # over F D+ c0: what is left of none


def current_unit(dimension: int) -> str:
    """That of a total current, which is one per depth in 2-D."""
    return "A/m" if dimension == 2 else "A"


class Fields:
    """Concentration, potential and electrochemical potential of what a model holds.

    Attributes:
        functions: By name and unit.
        lines: Of the current, for pictures: in a plane without electrodes inside, each of which
            would be a source to them. None elsewhere.
    """

    def __init__(self, model: Model, *, lines: bool = False) -> None:
        self.model = model
        border = {name for pair in BOX_FACES[2] for name in pair}
        drawn = lines and model.domain.dimension == 2 and border.issuperset(model.cell.faces)
        self.lines = fem.Function(model.scalar) if drawn else None
        names = (CONCENTRATION, POTENTIAL, ELECTROCHEMICAL)
        self.functions = {name: fem.Function(model.scalar) for name in names}
        self.update()

    def update(self) -> None:
        """Take the values of now. Collective."""
        model, salt = self.model, self.model.cell.salt
        c, mu = model.concentration().x.array, model.electrochemical().x.array
        psi = self.functions[POTENTIAL]
        psi.x.array[:] = salt.thermal_voltage * (mu - np.log(c) / model.ions.cation)
        level = 0.0
        if not model.cell.grounded:
            # nothing fixes it: the mean of the potential is zero
            level = model.domain.integrate(psi * model.domain.dx) / model.volume
        psi.x.array[:] -= level
        self.functions[CONCENTRATION].x.array[:] = salt.concentration * c
        self.functions[ELECTROCHEMICAL].x.array[:] = salt.thermal_voltage * mu - level

    def slices(self, time: float) -> Table:
        """The mean concentration across the thickness, as columns of an output time. Collective."""
        axis = self.model.domain.dimension - 1
        found = profile(self.model.domain, self.functions[CONCENTRATION], axis)
        return found.at(time, axis, " [mol/m^3]")

    def written(self) -> dict[str, fem.Function]:
        """All that is written, with the lines of now. Collective."""
        model = self.model
        if self.lines is None:
            if model.cathode is None:
                return self.functions
            return self.functions | model.cathode.at_nodes(model.scalar)
        self.lines.x.array[:] = 0.0
        if abs(model.current()) > _NO_CURRENT * FARADAY * model.cell.salt.flux_scale:
            flux, degree = (
                current(model.ions, model.c, model.mu),
                model.scalar.element.basix_element.degree,
            )
            self.lines.x.array[:] = stream_function(model.domain, flux, degree).x.array
        return {**self.functions, LINES: self.lines}

    def frame(self, time: float) -> Frame:
        """The values of now as those of an output time. Collective."""
        return Frame.of(time, self.written())

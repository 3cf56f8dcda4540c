"""The state of an electroneutral cell as fields in SI."""

from __future__ import annotations

import numpy as np
from dolfinx import fem

from fem_spe.measure.profile import profile
from fem_spe.results import Frame, Table
from fem_spe.studies.electroneutral import Model

CONCENTRATION, POTENTIAL = "concentration [mol/m^3]", "potential [V]"
ELECTROCHEMICAL = "electrochemical potential [V]"


class Fields:
    """Concentration, potential and electrochemical potential of what a model holds.

    Attributes:
        functions: By name and unit.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
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
        position = {f"{'xyz'[axis]} [um]": found.position * 1e6}
        return position | {f"mean at {time:.6g} s [mol/m^3]": found.mean}

    def frame(self, time: float) -> Frame:
        """The values of now as those of an output time."""
        return Frame(time, {name: f.x.array.copy() for name, f in self.functions.items()})

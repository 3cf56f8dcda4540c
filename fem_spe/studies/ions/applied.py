"""What is applied to the faces of a cell, as loads and boundary values with one common level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from dolfinx import fem

from fem_spe.case.electrolyte import Kinetics
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry.faces import opposite
from fem_spe.physics.nernst_planck import butler_volmer
from fem_spe.studies.ions.cell import Cell
from fem_spe.studies.ions.free_electrode import FreeElectrode
from fem_spe.units import FARADAY

_UNBALANCED = 1e-9  # of given fluxes


class Applied:
    """The data of a cell on a mesh.

    Attributes:
        domain, cell: Where, and what.
        free: Electrodes whose potential is found.
        level: Share of all data that is applied: 0 is the cell at rest, 1 what is asked for.
        bcs: Values of reservoirs and electrodes, and of one node where no face has any, and no
            electrode of its own potential is there.

    Raises:
        CaseError: where what is given cannot all enter and stay.
    """

    def __init__(self, domain: Domain, cell: Cell, space: fem.FunctionSpace) -> None:
        self.domain, self.cell = domain, cell
        self.level = fem.Constant(domain.mesh, 1.0)
        self._require_balance()
        self._rule = 2 * space.ufl_element().embedded_superdegree + 2
        self.free: dict[str, FreeElectrode] = {}
        self._values: list[tuple[fem.Constant, float]] = []
        self.bcs: list[fem.DirichletBC] = []
        for name, c in cell.reservoirs.items():
            self._fix(space.sub(0), name, c - 1.0)
        for name, value in (cell.electrodes | cell.potentials).items():
            self._fix(space.sub(1), name, value)
        # where all currents are given the level is that of one electrode: balance sets its current
        self._level_of = next(iter(cell.free), None) if not cell.grounded else None
        if not cell.grounded and not cell.free:
            self.bcs.append(self._anchor(space))

    def set_level(self, level: float) -> None:
        """Apply this share of all data."""
        self.level.value = level
        for constant, whole in self._values:
            constant.value = level * whole

    def load(self, mu: Any, q: Any, v: Any) -> Any:
        """The form of what enters: anions, tested by `q`, and current, by `v`."""
        mesh, level = self.domain.mesh, self.level
        load = fem.Constant(mesh, 0.0) * v * self.domain.dx
        for name, value in self.cell.anions.items():
            load += level * fem.Constant(mesh, value) * q * self.ds(name)
        for name, value in self.cell.currents.items():
            if name not in self.cell.free:
                density = fem.Constant(mesh, value * self._density(name))
                load += level * density * v * self.ds(name)
        for name, (potential, law) in self.cell.kinetics.items():
            eta = level * fem.Constant(mesh, potential) - mu
            alpha = law.alpha if law.law == "full" else None
            exchange = fem.Constant(mesh, self.exchange(law))
            load += butler_volmer(exchange, eta, alpha) * v * self.ds(name)
        for name, law in self.cell.free.items():
            total = self.cell.currents[name] * self._density(name) * self.area(name)
            # one rule for the current and for the condition on it
            rule = self.ds(name)(degree=self._rule)
            electrode = FreeElectrode(self.domain, law, self.exchange(law), total, mu, rule)
            self.free[name] = electrode
            load += electrode.density() * v * rule
        return load

    def follow(self) -> None:
        """Find the potentials of free electrodes for today's unknowns. Collective."""
        for electrode in self._moving:
            electrode.follow(float(self.level.value))

    def shared(self, v: Any) -> list[tuple[Any, Any]]:
        """The derivative of the load, tested by `v`, with respect to each such potential, twice.

        It also tells how the potential follows mu, which is the unknown that v tests.
        """
        found = [electrode.slope() * v * electrode.rule for electrode in self._moving]
        return [(form, form) for form in found]

    @property
    def _moving(self) -> list[FreeElectrode]:
        return [found for name, found in self.free.items() if name != self._level_of]

    @property
    def potentials(self) -> dict[str, Any]:
        """Of the electrodes with kinetics, over RT/F: numbers and constants."""
        fixed = {name: potential for name, (potential, _) in self.cell.kinetics.items()}
        return fixed | {name: electrode.potential for name, electrode in self.free.items()}

    def exchange(self, law: Kinetics) -> float:
        """The exchange current over F D+ c0, 1/m."""
        return law.exchange_current / (FARADAY * self.cell.salt.flux_scale)

    def ds(self, name: str) -> Any:
        """Integration over a face."""
        return self.domain.ds(self.domain.face(name))

    def area(self, name: str) -> float:
        """Of a face, m (2-D) or m^2. Collective."""
        return self.domain.integrate(fem.Constant(self.domain.mesh, 1.0) * self.ds(name))

    def reaction_resistance(self) -> float:
        """Of all electrodes with kinetics, at small currents, ohm m (2-D) or ohm. Collective."""
        volt = self.cell.salt.thermal_voltage
        return sum(
            volt / (law.exchange_current * self.area(name)) for name, law in self.cell.laws.items()
        )

    def _fix(self, part: fem.FunctionSpace, name: str, value: float) -> None:
        constant = fem.Constant(self.domain.mesh, value)
        self._values.append((constant, value))
        self.bcs.append(fem.dirichletbc(constant, self.domain.face_dofs(part, name), part))

    def _anchor(self, space: fem.FunctionSpace) -> fem.DirichletBC:
        """mu = 0 in one node, which all ranks that hold it know by its place."""
        comm = self.domain.mesh.comm
        x = space.tabulate_dof_coordinates()
        node = comm.bcast(x[:1] if comm.rank == 0 else None)[0]
        near = 1e-9 * max(self.domain.size)
        blocks = np.flatnonzero(np.all(np.abs(x - node) < near, axis=1))
        part = space.sub(1)
        return fem.dirichletbc(0.0, (2 * blocks + 1).astype(np.int32), part)

    def _density(self, name: str) -> float:
        """Footprint over area of a face that fibres cut or a print folds, where that counts."""
        found = opposite(self.domain.dimension, self.cell.footprint.get(name, ""))
        if found is None:
            return 1.0
        size = self.domain.size
        return math.prod(size) / size[found[0]] / self.area(name)

    def _require_balance(self) -> None:
        """Raise where what is given cannot all enter and stay."""
        given = {n: i * self._density(n) * self.area(n) for n, i in self.cell.currents.items()}
        if not self.cell.grounded and _unbalanced(given):
            raise CaseError(
                "[boundary.*] the currents given do not add up to zero, and no face has an "
                "electrochemical_potential where the rest could pass; give one"
            )
        if self.cell.closed and _unbalanced(
            {n: j * self.area(n) for n, j in self.cell.anions.items()}
        ):
            raise CaseError(
                f"[boundary.*] the fluxes of {self.cell.salt.anion.name} do not add up to zero; "
                "give one face a concentration where the rest can pass"
            )


def _unbalanced(given: dict[str, float]) -> bool:
    """True where inflows do not sum to zero."""
    largest = max(map(abs, given.values()), default=0.0)
    return abs(sum(given.values())) > _UNBALANCED * largest

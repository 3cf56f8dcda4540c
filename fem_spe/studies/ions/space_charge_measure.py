"""What the state of a cell with charged layers tells: fields, flows, charges, balances."""

from __future__ import annotations

import math

import numpy as np
from dolfinx import fem

from fem_spe.geometry.faces import opposite
from fem_spe.measure.extremes import extremes
from fem_spe.measure.flux import along_face, gather
from fem_spe.measure.profile import profile
from fem_spe.results import Check, Frame, Quantity, Table
from fem_spe.studies.drive import in_and_out
from fem_spe.studies.ions.limits import Limits
from fem_spe.studies.ions.salt_fields import CONCENTRATION, POTENTIAL
from fem_spe.studies.ions.space_charge_model import Model
from fem_spe.units import FARADAY

CHARGE = "charge density [C/m^3]"
_BALANCE = 1e-10
_ALIKE = 1e-13  # of the thickness: heights that round-off alone tells apart
_ROUND_OFF = 4e-15  # of an unknown in RT/F, some twenty times that of 1


class Fields:
    """Concentrations, potential and charge density in SI, of what a model holds.

    Attributes:
        functions: By name and unit; the plain concentration is that of the main ion.
        main: Number of the only cation, else 0.
    """

    def __init__(self, model: Model) -> None:
        self.model, bulk = model, model.walls.bulk
        self.main = bulk.cation or 0
        self.names = [
            CONCENTRATION if k == self.main else f"concentration of {s.name} [mol/m^3]"
            for k, s in enumerate(bulk.species)
        ]
        order = [CONCENTRATION, POTENTIAL, *self.names, CHARGE]
        self.functions = {name: fem.Function(model.scalar) for name in order}
        self.update()

    def update(self) -> None:
        """Take the values of now. Collective."""
        model, bulk = self.model, self.model.walls.bulk
        psi = self.functions[POTENTIAL]
        psi.x.array[:] = model.part(len(model.ions)).x.array
        if not model.walls.grounded:
            # nothing fixes it: the mean of the potential is zero
            psi.x.array[:] -= model.domain.integrate(psi * model.domain.dx) / model.volume
        psi.x.array[:] *= bulk.thermal_voltage
        density = self.functions[CHARGE].x.array
        density[:] = FARADAY * bulk.fixed
        for k, name in enumerate(self.names):
            c = bulk.concentration * model.concentration(k).x.array
            self.functions[name].x.array[:] = c
            density[:] += FARADAY * model.ions[k].charge * c

    def slices(self, time: float) -> Table:
        """The mean concentration across the thickness, as columns of an output time. Collective."""
        axis = self.model.domain.dimension - 1
        found = profile(self.model.domain, self.functions[CONCENTRATION], axis)
        return found.at(time, axis, " [mol/m^3]")

    def frame(self, time: float) -> Frame:
        """The values of now as those of an output time."""
        return Frame.of(time, self.functions)

    def layers(self) -> Table:
        """The mean of each field over the nodes of each height, through all layers. Collective.

        Where nodes have no heights in common, as in a section, each is a row of its own.
        """
        model = self.model
        owned = int(model.scalar.dofmap.index_map.size_local)
        axis = model.domain.dimension - 1
        height = model.scalar.tabulate_dof_coordinates()[:owned, axis]
        columns = [f.x.array[:owned] for f in self.functions.values()]
        found = gather(model.domain.mesh.comm, height, *columns)
        order = np.argsort(found[0], kind="stable")
        apart = np.diff(found[0][order], prepend=-np.inf) > _ALIKE * model.domain.size[axis]
        row = np.empty(len(order), dtype=np.int64)
        row[order] = np.cumsum(apart) - 1
        levels = np.maximum(found[0][order][apart], model.domain.origin[axis])
        count = np.bincount(row, minlength=len(levels))
        heads = [f"{'xyz'[axis]} [um]", *self.functions]
        means = [np.bincount(row, v, len(levels)) / count for v in found[1:]]
        return dict(zip(heads, [levels * 1e6, *means], strict=True))


def measure(
    model: Model, limits: Limits, fields: Fields
) -> tuple[dict[str, Quantity], dict[str, Check], dict[str, Table]]:
    """Quantities, checks and tables of the state that `model` is in. Collective."""
    flows = model.flows()
    quantities = _scales(model, limits) | _flows(model, fields, flows)
    quantities |= _concentrations(model, fields) | _at_walls(model, flows[-1])
    axis = model.domain.dimension - 1
    tables = {"layers": fields.layers()}
    for name, (field, unit) in {
        "profile": (CONCENTRATION, "mol/m^3"), "potential_profile": (POTENTIAL, "V")
    }.items():  # fmt: skip
        slices = profile(model.domain, fields.functions[field], axis)
        tables[name] = slices.columns(axis, f" [{unit}]")
    if model.walls.anode is not None:
        more, along = _at_anode(model, fields, model.walls.anode)
        quantities |= more
        tables |= along
    return quantities, balances(model, flows), tables


def _scales(model: Model, limits: Limits) -> dict[str, Quantity]:
    bulk = model.walls.bulk
    found = {
        "conductivity": Quantity(bulk.conductivity, "S/m", "of the even bulk"),
    }
    if bulk.cation is not None:
        found["transference_number"] = Quantity(
            bulk.shares[bulk.cation], "", "t+ of the even bulk, from the [[species]]"
        )
    return found | limits.told()


def _flows(model: Model, fields: Fields, flows: list[dict[str, float]]) -> dict[str, Quantity]:
    """What crosses the boundary in all, by residual."""
    scale = model.walls.bulk.flux_scale
    unit, ampere = (("mol/m/s", "A/m"), ("mol/s", "A"))[model.domain.dimension - 2]
    name = model.walls.bulk.species[fields.main].name
    flux_in, flux_out = in_and_out({n: scale * j for n, j in flows[fields.main].items()})
    return {
        "flux_in": Quantity(flux_in, unit, f"total flux of {name} into the structure"),
        "flux_out": Quantity(flux_out, unit, f"total flux of {name} out of the structure"),
        "current": Quantity(current(model, flows), ampere, "through the cell"),
    }


def current(model: Model, flows: list[dict[str, float]]) -> float:
    """What enters as current, A/m (2-D) or A."""
    charges = {
        n: sum(i.charge * own[n] for i, own in zip(model.ions, flows, strict=False))
        for n in flows[0]
    }
    return FARADAY * model.walls.bulk.flux_scale * in_and_out(charges)[0]


def _concentrations(model: Model, fields: Fields) -> dict[str, Quantity]:
    unit, comm = "mol/m^3", model.domain.mesh.comm
    owned = int(model.scalar.dofmap.index_map.size_local)
    found = [extremes(comm, fields.functions[n].x.array[:owned]) for n in fields.names]
    name = model.walls.bulk.species[fields.main].name
    low, high = found[fields.main]
    lowest = min(least for least, _ in found)
    mean = model.walls.bulk.concentration * model.totals()[fields.main] / model.volume
    return {
        "min_concentration": Quantity(lowest, unit, "smallest of any ion"),
        "concentration_drop": Quantity(high - low, unit, f"largest - smallest of {name}"),
        "mean_concentration": Quantity(mean, unit, f"of {name}"),
    }


def _at_walls(model: Model, charges: dict[str, float]) -> dict[str, Quantity]:
    """Charge and potential of walls, and what drives the cation between electrodes."""
    walls, volt = model.walls, model.walls.bulk.thermal_voltage
    found: dict[str, Quantity] = {}
    for name in walls.faces:
        if name in walls.reservoirs:
            continue
        mean = charges[name] * walls.bulk.charge_scale / model.area(name)
        found[f"surface_charge.{name}"] = Quantity(mean, "C/m^2", "mean, of the wall")
        psi = volt * model.mean(model.psi, name)
        if walls.grounded:
            found[f"wall_potential.{name}"] = Quantity(psi, "V", "mean along the wall")
    drive = overpotential(model)
    if drive is not None:
        what = "largest difference between faces of what drives the cation"
        found["overpotential"] = Quantity(drive, "V", what)
    return found


def overpotential(model: Model) -> float | None:
    """Largest difference of the cation's potential between faces that it passes, V. Collective."""
    cation = model.walls.bulk.cation
    if cation is None or not model.walls.passing:
        return None
    own = [model.mean(model.mu[cation], name) for name in model.walls.passing]
    volt = model.walls.bulk.thermal_voltage
    return volt * (max(own) - min(own)) / model.ions[cation].charge


def _at_anode(
    model: Model, fields: Fields, face: str
) -> tuple[dict[str, Quantity], dict[str, Table]]:
    """How even flux and concentration of the main ion are along the anode."""
    c = fields.functions[fields.names[fields.main]]
    mean = model.mean(c, face)
    middle = fem.Constant(model.domain.mesh, mean)  # a number would be compiled into the kernel
    spread = model.mean((c - middle) ** 2, face)
    what = f"standard deviation / mean at {face}"
    found = {"concentration_uniformity": Quantity(math.sqrt(max(spread, 0.0)) / mean, "", what)}
    density = along_face(model.domain, model.densities()[fields.main], face)
    if not density.mean:
        return found, {}
    what = f"standard deviation / mean of the flux at {face}"
    found["current_uniformity"] = Quantity(density.uniformity, "", what)
    dimension = model.domain.dimension
    across = opposite(dimension, face)
    axes = [k for k in range(dimension) if across is None or k != across[0]]
    columns = {f"{'xyz'[k]} [um]": density.position[:, k] * 1e6 for k in axes}
    return found, {"anode_flux": {**columns, "flux / mean flux": density.density / density.mean}}


def balances(model: Model, flows: list[dict[str, float]]) -> dict[str, Check]:
    """Balance of each ion, over what moves of all; and of charge, over all there is.

    What moves is at least what diffusion would move through the cell. In cells as thin as h,
    round-off of the unknowns alone is a flux of 2e-16 c / h.
    """
    bulk = model.walls.bulk
    carriers = sum(abs(i.charge) * t for i, t in zip(model.ions, model.totals(), strict=True))
    rates = [model.total(form) for form in model.rate_forms]
    moved = [model.total(form) for form in model.moved_forms]
    most = max([*moved, *(abs(j) for own in flows[:-1] for j in own.values())])
    most = max(most, carriers / max(model.domain.size) ** 2)
    off = max(abs(r - sum(own.values())) for r, own in zip(rates, flows, strict=False))
    densest = max(model.largest(model.concentration(k).x.array) for k in range(len(model.ions)))
    round_off = _ROUND_OFF * densest * max(model.domain.size) / model.thinnest
    volume = model.total(model.charge_form)
    on_walls = 2 * bulk.debye**2 * sum(flows[-1].values())
    checks = {
        "ion_imbalance": Check(off / most, max(_BALANCE, round_off)),
        "charge_imbalance": Check(abs(volume + on_walls) / carriers, _BALANCE),
    }
    kept = [k for k in range(len(model.ions)) if model.walls.closed(k) and not _given(model, k)]
    if kept:
        now = model.totals()
        lost = max(abs(now[k] / model.at_rest[k] - 1.0) for k in kept)
        checks["ions_lost"] = Check(lost, _BALANCE)
    return checks


def _given(model: Model, ion: int) -> bool:
    """True where a flux of this ion is given."""
    return any(own.get(ion) for own in model.walls.fluxes.values())

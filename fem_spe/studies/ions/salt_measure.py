"""What the state of an electroneutral cell tells: flows, concentrations, balances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.geometry.faces import opposite
from fem_spe.measure.extremes import extremes
from fem_spe.measure.flux import FaceFlux, along_face, gather
from fem_spe.measure.profile import profile
from fem_spe.results import Check, Quantity, Table
from fem_spe.studies.drive import in_and_out
from fem_spe.studies.ions import cathode_measure
from fem_spe.studies.ions.cell import Cell
from fem_spe.studies.ions.electroneutral import Model
from fem_spe.studies.ions.folded import losses, percentiles
from fem_spe.studies.ions.limits import Limits
from fem_spe.studies.ions.salt_fields import CONCENTRATION, POTENTIAL, Fields

_BALANCE = 1e-10


def measure(
    model: Model, limits: Limits, fields: Fields, case: Case
) -> tuple[dict[str, Quantity], dict[str, Check], dict[str, Table]]:
    """Quantities, checks and tables of the state that `model` is in. Collective."""
    quantities = _limits(model.cell, limits) | _flows(model) | _concentrations(model, fields)
    checks = balances(model)
    what = "largest difference between electrodes of what drives the cation"
    quantities["overpotential"] = Quantity(overpotential(model), "V", what)
    quantities |= losses(model, case)
    tables = _profiles(model, fields)
    if model.cathode is not None:
        quantities |= cathode_measure.quantities(model, model.cathode)
        if model.domain.dimension == 3:
            tables["depth"] = cathode_measure.depth(model, model.cathode, fields)
    anode = model.cell.anode
    if anode is not None:
        quantities |= _along_anode(model, fields, anode)
        tables["anode_state"] = _state(model, fields, anode)
        density = along_face(model.domain, model.densities()[1], anode)
        if density.mean:
            quantities["current_uniformity"] = Quantity(
                density.uniformity, "", f"standard deviation / mean of the current at {anode}"
            )
            tables["anode_flux"] = _along(model, anode, density)
            if anode not in model.cell.currents or anode in model.cell.free:
                quantities |= percentiles(model, anode, density)
    return quantities, checks, tables


def _profiles(model: Model, fields: Fields) -> dict[str, Table]:
    """Concentration and potential across the thickness."""
    axis = model.domain.dimension - 1
    found: dict[str, Table] = {}
    shown = {
        "profile": (CONCENTRATION, "mol/m^3"),
        "potential_profile": (POTENTIAL, "V"),
    }
    for name, (field, unit) in shown.items():
        slices = profile(model.domain, fields.functions[field], axis)
        found[name] = slices.columns(axis, f" [{unit}]")
    return found


def _along(model: Model, face: str, density: FaceFlux) -> Table:
    """The current along a face, over its mean."""
    dimension = model.domain.dimension
    across = opposite(dimension, face)
    axes = [k for k in range(dimension) if across is None or k != across[0]]
    columns = {f"{'xyz'[k]} [um]": density.position[:, k] * 1e6 for k in axes}
    return {**columns, "flux / mean flux": density.density / density.mean}


def _limits(driven: Cell, limits: Limits) -> dict[str, Quantity]:
    found = {
        "transference_number": Quantity(
            driven.salt.transference, "", "t+ of the even bulk, from the [[species]]"
        ),
        "conductivity": Quantity(
            driven.salt.conductivity, "S/m", "of the even bulk, from the [[species]]"
        ),
    }
    return found | limits.told()


def _flows(model: Model) -> dict[str, Quantity]:
    """What crosses the boundary in all, by residual."""
    scale, ions = model.cell.salt.flux_scale, model.ions
    unit, ampere = (("mol/m/s", "A/m"), ("mol/s", "A"))[model.domain.dimension - 2]
    anions, current = model.flows()
    cations = {n: scale * (i - ions.anion * anions[n]) / ions.cation for n, i in current.items()}
    name = model.cell.salt.cation.name
    flux_in, flux_out = in_and_out(cations)
    return {
        "flux_in": Quantity(flux_in, unit, f"total flux of {name} into the structure"),
        "flux_out": Quantity(flux_out, unit, f"total flux of {name} out of the structure"),
        "current": Quantity(model.current(), ampere, "through the cell"),
    }


def _concentrations(model: Model, fields: Fields) -> dict[str, Quantity]:
    unit, c0 = "mol/m^3", model.cell.salt.concentration
    c = fields.functions[CONCENTRATION]
    owned = c.x.array[: c.function_space.dofmap.index_map.size_local]
    low, high = extremes(model.domain.mesh.comm, owned)
    found = {
        "min_concentration": Quantity(low, unit, "smallest of the cations"),
        "concentration_drop": Quantity(high - low, unit, "largest - smallest of the cations"),
        "mean_concentration": Quantity(c0 * model.mean(), unit, "of the cations"),
    }
    return found


def _along_anode(model: Model, fields: Fields, anode: str) -> dict[str, Quantity]:
    """How even the concentration and the potential are along the anode."""
    domain, told = model.domain, dict[str, Quantity]()
    ds = domain.ds(domain.face(anode))
    area = domain.integrate(fem.Constant(domain.mesh, 1.0) * ds)
    dofs = domain.face_dofs(model.scalar, anode)
    volt = model.cell.salt.thermal_voltage
    for word, name, unit, over, what in (
        ("concentration", CONCENTRATION, "mol/m^3", None, "mean"),
        ("potential", POTENTIAL, "V", volt, "(RT/F)"),
    ):
        field = fields.functions[name]
        mean = domain.integrate(field * ds) / area
        middle = fem.Constant(domain.mesh, mean)  # a number would be compiled into the kernel
        spread = math.sqrt(max(domain.integrate((field - middle) ** 2 * ds) / area, 0.0))
        low, high = extremes(domain.mesh.comm, field.x.array[dofs])
        told[f"{word}_uniformity"] = Quantity(
            spread / (over or mean), "", f"standard deviation / {what} at {anode}"
        )
        told[f"{word}_range"] = Quantity(high - low, unit, f"largest - smallest at {anode}")
    return told


def _state(model: Model, fields: Fields, anode: str) -> Table:
    """Concentration and potential at the nodes of a face, by rising x."""
    domain = model.domain
    dofs = domain.face_dofs(model.scalar, anode)
    dofs = dofs[dofs < model.scalar.dofmap.index_map.size_local]
    places = model.scalar.tabulate_dof_coordinates()[dofs, : domain.dimension]
    names = (CONCENTRATION, POTENTIAL)
    values = (fields.functions[name].x.array[dofs] for name in names)
    x, *columns = gather(domain.mesh.comm, places, *values)
    order = np.lexsort(x.T[::-1])
    where = {f"{'xyz'[k]} [um]": x[order, k] * 1e6 for k in range(domain.dimension)}
    return where | {n: column[order] for n, column in zip(names, columns, strict=True)}


def balances(model: Model) -> dict[str, Check]:
    """Charge and salt balance of the cell as it is now, over the largest flow."""
    anions, current = model.flows()
    rate = model.total(model.rate_form)
    largest = max(map(abs, [*anions.values(), *current.values()]), default=0.0) or 1.0
    most = max(largest, model.total(model.moved_form))
    checks = {
        "current_imbalance": Check(abs(sum(current.values())) / largest, _BALANCE),
        "salt_imbalance": Check(abs(rate - sum(anions.values())) / most, _BALANCE),
    }
    if model.cathode is not None:
        checks |= cathode_measure.checks(model, model.cathode)
    if model.cell.closed and not any(model.cell.anions.values()):
        checks["salt_lost"] = Check(abs(model.mean() - 1.0), _BALANCE)
    return checks


def overpotential(model: Model) -> float:
    """Largest difference between the potentials of electrodes, V. Collective.

    Where a current is given it is the mean electrochemical potential along the face; a porous
    cathode's is less what it would have at rest.
    """
    known = dict(model.cell.electrodes)
    known |= {name: float(value) for name, value in model.applied.potentials.items()}
    if model.cathode is not None:
        known[model.cathode.name] = model.cathode.relative_potential()
    mu: Any = model.mu
    for name in model.cell.passing:
        if name not in known:
            ds = model.domain.ds(model.domain.face(name))
            area = model.domain.integrate(fem.Constant(model.domain.mesh, 1.0) * ds)
            known[name] = model.domain.integrate(mu * ds) / area
    if not known:
        return 0.0
    return model.cell.salt.thermal_voltage * (max(known.values()) - min(known.values()))

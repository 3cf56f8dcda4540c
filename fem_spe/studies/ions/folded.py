"""What electrodes that are folded, and react, tell: losses, shares, how uneven the current is."""

from __future__ import annotations

from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.geometry import Printed
from fem_spe.measure.flux import FaceFlux, gather
from fem_spe.physics.nernst_planck import butler_volmer
from fem_spe.results import Quantity
from fem_spe.solve.linear import assemble
from fem_spe.studies.ions.cathode import Cathode
from fem_spe.studies.ions.electroneutral import Model
from fem_spe.units import FARADAY

_LEVELS = {"p01": 0.01, "p99": 0.99, "p999": 0.999}

Array = NDArray[np.float64]


def percentiles(model: Model, face: str, density: FaceFlux) -> dict[str, Quantity]:
    """Of the current along `face` over its mean, by area: its largest is singular at edges.

    Collective. Where the electrode's potential is that of the electrolyte the current has no
    bound at an edge that the electrolyte surrounds; its share of the area has.
    """
    weight = _nodal_areas(model, face)
    found: list[float] | None = None
    if model.domain.mesh.comm.rank == 0:
        over = density.density / density.mean
        order = np.argsort(over)
        below = np.cumsum(weight[order])
        places = np.searchsorted(below, np.array(list(_LEVELS.values())) * below[-1])
        found = [float(over[order[min(k, len(order) - 1)]]) for k in places]
    found = model.domain.mesh.comm.bcast(found)
    return {
        f"{name}_current": Quantity(
            value, "", f"current / mean that {100 * level:g} % of {face} stay below"
        )
        for (name, level), value in zip(_LEVELS.items(), found or [], strict=True)
    }


def _nodal_areas(model: Model, face: str) -> Array:
    """The share of a face of each of its nodes, in the order of `FaceFlux`; on rank 0."""
    domain, space = model.domain, model.scalar
    vector = assemble(fem.form(ufl.TestFunction(space) * model.applied.ds(face)))
    areas = np.array(vector.array)
    vector.destroy()
    dofs = domain.face_dofs(space, face)
    dofs = dofs[dofs < len(areas)]
    x = space.tabulate_dof_coordinates()[dofs, : domain.dimension]
    position, found = gather(domain.mesh.comm, x, areas[dofs])
    return np.asarray(found[np.lexsort(position.T[::-1])])


def losses(model: Model, case: Case) -> dict[str, Quantity]:
    """What drives the reactions, and their share of all that drives the current. Collective.

    Shares are those of the power: with V the electrodes' potentials and i what enters there, the
    sum of V I is what reactions take, the integrals of (V - mu) i, and what the bulk takes.
    """
    cell, applied = model.cell, model.applied
    if not cell.laws and model.cathode is None:
        return {}
    volt = cell.salt.thermal_voltage
    current = model.flows()[1]
    lost = {name: _lost(model, name) for name in cell.laws}
    power = sum(lost.values()) + sum(
        model.domain.integrate(model.mu * _entering(model, name) * applied.ds(name))
        for name in cell.laws
    )
    if model.cathode is not None:
        lost, power = _in_volume(model.cathode, lost, power)
    for name in cell.passing:
        if name not in cell.laws:
            ds = applied.ds(name)
            mean = model.domain.integrate(model.mu * ds) / applied.area(name)
            power += mean * current[name]
    told = {
        f"interface_overpotential.{name}": Quantity(
            volt * abs(value / current[name]), "V", f"that drives the reaction at {name}, mean"
        )
        for name, value in lost.items()
        if current[name]
    }
    if power:
        share = sum(lost.values()) / power
        told["interface_share"] = Quantity(share, "", "of the resistance: reactions")
        told["bulk_share"] = Quantity(1.0 - share, "", "of the resistance: all between them")
    return told | _per_footprint(model, case, volt * power)


def _in_volume(
    cathode: Cathode, lost: dict[str, float], power: float
) -> tuple[dict[str, float], float]:
    """`lost` and `power` with those of a porous cathode, without what it gains at rest."""
    reaction, bulk = cathode.losses()
    known = {} if cathode.law is None else {cathode.name: reaction}
    return lost | known, power + reaction + bulk


def _per_footprint(model: Model, case: Case, power: float) -> dict[str, Quantity]:
    """Of a printed electrolyte: the anode's area and the resistance of the cell."""
    part, anode = case.geometry, model.cell.anode
    if not isinstance(part, Printed) or anode is None:
        return {}
    ratio = model.applied.area(anode) / part.footprint
    told = {"interface_area_ratio": Quantity(ratio, "", f"area of {anode} / footprint")}
    if power:
        current = model.current()
        # over F D+ c0, as `power` is
        scaled = current / (model.cell.salt.flux_scale * FARADAY)
        told["area_specific_resistance"] = Quantity(
            power / scaled / current * part.footprint, "ohm m^2", "overpotential / current density"
        )
    return told


def _entering(model: Model, name: str) -> Any:
    """The current density of a reaction over F D+ c0."""
    law, mesh = model.cell.laws[name], model.domain.mesh
    alpha = law.alpha if law.law == "full" else None
    exchange = fem.Constant(mesh, model.applied.exchange(law))
    return butler_volmer(exchange, _driving(model, name), alpha)


def _driving(model: Model, name: str) -> Any:
    value = float(model.applied.potentials[name])
    return fem.Constant(model.domain.mesh, value) - model.mu


def _lost(model: Model, name: str) -> float:
    """What a reaction takes, over RT/F and F D+ c0."""
    entering = _driving(model, name) * _entering(model, name)
    return model.domain.integrate(entering * model.applied.ds(name))

"""What a porous cathode tells: currents on their way, depth profiles, how far it is used."""

from __future__ import annotations

import math

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.geometry.faces import interface_name
from fem_spe.measure.sections import section
from fem_spe.physics.nernst_planck import current
from fem_spe.results import Check, Quantity, Table
from fem_spe.solve.linear import assemble
from fem_spe.studies.ions.cathode import Cathode
from fem_spe.studies.ions.electroneutral import Model
from fem_spe.studies.ions.salt_fields import CONCENTRATION, POTENTIAL, Fields

Array = NDArray[np.float64]

_PASSED = 1e-9  # of the current that may differ between anode, interface and collector
_LOST = 1e-9
_ROUND_OFF = 1e-13  # of the share that is taken
_SECTIONS = 60


def quantities(model: Model, cathode: Cathode) -> dict[str, Quantity]:
    """Numbers of the state that `model` is in. Collective."""
    volt = model.cell.salt.thermal_voltage
    reaction = cathode.reaction()
    mean = cathode.mean(reaction)
    spread = float(np.sqrt(max(cathode.mean((reaction - mean) ** 2), 0.0)))
    name = cathode.name
    told = {
        "reaction_uniformity": Quantity(
            spread / mean, "", f"standard deviation / mean of the reaction in the {name}"
        ),
    }
    if cathode.law is not None and cathode.given.open_circuit is not None:
        anode = next(iter(model.cell.kinetics.values()), None)
        ground = anode[0] if anode is not None else next(iter(model.cell.electrodes.values()))
        told["cell_voltage"] = Quantity(
            volt * (cathode.potential - ground), "V", f"of the {name} against the anode"
        )
    if cathode.uptake is not None:
        start = cathode.given.lithiation or 0.0
        told["utilisation"] = Quantity(
            cathode.lithiation() - start, "", f"charge inserted / capacity of the {name}"
        )
        charge = (cathode.lithiation() - start) * (cathode.given.capacity or 0.0) * cathode.volume
        told["inserted_charge"] = Quantity(
            charge / math.prod(model.domain.size[:-1]), "C/m^2", "per footprint"
        )
        high = float(cathode.points.taken.max(initial=-np.inf))
        low = float(cathode.points.taken.min(initial=np.inf))
        comm = model.domain.mesh.comm
        told["max_lithiation"] = Quantity(max(comm.allgather(high)), "", f"in the {name}")
        told["min_lithiation"] = Quantity(min(comm.allgather(low)), "", f"in the {name}")
    return told


def checks(model: Model, cathode: Cathode) -> dict[str, Check]:
    """What enters the pores is what the solid takes up. Collective."""
    crossing, taken = _through_interface(model, cathode), -cathode.total
    return {"interface_imbalance": Check(abs(crossing / taken - 1.0), _PASSED)}


def inserted(cathode: Cathode, time: float) -> Check:
    """The charge in the solid against what was given in `time` s. Collective."""
    start = cathode.given.lithiation or 0.0
    expected = time / cathode.full_time * (1.0 - start)
    lost = abs(cathode.lithiation() - start - expected)
    return Check(lost / max(expected, _ROUND_OFF / _LOST), _LOST)


def discharge(cathode: Cathode, time: Array, overpotential: Array, taken: Array) -> Table:
    """The course of a discharge, step by step, by its lithiation."""
    found = {"t [s]": time, "lithiation": taken, "overpotential [V]": overpotential}
    if cathode.law is not None and cathode.given.open_circuit is not None:
        found["cell voltage [V]"] = cathode.volt * cathode.law.at_rest(taken) - overpotential
    return found


def _through_interface(model: Model, cathode: Cathode) -> float:
    """Current out of the electrolyte into the pores, by its own residual, over F D+ c0."""
    domain, space = model.domain, model.space
    _, v = ufl.TestFunction(space)
    others = tuple(tag for name, tag in domain.regions.items() if name != cathode.name)
    form = -ufl.inner(current(model.ions, model.c, model.mu), ufl.grad(v)) * domain.dx(others)
    vector = assemble(fem.form(form))
    residual = np.array(vector.array)
    vector.destroy()
    nodes = [
        domain.face_dofs(model.scalar, name)
        for region in domain.regions
        if (name := interface_name(region, cathode.name)) in domain.faces
    ]
    there = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *nodes]))
    there = there[there < len(residual) // 2]
    return -float(domain.mesh.comm.allreduce(float(residual[2 * there + 1].sum())))


def depth(model: Model, cathode: Cathode, fields: Fields) -> Table:
    """Means over sections across the thickness, from the electrolyte's film up. Collective.

    The concentration and the potential are those of all that the electrolyte fills: what is
    printed, and the pores by their share; c is given for both alone, too. Reaction and lithiation
    are those of the cathode, per volume of it.
    """
    domain, name = model.domain, cathode.name
    nodal = {n: fields.functions[n] for n in (CONCENTRATION, POTENTIAL)}
    shown = nodal | cathode.by_cell()
    step = domain.size[2] / _SECTIONS
    heights = domain.origin[2] + step * (np.arange(_SECTIONS) + 0.5)
    share = dict.fromkeys(domain.regions, 1.0) | {name: cathode.given.porosity}
    pores = {name: 1.0}
    solid = {n: 1.0 for n in domain.regions if n != name}
    rows = []
    for z in heights:
        found = section(domain, float(z), shown)
        rows.append(
            [
                z * 1e6,
                *(found.mean(n, share) for n in nodal),
                found.mean(CONCENTRATION, solid),
                found.mean(CONCENTRATION, pores),
                *(found.mean(n, pores) for n in shown if n not in nodal),
            ]
        )
    heads = [
        "z [um]", CONCENTRATION, POTENTIAL,
        "concentration in the print [mol/m^3]", "concentration in the pores [mol/m^3]",
        *(n for n in shown if n not in nodal),
    ]  # fmt: skip
    return dict(zip(heads, np.array(rows).T, strict=True))

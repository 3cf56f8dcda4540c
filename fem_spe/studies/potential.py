"""What a potential means: charges or currents, capacitance, resistance, the largest field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import ufl
from dolfinx import fem

from fem_spe.case.electrostatics import Form
from fem_spe.case.probe import Probe
from fem_spe.domain import Domain
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.measure import path
from fem_spe.measure.bounds import Bounds, bounds
from fem_spe.measure.charge import collected
from fem_spe.measure.flux import along_face, gather
from fem_spe.measure.probe import Follower
from fem_spe.measure.profile import profile
from fem_spe.measure.stress import by_region
from fem_spe.physics import electrostatics as forms
from fem_spe.results import Check, Quantity, Table
from fem_spe.studies.electrodes import Electrodes, Held
from fem_spe.units import VACUUM_PERMITTIVITY

_BALANCE = 1e-10  # relative, of charges or currents, and of both against the energy
# Charges that sit on a conductor at an electrode drive no field: round-off of the energy is then
# told over this part of what they would hold at their whole potential.
_NO_ENERGY = 1e-4
_BOUNDED = {"capacitance", "resistance", "effective_conductivity", "effective_permittivity"}

# what flows: its name, its unit in 2-D and in 3-D, the unit of its density
_FLOWS = {
    "dielectric": ("charge", ("C/m", "C"), "C/m^2"),
    "conduction": ("current", ("A/m", "A"), "A/m^2"),
}


@dataclass(frozen=True)
class State:
    """A solved potential and what it is measured with.

    Attributes:
        u: The potential, V.
        coefficient: Over `scale`, a scalar or one value per axis.
        scale: F/m or S/m.
        residual: a(u, v) - L(v), over `scale`.
    """

    domain: Domain
    data: Electrodes
    held: Held
    u: fem.Function
    coefficient: Any
    scale: float
    residual: fem.Function
    form: Form


@dataclass(frozen=True)
class Balance:
    """Charges or currents and what follows from them."""

    quantities: dict[str, Quantity]
    checks: dict[str, Check]


def balance(state: State) -> Balance:
    """Charges or currents, energy or power, and what follows where two potentials drive.

    Collective.
    """
    domain, data, u = state.domain, state.data, state.u
    what, units, _ = _FLOWS[state.form]
    unit = units[domain.dimension - 2]
    inward = " into the structure" if what == "current" else ""
    parts = [*state.held.electrodes.values(), *state.held.floating]
    sums = [state.scale * q for q in collected(state.residual, parts)]
    flows = dict(zip(state.held.electrodes, sums, strict=False))
    loose = sums[len(flows) :]
    # 2 W = integral of V dQ; the zero of V does not matter where the charges add up to nothing
    low = min(data.potentials.values())
    work = sum((data.potentials[name] - low) * q for name, q in flows.items())
    most = sum(abs(data.potentials[name] * q) for name, q in flows.items())
    found: dict[str, Quantity] = {}
    for name, density in data.given.items():
        size, mean = _over_face(state, name)
        flows[name] = density * size
        work += (mean - low) * flows[name]
        most += abs(mean * flows[name])
        found[f"potential.{name}"] = Quantity(mean, "V", f"mean of {name}")
    told = {
        f"{what}.{name}": Quantity(q, unit, f"total {what}{inward} at {name}")
        for name, q in flows.items()
    }
    largest = max(map(abs, flows.values()))
    checks = {f"{what}_imbalance": Check(_over(sum(flows.values()), largest), _BALANCE)}
    if loose:
        checks[f"floating_{what}"] = Check(_over(max(map(abs, loose)), largest), _BALANCE)
    energy = state.scale * domain.integrate(
        -ufl.inner(forms.flux(u, state.coefficient), ufl.grad(u)) * domain.dx
    )
    checks["energy_difference"] = Check(
        _over(energy - work, max(energy, _NO_ENERGY * most)), _BALANCE
    )
    deep = "/m" if domain.dimension == 2 else ""
    if state.form == "dielectric":
        found["energy"] = Quantity(energy / 2, f"J{deep}", "of the field")
    else:
        found["power"] = Quantity(energy, f"W{deep}", "turned into heat")
    if data.ends is not None:
        found |= _between(state, flows, data.ends[1] - data.ends[0])
    return Balance(found | told, checks)


def _over_face(state: State, name: str) -> tuple[float, float]:
    """Area (m, m^2) of a face that bears given charges or currents, and the mean potential there.

    By the quadrature of the load: on curved facets another one would differ by some 1e-7.
    """
    domain, u = state.domain, state.u
    assert state.held.area is not None
    v = ufl.TestFunction(u.function_space)
    one = fem.Constant(domain.mesh, 1.0)
    weights = fem.assemble_vector(fem.form(one * v * state.held.area(domain.face(name)))).array
    size, moment = (
        domain.mesh.comm.allreduce(float(part)) for part in (weights.sum(), weights @ u.x.array)
    )
    return size, moment / size if size else math.nan


def _over(value: float, size: float) -> float:
    """`value` over `size`, zero where nothing flows at all."""
    return abs(value) / abs(size) if size else 0.0


def _between(state: State, flows: Mapping[str, float], drop: float) -> dict[str, Quantity]:
    """What two potentials that differ by `drop` (V) tell of the structure between them."""
    domain, data = state.domain, state.data
    high = max(data.potentials.values())
    flow = sum(flows[name] for name, value in data.potentials.items() if value == high)
    plane = domain.dimension == 2
    found: dict[str, Quantity] = {}
    if state.form == "dielectric":
        unit = "F/m" if plane else "F"
        found["capacitance"] = Quantity(flow / drop, unit, "charge / potential difference")
    else:
        unit = "ohm m" if plane else "ohm"
        value = drop / flow if flow else math.inf
        found["resistance"] = Quantity(value, unit, "potential difference / current")
    if data.unit_difference:
        length = domain.size[data.axis]
        effective = flow / drop * length / (math.prod(domain.size) / length)
        if state.form == "dielectric":
            found["effective_permittivity"] = Quantity(
                effective / VACUUM_PERMITTIVITY, "", "relative, of the structure"
            )
        else:
            found["effective_conductivity"] = Quantity(effective, "S/m", "of the structure")
    return found


def fields(state: State) -> dict[str, Quantity]:
    """The largest field, the mean one, and the one over the other. Collective."""
    domain = state.domain
    told = {
        region: found
        for region, found in by_region(domain, forms.strength(state.u)).items()
        if region not in state.data.regions
    }
    volume = sum(found.volume for found in told.values())
    mean = sum(found.mean * found.volume for found in told.values()) / volume
    region, most = max(told.items(), key=lambda item: (item[1].maximum, item[1].place))
    quantities = {
        "max_field": Quantity(most.maximum, "V/m", f"largest, at ({most.where}) um in {region}"),
        "mean_field": Quantity(mean, "V/m", "mean of the magnitude outside conductors"),
    }
    if len(told) > 1:
        for name, found in told.items():
            text = f"largest in {name}, at ({found.where}) um"
            quantities[f"max_field.{name}"] = Quantity(found.maximum, "V/m", text)
    if mean:
        quantities["field_enhancement"] = Quantity(
            most.maximum / mean, "", "largest field / mean field"
        )
    return quantities


def limits(state: State, degree: int) -> Bounds | None:
    """Bounds of what a unit difference drives through a section, where there are any."""
    data = state.data
    if state.domain.dimension != 2 or not data.unit_difference or data.floats:
        return None
    low, high = data.potentials
    current = forms.flux(state.u, state.coefficient)
    return bounds(state.domain, current, state.coefficient, (low, high), degree)


def bounded(quantities: dict[str, Quantity], gap: float) -> dict[str, Quantity]:
    """`quantities`, those proportional to the flow with their error."""
    return quantities | {
        name: replace(quantities[name], error=gap * abs(quantities[name].value))
        for name in _BOUNDED & quantities.keys()
    }


def field_lines(state: State, degree: int) -> fem.Function | None:
    """A stream function of the displacement or the current, where there is one. Collective.

    In a plane without conductors inside, of which each would be a source to the lines.
    """
    domain, data = state.domain, state.data
    border = {name for pair in BOX_FACES[2] for name in pair}
    if domain.dimension != 2 or data.floats or not border.issuperset(data.potentials | data.given):
        return None
    return path.stream_function(domain, forms.flux(state.u, state.coefficient), degree)


def tables(state: State, probes: Mapping[str, Probe]) -> dict[str, Table]:
    """The potential across the thickness, what the bottom bears, conductors, probes. Collective."""
    domain, axis = state.domain, state.data.axis
    slices = profile(domain, state.u, axis)
    found: dict[str, Table] = {"potential_profile": slices.columns(axis, " [V]")}
    if "bottom" in state.data.potentials:
        density = along_face(domain, state.residual, "bottom")
        _, _, unit = _FLOWS[state.form]
        name = "surface_charge" if state.form == "dielectric" else "current_density"
        across = range(domain.dimension - 1)
        columns = {f"{'xyz'[k]} [um]": density.position[:, k] * 1e6 for k in across}
        head = f"{name.replace('_', ' ')} [{unit}]"
        found[name] = {**columns, head: state.scale * density.density}
    if state.held.floating:
        found["floating"] = _floating(state)
    return found | Follower(domain, probes, {"potential [V]": state.u}).snapshot()


def _floating(state: State) -> Table:
    """Middle and potential of each conductor that floats, on rank 0."""
    domain, space = state.domain, state.u.function_space
    owned = space.dofmap.index_map.size_local
    x = space.tabulate_dof_coordinates()[:, : domain.dimension]
    count = len(state.held.floating)
    label = np.concatenate([np.full(len(p), k) for k, p in enumerate(state.held.floating)])
    dofs = np.concatenate(state.held.floating)
    label, dofs = label[dofs < owned], dofs[dofs < owned]
    label, x, values = gather(
        domain.mesh.comm, label.astype(np.float64), x[dofs], state.u.x.array[dofs]
    )
    if not len(label):
        return {f"{'xyz'[k]} [um]": np.empty(0) for k in range(domain.dimension)} | {
            "potential [V]": np.empty(0)
        }
    own = label.astype(np.int64)
    number = np.bincount(own, minlength=count)
    # midway between the extremes: nodes may crowd on one side
    low, high = np.full((count, x.shape[1]), np.inf), np.full((count, x.shape[1]), -np.inf)
    np.minimum.at(low, own, x)
    np.maximum.at(high, own, x)
    middle = (low + high) / 2 * 1e6
    order = np.lexsort(middle.T)
    columns = {f"{'xyz'[k]} [um]": middle[order, k] for k in range(x.shape[1])}
    return {**columns, "potential [V]": (np.bincount(own, values, count) / number)[order]}

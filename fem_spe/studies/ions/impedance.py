"""The impedance of a cell at rest, by linearisation: (K + i omega M) x = b as a real system."""

from __future__ import annotations

import math

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.errors import CaseError
from fem_spe.geometry.faces import opposite
from fem_spe.measure.circuit import Circuit, fit
from fem_spe.measure.flux import through
from fem_spe.physics.nernst_planck import storage, transport
from fem_spe.progress import log
from fem_spe.results import Quantity, Table
from fem_spe.solve.linear import Problem, residual_vector
from fem_spe.studies.ions.cell import Cell
from fem_spe.studies.ions.electroneutral import Model
from fem_spe.units import FARADAY

_DECADES = 3  # on both sides of the frequency of diffusion
_BEYOND = 100.0  # times the fastest reaction's frequency, where its arc has ended
_SMOOTH = 30  # points per decade of the fitted curve

Array = NDArray[np.float64]


def require_circuit(driven: Cell) -> None:
    """Raise unless all reactions have a double layer, or none.

    Raises:
        CaseError: where one reaction of two would be an arc and the other one hide in R_b.
    """
    bare = [n for n, (_, law) in driven.kinetics.items() if law.double_layer is None]
    if 0 < len(bare) < len(driven.kinetics):
        raise CaseError(
            f"[boundary.{bare[0]}] kinetics have no double_layer, but those of the other electrode "
            "do; give both or none of them one"
        )


def frequencies(case: Case, model: Model) -> Array:
    """Hz, rising, shape (n,)."""
    assert case.experiment is not None
    asked = case.experiment
    own = 1.0 / (2.0 * math.pi * _diffusion_time(model))
    arcs = [1.0 / (2.0 * math.pi * r * c) for r, c in _arcs(model)]
    low = asked.lowest or own * 10.0**-_DECADES
    high = asked.highest or max([own * 10.0**_DECADES, *(_BEYOND * f for f in arcs)])
    if low >= high:
        raise CaseError(
            f"[experiment] lowest = {low:g} Hz is not below the highest frequency, {high:g} Hz by "
            "default; give both"
        )
    return _spaced(low, high, asked.per_decade)


def _spaced(low: float, high: float, per_decade: int) -> Array:
    count = 1 + math.ceil(per_decade * math.log10(high / low) * (1 - 1e-12))
    return np.geomspace(low, high, max(count, 2))


def _diffusion_time(model: Model) -> float:
    return model.domain.size[-1] ** 2 / (4.0 * model.cell.salt.ambipolar)


def _arcs(model: Model) -> list[tuple[float, float]]:
    """Resistance and capacitance of each reaction with a double layer, ohm m^2 and F/m^2."""
    volt = model.cell.salt.thermal_voltage
    laws = (law for _, law in model.cell.kinetics.values())
    return [(volt / w.exchange_current, w.double_layer) for w in laws if w.double_layer is not None]


def spectrum(case: Case, model: Model) -> tuple[dict[str, Quantity], dict[str, Table]]:
    """Z times area over frequency, and what an experimenter reads from it. Collective.

    The unknowns are real and imaginary part of (c, mu) side by side, shape (4,), about the
    even bulk at rest, whatever the voltages of the case. The current into an electrode is that
    of its reaction, driven by mu, and with a double layer i omega C (V - psi); cations carry both.

    Raises:
        CaseError: if the frequencies asked for do not rise.
    """
    domain, cell, ions = model.domain, model.cell, model.ions
    degree = case.solver.degree or 1
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (4,)))
    rest, v = fem.Function(space), ufl.TestFunction(space)
    omega = fem.Constant(domain.mesh, 0.0)
    # d/dt is i omega: it takes the real part into the imaginary equation, and back with a minus
    balance = storage(ions, omega * rest[0], v[2], domain.dx)
    balance -= storage(ions, omega * rest[2], v[0], domain.dx)
    for k in (0, 2):
        balance += transport(ions, 1 + rest[k], rest[k + 1], v[k], v[k + 1], domain.dx)
    inner = ufl.derivative(balance, rest, ufl.TrialFunction(space))
    whole, load, bcs = inner, fem.Constant(domain.mesh, 0.0) * v[0] * domain.dx, []
    high, low = [*cell.electrodes, *cell.kinetics]
    for name, voltage in ((high, 1.0), (low, 0.0)):
        if name in cell.electrodes:
            for k, value in ((1, voltage), (3, 0.0)):
                part = space.sub(k)
                bcs.append(fem.dirichletbc(value, domain.face_dofs(part, name), part))
            continue
        exchange = fem.Constant(domain.mesh, model.applied.exchange(cell.kinetics[name][1]))
        u, ds = ufl.TrialFunction(space), model.applied.ds(name)
        whole += exchange * (u[1] * v[1] + u[3] * v[3]) * ds
        load += voltage * exchange * v[1] * ds
        capacitance = cell.kinetics[name][1].double_layer
        if capacitance is not None:
            charged = cell.salt.thermal_voltage * capacitance / (FARADAY * cell.salt.concentration)
            rate = omega * fem.Constant(domain.mesh, charged)
            real_psi, imaginary_psi = (u[k + 1] - u[k] / ions.cation for k in (0, 2))
            whole += rate * (real_psi * v[3] - imaginary_psi * v[1]) * ds
            load += voltage * rate * v[3] * ds
    problem = Problem(
        whole, load, space, tuple(bcs), case.solver.rtol, "direct-newton", "impedance"
    )
    _, real = space.sub(1).collapse()
    _, imaginary = space.sub(3).collapse()
    size, unit = domain.size, cell.salt.thermal_voltage / (FARADAY * cell.salt.flux_scale)
    axis = opposite(domain.dimension, high)
    area = math.prod(size) / (size[-1] if axis is None else size[axis[0]])
    found = []
    asked = frequencies(case, model)
    for frequency in asked:
        omega.value = 2.0 * math.pi * frequency / cell.salt.cation.diffusivity
        answer = residual_vector(inner, None, problem.direct()).x.array
        parts = (model.scalar_function(answer[k]) for k in (real, imaginary))
        into = complex(*(through(domain, part, [high])[high] for part in parts))
        found.append(unit * area / into)
    z = np.array(found)
    told = {
        "high_frequency_resistance": Quantity(
            float(z[-1].real), "ohm m^2", f"Re Z times area at {asked[-1]:.4g} Hz"
        ),
        "low_frequency_resistance": Quantity(
            float(z[0].real), "ohm m^2", f"Re Z times area at {asked[0]:.4g} Hz"
        ),
    }
    more, tables = _fitted(model, asked, z, domain.size[-1] if axis is None else size[axis[0]])
    return told | more, {"impedance": _table(asked, z), **tables}


def _fitted(
    model: Model, frequency: Array, z: NDArray[np.complex128], length: float
) -> tuple[dict[str, Quantity], dict[str, Table]]:
    """The elements of the circuit, and its curve."""
    salt, arcs = model.cell.salt, _arcs(model)
    if len(arcs) == 2 and math.isclose(*(math.prod(arc) for arc in arcs), rel_tol=1e-9):
        # arcs of one frequency are one arc
        total = sum(r for r, _ in arcs)
        arcs = [(total, math.prod(arcs[0]) / total)]
    bulk = length / salt.conductivity
    diffusion = bulk * (1.0 - salt.transference) / salt.transference
    found = fit(frequency, z, Circuit(bulk, tuple(arcs), diffusion, _diffusion_time(model)))
    if found is None:
        log.warning("%d frequencies are too few to fit a circuit", len(frequency))
        return {}, {}
    area = "of the fitted circuit, times area"
    told = {
        "diffusion_resistance": Quantity(found.diffusion, "ohm m^2", f"R_W {area}"),
        "diffusion_time": Quantity(found.time, "s", "tau of R_W, of the fitted circuit"),
        "circuit_misfit": Quantity(
            found.misfit(frequency, z), "", "largest |Z of the circuit / Z - 1|"
        ),
    }
    if arcs:
        told["charge_transfer_resistance"] = Quantity(
            found.charge_transfer, "ohm m^2", f"R_ct of both electrodes {area}"
        )
    if arcs or not model.cell.kinetics:
        # else R_b and R_ct are one number
        told["bulk_resistance"] = Quantity(found.bulk, "ohm m^2", f"R_b {area}")
        told["effective_conductivity"] = Quantity(
            length / found.bulk, "S/m", "thickness / (R_b times area)"
        )
    smooth = _spaced(frequency[0], frequency[-1], _SMOOTH)
    return told, {"impedance_fit": _table(smooth, found.impedance(smooth))}


def _table(frequency: Array, z: NDArray[np.complex128]) -> Table:
    return {"f [Hz]": frequency, "Re Z [ohm m^2]": z.real, "-Im Z [ohm m^2]": -z.imag}

"""The impedance of a cell at rest, by linearisation: (K + i omega M) x = b as a real system."""

from __future__ import annotations

import math

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.geometry.faces import opposite
from fem_spe.measure.flux import through
from fem_spe.physics.nernst_planck import storage, transport
from fem_spe.results import Quantity, Table
from fem_spe.solve.linear import Problem, residual_vector
from fem_spe.studies.electroneutral import Model
from fem_spe.units import FARADAY

_DECADES = 3  # on both sides of the frequency of diffusion


def frequencies(case: Case, model: Model) -> NDArray[np.float64]:
    """Hz, rising, shape (n,)."""
    assert case.experiment is not None
    asked, salt = case.experiment, model.cell.salt
    tau = model.domain.size[-1] ** 2 / (4.0 * salt.ambipolar)
    own = 1.0 / (2.0 * math.pi * tau)
    low = asked.lowest or own * 10.0**-_DECADES
    high = asked.highest or own * 10.0**_DECADES
    count = 1 + math.ceil(asked.per_decade * math.log10(high / low) * (1 - 1e-12))
    return np.geomspace(low, high, max(count, 2))


def spectrum(case: Case, model: Model) -> tuple[dict[str, Quantity], Table]:
    """Z times area over frequency, and the resistances that it tends to. Collective.

    The unknowns are real and imaginary part of (c, mu) side by side, shape (4,), about the
    even bulk at rest, whatever the voltages of the case.
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
    table = {"f [Hz]": asked, "Re Z [ohm m^2]": z.real, "-Im Z [ohm m^2]": -z.imag}
    return told, table

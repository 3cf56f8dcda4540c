"""The phase-field front against closed forms: at rest, curved, and driven."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI

from fem_spe.domain import Domain
from fem_spe.exact import phase_field as exact
from fem_spe.geometry import Box
from fem_spe.materials.deposition import Deposition, deposition
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.physics import phase_field as pf
from fem_spe.solve.bdf import Array, Rate
from fem_spe.solve.march import march, start
from fem_spe.solve.snes import Newton
from fem_spe.studies.dendrites.model import Model, numbers
from fem_spe.verify.row import Row, compared

_UM = 1e-6
_ROOM = 298.0  # K
_UNDRIVEN = "Allen & Cahn 1979"
_LAW = "Liang et al. 2012, with the local c and overpotential"


class _Alone:
    """The order parameter without reaction."""

    def __init__(self, domain: Domain, metal: Deposition) -> None:
        mesh, dx = domain.mesh, domain.dx
        self.numbers = n = numbers(domain, replace(metal, exchange_current=0.0), _ROOM)
        space = fem.functionspace(mesh, ("Lagrange", 1))
        self.phi, self.rest = fem.Function(space), fem.Function(space)
        self.owned = space.dofmap.index_map.size_local
        self.weight, zero = fem.Constant(mesh, 0.0), fem.Constant(mesh, 0.0)
        rate, v = self.weight * self.phi + self.rest, ufl.TestFunction(space)
        form = _UM**-2 * pf.phase_form(n, self.phi, rate, zero, zero, v, dx)
        self.newton = Newton([form], [self.phi], [], "direct", "phase")
        self.area, self.energy = fem.form(self.phi * dx), fem.form(pf.energy(n, self.phi, dx))
        self.comm, self.mobility = mesh.comm, metal.mobility

    def advance(self, time: float, rate: Rate, guess: Array) -> Array:
        self.weight.value = rate.weight
        for function, values in ((self.rest, rate.rest), (self.phi, guess)):
            function.x.array[: self.owned] = values
            function.x.scatter_forward()
        self.newton.solve()
        return np.array(self.phi.x.array[: self.owned])

    def relax(self, end: float, *, rtol: float = 1e-4) -> Iterator[float]:
        """The times of the steps up to `end`, s; phi is then that of the step."""
        values = np.array(self.phi.x.array[: self.owned])
        for step, _ in march(
            self.advance, start(values, 1e-4), marks=[end], progress=lambda time, _: time,
            tolerance=1e-12 * end, rtol=rtol, culprit=lambda _: "the order parameter",
            norm=lambda e: self.comm.allreduce(float(np.abs(e).max(initial=0.0)), op=MPI.MAX),
        ):  # fmt: skip
            yield step.time

    def total(self, form: fem.Form) -> float:
        return float(self.comm.allreduce(fem.assemble_scalar(form)))


def _box(width: float, height: float, size: float) -> Domain:
    """Of lengths in m, in cells of `size`."""
    return build(MPI.COMM_WORLD, MeshPlan(Box(size=(width, height)), Sizes(size, size, 1)))


def front_at_rest() -> Iterator[Row]:
    """Profile and energy of a plane front."""
    metal = replace(deposition("A"), anisotropy=0.0)
    cell, height = metal.interface_width / 6.0, 20 * _UM
    domain = _box(cell, height, cell)
    front = _Alone(domain, metal)
    # a ramp of the same width, which finds its form
    front.phi.interpolate(
        lambda x: np.clip(0.5 - (x[1] - height / 2) / metal.interface_width, 0.0, 1.0)
    )
    for _ in front.relax(20.0):
        pass
    y = front.phi.function_space.tabulate_dof_coordinates()[:, 1]
    phi = front.phi.x.array
    middle = y - front.total(front.area) / cell
    error = float(np.abs(phi - exact.profile(middle, metal.interface_width)).max())
    yield Row("front at rest: profile, h = delta/6", error, 0.0, error, 5e-3, _UNDRIVEN)
    # the energy is over l0 = 1 um in its gradients, and integrated in m
    energy = front.total(front.energy) / cell / metal.mobility
    expected = exact.surface_energy(metal.barrier, metal.gradient_energy)
    yield compared("front at rest: energy, J/m^2", energy, expected, 5e-3, _UNDRIVEN)


def shrinking_circle() -> Iterator[Row]:
    """dA/dt of a quarter of a circle from a radius of 8 to one of 6 um."""
    metal = replace(deposition("A"), anisotropy=0.0)
    big, small = 8 * _UM, 6 * _UM
    front = _Alone(_box(11 * _UM, 11 * _UM, metal.interface_width / 12.0), metal)
    front.phi.interpolate(
        lambda x: exact.profile(np.hypot(x[0], x[1]) - big, metal.interface_width)
    )
    shrinks = -exact.circle_area(0.0, metal.mobility, metal.gradient_energy, 1.0)
    end = np.pi * (big**2 - small**2) / shrinks
    area = [4 * front.total(front.area)]
    times = [0.0]
    for time in front.relax(end, rtol=1e-3):
        times.append(time)
        area.append(4 * front.total(front.area))
    late = np.array(times) > 0.2 * end  # the profile of a plane front must first bend
    speed = -np.polyfit(np.array(times)[late], np.array(area)[late], 1)[0]
    name = "shrinking circle: dA/dt, um^2/s"
    yield compared(name, speed / _UM**2, shrinks / _UM**2, 2e-2, _UNDRIVEN)


def energy_falls() -> Iterator[Row]:
    """The energy of a field of chance, anisotropic, without drive."""
    metal = deposition("A")
    front = _Alone(_box(12 * _UM, 12 * _UM, metal.interface_width / 4.0), metal)
    drawn = np.random.default_rng(0).random(len(front.phi.x.array))
    front.phi.x.array[:] = drawn
    energies = [front.total(front.energy)]
    energies += [front.total(front.energy) for _ in front.relax(5.0, rtol=5e-3)]
    rise = float(np.max(np.diff(energies)) / energies[0])
    left = energies[-1] / energies[0]
    name = "no drive: largest rise of energy in a step"
    yield Row(name, rise, 0.0, max(rise, 0.0), 0.0, "theory")
    yield Row("no drive: energy left after 5 s", left, 0.0, left, 0.2, "phases separate")


def planar_law() -> Iterator[Row]:
    """Speed of a plane front against Butler-Volmer with what it meets."""
    for voltage, per_width, limit in (
        (-0.05, 6, 1e-2), (-0.1, 6, 1e-2), (-0.2, 6, 1e-2), (-0.45, 6, 3e-2),
        (-0.05, 12, 5e-3), (-0.1, 12, 5e-3), (-0.2, 12, 5e-3), (-0.45, 12, 3e-2),
    ):  # fmt: skip
        speed, expected = planar(voltage, per_width)
        name = f"planar front, {voltage:g} V, h = delta/{per_width}: um/s"
        yield compared(name, speed / _UM, expected / _UM, limit, _LAW)


def planar(voltage: float, per_width: int) -> tuple[float, float]:
    """Speed of a plane front in a cell of 40 um, and that of the law, m/s.

    Both are means over the second half of a deposit of 3 um: a front on a mesh goes by cells.

    Args:
        voltage: V.
        per_width: Cells per interface width.
    """
    metal = deposition("A")
    cell, height = metal.interface_width / per_width, 40 * _UM
    domain = _box(cell, height, cell)
    model = Model(domain, metal, voltage=voltage, temperature=_ROOM, method="monolithic")
    values = model.start(4 * _UM)
    begun = model.total(values, 0)
    charge = 3.0 * metal.charge_density * _UM
    deposit = model.total(values, 4)
    n = model.numbers
    u = model.u + voltage / model.thermal
    slope = ufl.sqrt(ufl.inner(n.grad(model.phi), n.grad(model.phi)) + 1e-30)
    weight = pf.front(model.phi) * slope
    reaction = fem.form(weight * pf.reaction(n, model.y, u) * n.integral(domain.dx))
    whole = fem.form(weight * n.integral(domain.dx))
    times, places, laws = [], [], []
    gradient = metal.gradient_energy * (1.0 + metal.anisotropy)  # across y, cos(4 theta) = 1
    width = exact.width(metal.barrier, gradient)
    for step, _ in march(
        model.advance, start(values, 1e-3), marks=[charge], rtol=2e-4, norm=model.norm,
        progress=lambda _, v: model.charge(v, deposit), tolerance=1e-3 * charge,
        culprit=model.culprit,
    ):  # fmt: skip
        times.append(step.time)
        places.append((model.total(step.values, 0) - begun) * _UM**2 / cell)
        mean = fem.assemble_scalar(reaction) / fem.assemble_scalar(whole)
        laws.append(exact.planar_speed(width, metal.reaction_rate, mean))
    t, law = np.array(times), np.array(laws)
    late = np.array(places) > 0.5 * places[-1]
    t, law, place = t[late], law[late], np.array(places)[late]
    went = float(np.sum((law[1:] + law[:-1]) / 2 * np.diff(t)))
    span = float(t[-1] - t[0])
    return float(place[-1] - place[0]) / span, went / span

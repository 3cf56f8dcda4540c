"""The discrete deposit: unknowns, forms, and the solves of one time step."""

from __future__ import annotations

from typing import Literal

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.exact import phase_field as exact
from fem_spe.materials.deposition import Deposition
from fem_spe.physics import phase_field as pf
from fem_spe.solve.bdf import Rate
from fem_spe.solve.linear import assemble
from fem_spe.solve.snes import Newton
from fem_spe.units import FARADAY, GAS_CONSTANT

Array = NDArray[np.float64]
Method = Literal["monolithic", "segregated"]

MONOLITHIC_LIMIT = 10_000  # unknowns above which one field after the other is faster
ANODE, COUNTER = "bottom", "top"
_UNIT = 1e-6  # m, l0 of the normalised equations
_OF_SALT = 0.1  # of a change of ln c counts as one of phi
_NAMES = ("order parameter", "concentration", "potential")


class Model:
    """Order parameter, ln(c / c0) and potential over RT/F of a deposit, and what they store.

    The values that are led through time are, at the owned nodes, phi, y, u, the lithium m + r q
    and the deposit q, and behind them the lithium and the charge that have come in so far.

    The potential is that above the anode's: it hardly varies in the metal, whose conductivity would
    make noise of the round-off of a larger number.

    Attributes:
        phi, y, u: The unknowns as functions, piecewise linear.
        mobile: m over c0, to be interpolated.
        owned: Nodes of this rank.
        method: How a step is solved.
        charge_rate: What came in through both electrodes in the last step, over F c_Li.
    """

    def __init__(
        self,
        domain: Domain,
        metal: Deposition,
        *,
        voltage: float,
        temperature: float,
        method: Method | None = None,
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.domain, self.metal, self.noise, self.seed = domain, metal, noise, seed
        self.thermal = GAS_CONSTANT * temperature / FARADAY
        self.voltage = voltage
        mesh = domain.mesh
        self._drive = fem.Constant(mesh, voltage / self.thermal)
        self.space = fem.functionspace(mesh, ("Lagrange", 1))
        self.owned = int(self.space.dofmap.index_map.size_local)
        self.num_dofs = 3 * int(self.space.dofmap.index_map.size_global)
        small = self.num_dofs <= MONOLITHIC_LIMIT
        self.method: Method = method or ("monolithic" if small else "segregated")
        self.numbers = numbers(domain, metal, temperature)
        # of one numbering, but told apart where conditions are put into blocks
        self._spaces = (self.space, self.space.clone(), self.space.clone())
        self.phi, self.y, self.u = (fem.Function(space) for space in self._spaces)
        self._rests = [fem.Function(self.space) for _ in range(3)]
        self._weight = fem.Constant(mesh, 0.0)
        self._kick = fem.Function(self.space)
        # over l0^2 (l0^3): integrals are then of order one
        self._per = fem.Constant(mesh, _UNIT**-domain.dimension)
        self._step, self._time, self.charge_rate = 0, 0.0, 0.0
        self._conditions()
        self._forms()
        n = self.numbers
        points = self.space.element.interpolation_points
        self._lithium = fem.Expression(pf.lithium(n, self.phi, self.y), points)
        self._deposited = fem.Expression(pf.deposited(self.phi, self.y), points)
        self.mobile = fem.Expression(pf.mobile(n, self.phi, self.y), points)
        self._scratch = fem.Function(self.space)
        v = ufl.TestFunction(self.space)
        weights = assemble(fem.form(self._per * v * n.nodal(domain.dx)))
        self.volumes = np.array(weights.array)  # of the owned nodes, um^2
        weights.destroy()

    def _conditions(self) -> None:
        """Potentials at both electrodes, the electrolyte's concentration at the counter one."""
        domain, (_, of_y, of_u) = self.domain, self._spaces
        self._dofs = {name: domain.face_dofs(self.space, name) for name in (ANODE, COUNTER)}
        zero = fem.Constant(domain.mesh, 0.0)
        top = fem.Constant(domain.mesh, -self.voltage / self.thermal)
        self._salt = [fem.dirichletbc(zero, self._dofs[COUNTER], of_y)]
        self._electrodes = [
            fem.dirichletbc(top, self._dofs[COUNTER], of_u),
            fem.dirichletbc(zero, self._dofs[ANODE], of_u),
        ]

    def _forms(self) -> None:
        n, dx = self.numbers, self.domain.dx
        phi, y, w = self.phi, self.y, self._weight
        u = self.u + self._drive
        tests = [ufl.TestFunction(space) for space in self._spaces]
        stored = (phi, pf.lithium(n, phi, y), pf.deposited(phi, y))
        of_phi, of_m, of_q = (w * s + r for s, r in zip(stored, self._rests, strict=True))
        phase = pf.phase_form(n, phi, of_phi, y, u, tests[0], dx)
        if self.noise:
            phase += pf.noise_form(n, phi, y, u, self._kick, tests[0], dx)
        mass = pf.lithium_form(n, phi, y, of_m, u, tests[1], dx)
        charge = pf.charge_form(n, phi, y, of_q, u, tests[2], dx)
        self.residuals = [self._per * form for form in (phase, mass, charge)]
        near = self._near(ANODE, COUNTER)
        self._inflow = [
            fem.form(self._per * pf.lithium_form(n, phi, y, of_m, u, tests[1], near)),
            fem.form(self._per * pf.charge_form(n, phi, y, of_q, u, tests[2], near)),
        ]
        unknowns, name = (phi, y, self.u), "dendrite"
        if self.method == "monolithic":
            bcs = [*self._salt, *self._electrodes]
            self._solvers = [Newton(self.residuals, unknowns, bcs, "direct", name)]
            return
        self._solvers = [
            Newton([residual], [unknown], bcs, preset, f"{name}_{key}")
            for residual, unknown, bcs, preset, key in zip(
                self.residuals, unknowns, ([], self._salt, self._electrodes),
                ("local", "transport", "potential"), ("phase", "salt", "potential"), strict=True,
            )
        ]  # fmt: skip

    def _near(self, *faces: str) -> ufl.Measure:
        """Over the cells that touch `faces`: no others tell what comes in there."""
        mesh, dofs = self.domain.mesh, np.concatenate([self._dofs[face] for face in faces])
        many = mesh.topology.index_map(mesh.topology.dim).size_local
        touch = np.isin(self.space.dofmap.list[:many], dofs).any(axis=1)
        cells = np.flatnonzero(touch).astype(np.int32)
        return ufl.Measure("dx", domain=mesh, subdomain_data=[(1, cells)], subdomain_id=1)

    def destroy(self) -> None:
        """Free what the solvers hold. Collective."""
        for solver in self._solvers:
            solver.destroy()

    def start(self, layer: float) -> Array:
        """The values with `layer` (m) of lithium on the anode, even salt above it. Collective."""
        low, high = self.domain.origin[-1], self.domain.origin[-1] + self.domain.size[-1]
        axis = self.domain.dimension - 1
        width = self.metal.interface_width

        def drop(x: Array) -> Array:
            passed = np.clip((x[axis] - low - layer) / (high - low - layer), 0.0, 1.0)
            return np.asarray(-self.voltage / self.thermal * passed)

        self.phi.interpolate(lambda x: exact.profile(x[axis] - low - layer, width))
        self.y.x.array[:] = 0.0
        self.u.interpolate(drop)
        if self.method == "segregated":
            # salt would follow a drop that knows of no fibre, before the potential is solved for
            self._weight.value = 0.0
            for rest in self._rests:
                rest.x.array[:] = 0.0
            self._solvers[-1].solve()
        return self.values(np.zeros(2))

    def values(self, inflow: Array) -> Array:
        """What is led through time, of the unknowns as they are."""
        whole = [f.x.array[: self.owned] for f in (self.phi, self.y, self.u)]
        for expression in (self._lithium, self._deposited):
            self._scratch.interpolate(expression)
            whole.append(self._scratch.x.array[: self.owned].copy())
        return np.concatenate([*whole, inflow])

    def part(self, values: Array, k: int) -> Array:
        """The nodal field `k` of `values`: phi, y, u, lithium, deposit."""
        return values[k * self.owned : (k + 1) * self.owned]

    def restore(self, values: Array) -> None:
        """Make the unknowns those of `values`. Collective."""
        for k, function in enumerate((self.phi, self.y, self.u)):
            function.x.array[: self.owned] = self.part(values, k)
            function.x.scatter_forward()

    def advance(self, time: float, rate: Rate, guess: Array) -> Array:
        """The values at the end of a step, as `march` asks for. Collective.

        Raises:
            ConvergenceError: if there are none.
        """
        self.restore(guess)
        self._weight.value = rate.weight
        for rest, k in zip(self._rests, (0, 3, 4), strict=True):
            rest.x.array[: self.owned] = self.part(rate.rest, k)
            rest.x.scatter_forward()
        if self.noise:
            self._shake(time - self._time)
        if self.method == "monolithic":
            self._solvers[0].solve()
            lithium = self._enters(0, COUNTER)
        else:
            phase, salt, potential = self._solvers
            phase.solve()
            salt.solve()
            lithium = self._enters(0, COUNTER)  # in the field that carried it
            potential.solve()
        self.charge_rate = self._enters(1, COUNTER, ANODE)
        inflow = (np.array([lithium, self.charge_rate]) - rate.rest[-2:]) / rate.weight
        return self.values(inflow)

    def _enters(self, k: int, *faces: str) -> float:
        """What comes in through `faces` per second: lithium over c0 (0), charge over beta (1)."""
        vector = assemble(self._inflow[k])
        dofs = np.concatenate([self._dofs[face] for face in faces])
        total = float(vector.array[dofs[dofs < self.owned]].sum())
        vector.destroy()
        return float(self.domain.mesh.comm.allreduce(total))

    def current(self) -> float:
        """What deposited in the last step, A/m in 2-D."""
        return self.metal.charge_density * _UNIT**self.domain.dimension * self.charge_rate

    def _shake(self, size: float) -> None:
        """White noise in space and time: of variance noise^2 / (dt V) at a node of volume V.

        Drawn for the nodes of the file, so that it does not depend on the ranks. Whatever formula
        the step of `size` dt has, a rate that acts in it alone moves the field by dt times the rate
        in the end.
        """
        index = self.domain.mesh.geometry.input_global_indices
        many = self.domain.mesh.comm.allreduce(int(index.max(initial=-1)), op=MPI.MAX) + 1
        drawn = np.random.default_rng([self.seed, self._step]).standard_normal(many)
        nodes = self.domain.mesh.geometry.dofmaps[0].ravel()
        dofs = self.space.dofmap.list.ravel()
        at = np.zeros(len(self._kick.x.array))
        at[dofs] = drawn[index[nodes]]
        self._kick.x.array[: self.owned] = (
            self.noise * at[: self.owned] / np.sqrt(size * self.volumes)
        )
        self._kick.x.scatter_forward()

    def accepted(self, time: float) -> None:
        """A step was taken, to `time` (s): the next one has noise of its own."""
        self.resume(self._step + 1, time)

    def resume(self, steps: int, time: float) -> None:
        """So many steps were taken, to `time` (s)."""
        self._step, self._time = steps, time

    def norm(self, difference: Array) -> float:
        """Largest change of phi, or a tenth of that of ln c, at a node; infinite for no number."""
        own = [
            share * np.abs(self.part(difference, k)).max(initial=0.0)
            for k, share in ((0, 1.0), (1, _OF_SALT))
        ]
        largest = float(np.nan_to_num(np.max(own), nan=np.inf))  # a maximum may pass over NaN
        return float(self.domain.mesh.comm.allreduce(largest, op=MPI.MAX))

    def total(self, values: Array, k: int) -> float:
        """The integral of a nodal field, um^2 or um^3. Collective."""
        own = float(self.part(values, k) @ self.volumes)
        return float(self.domain.mesh.comm.allreduce(own))

    def charge(self, values: Array, start: float) -> float:
        """Deposited since the integral of q was `start`, C/m^2 of the anode's plan. Collective."""
        plan = float(np.prod(self.domain.size[:-1])) / _UNIT ** (self.domain.dimension - 1)
        thickness = (self.total(values, 4) - start) / plan * _UNIT
        return self.metal.charge_density * thickness

    def culprit(self, errors: Array | None) -> str:
        """What and where the largest error is; with None, where Newton's method stands."""
        if errors is None:
            found = [assemble(fem.form(r)) for r in self.residuals]
            fields = [np.abs(f.array) for f in found]
            for k in (1, 2):
                for dofs in self._dofs.values():
                    if k == 2 or dofs is self._dofs[COUNTER]:
                        fields[k][dofs[dofs < self.owned]] = 0.0
            for vector in found:
                vector.destroy()
            what = "no solution was found, the largest residual is that of the"
        else:
            fields = [np.abs(self.part(errors, 0)), _OF_SALT * np.abs(self.part(errors, 1))]
            what = "the largest error is that of the"
        x = self.space.tabulate_dof_coordinates()
        own = []
        for name, field in zip(_NAMES, fields, strict=False):
            if len(field):
                k = int(np.argmax(np.nan_to_num(field, nan=np.inf)))
                own.append((float(field[k]), name, tuple(1e6 * x[k])))
        worst = max(w for ws in self.domain.mesh.comm.allgather(own) for w in ws)
        place = ", ".join(f"{c:.4g}" for c in worst[2][: self.domain.dimension])
        return f"{what} {worst[1]} at ({place}) um"


def numbers(domain: Domain, metal: Deposition, temperature: float) -> pf.Numbers:
    """The coefficients of the weak forms as constants of the mesh."""
    beta = FARADAY**2 * metal.metal_concentration / (GAS_CONSTANT * temperature)  # S s/m^3
    square = _UNIT**2
    values = {
        "barrier": metal.mobility * metal.barrier,
        "stiffness": metal.mobility * metal.gradient_energy / square,
        "reaction": metal.reaction_rate,
        "alpha": metal.alpha,
        "anisotropy": metal.anisotropy,
        "d_liquid": metal.diffusivity / square,
        "d_metal": metal.metal_diffusivity / square,
        "s_liquid": metal.conductivity / beta / square,
        "s_metal": metal.metal_conductivity / beta / square,
        "ratio": metal.ratio,
        "length": _UNIT,
    }
    constants = {name: fem.Constant(domain.mesh, value) for name, value in values.items()}
    return pf.Numbers(**constants, mode=metal.anisotropy_mode)

"""The discrete cell with charged layers: forms, Newton's and Gummel's iterations, flows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from ufl.geometry import FacetJacobianDeterminant

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.geometry.faces import opposite
from fem_spe.measure.flux import through
from fem_spe.physics.poisson_nernst_planck import charge, poisson, transport
from fem_spe.progress import log
from fem_spe.solve.linear import assemble
from fem_spe.solve.newton import Newton
from fem_spe.studies.ions.walls import Walls

_SETTLED = 1e-8  # RT/F: change of an unknown below which a solution is found, and corrected again
_SWEEPS = 60  # of Gummel's iteration
_UNBALANCED = 1e-9  # of given fluxes and charges

Array = NDArray[np.float64]


class Model:
    """The unknowns mu of each ion and psi, over RT/F, and the forms that bind them.

    Time enters by concentrations at quadrature points: what is stored is then what was stored
    before, to round-off, whatever the elements make of an exponential.

    Attributes:
        u: The unknowns, in blocks of an ion each and psi last; zero is the even bulk at rest.
        weight, rest: The rate of c is `weight` c + `rest`, over D, 1/m^2; `rest` at quadrature
            points.
        level: Share of the data that is applied.
        inner: Form whose value at a boundary node is what enters there: ions and charge.
        methods: By which the steps so far were solved.
    """

    def __init__(self, case: Case, domain: Domain, walls: Walls) -> None:
        self.domain, self.walls, mesh = domain, walls, domain.mesh
        degree = case.solver.degree or 1
        # constants, so that forms are compiled once for all ions
        self.ions = [
            replace(
                ion,
                diffusivity=fem.Constant(mesh, ion.diffusivity),
                share=fem.Constant(mesh, ion.share),
            )
            for ion in walls.bulk.ions
        ]
        count = len(self.ions)
        self.space = fem.functionspace(mesh, ("Lagrange", degree, (count + 1,)))
        self.num_dofs = (count + 1) * int(self.space.dofmap.index_map.size_global)
        self.owned = (count + 1) * int(self.space.dofmap.index_map.size_local)
        parts = [self.space.sub(k).collapse() for k in range(count + 1)]
        self.scalar = parts[0][0]
        self._dofs = [np.ravel(dofs).astype(np.int32) for _, dofs in parts]
        self.u = fem.Function(self.space)
        self.mu, self.psi = [self.u[k] for k in range(count)], self.u[count]

        points = 2 * degree + 2
        element = basix.ufl.quadrature_element(mesh.basix_cell(), (count,), degree=points)
        store = fem.functionspace(mesh, element)
        self.rest, self._stored = fem.Function(store), fem.Function(store)
        self.stored = int(store.dofmap.index_map.size_local) * count
        self.c = [i.concentration(m, self.psi) for i, m in zip(self.ions, self.mu, strict=True)]
        self._sample = fem.Expression(ufl.as_vector(self.c), store.element.interpolation_points)
        self.weight = fem.Constant(mesh, 0.0)
        self.level = fem.Constant(mesh, 1.0)

        self.dx = domain.dx(metadata={"quadrature_degree": points})
        test = ufl.TestFunction(self.space)
        fixed = fem.Constant(mesh, walls.bulk.fixed / walls.bulk.concentration)
        self.density = charge(self.ions, self.mu, self.psi, fixed)
        debye = fem.Constant(mesh, walls.bulk.debye)
        self.inner = poisson(self.density, self.psi, debye, test[count], self.dx)
        self.rates = [self.weight * c + self.rest[k] for k, c in enumerate(self.c)]
        for k, (ion, mu) in enumerate(zip(self.ions, self.mu, strict=True)):
            self.inner += self.rates[k] * test[k] * self.dx
            self.inner += transport(ion, mu, self.psi, test[k], self.dx)
        self._inner_form = fem.form(self.inner)
        self._values: list[tuple[fem.Constant, float]] = []
        self._require_balance()
        self._newtons(self._load(test), self._boundary_values())
        self._totals = [fem.form(c * self.dx) for c in self.c]
        self.rate_forms = [fem.form(rate * self.dx) for rate in self.rates]
        self.moved_forms = [fem.form(abs(rate) * self.dx) for rate in self.rates]
        self.charge_form = fem.form(self.density * self.dx)
        self.volume = domain.integrate(1.0 * domain.dx)
        self.thinnest = min(thickness(domain, name) for name in walls.faces)
        self.at_rest = [self.total(form) for form in self._totals]
        self.methods: dict[str, int] = {}

    def _newtons(self, load: Any, bcs: list[fem.DirichletBC]) -> None:
        """Newton's method for all unknowns, for psi alone, and for the ions alone."""
        self._held = [fem.Function(self.scalar) for _ in self._dofs]
        alike = np.arange(len(self._held[0].x.array), dtype=np.int32)
        held = [
            fem.dirichletbc(value, [dofs, alike], self.space.sub(k))
            for k, (value, dofs) in enumerate(zip(self._held, self._dofs, strict=True))
        ]

        def newton(*more: fem.DirichletBC) -> Newton:
            return Newton(
                self.inner, load, self.u, (*more, *bcs), 1e-10, "direct", "nernst_planck",
                settled=_SETTLED,
            )  # fmt: skip

        self.newton = newton()
        self._potential_alone = newton(*held[:-1])
        self._ions_alone = newton(held[-1])

    def _boundary_values(self) -> list[fem.DirichletBC]:
        walls, last = self.walls, len(self.ions)
        found: list[fem.DirichletBC] = []

        def fix(part: int, name: str, value: float) -> None:
            constant = fem.Constant(self.domain.mesh, value)
            self._values.append((constant, value))
            own = self.space.sub(part)
            found.append(fem.dirichletbc(constant, self.domain.face_dofs(own, name), own))

        for name, psi in walls.potentials.items():
            fix(last, name, psi)
        for name, logs in walls.reservoirs.items():
            for k, log_c in enumerate(logs):
                fix(k, name, log_c + self.ions[k].charge * walls.potentials[name])
        for name, value in walls.electrodes.items():
            assert walls.bulk.cation is not None
            fix(walls.bulk.cation, name, self.ions[walls.bulk.cation].charge * value)
        if not walls.grounded:
            found.append(self._anchor())
        return found

    def _anchor(self) -> fem.DirichletBC:
        """psi = 0 in the first node, on all ranks that hold it."""
        local = self.space.dofmap.index_map.global_to_local(np.zeros(1, dtype=np.int64))
        blocks = local[local >= 0]
        last = len(self.ions)
        dofs = ((last + 1) * blocks + last).astype(np.int32)
        return fem.dirichletbc(0.0, dofs, self.space.sub(last))

    def _load(self, test: Any) -> Any:
        """The form of what is given to enter."""
        mesh, last = self.domain.mesh, len(self.ions)
        load = fem.Constant(mesh, 0.0) * test[last] * self.domain.dx
        for name, own in self.walls.fluxes.items():
            for k, value in own.items():
                density = fem.Constant(mesh, value * self._footprint(name))
                load += self.level * density * test[k] * self.ds(name)
        for name, value in self.walls.charges.items():
            load += self.level * fem.Constant(mesh, value) * test[last] * self.ds(name)
        return load

    def set_level(self, level: float) -> None:
        """Apply this share of all data."""
        self.level.value = level
        for constant, whole in self._values:
            constant.value = level * whole

    def solve(self, guess: Array) -> Array:
        """The owned unknowns for today's rate, by Newton's method, else by Gummel's. Collective.

        Raises:
            ConvergenceError: if neither finds them.
        """
        try:
            self.newton.solve(guess)
            how = self.newton.method
        except ConvergenceError as error:
            log.warning("  %s; Gummel's iteration instead", str(error).split(";")[0])
            self.gummel(guess)
            how = "gummel"
        self.methods[how] = self.methods.get(how, 0) + 1
        return np.array(self.u.x.array[: self.owned])

    def gummel(self, guess: Array) -> None:
        """Solve for psi and for the ions in turn (Gummel, IEEE Trans. ED 11, 1964, 455).

        Collective. It converges slowly, but from afar.

        Raises:
            ConvergenceError: if the unknowns do not settle.
        """
        self.restore(guess)
        for _ in range(_SWEEPS):
            before = np.array(self.u.x.array[: self.owned])
            for half in (self._potential_alone, self._ions_alone):
                for held, dofs in zip(self._held, self._dofs, strict=True):
                    held.x.array[:] = self.u.x.array[dofs]
                half.solve(np.array(self.u.x.array[: self.owned]))
            if self.largest(self.u.x.array[: self.owned] - before) <= _SETTLED:
                return
        raise ConvergenceError(
            f"Gummel's iteration did not settle in {_SWEEPS} sweeps; give smaller potentials, "
            "charges or fluxes"
        )

    def sample(self) -> Array:
        """The concentrations over c0 at the quadrature points of this rank, ion by ion."""
        self._stored.interpolate(self._sample)
        return np.array(self._stored.x.array[: self.stored])

    def set_rest(self, values: Array) -> None:
        """Make `values`, laid out as by `sample`, the rest of the rate."""
        self.rest.x.array[: self.stored] = values
        self.rest.x.scatter_forward()

    def restore(self, values: Array) -> None:
        """Make `values` the owned unknowns. Collective."""
        self.u.x.array[: self.owned] = values
        self.u.x.scatter_forward()

    def largest(self, values: Array) -> float:
        """Largest size on any rank; not a number where any is none."""
        own = float(np.abs(values).max(initial=0.0))
        return float(np.max(self.domain.mesh.comm.allgather(own)))

    def total(self, form: Any) -> float:
        """The value of a compiled scalar form. Collective."""
        return float(self.domain.mesh.comm.allreduce(fem.assemble_scalar(form)))

    def totals(self) -> list[float]:
        """How much there is of each ion, over c0, m^2 or m^3. Collective."""
        return [self.total(form) for form in self._totals]

    def part(self, k: int, values: Array | None = None) -> fem.Function:
        """mu of an ion, or psi last; or that part of other `values`, ghosts included."""
        function = fem.Function(self.scalar)
        whole = self.u.x.array if values is None else values
        function.x.array[:] = whole[self._dofs[k]]
        return function

    def concentration(self, k: int) -> fem.Function:
        """Of an ion, over c0."""
        function, ion = self.part(k), self.ions[k]
        psi = self.part(len(self.ions)).x.array
        function.x.array[:] = float(ion.share.value) * np.exp(function.x.array - ion.charge * psi)
        return function

    def lowest(self) -> float:
        """Smallest nodal concentration of any ion over its own in the bulk; above zero."""
        psi, low = self.part(len(self.ions)).x.array, math.inf
        for k, ion in enumerate(self.ions):
            logs = self.part(k).x.array - ion.charge * psi
            low = min(low, float(logs.min(initial=np.inf)))
        return math.exp(self.domain.mesh.comm.allreduce(low, op=MPI.MIN))

    def densities(self) -> list[fem.Function]:
        """What enters at each node: each ion over D c0, and charge over 2 lambda^2 F c0."""
        vector = assemble(self._inner_form)
        found = fem.Function(self.space)
        found.x.array[: self.owned] = vector.array
        found.x.scatter_forward()
        vector.destroy()
        return [self.part(k, found.x.array) for k in range(len(self.ions) + 1)]

    def flows(self) -> list[dict[str, float]]:
        """Each ion into the domain through each face, and the faces' charge. Collective."""
        return [through(self.domain, own, self.walls.faces) for own in self.densities()]

    def ds(self, name: str) -> Any:
        """Integration over a face."""
        return self.domain.ds(self.domain.face(name))

    def mean(self, value: Any, name: str) -> float:
        """The mean of an expression over a face. Collective."""
        return self.domain.integrate(value * self.ds(name)) / self.area(name)

    def area(self, name: str) -> float:
        """Of a face, m (2-D) or m^2. Collective."""
        return self.domain.integrate(fem.Constant(self.domain.mesh, 1.0) * self.ds(name))

    def _footprint(self, name: str) -> float:
        """Footprint over area of a face that fibres cut, where the current is that of the one."""
        found = opposite(self.domain.dimension, name)
        if name not in self.walls.footprint or found is None:
            return 1.0
        size = self.domain.size
        return math.prod(size) / size[found[0]] / self.area(name)

    def _require_balance(self) -> None:
        """Raise where what is given cannot all enter and stay."""
        walls = self.walls
        area = {n: self.area(n) for n in {*walls.fluxes, *walls.charges}}
        carried = []
        for k, species in enumerate(walls.bulk.species):
            own = [
                j * self._footprint(n) * area[n]
                for n, table in walls.fluxes.items()
                for ion, j in table.items()
                if ion == k
            ]
            carried += [species.charge * j for j in own]
            if walls.closed(k) and _unbalanced(own):
                raise CaseError(
                    f"[boundary.*] the fluxes of {species.name} do not add up to zero, and it can "
                    "pass nowhere else; give a face an electrochemical_potential, or "
                    "concentration and potential"
                )
        charges = [q * area[n] for n, q in walls.charges.items()]
        if not walls.grounded and _unbalanced(charges):
            raise CaseError(
                "[boundary.*] the surface charges do not add up to zero, and no face has a "
                "potential that would bind their countercharge; give one"
            )


def thickness(domain: Domain, name: str) -> float:
    """Mean height of the cells over a face, m. Collective.

    Raises:
        CaseError: if the face lies within the mesh.
    """
    mesh, ds = domain.mesh, domain.ds(domain.face(name))
    area = domain.integrate(fem.Constant(mesh, 1.0) * ds)
    if area == 0.0:
        raise CaseError(
            f"[boundary.{name}] lies within the electrolyte; data belong to outer faces and to "
            "those of impermeable regions"
        )
    height = abs(ufl.JacobianDeterminant(mesh)) / abs(FacetJacobianDeterminant(mesh))
    return domain.integrate(height * ds) / area


def _unbalanced(given: list[float]) -> bool:
    """True where inflows do not sum to zero."""
    return abs(sum(given)) > _UNBALANCED * max(map(abs, given), default=0.0)

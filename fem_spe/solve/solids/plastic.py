"""A body that yields: internal forces, tangent, and what it remembers at quadrature points."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.domain import Domain
from fem_spe.physics import plasticity as forms
from fem_spe.physics.elasticity import Moduli
from fem_spe.solve import linear

Floats = NDArray[np.float64]

# Of the quadrature, for either degree of the displacements: three points in a triangle and four
# in a tetrahedron integrate the stiffness of straight quadratic cells exactly, and no more
# points than these are held to flow without change of volume.
_DEGREE = {1: 1, 2: 2}


class Yielding:
    """An elastic-plastic body in equilibrium, step by step.

    Args:
        domain: The mesh.
        space: Of the displacement, linear or quadratic.
        moduli: Lamé's moduli.
        strength: Yield stress and hardening.
        load: Linear form of the whole load, or None; `share` of it acts.
    """

    def __init__(
        self,
        domain: Domain,
        space: fem.FunctionSpace,
        moduli: Moduli,
        strength: forms.Strength,
        load: Any = None,
    ) -> None:
        self.domain, self.space, self.moduli, self.strength = domain, space, moduli, strength
        self.u = fem.Function(space)
        self.share = fem.Constant(domain.mesh, 1.0)
        self.degree = _DEGREE[space.ufl_element().embedded_superdegree]
        cell = domain.mesh.basix_cell()
        count = forms.COMPONENTS[domain.dimension]
        one = basix.ufl.quadrature_element(cell, degree=self.degree)
        many = basix.ufl.quadrature_element(cell, value_shape=(count,), degree=self.degree)
        self.amount = fem.Function(fem.functionspace(domain.mesh, one))
        self.components = fem.Function(fem.functionspace(domain.mesh, many))
        self.points, self.weights = basix.make_quadrature(cell, self.degree)
        self.dx = domain.dx(metadata={"quadrature_degree": self.degree})
        after = forms.returned(self.u, self.components, self.amount, moduli, strength)
        v = ufl.TestFunction(space)
        inner = forms.work(after.stress, v) * self.dx
        self._inner = fem.form(inner)
        residual = inner if load is None else inner - self.share * load
        self._residual = fem.form(residual)
        self._tangent = fem.form(ufl.derivative(inner, self.u, ufl.TrialFunction(space)))
        self._after = fem.Expression(ufl.as_vector([after.amount, *after.components]), self.points)
        cells = domain.mesh.topology.index_map(domain.dimension)
        self.cells = np.arange(cells.size_local + cells.num_ghosts, dtype=np.int32)

    def residual(self) -> PETSc.Vec:
        """Internal less external forces, reactions included. Collective."""
        return linear.assemble(self._residual)

    def force(self) -> float:
        """Norm of the internal forces, reactions included. Collective."""
        vector = linear.assemble(self._inner)
        norm = float(vector.norm())
        vector.destroy()
        return norm

    def tangent(self) -> PETSc.Mat:
        """The consistent tangent, no boundary values in it. Collective."""
        matrix = fem_petsc.assemble_matrix(self._tangent)
        matrix.assemble()
        return matrix

    @cached_property
    def coarse(self) -> fem.FunctionSpace:
        """Linear displacements on the same mesh."""
        return fem.functionspace(self.domain.mesh, ("Lagrange", 1, (self.domain.dimension,)))

    @cached_property
    def _coarse_tangent(self) -> fem.Form:
        after = forms.returned(self.u, self.components, self.amount, self.moduli, self.strength)
        u, v = ufl.TrialFunction(self.coarse), ufl.TestFunction(self.coarse)
        inner = forms.work(after.stress, v) * self.dx
        return fem.form(ufl.derivative(inner, self.u, u))

    def coarse_tangent(self) -> PETSc.Mat:
        """The tangent of linear displacements about the present ones. Collective."""
        matrix = fem_petsc.assemble_matrix(self._coarse_tangent)
        matrix.assemble()
        return matrix

    def commit(self) -> None:
        """Remember the state of the present displacement."""
        found = self._after.eval(self.domain.mesh, self.cells)
        table = found.reshape(len(self.cells), len(self.points), -1)
        for function, values in (
            (self.amount, table[:, :, :1]),
            (self.components, table[:, :, 1:]),
        ):
            dofs = function.function_space.dofmap.list
            function.x.array.reshape(-1, values.shape[2])[dofs] = values

    def state(self) -> tuple[Floats, Floats, Floats]:
        """What `restore` brings back."""
        return (
            self.u.x.array.copy(),
            self.amount.x.array.copy(),
            self.components.x.array.copy(),
        )

    def restore(self, state: tuple[Floats, Floats, Floats]) -> None:
        """Go back to an earlier `state`."""
        self.u.x.array[:], self.amount.x.array[:], self.components.x.array[:] = state

    def smooth(self) -> tuple[fem.Function, fem.Function]:
        """Plastic strain and its amount as polynomials in each cell, through all points."""
        cell, degree = self.domain.mesh.basix_cell(), self.degree - 1
        through = basix.ufl.element("DG", cell, degree).basix_element.tabulate(0, self.points)
        back = np.linalg.inv(np.reshape(through, (len(self.points), -1)))
        found = []
        for function, shape in (
            (self.components, (len(self.components),)),
            (self.amount, ()),
        ):
            smooth = fem.Function(fem.functionspace(self.domain.mesh, ("DG", degree, shape)))
            size = smooth.function_space.dofmap.bs
            given, dofs = function.function_space.dofmap.list, smooth.function_space.dofmap.list
            values = function.x.array.reshape(-1, size)[given]
            smooth.x.array.reshape(-1, size)[dofs] = np.einsum("pq,cqs->cps", back, values)
            found.append(smooth)
        return found[0], found[1]

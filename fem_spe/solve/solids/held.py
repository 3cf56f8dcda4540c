"""Linear steps of a body of which some nodes are held: along one direction, or in all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray

from fem_spe.solve.solids.elastic import System, rigid_motions
from fem_spe.solve.solids.multigrid import TwoLevels
from fem_spe.solve.solids.normals import components, constrained, directions, project, turned

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Hold:
    """Nodes whose way in a step is given.

    Attributes:
        nodes: Blocks that this rank owns, shape (n,).
        way: m; along `normals` shape (n,), else of all components, shape (n, gdim).
        normals: Unit vectors, shape (n, gdim), or None: all components are given.
        curvature: Of the geometric stiffness of normal forces, see `normals.turned`, shape (n,),
            or None: none.
    """

    nodes: NDArray[np.int32]
    way: Floats
    normals: Floats | None = None
    curvature: Floats | None = None


class HeldSystem:
    """The stiffness of a body, and its steps.

    Args:
        form: Compiled bilinear form.
        space: Vector space of Lagrange elements.
        bcs: Boundary values.
        rtol: On the reduced residual.
        method: `direct`, `elastic`, or `two-level` with a `coarse` one.
        name: Prefix of the PETSc options.
        coarse: The same body with linear elements.

    Attributes:
        A: The matrix under boundary values; with its constraints while a step is solved.
        free: False where a component is fixed, shape (owned nodes, gdim).
        krylov: Iterations of the linear solver, in all steps.
    """

    def __init__(
        self,
        form: fem.Form,
        space: fem.FunctionSpace,
        bcs: Sequence[fem.DirichletBC],
        rtol: float,
        method: str,
        name: str,
        coarse: HeldSystem | None,
    ) -> None:
        self.space, self.rtol, self.krylov = space, rtol, 0
        self.free = np.ones((space.dofmap.index_map.size_local, space.dofmap.bs), dtype=bool)
        for bc in bcs:
            dofs = bc.dof_indices()[0]
            self.free.reshape(-1)[dofs[dofs < self.free.size]] = False
        self.A = fem_petsc.assemble_matrix(form, bcs=list(bcs))
        self.A.assemble()
        self.levels: TwoLevels | None = None
        if method == "elastic":
            self.A.setNearNullSpace(rigid_motions(space))
        if method == "two-level":
            assert coarse is not None
            self.levels = TwoLevels(
                self.A, space, coarse.space, self.free, coarse.free, coarse.A, name
            )
        self.system = self.levels or System(self.A, method, name)

    def step(
        self, residual: Floats, hold: Hold, *, loose: float, scale: float
    ) -> tuple[Floats, float, float]:
        """What takes the residual away where nodes are free. Collective.

        Args:
            residual: Shape (owned nodes, gdim).
            hold: The other nodes.
            loose: Part of the right-hand side that may be left; 0 leaves `rtol` alone.
            scale: The largest norm of a right-hand side so far.

        Returns:
            The step of the owned unknowns, m; `scale` with this one; and the residual's norm that
            was asked for.

        Raises:
            ConvergenceError: if the linear solver does not reach it.
        """
        right = self.A.createVecLeft()
        right.array_w[:] = np.where(self.free, -residual, 0.0).ravel()
        free = self.free[hold.nodes]
        if hold.normals is None:
            N, along = components(self.A, hold.nodes, free), None
            value = hold.way[free]
        else:
            along = hold.normals * free
            length = np.maximum(np.linalg.norm(along, axis=1), 1e-3)
            along /= length[:, None]
            N, value = directions(self.A, hold.nodes, along), hold.way / length
        lift, prescribed, moved = N.createVecRight(), right.duplicate(), right.duplicate()
        lift.array_w[:] = value
        N.mult(lift, prescribed)
        self.A.mult(prescribed, moved)
        right.axpy(-1.0, moved)
        project(N, right)
        scale = max(scale, right.norm(), moved.norm())
        goal = max(self.rtol * scale, loose * right.norm())
        with ExitStack() as inside:
            inside.enter_context(constrained(self.A, N))
            if hold.normals is not None and hold.curvature is not None:
                inside.enter_context(turned(self.A, hold.nodes, hold.normals, free, hold.curvature))
            if self.levels is not None:
                inside.enter_context(self.levels.held(N, hold.nodes, along))
            self.system.update()
            step, iterations, _ = self.system.solve(right, goal)
        self.krylov += iterations
        # where nothing may move, a loose solution still does a little
        project(N, step)
        step.axpy(1.0, prescribed)
        found = np.where(self.free.ravel(), step.array, 0.0)
        things: list[Any] = [N, right, lift, prescribed, moved, step]
        for thing in things:
            thing.destroy()
        return found, scale, goal

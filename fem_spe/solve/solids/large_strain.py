"""Newton's method for a body at finite strain that is held and loaded on its faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import basix
import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.errors import ConvergenceError
from fem_spe.solve import linear
from fem_spe.solve.solids.elastic import System, rigid_motions

Floats = NDArray[np.float64]

_MOST = 15  # steps of Newton's method: more mean that the load step is too long
_MOST_LINEAR = 100  # iterations of multigrid: more mean that the tangent is far from balance
_LOOSEST, _TIGHTEST = 1e-2, 1e-6  # parts of a residual that multigrid may leave
_SHORTEST = 2.0**-3  # of a step of Newton's method, so that no cell turns inside out
REST = 10.0  # times `rtol`: the residual that is left, over the largest in the step


class Upright:
    """The test that no cell is inside out: det F > 0 at every quadrature point.

    Args:
        u: The displacement.
        stretch: det F as an expression in `u`.
        degree: Of the quadrature that the forms use.
    """

    def __init__(self, u: fem.Function, stretch: Any, degree: int) -> None:
        self.u, self.mesh = u, u.function_space.mesh
        points, _ = basix.make_quadrature(self.mesh.basix_cell(), degree)
        self.stretch = fem.Expression(stretch, points)
        num_owned = self.mesh.topology.index_map(self.mesh.topology.dim).size_local
        self.cells = np.arange(num_owned, dtype=np.int32)

    def approach(self, start: Floats, goal: Floats) -> float:
        """Set `u` on the way from one displacement, where it holds, to another. Collective.

        Where it does not hold at the goal, half the way is tried, a quarter, and so on.

        Args:
            start, goal: Local values of `u`.

        Returns:
            How far it went.

        Raises:
            ConvergenceError: naming the place, if it hardly moves.
        """
        share = 1.0
        while True:
            self.u.x.array[:] = goal if share == 1.0 else start + share * (goal - start)
            least, place = self._least()
            if least > 0.0:
                return share
            share /= 2.0
            if share < _SHORTEST:
                told = ", ".join(f"{1e6 * c:.4g}" for c in place)
                raise ConvergenceError(f"cells turn inside out about ({told}) um")

    def _least(self) -> tuple[float, tuple[float, ...]]:
        """The smallest det F, and about where it is, m. Collective."""
        found = (np.inf, (np.nan,) * self.mesh.geometry.dim)
        if len(self.cells):
            values = self.stretch.eval(self.mesh, self.cells).reshape(len(self.cells), -1)
            lowest = np.nan_to_num(values, nan=-np.inf).min(axis=1)
            worst = int(np.argmin(lowest))
            x = self.mesh.geometry.x[self.mesh.geometry.dofmaps[0][worst]].mean(axis=0)
            place = tuple(float(c) for c in x[: self.mesh.geometry.dim])
            found = (float(lowest[worst]), place)
        least, where = min(self.mesh.comm.allgather(found))
        return float(least), tuple(where)


def forcing(rests: Sequence[float], least: float) -> float:
    """The part of a residual that the next linear solve may leave.

    Where Newton's method converges, what one step leaves tells what the next one can (Eisenstat &
    Walker, SIAM J. Sci. Comput. 17 (1996) 16, choice 2).

    Args:
        rests: Residuals so far.
        least: The residual that is sought: half of it is as good as less.
    """
    if len(rests) < 2:
        return _LOOSEST
    expected = 0.9 * (rests[-1] / rests[-2]) ** 2
    return min(_LOOSEST, max(expected, 0.5 * least / rests[-1], _TIGHTEST))


def of_any_sign(system: System) -> None:
    """Let Krylov's method solve matrices that are not positive definite.

    On the way to balance the tangent of a body under pressure need not be.
    """
    if system.method != "direct" and not PETSc.Options().hasName(f"{system.name}_ksp_type"):
        system.ksp.setType(PETSc.KSP.Type.GMRES)
        system.most = _MOST_LINEAR
        system.ksp.setGMRESRestart(_MOST_LINEAR)
        system.ksp.setPCSide(PETSc.PC.Side.RIGHT)


@dataclass(frozen=True)
class Deformed:
    """A body under a part of its load.

    Attributes:
        u: Displacement, m.
        residual: Inner less outer forces at all nodes: reactions where it is held, N.
        iterations: Of Newton's method.
        rests: Norm of the residual of the free nodes before each of them and after the last,
            over the largest.
    """

    u: fem.Function
    residual: fem.Function
    iterations: int
    rests: tuple[float, ...] = field(repr=False)


class Body:
    """A body at finite strain; its forms are compiled once.

    Args:
        u: Its displacement, that the forms hold.
        residual: Inner less outer forces, a linear form.
        tangent: Its derivative, symmetric.
        part: Constant of the forms that scales the loads, or None without loads.
        bcs: Boundary values under the whole load; they grow in proportion.
        upright: The test of the cells.
        rtol: On the reduced residual, over the largest in the step.
        method: `direct` or `elastic`, see `elastic.choose`.
        name: Prefix of the PETSc options.
    """

    def __init__(
        self,
        u: fem.Function,
        residual: Any,
        tangent: Any,
        part: fem.Constant | None,
        bcs: Sequence[fem.DirichletBC],
        upright: Upright,
        *,
        rtol: float = 1e-12,
        method: str = "direct",
        name: str = "elasticity",
    ) -> None:
        self.u, self.part, self.upright = u, part, upright
        self.rtol, self.method, self.name = rtol, method, name
        self.space = u.function_space
        self.residual, self.tangent = fem.form(residual), fem.form(tangent)
        self.goal = fem.Function(self.space)
        for bc in bcs:
            bc.set(self.goal.x.array)
        self.goal.x.scatter_forward()
        size = self.space.dofmap.index_map.size_local * self.space.dofmap.bs
        held = np.unique(np.concatenate([bc.dof_indices()[0] for bc in bcs] or [[]]))
        self.held: NDArray[np.int64] = held[held < size].astype(np.int64)
        self.B = fem_petsc.create_matrix(self.tangent)
        if method == "elastic":
            self.B.setNearNullSpace(rigid_motions(self.space))
        self.system = System(self.B, method, name)
        of_any_sign(self.system)

    def destroy(self) -> None:
        """Free what PETSc holds. Collective."""
        self.system.ksp.destroy()
        self.B.destroy()

    def under(self, part: float, start: fem.Function | None = None) -> Deformed:
        """The body under a part of its load, from the one under another. Collective.

        Raises:
            ConvergenceError: if Newton's method does not get there, or a cell turns inside out.
        """
        u, size = self.u, self.B.getLocalSize()[0]
        u.x.array[:] = 0.0 if start is None else start.x.array
        if self.part is not None:
            self.part.value = part
        rests: list[float] = []
        scale = 0.0
        for iteration in range(_MOST + 1):
            forces = linear.assemble(self.residual)
            right = forces.copy()
            right.scale(-1.0)
            move = right.duplicate()
            move.array_w[self.held] = (part * self.goal.x.array - u.x.array)[self.held]
            self._assemble()
            # columns of what is held go to the right-hand side, and its rows give its move
            rows = (self.held + self.B.getOwnershipRange()[0]).astype(PETSc.IntType)
            self.B.zeroRowsColumns(rows, 1.0, move, right)
            right.array_w[self.held] = 0.0
            scale = max(scale, right.norm())
            rests.append(right.norm() / scale if scale > 0.0 else 0.0)
            done = iteration > 0 and rests[-1] <= REST * self.rtol
            if done or not np.isfinite(rests[-1]) or iteration == _MOST:
                break
            self.system.update()
            goal = self.rtol * scale
            if self.method != "direct":
                goal = max(goal, forcing(rests, REST * self.rtol) * right.norm())
            step, _, _ = self.system.solve(right, goal)
            step.array_w[self.held] = move.array[self.held]
            before = u.x.array.copy()
            u.x.array[:size] += step.array
            u.x.scatter_forward()
            self.upright.approach(before, u.x.array.copy())
            for thing in (forces, right, move, step):
                thing.destroy()
        if not done:
            raise ConvergenceError(
                f"Newton's method of {self.name} is left with {rests[-1]:.1e} of the forces after "
                f"{iteration} steps"
            )
        inner = fem.Function(self.space)
        inner.x.array[:size] = forces.array
        inner.x.scatter_forward()
        return Deformed(u.copy(), inner, iteration, tuple(rests))

    def _assemble(self) -> None:
        self.B.zeroEntries()
        fem_petsc.assemble_matrix(self.B, self.tangent)
        self.B.assemble()

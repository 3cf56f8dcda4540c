"""PETSc's Newton method for forms that share their unknowns, alone or in blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from fem_spe.errors import ConvergenceError

_ROUND_OFF = 1e-7  # residual that no step may lower any more: a steep diffusivity times round-off
_LOWERED = 0.5  # by a step: above, such a residual is round-off
_KEPT = 1e-2  # to what a step lowers the residual whose matrix serves the next one too
_SHARE = 0.1  # of Newton's tolerance that a system may leave over

_NEWTON = {
    "snes_type": "newtonls",
    "snes_linesearch_type": "bt",
    "snes_rtol": "1e-9",
    "snes_atol": "1e-9",
    "snes_stol": "0",
    "snes_max_it": "20",
}
_LINEAR = {"snes_type": "ksponly", "ksp_rtol": "1e-10", "ksp_atol": "1e-10"}
PRESETS: dict[str, dict[str, str]] = {
    "direct": {
        **_NEWTON,
        "ksp_type": "preonly",
        "pc_type": "lu",
        "pc_factor_mat_solver_type": "mumps",
        "mat_mumps_icntl_14": "100",  # % of room to spare, as in `presets`
    },
    # a mass matrix and a little diffusion: the diagonal is enough, and the same on any number of
    # ranks; nothing is balanced by it, so that the error of the time step is the measure
    "local": {
        **_NEWTON,
        "snes_rtol": "1e-4",
        "ksp_type": "bcgs",
        "ksp_rtol": "1e-3",
        "pc_type": "jacobi",
    },
    # rows of very different size: only the residual itself tells whether a system is solved; what
    # is left in the end is hardly to depend on how good the predictor was, whose the first one is
    "transport": {
        **_NEWTON,
        "snes_rtol": "1e-10",
        "ksp_type": "gmres",
        "ksp_pc_side": "right",
        "ksp_rtol": "1e-3",
        "ksp_max_it": "200",
        "pc_type": "gamg",
        "mg_levels_ksp_type": "richardson",
        "mg_levels_ksp_max_it": "1",
        "mg_levels_pc_type": "bjacobi",
    },
    # definite whatever the matrix: eigenvalues that Chebyshev's method keeps from a matrix of
    # before, as GAMG keeps its hierarchy, made CG fail
    "potential": {
        **_LINEAR,
        "ksp_type": "cg",
        "pc_type": "gamg",
        "mg_levels_ksp_type": "richardson",
        "mg_levels_pc_type": "sor",
        "mg_levels_pc_sor_local_symmetric": "true",
    },
}
# a matrix is used as long as it brings near, and systems are solved as exactly as that is worth
_FRUGAL = ("local", "transport")


class _Problem(fem_petsc.NonlinearProblem):  # type: ignore[misc]
    """DOLFINx's problem, freed when all ranks say so.

    The garbage collector, which would do it otherwise, runs at a time of its own on each rank:
    one would wait in a matrix's collective end, the others elsewhere.
    """

    def __del__(self) -> None:
        pass

    def destroy(self) -> None:
        """Free matrices, vectors and solver. Collective."""
        super().__del__()


class Newton:
    """Find `unknowns` with residuals of zero; forms and matrices are kept between solves.

    Args:
        residuals: One form for each unknown.
        unknowns: They hold guess and solution.
        bcs: Boundary values.
        method: One of `PRESETS`.
        name: Prefix of the PETSc options, such as `dendrite` for `-dendrite_snes_monitor`.
    """

    def __init__(
        self,
        residuals: Sequence[Any],
        unknowns: Sequence[fem.Function],
        bcs: Sequence[fem.DirichletBC],
        method: str,
        name: str,
    ) -> None:
        self.name = name
        single, given = len(unknowns) == 1, PETSc.Options()
        # what the user gave wins
        options = {k: given.getString(f"{name}_{k}", v) for k, v in PRESETS[method].items()}
        self.problem = _Problem(
            residuals[0] if single else list(residuals),
            unknowns[0] if single else list(unknowns),
            petsc_options_prefix=f"{name}_",
            bcs=list(bcs),
            kind=None if single else "mpi",
            petsc_options=options,
        )
        self.problem.solver.setConvergenceTest(self._met)
        self._norms: list[float] = []
        self._bcs, self._alone = list(bcs), unknowns[0] if single else None
        self._keeps = False
        if single:
            self.problem.solver.setFunction(self._residual, self.problem.b)
        if method in _FRUGAL:
            self._inexact = float(options["ksp_rtol"])
            self.problem.solver.setJacobian(self._matrix, self.problem.A)
            self.problem.solver.setUpdate(self._prepare)

    def _met(
        self, snes: PETSc.SNES, step: int, norms: tuple[float, float, float]
    ) -> PETSc.SNES.ConvergedReason:
        """PETSc's own test of the residual, and an end where only round-off is left."""
        reason, norm = PETSc.SNES.ConvergedReason, norms[2]
        rtol, atol, _, _ = snes.getTolerances()
        self._norms = [*self._norms, norm] if step else [norm]
        if not math.isfinite(norm):
            return reason.DIVERGED_FNORM_NAN
        if norm < atol:
            return reason.CONVERGED_FNORM_ABS
        if not step:
            return reason.ITERATING
        if norm <= rtol * self._norms[0]:
            return reason.CONVERGED_FNORM_RELATIVE
        if norm <= _ROUND_OFF and norm > _LOWERED * self._norms[-2] and not self._keeps:
            return reason.CONVERGED_SNORM_RELATIVE
        return reason.ITERATING

    def _residual(self, _: PETSc.SNES, x: PETSc.Vec, b: PETSc.Vec) -> None:
        """Of one field that has its boundary values from the start: nothing is to be lifted."""
        x.ghostUpdate(addv=PETSc.InsertMode.INSERT, mode=PETSc.ScatterMode.FORWARD)
        fem_petsc.assign(x, self._alone)
        with b.localForm() as whole:
            whole.set(0.0)
        fem_petsc.assemble_vector(b, self.problem.F)
        b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
        for bc in self._bcs:
            bc.set(b.array_w, alpha=0.0)

    def _prepare(self, snes: PETSc.SNES, step: int) -> None:
        """Before a step: whether the matrix serves again, and how exact its system is to be."""
        norm = self._norms[-1]
        self._keeps = step > 0 and norm <= _KEPT * self._norms[-2]
        rtol, atol, _, _ = snes.getTolerances()
        aim = max(atol, rtol * self._norms[0])
        snes.getKSP().setTolerances(rtol=min(max(self._inexact, _SHARE * aim / norm), _SHARE))

    def _matrix(self, _: PETSc.SNES, x: PETSc.Vec, matrix: PETSc.Mat, __: PETSc.Mat) -> None:
        """The derivative at `x`, which the unknown of the last residual is; or the one before."""
        if self._keeps:
            return
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(matrix, self.problem.J, bcs=self._bcs)
        matrix.assemble()

    def destroy(self) -> None:
        """Free what PETSc holds. Collective."""
        self.problem.destroy()

    def solve(self) -> int:
        """Steps from the guess in the unknowns to the solution there. Collective.

        Raises:
            ConvergenceError: if there is none within reach; the unknowns hold the last iterate.
        """
        if self._alone is not None:
            for bc in self._bcs:
                bc.set(self._alone.x.array)
        self.problem.solve()
        solver = self.problem.solver
        reason = solver.getConvergedReason()
        stuck = reason == PETSc.SNES.ConvergedReason.DIVERGED_LINE_SEARCH
        if reason == PETSc.SNES.ConvergedReason.DIVERGED_LINEAR_SOLVE:
            # MUMPS would not factorise again: after one singular matrix all later ones failed
            solver.getKSP().reset()
        if reason <= 0 and not (stuck and solver.getFunctionNorm() <= _ROUND_OFF):
            raise ConvergenceError(
                f"Newton's method of {self.name} stopped after {solver.getIterationNumber()} "
                f"steps at a residual of {solver.getFunctionNorm():.1e} (PETSc reason {reason})"
            )
        return int(solver.getIterationNumber())

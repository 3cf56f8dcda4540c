"""PETSc's Newton method for forms that share their unknowns, alone or in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from fem_spe.errors import ConvergenceError

_ROUND_OFF = 1e-7  # residual that no step lowers any more: a steep diffusivity times round-off

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
    },
    # a mass matrix and a little diffusion: neighbours are enough
    "local": {**_NEWTON, "ksp_type": "gmres", "ksp_rtol": "1e-6", "pc_type": "asm"},
    "transport": {**_NEWTON, "ksp_type": "bcgs", "ksp_rtol": "1e-6", "pc_type": "gamg"},
    "potential": {**_LINEAR, "ksp_type": "cg", "pc_type": "gamg"},
}


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

    def destroy(self) -> None:
        """Free what PETSc holds. Collective."""
        self.problem.destroy()

    def solve(self) -> int:
        """Steps from the guess in the unknowns to the solution there. Collective.

        Raises:
            ConvergenceError: if there is none within reach; the unknowns hold the last iterate.
        """
        self.problem.solve()
        solver = self.problem.solver
        reason = solver.getConvergedReason()
        stuck = reason == PETSc.SNES.ConvergedReason.DIVERGED_LINE_SEARCH
        if reason <= 0 and not (stuck and solver.getFunctionNorm() <= _ROUND_OFF):
            raise ConvergenceError(
                f"Newton's method of {self.name} stopped after {solver.getIterationNumber()} "
                f"steps at a residual of {solver.getFunctionNorm():.1e} (PETSc reason {reason})"
            )
        return int(solver.getIterationNumber())

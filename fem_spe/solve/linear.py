"""Symmetric positive definite linear problems: assemble, solve, and tell the residual.

The tolerance holds on the *reduced* residual: that of the free unknowns, with the
boundary values as initial guess. A tolerance against a right-hand side that carries
boundary values would be up to a hundred times looser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from fem_spe import comm as _comm  # noqa: F401 - fixes the import order of DOLFINx
from fem_spe.errors import ConvergenceError

DIRECT_LIMIT = 300_000  # unknowns up to which a 2-D problem is factorised

PRESETS: dict[str, dict[str, str]] = {
    "direct": {"ksp_type": "preonly", "pc_type": "cholesky", "pc_factor_mat_solver_type": "mumps"},
    "multigrid": {
        "ksp_type": "cg",
        "pc_type": "gamg",
        "pc_gamg_threshold": "0",
        "mg_levels_ksp_type": "chebyshev",
        "mg_levels_ksp_max_it": "2",
        "mg_levels_pc_type": "jacobi",
    },
    "jacobi": {"ksp_type": "cg", "pc_type": "jacobi"},
}


@dataclass(frozen=True)
class Solved:
    """A solution and how it was reached.

    Attributes:
        u: The solution.
        iterations: Of the Krylov method; 1 for a factorisation.
        residual: Reduced residual over that of the initial guess.
        method: The preset used.
    """

    u: fem.Function
    iterations: int
    residual: float
    method: str


def choose(num_dofs: int, dimension: int) -> str:
    """The preset for a scalar elliptic problem of this size."""
    return "direct" if dimension == 2 and num_dofs < DIRECT_LIMIT else "multigrid"


def solve(
    a: Any,
    load: Any,
    space: fem.FunctionSpace,
    bcs: Sequence[fem.DirichletBC] = (),
    *,
    rtol: float,
    method: str,
    name: str,
) -> Solved:
    """Solve a(u, v) = load(v) with u = given on the boundary. Collective.

    Args:
        a: Bilinear form, symmetric and positive definite under `bcs`.
        load: Linear form, or an assembled PETSc vector without boundary values.
        space: Space of u.
        bcs: Boundary values.
        rtol: On the reduced residual.
        method: One of `PRESETS`.
        name: Prefix of this solver's PETSc options, for example `diffusion` for
            `-diffusion_ksp_monitor`.

    Raises:
        ConvergenceError: if the tolerance is not met.
    """
    form = fem.form(a)
    matrix = fem_petsc.assemble_matrix(form, bcs=list(bcs))
    matrix.assemble()
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    u = fem.Function(space)
    for bc in bcs:
        bc.set(u.x.array)
    u.x.scatter_forward()

    right = load if isinstance(load, PETSc.Vec) else _assemble(fem.form(load))
    right.axpy(-1.0, _assemble(fem.form(_apply(a, u))))
    for bc in bcs:
        bc.set(right.array_w, alpha=0.0)

    ksp = _krylov(matrix, rtol, method, name)
    step = right.duplicate()
    start = right.norm()
    if start > 0.0:
        ksp.solve(right, step)
        if method == "direct":
            _refine(ksp, matrix, right, step)
    reason = int(ksp.getConvergedReason()) if start > 0.0 else 1
    left = right.duplicate()
    matrix.mult(step, left)
    left.aypx(-1.0, right)
    residual = left.norm() / start if start > 0.0 else 0.0
    iterations = int(ksp.getIterationNumber())
    # the recursively updated residual of CG drifts from the true one by a small factor
    if reason < 0 or not residual <= 10 * rtol:
        raise ConvergenceError(
            f"the linear solver of {name} stopped after {iterations} iterations at a relative "
            f"residual of {residual:.1e} instead of {rtol:.1e} (PETSc reason {reason}); "
            "give a larger [solver] rtol, or a mesh of better quality"
        )
    owned = len(step.array)
    u.x.array[:owned] += step.array
    u.x.scatter_forward()
    for thing in (ksp, matrix, step, left):
        thing.destroy()
    return Solved(u, iterations, residual, method)


def residual_vector(a: Any, load: Any, u: fem.Function) -> fem.Function:
    """a(u, v) - load(v) for every basis function v: at a fixed value, the inflow there.

    Collective. `load` may be None.
    """
    form = _apply(a, u) if load is None else _apply(a, u) - load
    vector = _assemble(fem.form(form))
    residual = fem.Function(u.function_space)
    residual.x.array[: len(vector.array)] = vector.array
    residual.x.scatter_forward()
    vector.destroy()
    return residual


def as_load(function: fem.Function) -> PETSc.Vec:
    """The values of `function` as an assembled load."""
    vector = fem_petsc.create_vector(function.function_space)
    vector.array_w[:] = function.x.array[: len(vector.array)]
    return vector


def _apply(a: Any, u: fem.Function) -> Any:
    import ufl

    return ufl.action(a, u)


def _assemble(form: fem.Form) -> PETSc.Vec:
    vector = fem_petsc.assemble_vector(form)
    vector.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    return vector


def _krylov(matrix: PETSc.Mat, rtol: float, method: str, name: str) -> PETSc.KSP:
    ksp = PETSc.KSP().create(matrix.comm)
    prefix = f"{name}_"
    ksp.setOptionsPrefix(prefix)
    options = PETSc.Options()
    for key, value in PRESETS[method].items():
        if not options.hasName(prefix + key):  # what the user gave on the command line wins
            options.setValue(prefix + key, value)
    ksp.setOperators(matrix)
    if method != "direct":
        # on the residual itself, not on a preconditioned one
        ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.setTolerances(rtol=rtol, atol=0.0, max_it=2000)
    ksp.setFromOptions()
    for key in PRESETS[method]:
        options.delValue(prefix + key)
    return ksp


def _refine(ksp: PETSc.KSP, matrix: PETSc.Mat, right: PETSc.Vec, step: PETSc.Vec) -> None:
    """One round of iterative refinement: takes a factorisation to round-off."""
    rest, correction = right.duplicate(), right.duplicate()
    matrix.mult(step, rest)
    rest.aypx(-1.0, right)
    ksp.solve(rest, correction)
    step.axpy(1.0, correction)
    rest.destroy()
    correction.destroy()

"""PETSc's Newton method with inexact systems and matrices that are used again."""

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from fem_spe.errors import ConvergenceError
from fem_spe.solve import snes


def solved(method: str, start: float) -> tuple[np.ndarray, int, float, int]:
    """y of div(e^y grad y) = y - 1, zero on the left: values, steps, residual, matrices."""
    square = mesh.create_unit_square(MPI.COMM_SELF, 24, 24)
    space = fem.functionspace(square, ("Lagrange", 1))
    y, v = fem.Function(space), ufl.TestFunction(space)
    left = mesh.locate_entities_boundary(square, 1, lambda x: np.isclose(x[0], 0.0))
    zero = fem.dirichletbc(0.0, fem.locate_dofs_topological(space, 1, left), space)
    dx = ufl.Measure("dx", domain=square, metadata={"quadrature_degree": 2})
    form = 10 * (ufl.exp(y) * ufl.inner(ufl.grad(y), ufl.grad(v)) + (y - 1) * v) * dx
    made, assemble = [], snes.fem_petsc.assemble_matrix
    newton = snes.Newton([form], [y], [zero], method, f"trial_{method}")
    y.x.array[:] = start

    def counted(*given, **more):
        made.append(1)
        return assemble(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snes.fem_petsc, "assemble_matrix", counted)
        steps = newton.solve()
    residual = float(newton.problem.solver.getFunctionNorm())
    newton.destroy()
    return np.array(y.x.array), steps, residual, len(made)


@pytest.mark.parametrize("start", [0.0, 2.0])
def test_a_matrix_that_brings_near_is_used_again_and_the_solution_is_the_same(start):
    exact, direct, _, every = solved("direct", start)
    found, steps, residual, made = solved("transport", start)
    assert every == direct  # the direct method has a new matrix in each step
    assert made < steps
    assert residual <= 1e-8  # 1e-10 of the first, here 70
    assert found == pytest.approx(exact, abs=1e-8)


def test_a_factorisation_that_failed_leaves_the_next_solve_alone():
    square = mesh.create_unit_square(MPI.COMM_SELF, 8, 8)
    space = fem.functionspace(square, ("Lagrange", 1))
    y, v = fem.Function(space), ufl.TestFunction(space)
    stiff = fem.Constant(square, 0.0)
    form = (stiff * ufl.inner(ufl.grad(y), ufl.grad(v)) + (stiff * y - 1.0) * v) * ufl.dx
    newton = snes.Newton([form], [y], [], "direct", "trial_singular")
    with pytest.raises(ConvergenceError, match="trial_singular"):
        newton.solve()
    stiff.value = 1.0
    y.x.array[:] = 0.0
    newton.solve()
    newton.destroy()
    assert y.x.array == pytest.approx(np.ones(len(y.x.array)), abs=1e-9)

"""Forms whose parts are integrated by different rules, on curved cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc

from fem_spe.physics import elasticity as forms
from fem_spe.verify.elasticity import unit_cell


def times(a: Any, w: fem.Function) -> np.ndarray:
    matrix = fem_petsc.assemble_matrix(fem.form(a))
    matrix.assemble()
    x, y = matrix.createVecs()
    x.array_w[:] = w.x.array
    matrix.mult(x, y)
    return y.array.copy()


def test_the_reduced_form_integrates_each_term_by_its_own_rule():
    """In one integral FFCx 0.11 would take the Jacobians of the single point for both."""
    domain, _ = unit_cell(0.1, 2, holes=frozenset())
    space = fem.functionspace(domain.mesh, ("Lagrange", 2, (2,)))
    u, v, w = ufl.TrialFunction(space), ufl.TestFunction(space), fem.Function(space)
    w.x.array[:] = np.random.default_rng(1).random(len(w.x.array))
    m = forms.moduli(domain, {"matrix": (1.0, 0.4999), "fiber": (10.0, 0.4)})
    a = forms.reduced_bilinear(u, v, m, domain)
    shear = 2.0 * m.mu * ufl.inner(forms.strain(u), forms.strain(v)) * domain.dx
    middle = domain.dx(metadata={"quadrature_degree": 1})
    apart = times(shear, w) + times(m.lam * ufl.div(u) * ufl.div(v) * middle, w)
    assert times(a, w) == pytest.approx(apart, abs=1e-13 * np.abs(apart).max())
    acted = fem.assemble_vector(fem.form(ufl.action(a, w))).array
    assert acted == pytest.approx(apart, abs=1e-13 * np.abs(apart).max())

"""Corrections where many unknowns share a number, such as the potential of one electrode.

A number s that is found from the unknowns, so that some sum of the load stays what it is, makes
the derivative J - sum of b r^T / d, with J that at fixed numbers, b the load's derivative with
respect to s, d the sum of b, and r dv / d what s changes by with the unknowns. Rows that are full
are never assembled: by Sherman, Morrison & Woodbury two solutions with J give one with the whole
(Ann. Math. Stat. 21, 1950, 124), if both are exact; a Krylov method applies the whole, and J
preconditions it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc

from fem_spe.solve.linear import assemble

Array = NDArray[np.float64]
Shared = tuple[fem.Form, fem.Form]


def with_shared(
    correction: Callable[[Any], Array], shared: Sequence[Shared], u: fem.Function
) -> Callable[[Array], Array]:
    """`correction` with the numbers `shared` found anew. Collective.

    Args:
        correction: Solution for the residual of given unknowns, or for a compiled linear form,
            with the matrix at fixed numbers.
        shared: The compiled forms b and r.
        u: The unknowns.
    """
    if not shared:
        return correction
    comm = u.function_space.mesh.comm
    rows = np.array([_assembled(row) for _, row in shared])
    whole = [comm.allreduce(float(_assembled(form).sum())) for form, _ in shared]
    y = np.array([correction(form) for form, _ in shared])
    small = np.diag(whole) - comm.allreduce(rows @ y.T)

    def corrected(values: Array) -> Array:
        x = correction(values)
        factors = np.linalg.solve(small, comm.allreduce(rows @ x))
        return np.asarray(x + factors @ y)

    return corrected


def _assembled(form: fem.Form) -> Array:
    """The owned values of a linear form. Collective."""
    vector = assemble(form)
    values = np.array(vector.array)
    vector.destroy()
    return values


def updated(
    matrix: PETSc.Mat, shared: Sequence[Shared], bcs: Sequence[fem.DirichletBC]
) -> PETSc.Mat:
    """`matrix`, which is J, with the numbers found anew, for Krylov methods. Collective."""
    size, scales = matrix.getLocalSize()[0], []
    columns: tuple[list[Array], list[Array]] = ([], [])
    for pair in shared:
        for own, form in zip(columns, pair, strict=True):
            vector = assemble(form)
            if own is columns[0]:
                scales.append(-1.0 / vector.sum())
            for bc in bcs:
                bc.set(vector.array_w, alpha=0.0)
            own.append(np.array(vector.array))
            vector.destroy()
    left, right = (
        PETSc.Mat().createDense(
            ((size, None), (None, len(own))), array=np.array(own).T, comm=matrix.comm
        )
        for own in columns
    )
    scaled = PETSc.Vec().createWithArray(np.array(scales), comm=PETSc.COMM_SELF)
    return PETSc.Mat().createLRC(matrix, left, scaled, right)

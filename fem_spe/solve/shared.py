"""Corrections where many unknowns share a number, such as the potential of one electrode.

A number s that is found from the unknowns, so that some sum of the load stays what it is, makes
the derivative J - sum of b b^T / d, with J that at fixed numbers, b the load's derivative with
respect to s, and d the sum of b. Rows that are full are never assembled: by Sherman, Morrison
& Woodbury two solutions with J give one with the whole (Ann. Math. Stat. 21, 1950, 124).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.solve.linear import assemble

Array = NDArray[np.float64]


def with_shared(
    correction: Callable[[Any], Array], shared: Sequence[fem.Form], u: fem.Function
) -> Callable[[Array], Array]:
    """`correction` with the numbers `shared` found anew. Collective.

    Args:
        correction: Solution for the residual of given unknowns, or for a compiled linear form,
            with the matrix at fixed numbers.
        shared: The compiled forms b.
        u: The unknowns.
    """
    if not shared:
        return correction
    comm = u.function_space.mesh.comm
    b, whole = [], []
    for form in shared:
        vector = assemble(form)
        b.append(np.array(vector.array))
        whole.append(comm.allreduce(float(vector.array.sum())))
        vector.destroy()
    rows = np.array(b)
    y = np.array([correction(form) for form in shared])
    small = np.diag(whole) - comm.allreduce(rows @ y.T)

    def corrected(values: Array) -> Array:
        x = correction(values)
        factors = np.linalg.solve(small, comm.allreduce(rows @ x))
        return np.asarray(x + factors @ y)

    return corrected

"""The ties of slaves to masters: u = T w + t on the nodes of both surfaces.

Where displacements of a surface are quadratic, the unknown at the middle of a side becomes by how
much it bows out of its ends; then a slave hangs on masters and bows alone, no longer on other
slaves. T is that change of basis times the elimination.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from fem_spe.solve.solids.mortar.faces import Face
from fem_spe.solve.solids.mortar.lines import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def tie(
    upper: Face, lower: Face, weights: Weights, normal: Floats, active: NDArray[np.bool_]
) -> tuple[csr_array, Floats, NDArray[np.bool_]]:
    """T and t of the slaves that touch, and the middles whose unknown is their bow.

    Args:
        upper, lower: The faces.
        weights: Between them.
        normal: Unit vectors along which slaves are tied, shape (slaves, gdim).
        active: Which slaves touch.

    Returns:
        T of the nodes of the upper and then of the lower surface, in blocks of gdim; t, m, shape
        (nodes, gdim); which of the upper nodes behind the slaves are middles that count by bow.
    """
    nodes, n = len(upper.nodes) + len(lower.nodes), upper.slaves
    touching = np.flatnonzero(active)
    dyad = normal[touching, :, None] * normal[touching, None, :]
    share, bow = weights.share[touching].tocoo(), weights.bow[touching].tocoo()
    on = touching[share.coords[0]], touching[bow.coords[0]]
    eliminated = _blocks(
        np.concatenate([touching, *on]),
        np.concatenate([touching, share.coords[1] + len(upper.nodes), bow.coords[1] + n]),
        np.concatenate(
            [
                -dyad,
                share.data[:, None, None] * dyad[share.coords[0]],
                -bow.data[:, None, None] * dyad[bow.coords[0]],
            ]
        ),
        nodes,
    )
    bent = np.zeros(len(upper.ends), dtype=bool)
    bent[bow.coords[1]] = True
    shift = np.zeros((nodes, normal.shape[1]))
    shift[touching] = -weights.gap[touching, None] * normal[touching]
    middles = np.flatnonzero(bent)
    if not len(middles):
        return eliminated, shift, bent
    half = np.tile(0.5 * np.eye(normal.shape[1]), (2 * len(middles), 1, 1))
    back = _blocks(np.repeat(middles + n, 2), upper.ends[middles].ravel(), half, nodes)
    return (back @ eliminated).tocsr(), (back @ shift.ravel()).reshape(shift.shape), bent


def _blocks(rows: Ints, columns: Ints, blocks: Floats, nodes: int) -> csr_array:
    """The identity and blocks, shape (n, d, d), at block rows and columns."""
    d = blocks.shape[1]
    k, j = np.meshgrid(np.arange(d), np.arange(d), indexing="ij")
    every = np.arange(d * nodes)
    at = [
        np.concatenate([every, (d * place[:, None, None] + part).ravel()])
        for place, part in ((rows, k), (columns, j))
    ]
    values = np.concatenate([np.ones(d * nodes), blocks.ravel()])
    return coo_array((values, (at[0], at[1])), shape=(d * nodes, d * nodes)).tocsr()

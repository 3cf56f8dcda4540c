"""Prescribed normal displacements in a stiffness matrix, by projection.

With N the unit directions of the constraints as sparse columns and P = I - N N^T,

    B = P A P + N diag(N^T A N) N^T

acts on the free part of the displacement alone, keeps the pattern and the block size of A
and is positive definite where A is. No rotation of unknowns is needed, and no product of
three large matrices: with W = A N and S = N^T W,

    B = A - N W^T - W N^T + N (S + diag S) N^T.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

_PATTERN = PETSc.Mat.Structure.SUBSET_NONZERO_PATTERN


def directions(like: PETSc.Mat, nodes: NDArray[np.int32], along: NDArray[np.float64]) -> PETSc.Mat:
    """The matrix N that holds one direction of each node. Collective.

    Args:
        like: The stiffness matrix, for the distribution of its rows.
        nodes: Blocks that this rank owns, each at most once, shape (n,).
        along: Unit directions, shape (n, gdim).
    """
    size = along.shape[1]
    rows = (nodes[:, None] * size + np.arange(size)).ravel()
    return _columns(like, rows, np.repeat(np.arange(len(nodes)), size), along.ravel())


def components(like: PETSc.Mat, nodes: NDArray[np.int32], free: NDArray[np.bool_]) -> PETSc.Mat:
    """The matrix N that holds every free component of each node, node by node. Collective.

    Args:
        like, nodes: As in `directions`.
        free: Shape (n, gdim).
    """
    rows = (nodes[:, None] * free.shape[1] + np.arange(free.shape[1]))[free]
    return _columns(like, rows, np.arange(len(rows)), np.ones(len(rows)))


def _columns(
    like: PETSc.Mat, rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.float64]
) -> PETSc.Mat:
    """A sparse matrix by owned rows and columns, in local numbers; at most one entry a row."""
    num_rows = like.getLocalSize()[0]
    num_columns = int(columns.max(initial=-1)) + 1
    first = like.comm.tompi4py().exscan(num_columns) or 0
    order = np.argsort(rows)
    starts = np.zeros(num_rows + 1, dtype=PETSc.IntType)
    starts[1:] = np.cumsum(np.bincount(rows, minlength=num_rows))
    return PETSc.Mat().createAIJ(
        ((num_rows, None), (num_columns, None)),
        csr=(starts, (columns[order] + first).astype(PETSc.IntType), values[order]),
        comm=like.comm,
    )


@contextmanager
def constrained(A: PETSc.Mat, N: PETSc.Mat) -> Iterator[None]:
    """A is the constrained matrix inside, and afterwards itself again, to round-off. Collective.

    A copy of a large matrix would be half of all memory.
    """
    Wt = N.transposeMatMult(A)
    S = Wt.matMult(N)
    S.setDiagonal(2.0 * S.getDiagonal())
    NWt = N.matMult(Wt)
    WNt = NWt.transpose(PETSc.Mat())
    Nt = N.transpose(PETSc.Mat())
    NS = N.matMult(S)
    NSNt = NS.matMult(Nt)
    terms = ((1.0, NWt), (1.0, WNt), (-1.0, NSNt))
    for sign, term in terms:
        A.axpy(-sign, term, structure=_PATTERN)
    for matrix in (Wt, S, Nt, NS):
        matrix.destroy()
    try:
        yield
    finally:
        for sign, term in terms:
            A.axpy(sign, term, structure=_PATTERN)
            term.destroy()


def project(N: PETSc.Mat, vector: PETSc.Vec) -> None:
    """Take the constrained part out of `vector`: v - N N^T v. Collective."""
    along = N.createVecRight()
    N.multTranspose(vector, along)
    along.scale(-1.0)
    N.multAdd(along, vector, vector)
    along.destroy()


@contextmanager
def turned(
    A: PETSc.Mat,
    nodes: NDArray[np.int32],
    normals: NDArray[np.float64],
    free: NDArray[np.bool_],
    curvature: NDArray[np.float64],
) -> Iterator[None]:
    """Inside A has the geometric stiffness -curvature (I - n n^T) at nodes. Collective.

    The normal forces of a contact turn as their nodes slide around the ball.

    Args:
        A: A constrained matrix, see `constrained`.
        nodes: Blocks that this rank owns, shape (n,).
        normals: Unit normals of the contact, shape (n, gdim).
        free: False where a component is fixed, shape (n, gdim).
        curvature: Normal force over distance from the ball's centre, shape (n,).
    """
    size = normals.shape[1]
    eye = np.eye(size)
    along = normals * free
    along /= np.maximum(np.linalg.norm(along, axis=1), 1e-3)[:, None]
    P = (eye - along[:, :, None] * along[:, None, :]) * (free[:, :, None] * free[:, None, :])
    blocks = P @ (eye - normals[:, :, None] * normals[:, None, :]) @ P
    blocks *= curvature[:, None, None]
    _add(A, nodes, -blocks)
    try:
        yield
    finally:
        _add(A, nodes, blocks)


def _add(A: PETSc.Mat, nodes: NDArray[np.int32], blocks: NDArray[np.float64]) -> None:
    """Add to the diagonal blocks of nodes."""
    size, first = blocks.shape[-1], A.getOwnershipRange()[0]
    for node, block in zip(nodes, blocks, strict=True):
        rows = np.arange(size, dtype=PETSc.IntType) + first + node * size
        A.setValues(rows, rows, block, addv=PETSc.InsertMode.ADD)
    A.assemble()

"""Work among MPI ranks: what rank 0 does alone, and how all ranks learn of its failure.

This is the one place that fixes the import order: `dolfinx_solver`, where it is
installed, must come before `dolfinx`, `petsc4py` and `mpi4py.MPI`, and h5py before them all:
PETSc's HDF5 is visible to whatever is loaded later, and h5py, which meshio writes XDMF with,
was built for another one.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any

# PETSc's own handlers would turn Ctrl-C or a closed pipe into its error pages.
os.environ["PETSC_OPTIONS"] = f"-no_signal_handler {os.environ.get('PETSC_OPTIONS', '')}"

import h5py  # noqa: F401

with contextlib.suppress(ImportError):  # absent where DOLFINx comes from conda or a container
    import dolfinx_solver  # noqa: F401
from mpi4py import MPI

from fem_spe.errors import CaseError

_GRACE = 10.0  # s that a failed rank waits for the others before it aborts them


def world() -> MPI.Intracomm:
    """The communicator of all ranks.

    Raises:
        CaseError: if a batch system started several copies that do not know each other.
    """
    comm = MPI.COMM_WORLD
    asked = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
    if comm.size == 1 and asked > 1:
        raise CaseError(
            f"{asked} tasks were started, but each is alone: start them with "
            "'srun --mpi=pmi2' or 'mpiexec' instead of plain 'srun'"
        )
    return comm


def on_root[T](comm: MPI.Intracomm, work: Callable[[], T]) -> T:
    """Run `work` on rank 0 and give its value, or raise its error, on every rank.

    Collective. Errors reach all ranks before anything else is communicated, so that
    no rank waits for one that has failed.
    """
    value: Any = None
    error: Exception | None = None
    if comm.rank == 0:
        try:
            value = work()
        except Exception as caught:
            error = caught
    if comm.size > 1:
        value, error = comm.bcast((value, error))
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]


def agree_on_exit(comm: MPI.Intracomm, code: int) -> int:
    """The exit code that all ranks leave with: the largest of theirs.

    A rank that failed alone would leave the others waiting in a collective call; it
    waits a while for them to come here too, then ends the whole program.
    """
    if comm.size == 1:
        return code
    request = comm.Ibarrier()
    deadline = time.monotonic() + _GRACE
    while not request.Test():
        if code != 0 and time.monotonic() > deadline:
            comm.Abort(code)
        time.sleep(0.01)
    return int(comm.allreduce(code, op=MPI.MAX))

"""The smallest and the largest of values on all ranks."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray


def extremes(comm: MPI.Intracomm, values: NDArray[np.float64]) -> tuple[float, float]:
    """The smallest and the largest of the values of all ranks, of which some may have none.

    Collective.
    """
    least = np.array([values.min(initial=np.inf), -values.max(initial=-np.inf)])
    comm.Allreduce(MPI.IN_PLACE, least, op=MPI.MIN)
    return float(least[0]), -float(least[1])

"""Which nodes touch a ball: exchanged until none is pulled and none penetrates.

Hintermüller, Ito & Kunisch, SIAM J. Optim. 13 (2002) 865.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Sets that exchange all wrong nodes at once may come back in a circle. Where so many in a row
# bring no improvement, only the last wrong node is exchanged, which ends for every positive
# definite problem: Júdice & Pires, Comput. Oper. Res. 21 (1994) 587.
_PATIENCE = 3


class Patience:
    """How many of the wrong nodes change sides at once.

    Args:
        comm: The ranks that share the nodes.
        order: A number for each node of this rank, distinct over all ranks, shape (n,).
    """

    def __init__(self, comm: MPI.Intracomm, order: Floats) -> None:
        self.comm, self._order = comm, order
        self.restart()

    def restart(self) -> None:
        """Forget the sets so far."""
        self._fewest, self._left = np.inf, _PATIENCE

    def pick(self, wrong: Bools, changes: int) -> Bools:
        """Those of the wrong nodes that are to change; `changes` in all. Collective."""
        if changes >= self._fewest and changes > 0 and self._left == 0:
            wrong = wrong & (self._order == greatest(self.comm, self._order[wrong]))
        self._left = _PATIENCE if changes < self._fewest else max(0, self._left - 1)
        self._fewest = min(self._fewest, changes)
        return wrong


class ActiveSet:
    """The nodes that are held on a ball.

    Args:
        comm: The ranks that share the nodes.
        order: A number for each node of this rank, distinct over all ranks, shape (n,).
        first: The first guess, shape (n,).
        stuck: Nodes that stay whatever pulls, shape (n,).
        bonded: A node that a ball meets sticks to it, but for those that it would pull when it
            meets them: they are released, once.

    Attributes:
        nodes: True where a node is held, shape (n,).
        changes: Nodes that were on the wrong side when last judged, over all ranks.
    """

    def __init__(
        self, comm: MPI.Intracomm, order: Floats, first: Bools, stuck: Bools, *, bonded: bool
    ) -> None:
        self.comm, self._bonded, self._patience = comm, bonded, Patience(comm, order)
        self.nodes, self._stuck = first | stuck, stuck
        self._released = np.zeros_like(stuck)
        self._keep = self._wrong = self._released
        self.changes = 0

    @property
    def size(self) -> int:
        """Nodes that are held, over all ranks. Collective."""
        return total(self.comm, np.count_nonzero(self.nodes))

    def judge(self, push: Floats, gap: Floats, pull: float, depth: float) -> int:
        """How many nodes are held that are pulled, or free that penetrate. Collective.

        Args:
            push: Normal force on each node if a ball made it, N.
            gap: m, negative inside a ball.
            pull: A force that counts as none, N.
            depth: A penetration that counts as none, m.
        """
        self._keep = np.where(self.nodes, push >= -pull, gap < -depth)
        self._wrong = (self._keep | self._stuck) != self.nodes
        self.changes = total(self.comm, np.count_nonzero(self._wrong))
        return self.changes

    def exchange(self) -> None:
        """Move those nodes to the other side. Collective."""
        wrong = self._wrong
        if self._bonded:
            # free it would penetrate, held where it landed it would be pulled a little: held
            self._stuck = self._stuck | self._released & self._keep & ~self.nodes
            self._released = self._released | self.nodes & ~self._keep
        else:
            wrong = self._patience.pick(wrong, self.changes)
        self.nodes = self.nodes ^ wrong | self._stuck


def greatest(comm: MPI.Intracomm, values: Floats) -> float:
    """The largest over all ranks; of none, 0. Collective."""
    local = float(np.max(values, initial=-np.inf))
    largest = float(comm.allreduce(local, op=MPI.MAX))
    return largest if np.isfinite(largest) else 0.0


def total(comm: MPI.Intracomm, number: Any) -> int:
    """The sum over all ranks. Collective."""
    return int(comm.allreduce(number, op=MPI.SUM))

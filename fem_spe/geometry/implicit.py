"""Structures given by a signed distance rather than by outlines."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Implicit(Protocol):
    """Two phases in a box, told apart by the sign of a distance.

    Attributes:
        size: Extent of the box from the origin, m.
        regions: The phase of positive distance (`matrix`), then that of negative (`fiber`).
        periodic: Axes across which the structure repeats.
        thinnest: Smallest diameter of what must not be lost in a mesh, m.
        fraction: Share of the box that the second phase is to have in a mesh; None: the share
            that the distance shows on a fine grid.
    """

    @property
    def size(self) -> tuple[float, float, float]: ...

    @property
    def regions(self) -> tuple[str, ...]: ...

    @property
    def periodic(self) -> tuple[int, ...]: ...

    @property
    def thinnest(self) -> float: ...

    @property
    def fraction(self) -> float | None: ...

    def distance(self, shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """Signed distance to the interface, m, negative in the second phase.

        Args:
            shape: Points of the grid along each axis, both ends on the box's faces.

        Returns:
            Shape `shape`. Exact near the interface; farther off a lower bound of the true one
            is enough.
        """
        ...

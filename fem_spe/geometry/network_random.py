"""Random networks of fibres, from all directions in the plane alike to aligned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fem_spe.geometry.network import Network
from fem_spe.geometry.network_fibers import NetworkFibers


@dataclass(frozen=True, kw_only=True)
class FiberNetwork(NetworkFibers):
    """The fibres as `NetworkFibers` describes them, in a case or a geometry file."""

    kind: Literal["fiber_network"] = "fiber_network"

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return ("matrix", "fiber")

    def build(self) -> Network:
        """The network as data; the same for the same seed, bit for bit.

        Raises:
            GeometryError: if the fibres cannot be placed.
        """
        from fem_spe.geometry.network_placement import place  # compiled: not to read a case

        return place(self)

"""The section that a plane x-z cuts out of a network, as papers cut it from a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fem_spe.errors import GeometryError
from fem_spe.geometry.network import Network
from fem_spe.geometry.network_random import FiberNetwork
from fem_spe.geometry.regular import PositiveLength
from fem_spe.geometry.section import Inclusions, Section

_LONGEST = 20.0  # diagonals of the section: a longer ellipse is a fibre that lies in the plane


@dataclass(frozen=True, kw_only=True)
class SliceSection:
    """A fibre section cut from a network of straight fibres.

    Attributes:
        network: The network; its x and z are the section's x and y.
        y: Where the plane cuts, m.
    """

    network: FiberNetwork
    y: PositiveLength
    kind: Literal["fiber_section"] = "fiber_section"
    arrangement: Literal["slice"] = "slice"

    def __post_init__(self) -> None:
        given = self.network
        if given.boundary != "cut" or given.length is not None or given.waviness:
            raise GeometryError(
                "a slice needs straight fibres through the whole box: remove waviness, length "
                'and boundary = "periodic" from the network'
            )
        if self.y >= given.size[1]:
            raise GeometryError(
                f"y = {1e6 * self.y:g} um lies outside the network, which ends at "
                f"{1e6 * given.size[1]:g} um; give less"
            )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, m."""
        return self.network.size[0], self.network.size[2]

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return ("matrix", "fiber")

    def build(self) -> Section:
        """The section as data.

        Raises:
            GeometryError: if the network cannot be placed, or a fibre lies in the plane.
        """
        return cut(self.network.build(), self.y)


def cut(network: Network, y: float) -> Section:
    """The section of straight fibres at `y` (m): an ellipse for each that the plane meets.

    Its short half axis is the fibre's radius, the long one that over the sine of its angle to
    the plane. Ellipses that nearly touch each other, a side or a corner are moved by a
    fraction of their width, for the mesh; what reaches into the section by less is left out.

    Raises:
        GeometryError: if a fibre lies in the plane, or no fibre meets it.
    """
    from fem_spe.geometry.fused import TANGENCY
    from fem_spe.geometry.overlap import smallest_gap
    from fem_spe.geometry.placement import CLEARANCE, Rule, Rules, settle

    size = network.size[0], network.size[2]
    body = _within(size, _ellipses(network, y), CLEARANCE)
    if len(body) == 0:
        raise GeometryError(f"no fibre meets the plane y = {1e6 * y:g} um; give another y")
    width = float(body.b.min())
    clear = Rule(CLEARANCE * width, either=True)
    rules = Rules(size, False, Rule(TANGENCY * width, either=True), clear, clear)
    settled = settle(rules, body, rng=np.random.default_rng(len(body)), angle_freedom=0.0)
    if settled is None:
        raise GeometryError(
            f"the fibres at y = {1e6 * y:g} um keep touching each other or the sides; give "
            "another y or seed"
        )
    body = _within(size, settled, CLEARANCE)
    fused = smallest_gap(size, body, wrapped=False) <= 0.0
    return Section(size, body, fused=fused, seed=network.seed)


def _ellipses(network: Network, y: float) -> Inclusions:
    """What the plane cuts out of each fibre, in the section or beyond its sides."""
    parts = network.segments()
    start, radius = parts.start, parts.radius
    along = parts.end - parts.start
    along /= np.linalg.norm(along, axis=1)[:, None]
    across = along[:, 1]
    size = np.array([network.size[0], network.size[2]])
    lying = np.abs(across) * _LONGEST * np.linalg.norm(size) < radius
    if lying.any():
        # nearly parallel: near the box at one distance from the plane
        middle = np.asarray(network.size) / 2
        foot = start + np.sum((middle - start) * along, axis=1)[:, None] * along
        if np.any(lying & (np.abs(foot[:, 1] - y) < 1.1 * radius)):
            raise GeometryError(
                f"a fibre lies in the plane y = {1e6 * y:g} um; give another y or seed, or a "
                "mean_angle that leads across the plane"
            )
    start, along, across, radius = (q[~lying] for q in (start, along, across, radius))
    centre = start + ((y - start[:, 1]) / across)[:, None] * along
    return Inclusions(
        "ellipse",
        centre[:, 0],
        centre[:, 2],
        radius / np.abs(across),
        radius,
        np.arctan2(along[:, 2], along[:, 0]),
        np.zeros(len(radius), dtype=np.int64),
        ("fiber",),
    )


def _within(size: tuple[float, float], body: Inclusions, clearance: float) -> Inclusions:
    """Those that reach into the rectangle by more than `clearance` half widths."""
    import shapely

    least = clearance * body.b
    inner = shapely.box(least, least, size[0] - least, size[1] - least)
    polygons = shapely.polygons(body.points(np.arange(256) / 256))
    return body.take(np.asarray(shapely.intersects(polygons, inner)))

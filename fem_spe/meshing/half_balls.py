"""Lower halves of balls above a structure in 3-D: balls of metal, with nodes of their own.

Gmsh fills them octant by octant: no pole of a sphere's coordinates lies where the ball touches,
and above a side or a corner that slides a half or a quarter of the ball remains.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import gmsh
import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.meshing.extract import extract
from fem_spe.meshing.half_discs import ACROSS, BALL, CONTACT, DRIVEN
from fem_spe.meshing.session import generate
from fem_spe.meshing.sizes import Sizes, Spot, require_feasible, set_size_field

_TOUCHING = math.cos(math.radians(75.0))  # from the lowest point, up to where a cap may touch
_ON_SIDE = 1e-9  # of the box, at which a centre lies on a side
# Directions in which octants meet at the rim of the flat, and signs of x and y between them
_RIM = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
_QUADRANT = ((1, 1), (-1, 1), (-1, -1), (1, -1))


@dataclass(frozen=True)
class HalfBall:
    """The lower half of a ball, with its flat above.

    Attributes:
        centre: In the middle of the flat, m. On a side of the structure, which then must slide,
            the ball is cut there.
        radius: m.
    """

    centre: tuple[float, ...]
    radius: float


def with_half_balls(
    arrays: MeshArrays, balls: Sequence[HalfBall], spots: Sequence[Spot], halvings: int = 0
) -> MeshArrays:
    """A structure's mesh and the balls' beside it, in a fresh Gmsh model that is left empty.

    Args:
        arrays: Of the structure, straight cells.
        balls: They keep apart, and stand within the structure or are cut at its sides.
        spots: Places about which cells are small.
        halvings: How often every cell of the balls is split.

    Raises:
        MeshError: if the cells of the structure are curved, or the balls cannot be meshed.
    """
    assert arrays.box is not None  # structures from files take no balls
    if arrays.order != 1:
        raise MeshError(
            "[mesh] order = 2: balls of metal in 3-D have straight cells; give order = 1"
        )
    scale = 100.0 / max(arrays.box)
    for ball in balls:
        size = ball.radius / ACROSS
        volume = 2.0 / 3.0 * math.pi * ball.radius**3
        require_feasible(volume, 0.0, Sizes(size, size), 3)
    gmsh.model.add("balls")
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for ball in balls:
        _add(ball, arrays.box, scale, groups)
    gmsh.model.geo.synchronize()
    for (dimension, name), entities in groups.items():
        gmsh.model.addPhysicalGroup(dimension, entities, name=name)
    size = min(ball.radius for ball in balls) / ACROSS
    set_size_field([], 0.0, Sizes(size, size), scale, [s for s in spots if s.size < size])
    generate(3)
    for _ in range(halvings):
        gmsh.model.mesh.refine()
    found = extract(3, scale)
    gmsh.model.add("whole")
    return _joined(arrays, _touching(found, balls))


def cuts(centre: Sequence[float], box: Sequence[float]) -> list[tuple[int, int]]:
    """The vertical sides of the box that a ball's centre lies on: (axis, 0 low or 1 high)."""
    return [
        (axis, end)
        for axis in (0, 1)
        for end in (0, 1)
        if abs(centre[axis] - end * box[axis]) <= _ON_SIDE * box[axis]
    ]


def _add(
    ball: HalfBall, box: Sequence[float], scale: float, groups: dict[tuple[int, str], list[int]]
) -> None:
    """Add the octants of one ball to the current model, and their numbers to the `groups`."""
    geo, sides = gmsh.model.geo, dict(cuts(ball.centre, box))
    middle, radius = scale * np.array(ball.centre), scale * ball.radius
    kept = [
        k
        for k in range(4)
        if all((_QUADRANT[k][axis] > 0) == (end == 0) for axis, end in sides.items())
    ]
    centre = geo.addPoint(*middle)
    lowest = geo.addPoint(*(middle - np.array([0.0, 0.0, radius])))
    down = geo.addLine(centre, lowest)
    ends = sorted({end % 4 for k in kept for end in (k, k + 1)})
    rim = {k: geo.addPoint(*(middle + radius * np.array(_RIM[k]))) for k in ends}
    spokes = {k: geo.addLine(centre, rim[k]) for k in ends}
    meridians = {k: geo.addCircleArc(lowest, centre, rim[k]) for k in ends}
    walls = {
        k: geo.addPlaneSurface([geo.addCurveLoop([down, meridians[k], -spokes[k]])]) for k in ends
    }
    for k in kept:
        n = (k + 1) % 4
        around = geo.addCircleArc(rim[k], centre, rim[n])
        flat = geo.addPlaneSurface([geo.addCurveLoop([spokes[k], around, -spokes[n]])])
        loop = geo.addCurveLoop([meridians[k], around, -meridians[n]])
        cap = geo.addSurfaceFilling([loop], sphereCenterTag=centre)
        inside = geo.addVolume([geo.addSurfaceLoop([flat, cap, walls[k], walls[n]])])
        groups[3, BALL].append(inside)
        groups[2, DRIVEN].append(flat)
        groups[2, CONTACT].append(cap)
    for k in ends:
        axis = 1 - k % 2  # across the wall
        if axis in sides:
            groups[2, BOX_FACES[3][axis][sides[axis]]].append(walls[k])


def _touching(arrays: MeshArrays, balls: Sequence[HalfBall]) -> MeshArrays:
    """Balls without the name of what is round and too steep to touch."""
    middles = arrays.points[arrays.facets].mean(axis=1)
    centres = np.array([ball.centre for ball in balls])
    radii = np.array([ball.radius for ball in balls])
    own = np.argmin(np.linalg.norm(middles[:, None] - centres, axis=2) - radii, axis=1)
    low = (centres[own, 2] - middles[:, 2]) / radii[own] >= _TOUCHING
    kept = low | (arrays.facet_tags != arrays.faces[CONTACT])
    return replace(arrays, facets=arrays.facets[kept], facet_tags=arrays.facet_tags[kept])


def _joined(first: MeshArrays, second: MeshArrays) -> MeshArrays:
    """Two meshes that share no node, as one; faces of one name are one face."""
    regions, cell_tags = _named(first.regions, second.regions, second.cell_tags)
    faces, facet_tags = _named(first.faces, second.faces, second.facet_tags)
    after = len(first.points)
    return replace(
        first,
        points=np.concatenate([first.points, second.points]),
        cells=np.concatenate([first.cells, second.cells + after]),
        cell_tags=np.concatenate([first.cell_tags, cell_tags]),
        facets=np.concatenate([first.facets, second.facets + after]),
        facet_tags=np.concatenate([first.facet_tags, facet_tags]),
        regions=regions,
        faces=faces,
        min_quality=min(first.min_quality, second.min_quality),
    )


def _named(
    first: dict[str, int], second: dict[str, int], tags: NDArray[np.int32]
) -> tuple[dict[str, int], NDArray[np.int32]]:
    """The names of both, and the tags of the second by them."""
    names = dict(first)
    for name in second:
        names.setdefault(name, max(names.values(), default=0) + 1)
    number = np.zeros(max(second.values()) + 1, dtype=np.int32)
    for name, tag in second.items():
        number[tag] = names[name]
    return names, number[tags]

"""Lower halves of discs above a section: balls of metal, with nodes of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import gmsh

from fem_spe.domain import MeshArrays

BALL = "ball"  # the region of all of them
ACROSS = 6.0  # cells along the radius of a ball, away from the contact
DRIVEN, CONTACT = "ball-driven", "ball-contact"  # their flats, and what may touch

_TOUCHING = math.radians(75.0)  # from the lowest point, up to where the arc may touch


@dataclass(frozen=True)
class HalfDisc:
    """The lower half of a disc, with its flat above.

    Attributes:
        centre: In the middle of the flat, m.
        radius: m.
    """

    centre: tuple[float, float]
    radius: float


def add_half_discs(discs: Sequence[HalfDisc], scale: float, *, built_in: bool) -> None:
    """Add the discs to the current model, named.

    Args:
        discs: They keep apart.
        scale: Model units per metre.
        built_in: Whether the section was made with Gmsh's built-in kernel, not with OpenCASCADE.
    """
    kernel: Any = gmsh.model.geo if built_in else gmsh.model.occ
    flats, touching, surfaces = [], [], []
    for disc in discs:
        x, y = (scale * c for c in disc.centre)
        centre = kernel.addPoint(x, y, 0.0)
        turns = [-0.5 * math.pi, -_TOUCHING, 0.0, _TOUCHING, 0.5 * math.pi]
        points = [
            kernel.addPoint(
                x + scale * disc.radius * math.sin(t), y - scale * disc.radius * math.cos(t), 0.0
            )
            for t in turns
        ]
        arcs = [kernel.addCircleArc(a, centre, b) for a, b in pairwise(points)]
        flats.append(kernel.addLine(points[-1], points[0]))
        touching += arcs[1:3]
        surfaces.append(kernel.addPlaneSurface([kernel.addCurveLoop([*arcs, flats[-1]])]))
    kernel.synchronize()
    gmsh.model.addPhysicalGroup(2, surfaces, name=BALL)
    gmsh.model.addPhysicalGroup(1, flats, name=DRIVEN)
    gmsh.model.addPhysicalGroup(1, touching, name=CONTACT)


def without_half_discs(arrays: MeshArrays) -> MeshArrays:
    """The mesh of the section alone; its points are all kept."""
    if BALL not in arrays.regions:
        return arrays
    own = arrays.cell_tags != arrays.regions[BALL]
    return replace(
        arrays,
        cells=arrays.cells[own],
        cell_tags=arrays.cell_tags[own],
        regions={name: tag for name, tag in arrays.regions.items() if name != BALL},
    )

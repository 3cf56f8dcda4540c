"""Opposite box sides that are meshed alike."""

from __future__ import annotations

from collections.abc import Sequence

import gmsh
import numpy as np

from fem_spe.errors import MeshError
from fem_spe.geometry.faces import BOX_FACES

_TOLERANCE = 1e-6  # of the box, for end points of opposite curves


def match_sides(extent: np.ndarray, axes: Sequence[int]) -> None:
    """Make Gmsh mesh the upper faces across `axes` like the lower ones.

    Args:
        extent: Of the box, from the origin, shape (2,) or (3,).
        axes: 0 for right like left, and so on.

    Raises:
        MeshError: if the opposite sides are not divided alike.
    """
    slack = _TOLERANCE * float(extent.max())
    for axis in axes:
        master, slave = (_along(axis, at, extent, slack) for at in (0.0, float(extent[axis])))
        shift = np.eye(4)
        shift[axis, 3] = extent[axis]
        bounds = [np.array([box for _, box in side]) for side in (master, slave)]
        moved = np.tile(shift[:3, 3], 2)
        if len(master) != len(slave) or np.any(np.abs(bounds[0] + moved - bounds[1]) > slack):
            low, high = BOX_FACES[len(extent)][axis]
            raise MeshError(
                f"{low} and {high} are not divided alike, so that they cannot be periodic; "
                'take another seed, or boundary = "periodic" of a random section'
            )
        sides = [[entity for entity, _ in side] for side in (slave, master)]
        gmsh.model.mesh.setPeriodic(len(extent) - 1, *sides, shift.ravel().tolist())


def align_sides() -> None:
    """Put the nodes of periodic curves exactly opposite each other, at their mean places.

    Gmsh matches them to its own tolerance, and the optimiser moves each side for itself.
    """
    for dimension, entity in gmsh.model.getEntities(1):
        periodic = gmsh.model.mesh.getPeriodicNodes(dimension, entity, includeHighOrderNodes=True)
        master, nodes, partners, affine = periodic
        if master == entity:
            continue
        shift = np.array([affine[3], affine[7], affine[11]])
        for node, partner in zip(nodes.tolist(), partners.tolist(), strict=True):
            here, there = (gmsh.model.mesh.getNode(n)[0] for n in (node, partner))
            mean = (here - shift + there) / 2
            gmsh.model.mesh.setNode(partner, mean.tolist(), [])
            gmsh.model.mesh.setNode(node, (mean + shift).tolist(), [])


def forget_sides() -> None:
    """Drop the links of sides, which Gmsh does not scale and moves nodes by when reading them."""
    curves = [curve for _, curve in gmsh.model.getEntities(1)]
    if curves:
        gmsh.model.mesh.setPeriodic(1, curves, curves, np.eye(4).ravel().tolist())


def _along(axis: int, at: float, extent: np.ndarray, slack: float) -> list[tuple[int, np.ndarray]]:
    """Entities in the side of the box where coordinate `axis` is `at`, in order, with bounds."""
    dimension = len(extent) - 1
    low, high = np.full(3, -slack), np.zeros(3) + slack
    high[: len(extent)] += extent
    low[axis], high[axis] = at - slack, at + slack
    found = gmsh.model.getEntitiesInBoundingBox(*low, *high, dim=dimension)
    boxes = [(tag, np.array(gmsh.model.getBoundingBox(dimension, tag))) for _, tag in found]
    others = [k for k in range(3) if k != axis]
    return sorted(boxes, key=lambda item: tuple(np.round(item[1][others] / slack / 10)))

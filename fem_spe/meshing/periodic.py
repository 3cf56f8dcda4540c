"""Opposite box sides that are meshed alike."""

from __future__ import annotations

import gmsh
import numpy as np

from fem_spe.errors import MeshError

_TOLERANCE = 1e-6  # of the box, for end points of opposite curves


def match_sides(extent: np.ndarray) -> None:
    """Make Gmsh mesh right like left and top like bottom, in a box from 0 to `extent`.

    Raises:
        MeshError: if the opposite sides are not divided alike.
    """
    slack = _TOLERANCE * float(extent.max())
    for axis in (0, 1):
        master, slave = (_along(axis, at, extent, slack) for at in (0.0, float(extent[axis])))
        starts = [np.array([box[1 - axis] for _, box in side]) for side in (master, slave)]
        if len(master) != len(slave) or np.any(np.abs(starts[0] - starts[1]) > slack):
            raise MeshError(
                "opposite sides are not divided alike, so that no periodic mesh can be made; "
                'take another seed or boundary = "cut"'
            )
        shift = np.eye(4)
        shift[axis, 3] = extent[axis]
        curves = [[curve for curve, _ in side] for side in (slave, master)]
        gmsh.model.mesh.setPeriodic(1, *curves, shift.ravel().tolist())


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
    """Curves in the side of the box where coordinate `axis` is `at`, in order, with bounds."""
    low, high = np.full(3, -slack), np.array([*extent, 0.0]) + slack
    low[axis], high[axis] = at - slack, at + slack
    found = gmsh.model.getEntitiesInBoundingBox(*low, *high, dim=1)
    boxes = [(curve, np.array(gmsh.model.getBoundingBox(1, curve))) for _, curve in found]
    return sorted(boxes, key=lambda item: float(item[1][1 - axis]))

"""A section whose inclusions overlap, with the OpenCASCADE kernel and its booleans."""

from __future__ import annotations

import math
from collections.abc import Collection

import gmsh
import numpy as np

from fem_spe.geometry import Inclusions, Section
from fem_spe.meshing.box import name_faces
from fem_spe.meshing.periodic import match_sides


def add_fused_section(section: Section, holes: Collection[str], scale: float) -> list[int]:
    """Add the union of the inclusions and the matrix around it to the current model.

    Args:
        section: The section, of one inclusion phase.
        holes: Regions that are left out of the mesh.
        scale: Model units per metre.

    Returns:
        The curves of all interfaces.
    """
    occ = gmsh.model.occ
    body = section.with_images()
    region = body.regions[0]
    extent = np.array(section.size) * scale
    box = [(2, occ.addRectangle(0, 0, 0, *extent))]
    shapes = [(2, _shape(body, i, scale)) for i in range(len(body))]
    united = occ.fuse(shapes[:1], shapes[1:])[0] if len(shapes) > 1 else shapes

    if region in holes:
        matrix, inside = occ.cut(box, united)[0], []
    else:
        _, origins = occ.fragment(box, united)
        in_union = {piece for pieces in origins[1:] for piece in pieces}
        matrix = [piece for piece in origins[0] if piece not in in_union]
        inside = [piece for piece in origins[0] if piece in in_union]
        occ.remove([p for p in in_union if p not in origins[0]], recursive=True)
    occ.synchronize()

    gmsh.model.addPhysicalGroup(2, [tag for _, tag in matrix], name="matrix")
    if inside:
        gmsh.model.addPhysicalGroup(2, [tag for _, tag in inside], name=region)
    unnamed = name_faces(2, np.zeros(2), extent)
    if section.periodic:
        match_sides(extent, (0, 1))
    if region in holes:
        # the outlines of holes have the matrix on one side only
        gmsh.model.addPhysicalGroup(1, unnamed, name=f"matrix-{region}")
        return unnamed
    groups = {gmsh.model.getPhysicalName(1, tag): tag for _, tag in gmsh.model.getPhysicalGroups(1)}
    entities = gmsh.model.getEntitiesForPhysicalGroup(1, groups[f"matrix-{region}"])
    return [int(entity) for entity in entities]


def _shape(body: Inclusions, i: int, scale: float) -> int:
    """One inclusion as a surface."""
    occ = gmsh.model.occ
    x, y, a, b = (float(v[i]) * scale for v in (body.x, body.y, body.a, body.b))
    c, s = math.cos(body.angle[i]), math.sin(body.angle[i])
    if body.shape == "ellipse":
        return int(occ.addDisk(x, y, 0, a, b, zAxis=[0, 0, 1], xAxis=[c, s, 0]))

    def point(u: float, v: float) -> int:
        return int(occ.addPoint(x + c * u - s * v, y + s * u + c * v, 0))

    h = a - b
    if h <= 1e-9 * a:
        return int(occ.addDisk(x, y, 0, a, b))
    upper_right, upper_left = point(h, b), point(-h, b)
    lower_left, lower_right = point(-h, -b), point(h, -b)
    loop = occ.addCurveLoop(
        [
            occ.addLine(upper_right, upper_left),
            occ.addCircleArc(upper_left, point(-a, 0), lower_left, center=False),
            occ.addLine(lower_left, lower_right),
            occ.addCircleArc(lower_right, point(a, 0), upper_right, center=False),
        ]
    )
    return int(occ.addPlaneSurface([loop]))

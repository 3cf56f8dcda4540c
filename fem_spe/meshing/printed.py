"""A printed electrolyte between its electrodes to a Gmsh model, with OpenCASCADE."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise, product

import gmsh
import numpy as np

from fem_spe.geometry import Printed
from fem_spe.geometry.faces import BOX_FACES, interface_name
from fem_spe.geometry.spiral import Spiral

_POINTS = 24  # of a spline along half a turn: 1e-6 of the wall's thickness off the exact curve
_HXT = 10  # of Gmsh's 3-D algorithms: three times faster here than Delaunay, fewer slivers
_IMPROVED = 0.5  # quality below which cells are improved: the usual 0.3 leaves some at 0.1
_LEAST = 0.2  # quality that no cell should fall below
_NEAR = 1e-6  # of the cell: coordinates that are one

Solid = tuple[int, int]  # dimension 3, tag


def add_printed(part: Printed, scale: float) -> list[int]:
    """Add `part` to the current model, with physical groups for every name.

    Args:
        part: What is printed.
        scale: Model units per metre.

    Returns:
        The surfaces of the electrolyte towards the electrodes, meshed or not.
    """
    x, y, _ = (scale * s for s in part.size)
    bottom, lower, upper, top = (scale * z for z in part.levels)
    occ = gmsh.model.occ
    solids = [(3, occ.addBox(0, 0, lower, x, y, upper - lower))]
    regions = ["electrolyte"]
    for side, start, step in (("lithium", lower, -1), ("cathode", upper, 1)):
        depth = scale * part.depth(side)  # type: ignore[arg-type]
        if depth:
            added = _print(part, scale, start if step > 0 else start - depth, depth)
            solids += added
            regions += ["electrolyte"] * len(added)
    if part.lithium:
        solids.append((3, occ.addBox(0, 0, bottom, x, y, lower - bottom)))
        regions.append("lithium")
    if part.cathode:
        solids.append((3, occ.addBox(0, 0, upper, x, y, top - upper)))
        regions.append("cathode")
    pieces = [solids]
    if len(solids) > 1:
        _, pieces = occ.fragment(solids[:1], solids[1:])
    occ.synchronize()

    region_of: dict[int, str] = {}
    # what is printed comes before the electrode that it stands in, and keeps its place
    for region, some in zip(regions, pieces, strict=True):
        for _, tag in some:
            region_of.setdefault(tag, region)
    for region in part.regions:
        tags = [tag for tag, name in region_of.items() if name == region]
        gmsh.model.addPhysicalGroup(3, tags, name=region)
    gmsh.option.setNumber("Mesh.Algorithm3D", _HXT)
    return _name_faces(region_of, np.array([x, y]), (lower + upper) / 2)


def improve() -> None:
    """Improve the worst cells of the current mesh."""
    gmsh.option.setNumber("Mesh.OptimizeThreshold", _IMPROVED)
    gmsh.model.mesh.optimize("")
    _, tags, _ = gmsh.model.mesh.getElements(3)
    quality = gmsh.model.mesh.getElementQualities(np.concatenate(tags).tolist(), "gamma")
    if min(quality) < _LEAST:
        gmsh.model.mesh.optimize("Relocate3D")
        gmsh.model.mesh.optimize("")


def _print(part: Printed, scale: float, low: float, depth: float) -> list[Solid]:
    """The pillars or the wall from z = `low` up by `depth`."""
    x, y, _ = (scale * s for s in part.size)
    if part.spiral is not None:
        face = _add_spiral(part.spiral, scale, (x / 2, y / 2, low))
        return [e for e in gmsh.model.occ.extrude([(2, face)], 0, 0, depth) if e[0] == 3]
    assert part.width is not None
    width, pitch, margin = (scale * s for s in (part.width, part.spacing, part.margin))
    if part.cell == "quarter":
        if part.shape == "round":
            tag = gmsh.model.occ.addCylinder(0, 0, low, 0, 0, depth, width / 2, angle=np.pi / 2)
        else:
            tag = gmsh.model.occ.addBox(0, 0, low, width / 2, width / 2, depth)
        return [(3, tag)]
    solids = []
    for i, j in product(*map(range, part.units)):
        cx, cy = (margin + (n + 0.5) * pitch for n in (i, j))
        if part.shape == "round":
            tag = gmsh.model.occ.addCylinder(cx, cy, low, 0, 0, depth, width / 2)
        else:
            corner = cx - width / 2, cy - width / 2, low
            tag = gmsh.model.occ.addBox(*corner, width, width, depth)
        solids.append((3, tag))
    return solids


def _add_spiral(spiral: Spiral, scale: float, middle: tuple[float, float, float]) -> int:
    """The wall's cross-section about `middle`: a plane surface between splines per half turn."""
    occ, half_turns = gmsh.model.occ, 2 * spiral.turns
    curves, ends = [], []
    for offset in (0.5, -0.5):
        angles = np.linspace(*spiral.angles, half_turns * _POINTS + 1)
        at = np.array(middle[:2]) + scale * spiral.points(angles, offset)
        points = [occ.addPoint(px, py, middle[2]) for px, py in at]
        joints = range(0, len(points), _POINTS)
        curves.append([occ.addSpline(points[i : j + 1]) for i, j in pairwise(joints)])
        ends.append((points[0], points[-1]))
    (first, last), (inner_first, inner_last) = ends
    outline = [
        *curves[0], occ.addLine(last, inner_last), *curves[1][::-1],
        occ.addLine(inner_first, first),
    ]  # fmt: skip
    return int(occ.addPlaneSurface([occ.addCurveLoop(outline)]))


def _name_faces(region_of: dict[int, str], extent: np.ndarray, middle: float) -> list[int]:
    """Name sides and interfaces; the electrolyte's surfaces towards the electrodes.

    Args:
        region_of: Volume -> its region.
        extent: Of the cell along x and y.
        middle: z within the base film.
    """
    faces: dict[str, list[int]] = defaultdict(list)
    contacts = []
    for _, surface in gmsh.model.getEntities(2):
        around, _ = gmsh.model.getAdjacencies(2, surface)
        both = sorted({region_of[volume] for volume in around})
        if len(around) == 2:
            if len(both) == 2:
                faces[interface_name(*both)].append(surface)
                contacts.append(surface)
            continue
        box = np.array(gmsh.model.getBoundingBox(2, surface)).reshape(2, 3)
        side = _side(box, extent)
        # whatever is open and on no side of the cell faces an electrode
        name = side or ("bottom" if box[0, 2] < middle else "top")
        faces[name].append(surface)
        if not side and both == ["electrolyte"]:
            contacts.append(surface)
    for name, tags in faces.items():
        gmsh.model.addPhysicalGroup(2, tags, name=name)
    return contacts


def _side(box: np.ndarray, extent: np.ndarray) -> str | None:
    """The lateral side of the cell that the surface with bounds `box` lies in."""
    for axis in (0, 1):
        for name, at in zip(BOX_FACES[3][axis], (0.0, extent[axis]), strict=True):
            if np.all(np.abs(box[:, axis] - at) < _NEAR * extent.max()):
                return name
    return None

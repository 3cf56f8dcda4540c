"""Areas and volumes of a mesh, and whether they are those described."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.geometry import Box, Printed, Section

_AREA_TOLERANCE = 1e-4  # of the box
_FRACTION_TOLERANCE = 0.02  # of the asked fraction


def require_areas(
    structure: Section | Box | Printed, arrays: MeshArrays, holes: Collection[str]
) -> None:
    """Raise unless the meshed regions have the areas that were described.

    Raises:
        MeshError: if a fraction is off by more than 2 % (4 % with straight cells), or the
            regions together do not cover the box.
    """
    total = float(np.prod(structure.size))
    area = areas(arrays)
    if isinstance(structure, Printed):
        for name, volume in structure.volumes.items():
            if name in area and abs(area[name] / volume - 1.0) > _FRACTION_TOLERANCE:
                raise MeshError(
                    f"the meshed {name} of {area[name]:.4g} m^3 differs from {volume:.4g} m^3; "
                    "give a smaller [mesh] interface_size"
                )
        return
    if isinstance(structure, Section):
        expected = _fractions(structure)
        left_out = sum(expected.get(hole, 0.0) for hole in holes)
        # straight cells cut the corners of circles: order 1 is only as good as its size
        allowed = _FRACTION_TOLERANCE * (1.0 if arrays.order > 1 else 2.0)
        for name, fraction in expected.items():
            if name in area:
                off = abs(area[name] / total / fraction - 1.0)
                if off > allowed:
                    raise MeshError(
                        f"the meshed {name} fraction {area[name] / total:.4f} differs from "
                        f"{fraction:.4f}; give a smaller [mesh] interface_size"
                    )
    else:
        gone = [t for name, t in structure.layers.items() if name in holes]
        left_out, allowed = sum(gone) / structure.size[-1], 0.0
    covered = sum(area.values()) / total + left_out
    # the area of holes is known by what they leave uncovered
    tolerance = max(_AREA_TOLERANCE, left_out * allowed)
    if abs(covered - 1.0) > tolerance:
        raise MeshError(
            f"the meshed regions cover {covered:.5f} of the box; "
            "give a smaller [mesh] interface_size or another seed"
        )


def _fractions(section: Section) -> dict[str, float]:
    """Area fraction of each phase inside the box."""
    body = section.inclusions
    if section.fused or _cut(section):
        from fem_spe.geometry.fused import union_area

        return {body.regions[0]: union_area(section) / section.area}
    return {
        name: float(body.areas[body.phase == k].sum()) / section.area
        for k, name in enumerate(body.regions)
    }


def _cut(section: Section) -> bool:
    """True where inclusions end at a side, without continuing on the opposite one."""
    body = section.inclusions
    ex, ey = body.half_extents
    inside = (body.x >= ex) & (body.x + ex <= section.size[0])
    inside &= (body.y >= ey) & (body.y + ey <= section.size[1])
    return not (section.wrapped or inside.all())


def areas(arrays: MeshArrays) -> dict[str, float]:
    """Area or volume of each region, curved cells included, m^2 or m^3."""
    volume = volumes(arrays)
    return {
        name: float(volume[arrays.cell_tags == tag].sum()) for name, tag in arrays.regions.items()
    }


def volumes(arrays: MeshArrays) -> NDArray[np.float64]:
    """Area or volume of each cell, m^2 or m^3; curved tetrahedra count as straight."""
    x = arrays.points[arrays.cells]
    dimension = arrays.points.shape[1]
    if arrays.order == 2 and dimension == 2:
        # Green's theorem with quadratic edges: vertices 0 1 2, middles 3 (01) 4 (12) 5 (20)
        area = np.zeros(len(x))
        for a, m, b in ((0, 3, 1), (1, 4, 2), (2, 5, 0)):
            p, q, r = x[:, a], x[:, m], x[:, b]
            area += (4 * _cross(p, q) + 4 * _cross(q, r) - _cross(p, r)) / 6
        return np.abs(area)
    edges = x[:, 1 : dimension + 1] - x[:, :1]
    return np.asarray(np.abs(np.linalg.det(edges)) / (2 if dimension == 2 else 6))


def _cross(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])

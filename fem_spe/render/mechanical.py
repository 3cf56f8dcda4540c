"""Mechanical results for pictures: what deforms, by which factor, and where the balls end."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.errors import CaseError
from fem_spe.render.deformed import Deformed
from fem_spe.render.stressed import DISPLACEMENT, STRESS, StressedSolid
from fem_spe.render.triangles import dimension, read_grid, triangles
from fem_spe.results import read_case, read_table
from fem_spe.units import LENGTH

_VISIBLE = 0.05  # of the smallest side: a displacement that is easily seen
_CORNER = 0.05  # of the smallest side: the zone about a clamped corner that is left out
_NO_STRESS = "holds no displacement with stresses; is it a mechanical study?"


def deformed(folder: Path, title: str | None = None, factor: float | None = None) -> Deformed:
    """The stress on the deformed section of a 2-D result, for a picture of several.

    Args:
        folder: The result folder, of `indentation` or `elasticity`.
        title: Above it; by default that of the case.
        factor: Of the displacement; by default 1, or a round one that makes it visible.

    Raises:
        CaseError: if the folder holds no 2-D result, or none with stresses.
    """
    grid: Any = read_grid(folder)
    if dimension(grid) != 2:
        raise CaseError(f"{folder}: a 3-D result does not fit into a picture of sections")
    field, case = triangles(grid), read_case(folder)
    if STRESS not in field.cell_values or DISPLACEMENT not in field.vectors:
        raise CaseError(f"{folder}: {_NO_STRESS}")
    moved = field.vectors[DISPLACEMENT] * 1e6
    centres, radius = _balls(folder, case, field.extent[2:])
    if factor is None:
        factor = 1.0 if "balls" in case else magnification(moved, field.points)
    return Deformed(
        field,
        field.points + factor * moved,
        field.cell_values[STRESS] * 1e-6,
        ~_in_clamped_corners(field.points[field.triangles].mean(axis=1), field.extent, case),
        centres,
        radius,
        title or case.get("title") or folder.name,
        scaled(factor),
    )


def stressed_solid(folder: Path, title: str | None = None) -> StressedSolid:
    """The stress on the deformed solid of a 3-D result, for a picture of several.

    Args:
        folder: The result folder, of `indentation` or `elasticity`.
        title: Above it; by default that of the case.

    Raises:
        CaseError: if the folder holds no 3-D result, or none with stresses.
    """
    grid: Any = read_grid(folder)
    if dimension(grid) != 3:
        raise CaseError(f"{folder}: a 2-D result does not fit into a picture of solids")
    if STRESS not in grid.cell_data or DISPLACEMENT not in grid.point_data:
        raise CaseError(f"{folder}: {_NO_STRESS}")
    case = read_case(folder)
    low, high = 1e6 * np.asarray(grid.bounds[4:])
    centres, radius = _balls(folder, case, (low, high))
    factor = 1.0
    if "balls" not in case:
        factor = magnification(grid.point_data[DISPLACEMENT], grid.points)
    return StressedSolid(
        grid,
        title or case.get("title") or folder.name,
        factor,
        scaled(factor),
        centres.reshape(-1, 3),
        radius,
    )


def _balls(
    folder: Path, case: dict[str, Any], heights: tuple[float, float]
) -> tuple[NDArray[np.float64], float]:
    """Final centres, shape (k, dimension), and radius of the balls, um; none in other studies.

    Args:
        folder: The result folder.
        case: Its case.
        heights: Of bottom and top, um.
    """
    file = folder / "tables" / "balls.csv"
    if "balls" not in case or not file.exists() or case["balls"]["material"] != "rigid":
        return np.empty((0, 2)), 0.0
    radius = 1e6 * LENGTH.parse(case["balls"]["radius"])
    table = read_table(file)
    places = [table[head] for head in ("x [um]", "y [um]") if head in table]
    deep = read_table(folder / "tables" / "force.csv")["displacement [um]"][-1]
    up = np.full(len(places[0]), heights[1] + radius)
    if "positions" in case["balls"]:
        given = [LENGTH.parse(place[-1]) for place in case["balls"]["positions"]]
        up = heights[0] + 1e6 * np.array(given)
    return np.column_stack([*places, up - deep]), radius


def _in_clamped_corners(
    places: NDArray[np.float64], extent: tuple[float, float, float, float], case: dict[str, Any]
) -> NDArray[np.bool_]:
    """Which places are so near a corner of a clamped side that the stress there is singular.

    The quantities leave them out as well; a side that slides next to it is a plane of symmetry.
    """
    left, right, bottom, top = extent
    sides = {"left": (0, left), "right": (0, right), "bottom": (1, bottom), "top": (1, top)}
    boundary = case.get("boundary", {})
    zone = _CORNER * min(right - left, top - bottom)
    found = np.zeros(len(places), dtype=bool)
    for name, (axis, at) in sides.items():
        entry = boundary.get(name, {})
        if not entry.get("clamped") and "free" in entry.get("displacement", ["free"]):
            continue
        for other, (across, end) in sides.items():
            slides = boundary.get(other, {}).get("sliding") or (
                other not in boundary and "balls" in case and other != "top"
            )
            if across != axis and not slides:
                near = np.abs(places[:, [axis, across]] - (at, end)) < zone
                found |= near.all(axis=1)
    return found


def scaled(factor: float) -> str:
    return "displacement to scale" if factor == 1.0 else f"displacement × {factor:g}"


def magnification(moved: NDArray[np.float64], points: NDArray[np.float64]) -> float:
    """1, or the round number that makes small displacements of `points` visible."""
    largest = float(np.linalg.norm(moved, axis=1).max())
    wanted = _VISIBLE * float(np.ptp(points, axis=0).min()) / largest if largest else 1.0
    if wanted < 5.0:  # at least a hundredth of the body is seen as it is
        return 1.0
    decade = 10.0 ** math.floor(math.log10(wanted))
    return decade * max(step for step in (1.0, 2.0, 5.0) if step * decade <= wanted)

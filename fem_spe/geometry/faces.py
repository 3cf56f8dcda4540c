"""The names of box faces and interfaces. The anode is `bottom`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from fem_spe.errors import CaseError

Axis = Literal["x", "y", "z"]

# lower and upper face across each axis
BOX_FACES = {
    2: (("left", "right"), ("bottom", "top")),
    3: (("left", "right"), ("front", "back"), ("bottom", "top")),
}


def faces_across(dimension: int, direction: Axis) -> tuple[str, str]:
    """The lower and the upper face across `direction`.

    Raises:
        CaseError: for z in two dimensions.
    """
    axis = "xyz".index(direction)
    if axis >= dimension:
        raise CaseError(f"direction = {direction!r}: a 2-D structure has only x and y")
    return BOX_FACES[dimension][axis]


def face_names(dimension: int, regions: Sequence[str]) -> list[str]:
    """The faces of a box, and the interfaces that there may be between its regions."""
    faces = [name for pair in BOX_FACES[dimension] for name in pair]
    return faces + [interface_name(a, b) for a, b in combinations(regions, 2)]


def opposite(dimension: int, name: str) -> tuple[int, str] | None:
    """The axis that the box face `name` lies across, and the other face; None for no box face."""
    for axis, pair in enumerate(BOX_FACES[dimension]):
        if name in pair:
            return axis, pair[1 - pair.index(name)]
    return None


def thickness(dimension: int) -> Axis:
    """The axis from the anode up."""
    return "y" if dimension == 2 else "z"


def interface_name(first: str, second: str) -> str:
    """`matrix-fiber` and the like: the continuous phase first, then by name."""
    both = sorted((first, second), key=lambda n: (n not in ("matrix", "electrolyte"), n))
    return "-".join(both)

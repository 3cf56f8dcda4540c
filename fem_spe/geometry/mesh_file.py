"""A mesh that another program made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt


@dataclass(frozen=True, kw_only=True)
class MeshFile:
    """A mesh file and the names of its parts.

    Attributes:
        file: Path of a .msh file, or of any other format that meshio reads.
        scale: Metres per length unit of the file.
        regions: Name -> integer id, for formats that carry no names.
        faces: Name -> integer id likewise; box sides that are not named are found by
            their coordinates.
    """

    file: str
    kind: Literal["mesh_file"] = "mesh_file"
    scale: Annotated[float, Gt(0.0)] = 1.0
    regions: dict[str, int] = field(default_factory=dict)
    faces: dict[str, int] = field(default_factory=dict)

"""Structures as frozen data over numpy: no mesher, no finite elements."""

from fem_spe.geometry.box import Box
from fem_spe.geometry.mesh_file import MeshFile
from fem_spe.geometry.parallel import ParallelSection
from fem_spe.geometry.random import Orientation, RandomSection
from fem_spe.geometry.regular import AlignedSection, AlternatingSection
from fem_spe.geometry.section import Inclusions, Section

FiberSection = AlignedSection | RandomSection | AlternatingSection | ParallelSection
Geometry = Box | FiberSection | MeshFile

__all__ = [
    "AlignedSection",
    "AlternatingSection",
    "Box",
    "FiberSection",
    "Geometry",
    "Inclusions",
    "MeshFile",
    "Orientation",
    "ParallelSection",
    "RandomSection",
    "Section",
]

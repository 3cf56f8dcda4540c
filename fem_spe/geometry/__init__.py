"""Structures as frozen data over numpy: no mesher, no finite elements."""

from fem_spe.geometry.box import Box
from fem_spe.geometry.image import ImageFile
from fem_spe.geometry.image_voxels import Voxels
from fem_spe.geometry.mesh_file import MeshFile
from fem_spe.geometry.network import Network
from fem_spe.geometry.network_random import FiberNetwork
from fem_spe.geometry.parallel import ParallelSection
from fem_spe.geometry.printed import Printed
from fem_spe.geometry.random import Orientation, RandomSection
from fem_spe.geometry.regular import AlignedSection, AlternatingSection
from fem_spe.geometry.section import Inclusions, Section
from fem_spe.geometry.slice import SliceSection

FiberSection = AlignedSection | RandomSection | AlternatingSection | ParallelSection | SliceSection
Geometry = Box | FiberSection | FiberNetwork | Printed | ImageFile | MeshFile

__all__ = [
    "AlignedSection",
    "AlternatingSection",
    "Box",
    "FiberNetwork",
    "FiberSection",
    "Geometry",
    "ImageFile",
    "Inclusions",
    "MeshFile",
    "Network",
    "Orientation",
    "ParallelSection",
    "Printed",
    "RandomSection",
    "Section",
    "SliceSection",
    "Voxels",
]

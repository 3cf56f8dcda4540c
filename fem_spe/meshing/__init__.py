"""Geometry to `Domain`. This room alone imports gmsh and meshio."""

from fem_spe.meshing.build import MeshPlan, Structure, build, mesh_arrays
from fem_spe.meshing.extract import curve, extract
from fem_spe.meshing.graded import WallLayer
from fem_spe.meshing.half_balls import HalfBall, cuts
from fem_spe.meshing.half_discs import ACROSS, HalfDisc
from fem_spe.meshing.printed import add_printed
from fem_spe.meshing.section import add_section
from fem_spe.meshing.session import generate, session
from fem_spe.meshing.sizes import SizeField, Sizes, Spot, set_size_field
from fem_spe.meshing.write import FORMATS, write, write_arrays

__all__ = [
    "ACROSS",
    "FORMATS",
    "HalfBall",
    "HalfDisc",
    "MeshPlan",
    "SizeField",
    "Sizes",
    "Spot",
    "Structure",
    "WallLayer",
    "add_printed",
    "add_section",
    "build",
    "curve",
    "cuts",
    "extract",
    "generate",
    "mesh_arrays",
    "session",
    "set_size_field",
    "write",
    "write_arrays",
]

"""Geometry to `Domain`. This room alone imports gmsh and meshio."""

from fem_spe.meshing.build import MeshPlan, Structure, build, mesh_arrays
from fem_spe.meshing.sizes import Sizes
from fem_spe.meshing.write import FORMATS

__all__ = ["FORMATS", "MeshPlan", "Sizes", "Structure", "build", "mesh_arrays"]

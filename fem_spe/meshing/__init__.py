"""Geometry to `Domain`. This room alone imports gmsh and meshio."""

from fem_spe.meshing.build import MeshPlan, build, mesh_arrays
from fem_spe.meshing.sizes import Sizes

__all__ = ["MeshPlan", "Sizes", "build", "mesh_arrays"]

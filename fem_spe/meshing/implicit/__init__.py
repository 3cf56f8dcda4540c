"""Two phases told apart by a signed distance, on a graded lattice of tetrahedra."""

from fem_spe.meshing.implicit.mesh import implicit_mesh

__all__ = ["implicit_mesh"]

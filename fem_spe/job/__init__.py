"""From a case to a result, and from a structure to a mesh."""

from fem_spe.job.alone import image_only, mesh_only
from fem_spe.job.prepare import check, resolved
from fem_spe.job.running import run

__all__ = ["check", "image_only", "mesh_only", "resolved", "run"]

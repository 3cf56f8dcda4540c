"""Pictures from result folders. PyVista is imported here alone."""

from fem_spe.render.deformed import Deformed, draw_deformed
from fem_spe.render.field import Panel, draw_fields
from fem_spe.render.mesh import draw_mesh
from fem_spe.render.movie import join
from fem_spe.render.network import NetworkPanel, draw_networks
from fem_spe.render.parts import draw_parts, draw_parts_panels, grid_of
from fem_spe.render.pores import draw_pores
from fem_spe.render.scale import Scale
from fem_spe.render.solid import draw_solid
from fem_spe.render.stressed import StressedSolid, draw_stressed_solids, stressed_panels
from fem_spe.render.triangles import (
    dimension,
    limits,
    on_face,
    read_grid,
    read_times,
    scalars,
    triangles,
)

__all__ = [
    "Deformed",
    "NetworkPanel",
    "Panel",
    "Scale",
    "StressedSolid",
    "dimension",
    "draw_deformed",
    "draw_fields",
    "draw_mesh",
    "draw_networks",
    "draw_parts",
    "draw_parts_panels",
    "draw_pores",
    "draw_solid",
    "draw_stressed_solids",
    "grid_of",
    "join",
    "limits",
    "on_face",
    "read_grid",
    "read_times",
    "scalars",
    "stressed_panels",
    "triangles",
]

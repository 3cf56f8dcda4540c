"""Pictures from result folders. PyVista is imported here alone."""

from fem_spe.render.field import Panel, draw_fields
from fem_spe.render.folder import draw, panel

__all__ = ["Panel", "draw", "draw_fields", "panel"]

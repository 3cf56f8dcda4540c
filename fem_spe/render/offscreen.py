"""PyVista on machines without a display."""

from __future__ import annotations

import os
from typing import Any


def pyvista() -> Any:
    """The `pyvista` module, set up to draw off screen.

    Without a display VTK would try X first and complain; EGL works where X does not.
    """
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    import pyvista as pv

    pv.OFF_SCREEN = True
    return pv

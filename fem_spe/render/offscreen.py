"""PyVista on machines without a display."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.style import DPI, HOLE

_PIXELS = 12  # along the longer side, for each dot per inch of the picture


def pyvista() -> Any:
    """The `pyvista` module, set up to draw off screen.

    Without a display VTK would try X first and complain; EGL works where X does not.
    """
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    import pyvista as pv

    pv.OFF_SCREEN = True
    return pv


def looking_down(
    extent: tuple[float, float, float, float], dpi: int = DPI, background: str = HOLE
) -> Any:
    """A plotter that looks straight down on `extent` (left, right, bottom, top), nothing else."""
    left, right, bottom, top = extent
    width, height = right - left, top - bottom
    pixels = np.array([width, height]) / max(width, height) * _PIXELS * dpi
    window = [max(64, round(p)) for p in pixels]
    plotter = pyvista().Plotter(off_screen=True, window_size=window)
    plotter.set_background(background)
    middle = (left + right) / 2, (bottom + top) / 2
    plotter.enable_parallel_projection()
    plotter.camera_position = [(*middle, 10.0 * max(width, height)), (*middle, 0.0), (0, 1, 0)]
    plotter.camera.parallel_scale = height / 2
    plotter.enable_anti_aliasing("msaa", multi_samples=8)
    return plotter


def screenshot(plotter: Any) -> NDArray[np.uint8]:
    """What `plotter` shows, shape (height, width, 3); it is closed."""
    plotter.reset_camera_clipping_range()  # the camera was set before anything was there
    picture = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    return picture


def in_plane(points: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Points of shape (n, 2) at z = `height`."""
    return np.column_stack([points, np.full(len(points), height)])

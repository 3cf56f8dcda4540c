"""3-D fields on the outer surface, the front right quarter cut away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fem_spe.render.offscreen import pyvista
from fem_spe.render.scale import Scale, color_bar
from fem_spe.render.style import COLORMAP, style, wrapped
from fem_spe.render.triangles import limits as extremes

_VIEW = (1.0, -1.5, 0.8)  # from where the camera looks


def draw_solid(
    grid: Any,
    file: Path,
    *,
    label: str,
    title: str = "",
    name: str = "concentration",
    limits: tuple[float, float] | Scale | None = None,
) -> Path:
    """The field `name`, with the box and its measures.

    Args:
        grid: From `read_grid`.
        file: Where to write the picture.
        label: Of the colour bar, with unit.
        title: Above it.
        name: The field that is shown.
        limits: Of the colours; by default the extremes of the field.
    """
    shown = limits or extremes([grid[name]])
    scale = shown if isinstance(shown, Scale) else Scale(*shown)
    picture = _image(grid, name, scale)
    x0, x1, y0, y1, z0, z1 = (1e6 * b for b in grid.bounds)
    with style() as plt:
        height, wide = picture.shape[:2]
        # beside the picture the colour bar, above it a title of some length
        inches = float(np.clip(3.0 * wide / height + 1.0, 3.2, 4.2))
        figure, axis = plt.subplots(figsize=(inches, 3.6), layout="constrained")
        axis.imshow(picture, interpolation="antialiased")
        axis.set_axis_off()
        measures = f"{x1 - x0:.4g} × {y1 - y0:.4g} × {z1 - z0:.4g} µm (x × y × z)"
        # above the figure, for a tall box is too narrow for it
        above = f"{wrapped(title, inches)}\n{measures}" if title else measures
        figure.suptitle(above, fontsize=9)
        color_bar(plt, figure, axis, scale, label, fraction=0.045, pad=0.02)
        figure.savefig(file)
    return file


def _image(grid: Any, name: str, scale: Scale) -> np.ndarray:
    pv = pyvista()
    shown = grid.scale(1e6, inplace=False)
    x0, x1, y0, y1, z0, z1 = shown.bounds
    quarter = [(x0 + x1) / 2, x1 + 1, y0 - 1, (y0 + y1) / 2, z0 - 1, z1 + 1]
    cut = shown.clip_box(quarter, invert=True)
    cut["shade"] = np.asarray(scale.norm()(cut[name]))
    plotter = pv.Plotter(off_screen=True, window_size=[1400, 1400])
    plotter.set_background("white")
    plotter.add_mesh(
        cut, scalars="shade", cmap=COLORMAP, clim=(0, 1), show_scalar_bar=False, ambient=0.5,
        diffuse=0.5,
    )  # fmt: skip
    plotter.add_mesh(shown.outline(), color="black", line_width=3)
    return photograph(plotter, _VIEW)


def photograph(plotter: Any, view: tuple[float, float, float]) -> np.ndarray:
    """What `plotter` shows on white from the direction `view`, cropped; it is closed.

    Returns:
        Shape (height, width, 3).
    """
    plotter.enable_parallel_projection()
    plotter.camera_position = [view, (0, 0, 0), (0, 0, 1)]
    plotter.reset_camera()
    plotter.camera.zoom(0.95)  # all of a tall box; what stays empty is cut off below
    plotter.enable_anti_aliasing("msaa", multi_samples=8)
    picture = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    inked = (picture < 250).any(axis=2)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

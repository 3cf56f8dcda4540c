"""A 2-D concentration field with fibres and pathways, as in Gou 2025, Fig. 2b.

PyVista draws what is inside the axes; matplotlib sets the axes, the colour bar and text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.offscreen import in_plane, looking_down, pyvista, screenshot
from fem_spe.render.style import COLORMAP, DPI, INTERFACE, OUTLINE, PATHWAY, style, wrapped
from fem_spe.render.triangles import Triangles
from fem_spe.render.triangles import limits as extremes

_TALLEST = 7.0  # in, of a panel


@dataclass(frozen=True)
class Panel:
    """One field of a picture."""

    field: Triangles
    title: str


def image(
    field: Triangles, name: str, limits: tuple[float, float], pathways: int, dpi: int = DPI
) -> NDArray[np.uint8]:
    """The field `name` with outlines and `pathways` path lines, shape (height, width, 3)."""
    pv = pyvista()
    plotter = looking_down(field.extent, dpi)
    plotter.add_mesh(
        _surface(pv, field, name),
        scalars=name,
        cmap=COLORMAP,
        clim=limits,
        show_scalar_bar=False,
        lighting=False,
    )
    for edges, color in zip(field.outlines(), (OUTLINE, INTERFACE), strict=True):
        if len(edges):
            lines = np.column_stack([np.full(len(edges), 2), edges]).ravel()
            outline = pv.PolyData(in_plane(field.points, 0.1), lines=lines)
            plotter.add_mesh(outline, color=color, line_width=2, lighting=False)
    psi = field.values.get("stream_function")
    if psi is not None and pathways and np.ptp(psi) > 0:
        step = np.ptp(psi) / pathways
        levels = psi.min() + step * (np.arange(pathways) + 0.5)
        paths = _surface(pv, field, "stream_function").contour(levels, scalars="stream_function")
        # a dark rim keeps the line visible on the bright end of the colour map
        for color, thickness, lift in (("#222222", 6, 0.2), (PATHWAY, 3.4, 0.3)):
            raised = paths.translate((0, 0, lift), inplace=False)
            plotter.add_mesh(raised, color=color, line_width=thickness, lighting=False)
    return screenshot(plotter)


def flat_image(
    field: Triangles, values: NDArray[Any], colors: Any, limits: tuple[float, float]
) -> NDArray[np.uint8]:
    """One colour for each triangle, by `values` of shape (m,)."""
    pv = pyvista()
    plotter = looking_down(field.extent)
    surface = _surface(pv, field, None)
    surface.cell_data["values"] = values
    plotter.add_mesh(
        surface, scalars="values", cmap=colors, clim=limits, show_scalar_bar=False, lighting=False
    )
    return screenshot(plotter)


def draw_fields(
    panels: Sequence[Panel],
    file: Path,
    *,
    label: str,
    name: str = "concentration",
    limits: tuple[float, float] | None = None,
    dpi: int = DPI,
) -> Path:
    """Panels below one another with one colour bar and one scale.

    Args:
        panels: Fields and their titles.
        file: Where to write the picture.
        label: Of the colour bar, with unit.
        name: The field that is shown.
        limits: Of the colours; by default the extremes of the field.
        dpi: Dots per inch; a section wider than high is 6.7 inches wide.
    """
    shown = limits or extremes(_values(p.field, name) for p in panels)
    left, right, bottom, top = panels[0].field.extent
    ratio = (top - bottom) / (right - left)
    width = 6.7 if ratio < 1 else max(3.4, 5.0 / ratio)
    inner = min(width - 1.45, _TALLEST / ratio)
    with style() as plt:
        figure, axes = plt.subplots(
            len(panels),
            1,
            figsize=(width, len(panels) * (inner * ratio + 0.32) + 0.5),
            layout="constrained",
            squeeze=False,
            sharex=True,
        )
        for axis, panel in zip(axes[:, 0], panels, strict=True):
            left, right, bottom, top = panel.field.extent
            pathways = int(
                np.clip(round(30 * (right - left) / max(right - left, top - bottom)), 6, 30)
            )
            picture = image(panel.field, name, shown, pathways, dpi)
            axis.imshow(picture, extent=panel.field.extent, interpolation="antialiased")
            for spine in axis.spines.values():
                spine.set_visible(True)
            axis.set_title(wrapped(panel.title, width - 0.6), loc="left")
            axis.set_ylabel("y (µm)")
        axes[-1, 0].set_xlabel("x (µm)")
        _color_bar(plt, figure, axes, shown, label, 14 * len(panels) * max(1.0, 0.5 * ratio))
        figure.savefig(file, dpi=dpi)
    return file


def _color_bar(
    plt: Any, figure: Any, axes: Any, limits: tuple[float, float], label: str, aspect: float
) -> None:
    colors = plt.cm.ScalarMappable(plt.Normalize(*limits), COLORMAP)
    bar = figure.colorbar(colors, ax=axes, fraction=0.05, pad=0.015, aspect=aspect)
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)


def _values(field: Triangles, name: str) -> NDArray[np.float64]:
    return field.values[name] if name in field.values else field.cell_values[name]


def _surface(pv: Any, field: Triangles, name: str | None) -> Any:
    faces = np.column_stack([np.full(len(field.triangles), 3), field.triangles]).ravel()
    surface = pv.PolyData(in_plane(field.points, 0.0), faces=faces)
    if name is not None:
        data = surface.point_data if name in field.values else surface.cell_data
        data[name] = _values(field, name)
    return surface

"""Printed parts as solids: the electrolyte whole, its electrodes cut away in front."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.offscreen import pyvista
from fem_spe.render.solid import photograph
from fem_spe.render.style import style, wrapped

COLORS = {"electrolyte": "#e9c46a", "lithium": "#c3c7cc", "cathode": "#4a5a70"}
_OTHER = "#8bb07c"
_VIEW = (1.0, -1.6, 0.95)
_EDGE = 40.0  # degrees between faces that are told apart by a line
_LINE = "#33373c"


def grid_of(
    points: NDArray[np.float64], cells: NDArray[np.int64], region: NDArray[np.int32]
) -> Any:
    """Tetrahedra as a PyVista grid, lengths as given.

    Args:
        points: Shape (num_points, 3).
        cells: Shape (num_cells, 4 or 10); corners first.
        region: Number of the region of each cell, shape (num_cells,).
    """
    pv = pyvista()
    grid = pv.UnstructuredGrid({pv.CellType.TETRA: cells[:, :4]}, points)
    grid.cell_data["region"] = region
    return grid


def draw_parts(grid: Any, file: Path, *, names: Mapping[int, str], title: str = "") -> Path:
    """The regions of a 3-D structure, with a key to their colours.

    Args:
        grid: With `region` in its cells, lengths in m.
        file: Where to write the picture.
        names: Number of a region -> its name.
        title: Above it.
    """
    with style() as plt:
        figure, axis = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
        axis.imshow(parts_image(grid, names), interpolation="antialiased")
        axis.set_axis_off()
        x0, x1, y0, y1, z0, z1 = (1e6 * b for b in grid.bounds)
        measures = f"{x1 - x0:.4g} × {y1 - y0:.4g} × {z1 - z0:.4g} µm (x × y × z)"
        above = f"{wrapped(title, 4.2)}\n{measures}" if title else measures
        figure.suptitle(above, fontsize=9)
        key(figure, names.values())
        figure.savefig(file)
    return file


def draw_parts_panels(
    panels: Sequence[tuple[str, Any, Mapping[int, str]]], file: Path, *, columns: int = 3
) -> Path:
    """Several structures in one picture.

    Args:
        panels: Title, grid and names as of `draw_parts`, row by row.
        file: Where to write the picture.
        columns: Pictures in a row.
    """
    rows = -(-len(panels) // columns)
    with style() as plt:
        figure, axes = plt.subplots(
            rows, columns, figsize=(2.5 * columns, 2.2 * rows), layout="constrained", squeeze=False
        )
        for axis in axes.flat:
            axis.set_axis_off()
        for axis, (title, grid, names) in zip(axes.flat, panels, strict=False):
            axis.imshow(parts_image(grid, names), interpolation="antialiased")
            axis.set_title(title)
        every = {name for _, _, names in panels for name in names.values()}
        key(figure, [name for name in COLORS if name in every])
        figure.savefig(file)
    return file


def key(figure: Any, names: Iterable[str]) -> None:
    """Colours of the regions `names` below `figure`."""
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=COLORS.get(name, _OTHER), edgecolor="#33373c", linewidth=0.5, label=name)
        for name in names
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))


def parts_image(grid: Any, names: Mapping[int, str]) -> NDArray[np.uint8]:
    """The picture alone; seen from below where the electrolyte has its relief there.

    Returns:
        Shape (height, width, 3).
    """
    pv = pyvista()
    shown = grid.scale(1e6, inplace=False)
    plotter = pv.Plotter(off_screen=True, window_size=[1800, 1800])
    plotter.set_background("white")
    below = False
    for number, name in names.items():
        part = shown.extract_cells(np.flatnonzero(shown.cell_data["region"] == number))
        surfaces, lines = _whole(part)
        if name == "electrolyte":
            below = _lower_relief(part)
        else:
            surfaces, lines = _cut(part, surfaces[0], lines[0], shown.bounds)
        for surface in filter(_filled, surfaces):
            plotter.add_mesh(
                surface, color=COLORS.get(name, _OTHER), ambient=0.35, diffuse=0.65,
                specular=0.6 if name == "lithium" else 0.15, specular_power=20.0,
                smooth_shading=True, split_sharp_edges=True, feature_angle=_EDGE,
            )  # fmt: skip
        for line in filter(_filled, lines):
            plotter.add_mesh(line, color=_LINE, line_width=2.5)
    x, y, z = _VIEW
    return photograph(plotter, (x, y, -z if below else z))


def _whole(part: Any) -> tuple[list[Any], list[Any]]:
    """Surface and edges of `part`."""
    surface = part.extract_surface(algorithm="dataset_surface").clean()
    edges = surface.extract_feature_edges(
        _EDGE, boundary_edges=False, manifold_edges=False, non_manifold_edges=False
    )
    return [surface], [edges]


def _cut(
    part: Any, surface: Any, edges: Any, bounds: tuple[float, ...]
) -> tuple[list[Any], list[Any]]:
    """What is left of a part without the front right quarter of `bounds`: surfaces and lines.

    The surface is cut and closed by slices: cells that are cut themselves leave cracks.
    """
    x0, x1, y0, y1, z0, z1 = bounds
    middle = ((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2)
    quarter = [middle[0], x1 + 1, y0 - 1, middle[1], z0 - 1, z1 + 1]
    surfaces = [surface.clip_box(quarter, invert=True)]
    lines = [edges.clip_box(quarter, invert=True)] if edges.n_cells else []
    for normal, across, kept in (("x", "y", True), ("y", "x", False)):
        face = part.slice(normal, origin=middle)
        outline = surface.slice(normal, origin=middle)
        surfaces.append(face.clip(across, origin=middle, invert=kept))
        lines.append(outline.clip(across, origin=middle, invert=kept))
    ends = np.sort(surface.slice("x", origin=middle).slice("y", origin=middle).points[:, 2])
    for low, high in zip(ends[::2], ends[1::2], strict=False):
        corner = [(*middle[:2], float(z)) for z in (low, high)]
        lines.append(pyvista().Line(*corner))
    return surfaces, lines


def _filled(data: Any) -> bool:
    return bool(data.n_cells)


def _lower_relief(part: Any) -> bool:
    """True where the part covers less of its lower than of its upper end."""
    z = part.points[:, 2]
    low, high = z.min(), z.max()
    near = 1e-6 * (high - low)
    ends = (part.points[np.abs(z - end) < near] for end in (low, high))
    return bool(np.less(*(np.prod(np.ptp(p[:, :2], axis=0)) for p in ends)))

"""The mesh: the structure as a whole, and the cells in a window large enough to see them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fem_spe.render.field import flat_image
from fem_spe.render.style import HOLE, OUTLINE, style
from fem_spe.render.triangles import Triangles

_CELLS_SHOWN = 3000
_REGIONS = ["#f3efe6", "#7a9cc6", "#c97b63", "#8bb07c"]


def draw_mesh(field: Triangles, file: Path) -> Path:
    """Two panels: regions with the window marked, and the window's cells."""
    left, right, bottom, top = field.extent
    width, height = right - left, top - bottom
    share = min(1.0, np.sqrt(_CELLS_SHOWN / len(field.cells)))
    side = max(share * np.sqrt(width * height), 1e-3 * width)
    wx, wy = min(side, width), min(side, height)
    x0, y0 = left + (width - wx) / 2, bottom + (height - wy) / 2
    with style() as plt:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import ListedColormap
        from matplotlib.patches import Rectangle

        # panels of one height, as long as that leaves both large enough
        ratios = [float(np.clip(width / height, 0.5, 3.0)), float(np.clip(wx / wy, 0.5, 2.0))]
        figure, (whole, window) = plt.subplots(
            1, 2, figsize=(6.7, min(5.6 / sum(ratios), 4.5) + 0.7), layout="constrained",
            width_ratios=ratios,
        )  # fmt: skip
        colors = ListedColormap(_REGIONS[: max(1, int(field.region.max()))])
        picture = flat_image(field, field.region, colors, (0.5, colors.N + 0.5))
        whole.imshow(picture, extent=field.extent, interpolation="antialiased")
        for axis in (whole, window):
            axis.set_facecolor(HOLE)
            axis.set_aspect("equal")
            axis.set_xlabel("x (µm)")
            for spine in axis.spines.values():
                spine.set_visible(True)
        outlines = field.points[np.concatenate(field.outlines())]
        whole.add_collection(LineCollection(outlines, colors=OUTLINE, linewidths=0.3))
        whole.set(xlim=(left, right), ylim=(bottom, top), ylabel="y (µm)")
        whole.add_patch(Rectangle((x0, y0), wx, wy, fill=False, ec="crimson", lw=1.0))
        whole.set_title("structure", loc="left")
        edges = field.cell_edges()
        middle = edges[:, edges.shape[1] // 2]
        near = (abs(middle[:, 0] - x0 - wx / 2) < wx) & (abs(middle[:, 1] - y0 - wy / 2) < wy)
        x, y = field.points.T
        px, py = (p[field.triangles].mean(axis=1) for p in (x, y))
        seen = (abs(px - x0 - wx / 2) < wx) & (abs(py - y0 - wy / 2) < wy)
        window.tripcolor(
            x, y, field.triangles[seen], facecolors=field.region[seen].astype(float), cmap=colors,
            vmin=0.5, vmax=colors.N + 0.5,
        )  # fmt: skip
        window.add_collection(LineCollection(_curved(edges[near]), colors=OUTLINE, linewidths=0.25))
        window.set(xlim=(x0, x0 + wx), ylim=(y0, y0 + wy))
        window.set_title(f"mesh of {len(field.cells):,} cells (window)", loc="left")
        figure.savefig(file)
    return file


def _curved(edges: np.ndarray) -> np.ndarray:
    """Three-node edges as smooth polylines."""
    if edges.shape[1] == 2:
        return edges
    t = np.linspace(0.0, 1.0, 7)[None, :, None]
    p, q, r = edges[:, :1], edges[:, 1:2], edges[:, 2:]
    return p * (1 - t) * (1 - 2 * t) + 4 * q * t * (1 - t) + r * t * (2 * t - 1)

"""Stress on deformed solids, cut open under the balls that are pressed into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.offscreen import pyvista
from fem_spe.render.scale import Scale, color_bar, fitting
from fem_spe.render.solid import photograph
from fem_spe.render.style import BALL, COLORMAP, style, wrapped

STRESS, DISPLACEMENT = "von_mises [Pa]", "displacement"
_SHADE = "shade"
_VIEW = (1.0, -1.5, 0.8)  # from where the camera looks
_INNER = 0.2  # of a side, from its ends: only balls in between are cut through
_RINGS, _ROUND = 48, 96  # of a ball
_EDGE = 40.0  # degrees between faces that are shaded apart
_PALE = 0.35  # opacity of a ball
_HIGH = 0.75  # of the box's height: what is drawn of a ball above the place where it ends

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StressedSolid:
    """One solid of a picture.

    Attributes:
        grid: From `read_grid`, lengths in m, with `region`, `displacement` and `von_mises [Pa]`.
        title: Above it.
        factor: Of the displacement that it is drawn with.
        note: Below the title, such as the factor in words.
        centres: Of the balls at their final places, um, shape (k, 3); none without balls.
        radius: Of the balls, um.
    """

    grid: Any
    title: str
    factor: float
    note: str
    centres: Floats
    radius: float

    @property
    def stress(self) -> Floats:
        """Of each cell, MPa."""
        return 1e-6 * np.asarray(self.grid.cell_data[STRESS])

    @property
    def volumes(self) -> Floats:
        """Of the cells, m^3."""
        sizes = self.grid.compute_cell_sizes(length=False, area=False)
        return np.abs(np.asarray(sizes["Volume"]))

    @property
    def measures(self) -> str:
        """Of the box, in words."""
        sides = 1e6 * np.ptp(np.reshape(self.grid.bounds, (3, 2)), axis=1)
        return " × ".join(f"{side:.4g}" for side in sides) + " µm (x × y × z)"


def draw_stressed_solids(
    solids: Sequence[StressedSolid], file: Path, *, limits: Scale | None = None
) -> Path:
    """Solids side by side on one scale of colours, see `stressed_panels`.

    Args:
        solids: What is shown.
        file: Where to write the picture.
        limits: The scale; by default one that fits all solids.
    """
    with style() as plt:
        figure, axes = plt.subplots(
            1, len(solids), figsize=(3.3 * len(solids) + 0.9, 3.6), layout="constrained",
            squeeze=False,
        )  # fmt: skip
        stressed_panels(plt, figure, axes[0], solids, limits)
        figure.savefig(file, bbox_inches="tight", pad_inches=0.05)  # flat boxes leave much free
    return file


def stressed_panels(
    plt: Any, figure: Any, axes: Any, solids: Sequence[StressedSolid], limits: Scale | None = None
) -> None:
    """Solids on axes of a larger figure, with one colour bar.

    The front right quarter is cut away: of a solid under balls that of the region numbered 1
    alone, so that what is embedded in it is seen as a whole.

    Args:
        plt: From `style`.
        figure: That the axes stand in.
        axes: One for each solid.
        solids: What is shown.
        limits: The scale of colours; by default one that fits all solids.
    """
    scale = limits or fitting([s.stress for s in solids], [s.volumes for s in solids])
    for axis, solid in zip(axes, solids, strict=True):
        axis.imshow(_image(solid, scale), interpolation="antialiased")
        axis.set_axis_off()
        axis.set_title(f"{wrapped(solid.title, 3.2)}\n")
        axis.text(
            0.5, 1.02, f"{solid.measures}, {solid.note}", transform=axis.transAxes, ha="center",
            va="bottom", fontsize=7, color="0.35",
        )  # fmt: skip
    label, clipped = "von Mises stress, means of cells (MPa)", scale.clipped("volume")
    color_bar(
        plt, figure, axes, scale, f"{label}\n{clipped}" if clipped else label, fraction=0.045,
        pad=0.02,
    )  # fmt: skip


def _image(solid: StressedSolid, scale: Scale) -> NDArray[np.uint8]:
    pv = pyvista()
    shown = solid.grid.scale(1e6, inplace=False)
    shown.cell_data[_SHADE] = np.asarray(scale.norm()(solid.stress))
    low, high = np.reshape(shown.bounds, (3, 2)).T
    place = corner(solid, low, high)
    quarter = [place[0], high[0] + 1, low[1] - 1, place[1], low[2] - 1, high[2] + 1]
    plotter = pv.Plotter(off_screen=True, window_size=[1600, 1600])
    plotter.set_background("white")
    for part, whole in parts(shown, embedded=len(solid.centres) > 0):
        # from cells to nodes, region by region: smooth, but for the jumps at interfaces
        smooth = part.cell_data_to_point_data()
        for surface in _cut(smooth, None if whole else quarter):
            plotter.add_mesh(
                surface.warp_by_vector(DISPLACEMENT, factor=1e6 * solid.factor), scalars=_SHADE,
                cmap=COLORMAP, clim=(0, 1), show_scalar_bar=False, ambient=0.45, diffuse=0.55,
                smooth_shading=True, split_sharp_edges=True, feature_angle=_EDGE,
            )  # fmt: skip
    for centre in solid.centres:
        top = centre[2] - solid.radius + _HIGH * (high[2] - low[2])
        beyond = low[2] - 2 * solid.radius, top + 1  # at all heights
        ball = _ball(pv, centre, solid.radius, top)
        ball = ball.clip_box([low[0], high[0], low[1], high[1], *beyond], invert=False)
        ball = ball.clip_box([*quarter[:4], *beyond], invert=True)
        plotter.add_mesh(
            ball.extract_surface(algorithm="dataset_surface"), color=BALL, opacity=_PALE,
            ambient=0.4, diffuse=0.6, specular=0.3, smooth_shading=True,
        )  # fmt: skip
    plotter.add_mesh(pv.Box(shown.bounds).outline(), color="black", line_width=2.5)
    return np.asarray(photograph(plotter, _VIEW), dtype=np.uint8)


def parts(grid: Any, *, embedded: bool) -> Iterator[tuple[Any, bool]]:
    """The regions of `grid`, and whether each is shown whole: if `embedded`, all but the first."""
    region = np.asarray(grid.cell_data["region"]).round()
    numbers = np.unique(region)
    for number in numbers:
        whole = embedded and len(numbers) > 1 and number != 1
        yield grid.extract_cells(np.flatnonzero(region == number)), bool(whole)


def _cut(part: Any, quarter: Sequence[float] | None) -> Iterator[Any]:
    """Surfaces of `part`, without the `quarter`: its skin, and the two planes that it ends in."""
    skin = part.extract_surface(algorithm="dataset_surface")
    if quarter is None:
        yield skin
        return
    edge = quarter[0], quarter[3], 0.0
    surfaces = [skin.clip_box(quarter, invert=True).extract_surface(algorithm="dataset_surface")]
    for normal, across, kept in (("x", "y", True), ("y", "x", False)):
        plane = part.slice(normal, origin=edge)
        surfaces.append(plane.clip(across, origin=edge, invert=kept))
    yield from (surface for surface in surfaces if surface.n_cells)


def corner(solid: StressedSolid, low: Floats, high: Floats) -> Floats:
    """Where the quarter that is cut away ends, in the plane: on a ball's axis, or in the middle.

    Of the balls it is the one nearest to the middle, of several the one in front on the right.
    """
    middle, sides = 0.5 * (low + high)[:2], (high - low)[:2]
    off = (solid.centres[:, :2] - middle) / sides
    off = off[np.abs(off).max(axis=1) < 0.5 - _INNER]
    if not len(off):
        return np.asarray(middle)
    front = off @ (1.0, -1.0)
    nearest = np.lexsort((-front, np.linalg.norm(off, axis=1).round(6)))[0]
    return np.asarray(middle + off[nearest] * sides)


def _ball(pv: Any, centre: Floats, radius: float, top: float) -> Any:
    """A ball as far up as `top`, in rings about its lowest point, which may be as good as flat."""
    share = np.clip((top - centre[2] + radius) / (2 * radius), 0.0, 1.0)
    half = np.linspace(0.0, np.arcsin(np.sqrt(share)), _RINGS)[:, None]  # of the angle
    turn = np.linspace(0.0, 2 * np.pi, _ROUND)[None]
    out = radius * np.sin(2 * half)
    up = 2 * radius * np.sin(half) ** 2 + 0 * turn
    lowest = centre - (0.0, 0.0, radius)
    grid = pv.StructuredGrid(
        *(at[..., None] for at in (lowest[0] + out * np.cos(turn), lowest[1] + out * np.sin(turn),
                                   lowest[2] + up))
    )  # fmt: skip
    return grid.extract_surface(algorithm="dataset_surface").clean()

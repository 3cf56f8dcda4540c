"""Stress on deformed sections with the balls pressed into them, as in Gou 2025, Fig. 5f-g."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.offscreen import in_plane, looking_down, pyvista, screenshot
from fem_spe.render.scale import Scale, color_bar, fitting
from fem_spe.render.style import BALL, BALL_EDGE, COLORMAP, DPI, FIBER_EDGE, WINDOW, style, wrapped
from fem_spe.render.triangles import Triangles

_AIR = 0.25  # of the height, at most, is shown above the body
_MARGIN = 0.015  # of the longer side, around the body
_WIDTH = 8.0  # in, of a picture
_NEAR = 3.0  # radii: width of the window about a ball
_DOWN = 0.35  # of half the window: its middle lies so far below the ball
_PART = 0.35  # of the smaller side: width of the window without balls

Extent = tuple[float, float, float, float]  # left, right, bottom, top, um


@dataclass(frozen=True)
class Deformed:
    """One section of a picture.

    Attributes:
        field: The body before it deforms.
        points: Where its points are drawn, um, shape (n, 2).
        stress: In each triangle, MPa, shape (m,).
        counted: Triangles among which the largest stress is looked for, shape (m,).
        centres: Of the balls at their final places, um, shape (k, 2).
        radius: Of the balls, um.
        title: Above it.
        note: Above it on the right, such as the factor of the displacement.
    """

    field: Triangles
    points: NDArray[np.float64]
    stress: NDArray[np.float64]
    counted: NDArray[np.bool_]
    centres: NDArray[np.float64]
    radius: float
    title: str
    note: str

    @property
    def areas(self) -> NDArray[np.float64]:
        """Of the triangles, um^2."""
        a, b = np.moveaxis(np.diff(self.field.points[self.field.triangles], axis=1), 1, 0)
        return np.asarray(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2)

    @property
    def middles(self) -> NDArray[np.float64]:
        """Of the triangles where they are drawn, um, shape (m, 2)."""
        return np.asarray(self.points[self.field.triangles].mean(axis=1))

    def extent(self) -> Extent:
        """The body before and after, and the balls above it as far as they fit."""
        both = np.concatenate([self.field.points, self.points])
        (left, bottom), (right, top) = both.min(axis=0), both.max(axis=0)
        margin = _MARGIN * max(right - left, top - bottom)
        above = margin
        if len(self.centres):
            wanted = self.centres[:, 1].max() + 0.4 * self.radius - top
            above = float(np.clip(wanted, margin, _AIR * (top - bottom)))
        return left - margin, right + margin, bottom - margin, top + above

    def largest(self, inside: Extent | None = None) -> int | None:
        """The triangle with the largest stress; None where none counts."""
        seen = self.counted
        if inside is not None:
            seen = seen & _inside(self.middles, inside)
        found = np.flatnonzero(seen)
        return int(found[np.argmax(self.stress[found])]) if len(found) else None

    def window(self) -> Extent:
        """A square about the ball with the largest stress near it, or about the largest stress."""
        left, right, bottom, top = self.extent()
        if len(self.centres):
            half = min(0.5 * _NEAR * self.radius, (right - left) / 2, (top - bottom) / 2)
            around = [
                _square(
                    _between(left + half, x, right - half), y - self.radius - _DOWN * half, half
                )
                for x, y in self.centres
            ]
            most = [self.largest(square) for square in around]
            values = [-1.0 if at is None else float(self.stress[at]) for at in most]
            return around[int(np.argmax(values))]
        half = 0.5 * _PART * min(right - left, top - bottom)
        at = self.largest()
        x, y = self.middles[0 if at is None else at]
        return _square(
            _between(left + half, x, right - half), _between(bottom + half, y, top - half), half
        )


def draw_deformed(
    sections: Sequence[Deformed], file: Path, *, limits: Scale | None = None, dpi: int = DPI
) -> Path:
    """Sections below one another on one scale of colours, each with a window on its largest stress.

    Args:
        sections: What is shown.
        file: Where to write the picture.
        limits: The scale; by default one that fits all sections.
        dpi: Dots per inch; the picture is 8 inches wide.
    """
    scale = limits or fitting([s.stress for s in sections], [s.areas for s in sections])
    extents = [s.extent() for s in sections]
    ratios = [(e[3] - e[2]) / (e[1] - e[0]) for e in extents]
    columns = [float(np.clip(1 / max(ratios), 0.7, 2.0)), 1.0]
    inner = _WIDTH - 1.9
    height = inner * max(columns[0] * max(ratios), 1.0) / sum(columns)
    with style() as plt:
        figure, axes = plt.subplots(
            len(sections), 2, figsize=(_WIDTH, len(sections) * (height + 0.45) + 0.25),
            layout="constrained", squeeze=False, width_ratios=columns,
        )  # fmt: skip
        for (whole, near), section, extent in zip(axes, sections, extents, strict=True):
            window = section.window()
            _panel(whole, section, extent, scale, dpi)
            _panel(near, section, window, scale, dpi)
            _dashed_box(whole, section)
            left, right, bottom, top = window
            box = (left, bottom), right - left, top - bottom
            whole.add_patch(plt.Rectangle(*box, fill=False, ec=WINDOW, lw=1.0))
            for spine in near.spines.values():
                spine.set(edgecolor=WINDOW, linewidth=1.0)
            overall, seen = section.largest(), section.largest(window)
            if overall is not None:
                _ring(whole, section.middles[overall])
            if seen is not None:
                _point_at(near, section.middles[seen], f"{section.stress[seen]:.3g} MPa")
            beside_note = inner * columns[0] / sum(columns) - 1.2
            whole.set_title(wrapped(section.title, beside_note), loc="left")
            whole.set_title(section.note, loc="right", fontsize=7, color="0.35")
            near.set_title(_told(section, overall, seen), loc="left", fontsize=8)
            whole.set_ylabel("y (µm)")
        for axis in axes[-1]:
            axis.set_xlabel("x (µm)")
        label, clipped = "von Mises stress, mean of a cell (MPa)", scale.clipped("area")
        color_bar(
            plt, figure, axes, scale, f"{label}\n{clipped}" if clipped else label, fraction=0.05,
            pad=0.015, aspect=14 * len(axes),
        )  # fmt: skip
        figure.savefig(file, dpi=dpi)
    return file


def _panel(axis: Any, section: Deformed, extent: Extent, scale: Scale, dpi: int) -> None:
    """What of `section` lies inside `extent`."""
    from matplotlib.patches import Circle

    picture = _image(section, extent, scale, dpi // 2)
    axis.imshow(picture, extent=extent, interpolation="antialiased")
    for centre in section.centres:
        axis.add_patch(Circle(centre, section.radius, fc=BALL, ec=BALL_EDGE, lw=0.9, zorder=3))
    axis.set(xlim=extent[:2], ylim=extent[2:])
    for spine in axis.spines.values():
        spine.set_visible(True)
        spine.set_zorder(5)


def _image(section: Deformed, extent: Extent, scale: Scale, dpi: int) -> NDArray[np.uint8]:
    pv, field = pyvista(), section.field
    plotter = looking_down(extent, dpi, background="white")
    faces = np.column_stack([np.full(len(field.triangles), 3), field.triangles]).ravel()
    surface = pv.PolyData(in_plane(section.points, 0.0), faces=faces)
    surface.cell_data["shade"] = np.asarray(scale.norm()(section.stress))
    plotter.add_mesh(
        surface, scalars="shade", cmap=COLORMAP, clim=(0, 1), show_scalar_bar=False, lighting=False
    )
    for edges in field.outlines():
        if len(edges):
            lines = np.column_stack([np.full(len(edges), 2), edges]).ravel()
            outline = pv.PolyData(in_plane(section.points, 0.1), lines=lines)
            plotter.add_mesh(outline, color=FIBER_EDGE, line_width=1.2, lighting=False)
    return screenshot(plotter)


def _dashed_box(axis: Any, section: Deformed) -> None:
    """The body before it deformed."""
    left, right, bottom, top = section.field.extent
    x, y = [left, right, right, left, left], [bottom, bottom, top, top, bottom]
    axis.plot(x, y, color="0.35", lw=0.6, ls=(0, (4, 3)), zorder=2)


def _ring(axis: Any, place: NDArray[np.float64]) -> None:
    """A mark seen on dark and on bright."""
    for color, width in (("black", 2.2), ("white", 1.0)):
        axis.plot(*place, "o", ms=6, mfc="none", mec=color, mew=width, zorder=6)


def _point_at(axis: Any, place: NDArray[np.float64], text: str) -> None:
    """An arrow that ends just beside `place`, with `text` at its tail."""
    from matplotlib.patheffects import withStroke

    left, right = axis.get_xlim()
    bottom, top = axis.get_ylim()
    across, up = (place[0] - left) / (right - left), (place[1] - bottom) / (top - bottom)
    # of the window: as far from the place as its middle is from where no text would fit
    tail = across + (0.31 if across < 0.5 else -0.31), up + (-0.3 if up > 0.4 else 0.3)
    rim = [withStroke(linewidth=2.2, foreground="black")]
    drawn = axis.annotate(
        text, place, tail, textcoords="axes fraction", color="white",
        fontsize=8, fontweight="bold", ha="center", va="center", path_effects=rim, zorder=6,
        arrowprops={
            "arrowstyle": "->", "color": "white", "lw": 1.3, "shrinkA": 0, "shrinkB": 2.5,
            "path_effects": rim,
        },
    )  # fmt: skip
    drawn.arrow_patch.set_zorder(6)


def _told(section: Deformed, overall: int | None, seen: int | None) -> str:
    """The largest stress, and that in the window where it is another."""
    if overall is None:
        return ""
    text = f"largest: {section.stress[overall]:.3g} MPa"
    if seen is not None and seen != overall:
        text += f", here {section.stress[seen]:.3g} MPa"
    return text


def _between(low: float, value: float, high: float) -> float:
    return min(max(value, low), high)


def _square(x: float, y: float, half: float) -> Extent:
    return x - half, x + half, y - half, y + half


def _inside(points: NDArray[np.float64], extent: Extent) -> NDArray[np.bool_]:
    (left, right, bottom, top), (x, y) = extent, points.T
    return np.asarray((left < x) & (x < right) & (bottom < y) & (y < top))

"""A network of fibres in its box, coloured by their direction in the plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.offscreen import pyvista
from fem_spe.render.style import COLORMAP, style, wrapped

Floats = NDArray[np.float64]

_VIEW = (1.0, -1.5, 0.8)  # from where the camera looks
_SIDES = 24  # of a tube
_COLUMNS = 2
_INSET = 2e-3  # of the smallest side: at most, of a fibre's end from the face


@dataclass(frozen=True)
class NetworkPanel:
    """One network of a picture.

    Attributes:
        corners: Columns `fiber`, `x [um]`, `y [um]`, `z [um]` and `radius [um]`, as in
            `tables/fibers.csv` of a result: the corners of the fibres' axes.
        size: Extent of the box, um.
        title: Above it.
        periodic: Whether fibres that leave the box re-enter opposite.
    """

    corners: Mapping[str, Floats]
    size: tuple[float, float, float]
    title: str
    periodic: bool = False


def draw_networks(panels: Sequence[NetworkPanel], file: Path) -> Path:
    """Networks side by side, with one colour bar: the angle to the mean axis of each.

    Args:
        panels: The networks.
        file: Where to write the picture.
    """
    rows = -(-len(panels) // _COLUMNS)
    columns = min(len(panels), _COLUMNS)
    with style() as plt:
        figure, axes = plt.subplots(
            rows, columns, figsize=(3.3 * columns + 0.7, 3.0 * rows), layout="constrained",
            squeeze=False,
        )  # fmt: skip
        for axis in axes.flat:
            axis.set_axis_off()
        for axis, panel in zip(axes.flat, panels, strict=False):
            axis.imshow(_image(panel), interpolation="antialiased")
            measures = " × ".join(f"{q:.4g}" for q in panel.size) + " µm (x × y × z)"
            axis.set_title(f"{wrapped(panel.title, 3.2)}\n{measures}", loc="left")
        colors = plt.cm.ScalarMappable(plt.Normalize(0, 90), COLORMAP)
        bar = figure.colorbar(colors, ax=axes, fraction=0.045, pad=0.02, ticks=range(0, 91, 15))
        bar.set_label("angle to the mean axis, in the plane (°)")
        bar.outline.set_linewidth(0.5)
        figure.savefig(file)
    return file


def _image(panel: NetworkPanel) -> NDArray[np.uint8]:
    pv = pyvista()
    plotter = pv.Plotter(off_screen=True, window_size=[1400, 1400])
    plotter.set_background("white")
    mean = _mean_axis(panel)
    axes = list(_axes(panel))
    for k, (axis, radius) in enumerate(axes):
        # two ends in one plane would flicker where they overlap
        inset = _INSET * min(panel.size) * k / len(axes)
        tube = _tube(pv, axis, radius, panel.size, inset, mean)
        if tube.n_cells:
            plotter.add_mesh(
                tube, scalars="angle", cmap=COLORMAP, clim=(0, 90), show_scalar_bar=False,
                ambient=0.35, diffuse=0.65, smooth_shading=True, split_sharp_edges=True,
            )  # fmt: skip
    box = pv.Box([edge for length in panel.size for edge in (0.0, length)])
    plotter.add_mesh(box.outline(), color="black", line_width=3)
    plotter.enable_parallel_projection()
    plotter.camera_position = [_VIEW, (0, 0, 0), (0, 0, 1)]
    plotter.reset_camera()
    plotter.camera.zoom(0.95)
    plotter.enable_anti_aliasing("msaa", multi_samples=8)
    picture: NDArray[np.uint8] = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    inked = (picture < 250).any(axis=2)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _axes(panel: NetworkPanel) -> Iterator[tuple[Floats, float]]:
    """Corners, um, shape (n, 3), and radius, um, of all fibres that may reach into the box."""
    points = np.column_stack([panel.corners[f"{q} [um]"] for q in "xyz"])
    box = np.asarray(panel.size)
    # an axis may start and end some boxes away
    most = (
        np.ceil(np.abs(points / box - 0.5).max(axis=0)).astype(int) if panel.periodic else [0] * 3
    )
    for fiber in np.unique(panel.corners["fiber"]):
        own = panel.corners["fiber"] == fiber
        radius = float(panel.corners["radius [um]"][own][0])
        for step in product(*(range(-n, n + 1) for n in most)):
            axis = points[own] + np.asarray(step) * box
            if np.all(axis.min(axis=0) < box + radius) and np.all(axis.max(axis=0) > -radius):
                yield axis, radius


def _tube(
    pv: Any,
    axis: Floats,
    radius: float,
    size: tuple[float, float, float],
    inset: float,
    mean: float,
) -> Any:
    """The tube about an axis, closed where it ends `inset` before the faces; angle in degrees."""
    from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPlaneCollection
    from vtkmodules.vtkFiltersGeneral import vtkClipClosedSurface

    line = pv.lines_from_points(axis)
    along = np.gradient(axis, axis=0)
    line["angle"] = np.degrees(_between(np.arctan2(along[:, 1], along[:, 0]), mean))
    tube = line.strip().tube(radius=radius, n_sides=_SIDES, capping=True).triangulate()
    planes = vtkPlaneCollection()
    for k in range(3):
        for at, sign in ((inset, 1.0), (size[k] - inset, -1.0)):
            plane = vtkPlane()
            plane.SetOrigin(*(at if i == k else 0.0 for i in range(3)))
            plane.SetNormal(*(sign if i == k else 0.0 for i in range(3)))
            planes.AddItem(plane)
    clip = vtkClipClosedSurface()
    clip.SetInputData(tube)
    clip.SetClippingPlanes(planes)
    clip.SetScalarModeToNone()
    clip.PassPointDataOn()
    clip.Update()
    return pv.wrap(clip.GetOutput())


def _mean_axis(panel: NetworkPanel) -> float:
    """Direction of the mean axis in the plane, rad."""
    x, y = panel.corners["x [um]"], panel.corners["y [um]"]
    same = np.diff(panel.corners["fiber"]) == 0
    dx, dy = np.diff(x)[same], np.diff(y)[same]
    return 0.5 * float(np.angle(np.sum(np.hypot(dx, dy) * np.exp(2j * np.arctan2(dy, dx)))))


def _between(angle: Floats, mean: float) -> Floats:
    """The acute angle between two axes, rad."""
    turn = np.mod(angle - mean, np.pi)
    return np.minimum(turn, np.pi - turn)

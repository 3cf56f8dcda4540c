"""The voxel path: laminates, whose answer is exact, and spheres, whose error it tells itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from fem_spe.verify.row import Row, compared

_D = 2e-11
_CONTRAST = 0.03
_EDGE = (1.0e-6, 2.0e-6, 1.5e-6)


def voxel_laminates() -> Iterator[Row]:
    """Layers across each axis, driven along each: harmonic and arithmetic means."""
    from fem_spe.solve.voxel import conduct

    shape = (33, 20, 14)
    values = np.repeat(np.array([[_D], [_CONTRAST * _D]]), 3, axis=1)
    for across, along in product(range(3), range(3)):
        layers = (np.arange(shape[across]) // 3 % 2).astype(np.uint8)
        one = [-1 if axis == across else 1 for axis in range(3)]
        labels = np.ascontiguousarray(np.broadcast_to(layers.reshape(one), shape))
        found = conduct(labels, values, _EDGE, along, rtol=1e-9).effective
        per_layer = values[layers, 0]
        series = across == along
        exact = 1.0 / np.mean(1.0 / per_layer) if series else per_layer.mean()
        name = f"voxels, layers across {'xyz'[across]}, driven along {'xyz'[along]}"
        yield compared(name, found / _D, exact / _D, 1e-6, "mean of the layers")


def voxel_distance() -> Iterator[Row]:
    """Volume and area of a ball of eight voxels' radius, from the labels alone."""
    from skimage.measure import marching_cubes, mesh_surface_area

    from fem_spe.geometry import Voxels

    radius, count = 8.0, 24
    centre = (12.13, 12.27, 11.69)
    axes = [np.arange(count) + 0.5 - c for c in centre]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    voxels = Voxels((x**2 + y**2 + z**2 < radius**2).astype(np.uint8), (1.0, 1.0, 1.0))
    distance = voxels.distance((2 * count + 1,) * 3)
    points, triangles, _, _ = marching_cubes(distance, 0.0, spacing=(0.5, 0.5, 0.5))
    corner: Any = points[triangles]
    volume = abs(np.linalg.det(corner).sum()) / 6.0
    area = float(mesh_surface_area(points, triangles))
    source = "ball of radius 8 voxels"
    yield compared("voxels, volume of a ball", volume, 4 / 3 * np.pi * radius**3, 0.01, source)
    yield compared("voxels, area of a ball", area, 4 * np.pi * radius**2, 0.01, source)


def voxel_spheres() -> Iterator[Row]:
    """A cubic array of spheres on voxels: the true error is within the one that is stated."""
    from fem_spe.case import parse
    from fem_spe.exact.spheres import simple_cubic
    from fem_spe.geometry import Voxels
    from fem_spe.progress import Clock
    from fem_spe.studies import lookup

    fraction, count = 0.3, 48
    radius = (3.0 * fraction / (4.0 * np.pi)) ** (1 / 3)
    x, y, z = np.meshgrid(*[(np.arange(count) + 0.5) / count - 0.5] * 3, indexing="ij")
    labels = (x**2 + y**2 + z**2 < radius**2).astype(np.uint8)
    voxels = Voxels(labels, (1e-6 / count,) * 3)
    for contrast in (0.0, 10.0):
        fiber = {"diffusivity": contrast * _D} if contrast else "impermeable"
        case = parse(
            {
                "study": "diffusion",
                "geometry": {"kind": "box", "size": [1e-6, 1e-6, 1e-6]},
                "materials": {"matrix": {"diffusivity": _D}, "fiber": fiber},
                "diffusion": {"method": "voxel", "direction": "x"},
            }
        )
        work = lookup("diffusion").on_structure
        assert work is not None
        found = work(case, voxels, Clock()).quantities["relative_diffusivity"]
        exact = simple_cubic(fraction, contrast)
        off, stated = abs(found.value / exact - 1.0), (found.error or 0.0) / found.value
        name = f"voxels, cubic array of spheres, s = {contrast:g}, 48 to a side"
        yield Row(name, found.value, exact, off, stated, "within the stated error")

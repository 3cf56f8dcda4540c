"""Boxes in flat cells that are thin at walls."""

from __future__ import annotations

import numpy as np
import pytest

from fem_spe.errors import MeshError
from fem_spe.geometry import Box
from fem_spe.meshing import MeshPlan, Sizes, WallLayer, mesh_arrays
from fem_spe.meshing.graded import GROWTH, LAYER_GROWTH, graded_line

SIZES = Sizes(2e-6, 2e-6, 1)


def volumes(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Signed volumes times d!."""
    corners = points[cells]
    return np.linalg.det(corners[:, 1:] - corners[:, :1])


@pytest.mark.parametrize("thin", [1e-6, 1e-9, 1e-14])
def test_cells_grow_from_both_walls_as_told(thin: float) -> None:
    low, high = WallLayer("bottom", thin, 50 * thin), WallLayer("top", 3 * thin, 50 * thin)
    line = graded_line(1.0, low, high, 0.05)
    cells = np.diff(line)
    assert line[0] == 0.0
    assert line[-1] == 1.0
    assert 0.8 * thin < cells[0] <= thin
    assert cells.max() <= 0.05 * 1.001
    growth = cells[1:] / cells[:-1]
    middle = growth[: len(growth) // 2]
    assert middle.max() < GROWTH * 1.001
    assert growth[: int(50 * thin > line[1])].max(initial=0.0) < LAYER_GROWTH * 1.001
    if thin > 1e-12:  # round-off of the length
        assert 0.8 * 3 * thin < cells[-1] <= 3 * thin * 1.001


def test_a_line_without_layers_is_even() -> None:
    assert np.allclose(np.diff(graded_line(1.0, None, None, 0.1)), 0.1, rtol=1e-12)


@pytest.mark.parametrize("size", [(10e-6, 20e-6), (6e-6, 4e-6, 20e-6)])
def test_the_box_is_filled_and_its_faces_are_named(size: tuple[float, ...]) -> None:
    layers = (WallLayer("bottom", 1e-10, 1e-8), WallLayer("left", 1e-8, 1e-7))
    found = mesh_arrays(MeshPlan(Box(size=size), SIZES, layers=layers))  # type: ignore[arg-type]
    own = volumes(found.points, found.cells)
    assert own.min() > 0.0
    factor = {2: 2, 3: 6}[len(size)]
    assert own.sum() / factor == pytest.approx(np.prod(size), rel=1e-12)
    assert len(found.faces) == 2 * len(size)
    for name, axis, side in (("bottom", -1, 0.0), ("top", -1, size[-1]), ("left", 0, 0.0)):
        facets = found.facets[found.facet_tags == found.faces[name]]
        assert np.all(found.points[facets][..., axis] == side), name
    assert found.min_quality > 0.0


def test_layers_of_a_box_are_regions_and_holes_are_left_out() -> None:
    box = Box(size=(4e-6, 9e-6), layers={"coating": 3e-6, "matrix": 6e-6})
    thin = (WallLayer("matrix-coating", 1e-9, 1e-8),)
    whole = mesh_arrays(MeshPlan(box, SIZES, layers=thin))
    assert set(whole.regions) == {"coating", "matrix"}
    facets = whole.facets[whole.facet_tags == whole.faces["matrix-coating"]]
    assert np.allclose(whole.points[facets][..., 1], 3e-6, rtol=1e-12)
    part = mesh_arrays(MeshPlan(box, SIZES, frozenset({"coating"}), layers=thin))
    assert part.points[:, 1].min() == pytest.approx(3e-6)
    assert volumes(part.points, part.cells).sum() / 2 == pytest.approx(4e-6 * 6e-6, rel=1e-12)
    assert "bottom" not in part.faces
    heights = np.unique(part.points[:, 1])
    assert heights[1] - heights[0] <= 1e-9 * (1 + 1e-6)


def test_halving_splits_every_cell() -> None:
    thin = (WallLayer("bottom", 1e-9, 1e-8),)
    box = Box(size=(4e-6, 9e-6))
    coarse, fine = (
        mesh_arrays(MeshPlan(box, SIZES, layers=thin, halvings=n)).cells for n in (0, 1)
    )
    assert len(fine) == 4 * len(coarse)


def test_too_many_cells_are_told_before_they_are_made() -> None:
    thin = (WallLayer("bottom", 1e-9, 1e-8),)
    with pytest.raises(MeshError, match=r"layers at bottom would make .* larger size"):
        mesh_arrays(MeshPlan(Box(size=(4e-3, 9e-3)), SIZES, layers=thin))

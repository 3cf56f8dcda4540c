"""Triangles split in four and in two: conforming, well shaped, and nothing lost in between."""

import numpy as np
import pytest

from fem_spe.adapt import Nested, Transfer, halved, nested
from fem_spe.adapt.nested import areas, sizes
from fem_spe.domain import MeshArrays

FACES = {"left": 1, "right": 2, "bottom": 3, "top": 4}


@pytest.fixture(scope="module")
def base() -> MeshArrays:
    """The unit square in 50 triangles of different size, its inner points out of line."""
    n = 5
    x, y = (a.ravel() for a in np.meshgrid(*[np.linspace(0, 1, n + 1)] * 2, indexing="ij"))
    points = np.column_stack([x, y])
    inner = ((points > 0) & (points < 1)).all(axis=1)
    points[inner] += np.random.default_rng(1).uniform(-0.06, 0.06, (inner.sum(), 2))
    corner = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    cells = np.concatenate(
        [
            np.column_stack([corner, corner + n + 1, corner + n + 2]),
            np.column_stack([corner, corner + n + 2, corner + 1]),
        ]
    )
    facets, tags = [], []
    for name, at in (("left", x == 0), ("right", x == 1), ("bottom", y == 0), ("top", y == 1)):
        line = np.flatnonzero(at)
        facets.append(np.column_stack([line[:-1], line[1:]]))
        tags += [FACES[name]] * n
    return MeshArrays(
        points=points, cells=cells, cell_tags=1 + (points[cells, 0].mean(axis=1) > 0.5),
        facets=np.concatenate(facets), facet_tags=np.array(tags, dtype=np.int32),
        regions={"matrix": 1, "filler": 2}, faces=FACES, order=1, min_quality=0.0,
        min_jacobian=1.0,
    )  # fmt: skip


def about(base: MeshArrays, x: float, y: float, size: float = 0.02) -> Nested:
    """Cells of `size` within 0.1 of a point."""

    def wanted(corners: np.ndarray, roots: np.ndarray) -> np.ndarray:
        middle, size_now = corners.mean(axis=1), sizes(corners)
        near = np.linalg.norm(middle - [x, y], axis=1) < 0.1 + size_now
        return near & (size_now > size)

    return nested(base, wanted)


def angles(mesh: Nested) -> np.ndarray:
    """The smallest angle of each cell."""
    corners = mesh.points[mesh.cells]
    a, b = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
    cosine = (a * b).sum(axis=2) / np.linalg.norm(a, axis=2) / np.linalg.norm(b, axis=2)
    return np.arccos(cosine).min(axis=1)


def integral(mesh: Nested, values: np.ndarray) -> np.ndarray:
    return (mesh.areas[:, None] * values[mesh.cells].mean(axis=1)).sum(axis=0)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.0, 1.0), (0.3, 0.8)])
def test_a_split_mesh_conforms_keeps_its_names_and_its_shape(base, place):
    mesh = about(base, *place)
    arrays = halved(base, mesh)
    assert len(mesh.cells) > 3 * len(base.cells)
    assert mesh.areas.sum() == pytest.approx(1.0, rel=1e-14)
    edges = np.sort(mesh.cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    met, times = np.unique(edges, axis=0, return_counts=True)
    assert times.max() == 2  # no point hangs: each edge has a cell on either side ...
    named = np.unique(np.sort(arrays.facets, axis=1), axis=0)
    assert met[times == 1].tolist() == named.tolist()  # ... or is named
    assert len(np.unique(mesh.cells)) == len(mesh.points)
    for name, axis, level in (("left", 0, 0.0), ("top", 1, 1.0)):
        own = arrays.points[arrays.facets[arrays.facet_tags == FACES[name]]]
        assert (own[..., axis] == level).all()
        assert np.abs(own[:, 1, 1 - axis] - own[:, 0, 1 - axis]).sum() == pytest.approx(1.0)
    for tag in (1, 2):
        before = areas(base.points[base.cells[base.cell_tags == tag]]).sum()
        assert mesh.areas[arrays.cell_tags == tag].sum() == pytest.approx(before, rel=1e-14)
    # halving cuts the smallest angle where it is opposite the shortest edge: to a third at worst
    coarse = nested(base, lambda corners, _: np.zeros(len(corners), dtype=bool))
    assert angles(mesh).min() > 0.33 * angles(coarse).min()


def test_neighbours_differ_by_one_split_at_most(base):
    mesh = about(base, 0.5, 0.5, size=0.005)
    edges = np.sort(mesh.cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort(edges.T)
    pairs = np.flatnonzero((edges[order][1:] == edges[order][:-1]).all(axis=1))
    level = mesh.keys[np.repeat(np.arange(len(mesh.cells)), 3)[order]] % 9
    assert level.max() >= 4
    assert np.abs(level[pairs] - level[pairs + 1]).max() == 1


def test_what_is_linear_is_carried_exactly_and_nothing_leaves_its_bounds(base):
    old, new = about(base, 0.4, 0.4), about(base, 0.55, 0.5)
    transfer = Transfer(old, new)
    x, y = old.points.T
    jump = np.where(x + y < 0.8, 1.0, 0.0)
    found = transfer.interpolated(np.column_stack([2 * x - 3 * y + 1, jump]))
    assert found[:, 0] == pytest.approx(2 * new.points[:, 0] - 3 * new.points[:, 1] + 1, abs=1e-14)
    assert found[:, 1].min() == 0.0
    assert found[:, 1].max() == 1.0
    there = nested(base, lambda corners, _: sizes(corners) > 0.02)
    to, back = Transfer(old, there), Transfer(there, old)
    assert (back.interpolated(to.interpolated(jump[:, None]))[:, 0] == jump).all()


def test_integrals_are_kept_region_by_region_where_interpolation_loses_them(base):
    old, new = about(base, 0.4, 0.4), about(base, 0.55, 0.5)
    transfer = Transfer(old, new)
    x, y = old.points.T
    values = np.column_stack([np.tanh(20 * (x + y - 0.8)), np.sin(30 * x) ** 2])
    loose, kept = transfer.interpolated(values), transfer.conserved(values)
    lost = np.abs(integral(new, loose) / integral(old, values) - 1)
    assert lost.min() > 1e-4
    assert integral(new, kept) == pytest.approx(integral(old, values), rel=1e-14)
    # and where both have the same cells nothing changes
    same = np.ones(len(new.points), dtype=bool)
    before = {tuple(c) for c in np.sort(old.points[old.cells].view(complex)[..., 0], axis=1)}
    for cell in new.cells:
        if tuple(np.sort(new.points[cell].view(complex)[:, 0])) not in before:
            same[cell] = False
    assert 20 < same.sum() < len(same)
    assert kept[same] == pytest.approx(loose[same], abs=1e-13)
    assert np.abs(kept - loose)[~same].max() > 1e-4


def test_what_is_carried_does_not_depend_on_the_order_of_its_columns(base):
    old, new = about(base, 0.4, 0.4), about(base, 0.55, 0.5)
    transfer = Transfer(old, new)
    values = np.random.default_rng(3).normal(size=(len(old.points), 2))
    both, one = transfer.conserved(values), transfer.conserved(values[:, 1:])
    assert (both[:, 1:] == one).all()
    # it is linear, so that any combination of times is conserved as well
    mixed = transfer.conserved(2.0 * values[:, :1] - 0.5 * values[:, 1:])
    assert mixed[:, 0] == pytest.approx(2.0 * both[:, 0] - 0.5 * both[:, 1], abs=1e-12)

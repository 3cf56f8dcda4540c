"""Meshes of sections and boxes: areas, names, lengths, sure Jacobians, periodicity, repeats.

Polygons of shapely and quadrature in numpy judge; nothing of the mesher is used to check it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import gmsh
import numpy as np
import pytest
import shapely

import fem_spe
from fem_spe.domain import MeshArrays
from fem_spe.errors import GeometryError, MeshError
from fem_spe.geometry import (
    AlignedSection,
    AlternatingSection,
    Box,
    Inclusions,
    RandomSection,
    Section,
)
from fem_spe.geometry.fused import union_area
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays, session
from fem_spe.meshing.jacobian import count_folded

Done = subprocess.CompletedProcess[str]
UM = 1e-6
FIBER = frozenset({"fiber"})
SIDES = {"left": (0, 0, 0, 1), "right": (1, 0, 1, 1), "bottom": (0, 0, 1, 0), "top": (0, 1, 1, 1)}


def mesh(section: Section | Box, holes: frozenset[str] = frozenset(), **more: object) -> MeshArrays:
    """`section` meshed with cells that resolve fibres of 4 to 5 um."""
    sizes = Sizes(4 * UM, 0.5 * UM, 2)
    return mesh_arrays(MeshPlan(section, sizes, holes, **more))  # type: ignore[arg-type]


def determinants(arrays: MeshArrays, points: int = 12) -> np.ndarray:
    """Jacobian determinants on a grid of points of each quadratic triangle, relative to 2 area."""
    i, j = np.meshgrid(np.arange(points + 1), np.arange(points + 1))
    r, s = (q[i + j <= points] / points for q in (i, j))
    t, zero = 1 - r - s, 0 * r
    dr = np.stack([1 - 4 * t, 4 * r - 1, zero, 4 * (t - r), 4 * s, -4 * s], axis=-1)
    ds = np.stack([1 - 4 * t, zero, 4 * s - 1, -4 * r, 4 * r, 4 * (t - s)], axis=-1)
    x = arrays.points[arrays.cells]
    a, b = np.einsum("qn,cnd->dcq", dr, x), np.einsum("qn,cnd->dcq", ds, x)
    det = a[0] * b[1] - a[1] * b[0]
    return np.asarray(det / np.abs(det).mean(axis=1, keepdims=True))


def area(arrays: MeshArrays, region: str) -> float:
    """Area of a region by quadrature that is exact for curved triangles."""
    # middles of the sides: exact for the quadratic determinant
    x = arrays.points[arrays.cells[arrays.cell_tags == arrays.regions[region]]]
    total = 0.0
    for r, s in ((0.5, 0.0), (0.5, 0.5), (0.0, 0.5)):
        t = 1 - r - s
        dr = np.array([1 - 4 * t, 4 * r - 1, 0, 4 * (t - r), 4 * s, -4 * s])
        ds = np.array([1 - 4 * t, 0, 4 * s - 1, -4 * r, 4 * r, 4 * (t - s)])
        a, b = np.einsum("n,cnd->dc", dr, x), np.einsum("n,cnd->dc", ds, x)
        total += np.abs(a[0] * b[1] - a[1] * b[0]).sum() / 6
    return float(total)


def length(arrays: MeshArrays, face: str) -> float:
    """Length of a face of quadratic edges by Gauss quadrature."""
    p = arrays.points[arrays.facets[arrays.facet_tags == arrays.faces[face]]]
    total = 0.0
    for q, weight in zip(*np.polynomial.legendre.leggauss(5), strict=True):
        t = (q + 1) / 2
        tangent = (4 * t - 3) * p[:, 0] + (4 * t - 1) * p[:, 1] + (4 - 8 * t) * p[:, 2]
        total += weight / 2 * np.hypot(*tangent.T).sum()
    return float(total)


def union(section: Section) -> shapely.Geometry:
    """Union of all inclusions, images included."""
    return shapely.union_all(shapely.polygons(section.with_images().points(np.arange(2000) / 2000)))


def require_sound(arrays: MeshArrays, quality: float = 0.05) -> None:
    """No folded cell, no sliver, no point without a cell, no facet without a cell."""
    assert determinants(arrays).min() > 0
    assert arrays.min_quality > quality
    assert np.array_equal(np.unique(arrays.cells), np.arange(len(arrays.points)))
    edges = np.sort(arrays.cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    known = set(map(tuple, edges.tolist()))
    assert {tuple(f) for f in np.sort(arrays.facets[:, :2], axis=1).tolist()} <= known


def require_described(section: Section, arrays: MeshArrays, holes: frozenset[str]) -> None:
    """Areas, interfaces and sides are those of the section."""
    fibers, box = union(section), shapely.box(0, 0, *section.size)
    covered = shapely.area(shapely.intersection(fibers, box))
    assert area(arrays, "matrix") == pytest.approx(section.area - covered, rel=3e-4)
    outline = shapely.length(shapely.intersection(shapely.boundary(fibers), box))
    interfaces = [name for name in arrays.faces if name not in SIDES]
    assert sum(length(arrays, n) for n in interfaces) == pytest.approx(outline, rel=1e-3)
    for name, ends in SIDES.items():
        line = shapely.LineString((np.array(ends).reshape(2, 2) * section.size).tolist())
        cut = shapely.length(shapely.intersection(line, fibers)) if holes else 0.0
        assert length(arrays, name) == pytest.approx(shapely.length(line) - cut, rel=1e-4)
    body = section.inclusions
    for k, region in enumerate(body.regions):
        assert (region in arrays.regions) == (region not in holes)
        assert f"matrix-{region}" in arrays.faces
        if region not in holes and len(body.regions) > 1:
            whole = body.areas[body.phase == k].sum()
            assert area(arrays, region) == pytest.approx(whole, rel=3e-4)
    if not holes:
        total = sum(area(arrays, region) for region in arrays.regions)
        assert total == pytest.approx(section.area, rel=1e-9)


REGULAR = {
    "square": AlignedSection(size=(40 * UM, 20 * UM), count=(4, 2), fiber_fraction=0.3),
    "hexagonal": AlignedSection(
        size=(40 * UM, 34.64 * UM), count=(4, 4), fiber_fraction=0.2267, lattice="hexagonal"
    ),
    "alternating": AlternatingSection(
        size=(40 * UM, 20 * UM), count=(4, 2), fiber_fraction=0.2, filler_diameter=3 * UM
    ),
}


@pytest.mark.parametrize("holes", [frozenset(), FIBER], ids=["meshed", "holes"])
@pytest.mark.parametrize("name", REGULAR)
def test_regular_sections_are_meshed_as_described(name: str, holes: frozenset[str]) -> None:
    section = REGULAR[name].build()
    if name == "alternating" and holes:
        holes = frozenset({"fiber", "filler"})
    arrays = mesh(section, holes)
    require_sound(arrays, 0.3)
    require_described(section, arrays, holes)


@pytest.mark.parametrize("holes", [frozenset(), FIBER], ids=["meshed", "holes"])
@pytest.mark.parametrize(
    ("shape", "boundary", "fraction", "seed"),
    [
        ("ellipse", "cut", 0.1, 1),
        ("ellipse", "cut", 0.5, 2),
        ("rod", "cut", 0.4, 3),
        ("rod", "inside", 0.2, 4),
        ("ellipse", "periodic", 0.45, 5),
        ("rod", "periodic", 0.3, 6),
    ],
)
def test_random_sections_are_meshed_as_described(
    shape: str, boundary: str, fraction: float, seed: int, holes: frozenset[str]
) -> None:
    spec = RandomSection(
        size=(40 * UM, 30 * UM), fiber_diameter=5 * UM, fiber_fraction=fraction,
        shape=shape, aspect=2.0, boundary=boundary, seed=seed,
    )  # fmt: skip
    section = spec.build()
    arrays = mesh(section, holes)
    require_sound(arrays)
    require_described(section, arrays, holes)
    if boundary == "periodic":
        require_matching(section, arrays)


def require_matching(section: Section, arrays: MeshArrays) -> None:
    """The nodes of opposite sides face each other."""
    for low, high, along in (("left", "right", 1), ("bottom", "top", 0)):
        sides = [
            np.sort(arrays.points[np.unique(arrays.facets[arrays.facet_tags == arrays.faces[n]])]
                    [:, along])
            for n in (low, high)
        ]  # fmt: skip
        assert len(sides[0]) == len(sides[1])
        assert np.abs(sides[0] - sides[1]).max() < 1e-12 * max(section.size)


@pytest.mark.parametrize(("shape", "boundary"), [("ellipse", "cut"), ("rod", "periodic")])
@pytest.mark.parametrize("holes", [frozenset(), FIBER], ids=["meshed", "holes"])
def test_fused_fibers_are_meshed_as_their_union(
    shape: str, boundary: str, holes: frozenset[str]
) -> None:
    spec = RandomSection(
        size=(40 * UM, 30 * UM), fiber_diameter=5 * UM, fiber_fraction=0.3,
        shape=shape, aspect=2.0, boundary=boundary, fused=True, seed=2,
    )  # fmt: skip
    section = spec.build()
    arrays = mesh(section, holes)
    require_sound(arrays, 0.01)
    require_described(section, arrays, holes)
    assert area(arrays, "matrix") == pytest.approx(section.area - union_area(section), rel=1e-3)
    if boundary == "periodic":
        require_matching(section, arrays)


def test_a_pocket_of_matrix_that_fused_fibers_enclose_is_left_out_and_reported() -> None:
    box, side = 30 * UM, 4 * UM
    # four rods that cross as a square frame
    x = np.array([15.0, 15.0, 11.0, 19.0]) * UM
    y = np.array([11.0, 19.0, 15.0, 15.0]) * UM
    angle = np.array([0.0, 0.0, np.pi / 2, np.pi / 2])
    a, b = np.full(4, 7 * UM), np.full(4, 1 * UM)
    rods = Inclusions("rod", x, y, a, b, angle, np.zeros(4, dtype=np.int64), ("fiber",))
    section = Section((box, box), rods, fused=True)
    pocket = (2 * side - 2 * UM) ** 2
    whole = mesh(section, FIBER)
    assert whole.isolated == 0.0
    arrays = mesh(section, FIBER, across="thickness")
    assert arrays.isolated == pytest.approx(pocket / area(whole, "matrix"), rel=1e-6)
    assert area(arrays, "matrix") == pytest.approx(area(whole, "matrix") - pocket, rel=1e-6)
    require_sound(arrays)


def test_fibers_that_close_every_path_are_refused() -> None:
    one = (np.array([v]) for v in (15 * UM, 15 * UM, 20 * UM, 2 * UM, 0.0))
    wall = Inclusions("rod", *one, np.zeros(1, dtype=np.int64), ("fiber",))
    section = Section((30 * UM, 30 * UM), wall, fused=True)
    with pytest.raises(GeometryError, match="no path leads through"):
        mesh(section, FIBER, across="y")
    assert mesh(section, FIBER, across="x").isolated == 0.0


@pytest.mark.parametrize("fused", [False, True])
def test_the_same_seed_gives_the_same_mesh_bit_for_bit(fused: bool) -> None:
    spec = RandomSection(
        size=(30 * UM, 30 * UM), fiber_diameter=5 * UM, fiber_fraction=0.3, aspect=2.0,
        fused=fused, seed=9,
    )  # fmt: skip
    first, again = (mesh(spec.build()) for _ in range(2))
    for field in fields(first):
        one, two = getattr(first, field.name), getattr(again, field.name)
        assert np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two


COARSE = [(shape, boundary, seed) for shape in ("ellipse", "rod")
          for boundary in ("cut", "periodic") for seed in range(8)]  # fmt: skip


@pytest.mark.parametrize(("shape", "boundary", "seed"), COARSE)
def test_cells_half_as_large_as_the_minor_axis_are_unfolded_or_refused(
    shape: str, boundary: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    diameter = 5 * UM
    spec = RandomSection(
        size=(50 * UM, 40 * UM), fiber_diameter=diameter, fiber_fraction=rng.uniform(0.3, 0.5),
        shape=shape, aspect=float(rng.choice([1.0, 2.0, 4.0])), boundary=boundary,
        min_gap=float(rng.choice([0.01, 0.02, 0.04])) * diameter, seed=seed,
    )  # fmt: skip
    section = spec.build()
    holes = FIBER if seed % 2 else frozenset()
    refused = ""
    try:
        arrays = mesh_arrays(MeshPlan(section, Sizes(diameter / 2, diameter / 2, 2), holes))
    except MeshError as error:
        refused = str(error)
    if refused:
        assert "interface_size" in refused
        return
    assert determinants(arrays, 20).min() > 0
    assert arrays.min_jacobian > 0.05
    if boundary == "periodic":
        require_matching(section, arrays)


def test_an_optimiser_that_fails_ends_neither_the_process_nor_in_a_folded_mesh(
    python: Callable[..., Done], tmp_path: Path
) -> None:
    """Gmsh's would end the process here: it raises within its own threads."""
    program = """
from fem_spe.errors import MeshError
from fem_spe.geometry import RandomSection
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays
section = RandomSection(
    size=(7.269556934425189e-05, 6.696914290301826e-05), fiber_diameter=5e-6, shape="rod",
    fiber_fraction=0.40740582434297257, aspect=1.5, min_gap=1e-7, boundary="periodic", seed=148,
).build()
try:
    arrays = mesh_arrays(MeshPlan(section, Sizes(2.5e-6, 2.5e-6, 2)))
    print("smallest Jacobian", arrays.min_jacobian)
except MeshError as error:
    print("refused:", error)
"""
    done = python(program, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Jacobian" in done.stdout


def test_a_fold_between_the_nodes_of_a_cell_is_found() -> None:
    """The determinant is positive at all six nodes, and negative in between."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    rng = np.random.default_rng(1)
    straight = np.vstack([corners, (corners + np.roll(corners, -1, axis=0)) / 2])
    cells = np.arange(6)[None]
    missed = 0
    for _ in range(1500):
        points = straight + np.vstack([np.zeros((3, 2)), rng.uniform(-0.4, 0.4, (3, 2))])
        arrays = _one_cell(points)
        least = determinants(arrays, 40).min()
        at_nodes = determinants(arrays, 2).min()
        if least < 0:
            assert count_folded(points, cells, 2) == 1
            missed += at_nodes > 0
    assert missed > 0, "no example that samples at the nodes miss"
    assert count_folded(straight, cells, 2) == 0


def _one_cell(points: np.ndarray) -> MeshArrays:
    none = np.empty((0, 3), dtype=np.int64)
    ones = np.ones(1, dtype=np.int32)
    return MeshArrays(
        points, np.arange(6)[None], ones, none, ones[:0], {"matrix": 1}, {}, 2, 1.0, 1.0
    )


def test_cells_that_lie_on_each_other_are_found_and_either_rotation_is_allowed() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.2, 0.1]])
    beside = np.array([[0, 1, 2], [1, 2, 3]])  # one turns left, one right
    upon = np.array([[0, 1, 2], [1, 2, 4]])
    assert count_folded(points, beside, 1) == 0
    assert count_folded(points, upon, 1) == 1
    solid = np.vstack([np.c_[points[:4], np.zeros(4)], [[0.3, 0.3, 1.0], [0.3, 0.3, -1.0]]])
    assert count_folded(solid, np.array([[0, 1, 2, 4], [0, 1, 2, 5]]), 1) == 0
    assert count_folded(solid, np.array([[0, 1, 2, 4], [0, 2, 3, 4]]), 1) == 1


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("size", [(20 * UM, 10 * UM), (8 * UM, 6 * UM, 10 * UM)])
def test_boxes_in_layers_have_their_volumes_faces_and_interfaces(
    size: tuple[float, ...], order: int
) -> None:
    layers = {"lithium": 2 * UM, "electrolyte": 5 * UM, "cathode": 3 * UM}
    box = Box(size=size, layers=layers)
    arrays = mesh_arrays(MeshPlan(box, Sizes(2 * UM, 2 * UM, order)))
    x = arrays.points[arrays.cells[:, : len(size) + 1]]
    volume = np.abs(np.linalg.det(x[:, 1:] - x[:, :1])) / (2 if len(size) == 2 else 6)
    for name, thickness in layers.items():
        part = volume[arrays.cell_tags == arrays.regions[name]].sum()
        assert part == pytest.approx(thickness * np.prod(size[:-1]), rel=1e-12)
    sides = {"left", "right", "bottom", "top"} | ({"front", "back"} if len(size) == 3 else set())
    assert set(arrays.faces) == sides | {"electrolyte-lithium", "electrolyte-cathode"}
    for name, axis, value in (("bottom", -1, 0.0), ("top", -1, size[-1]), ("right", 0, size[0])):
        nodes = np.unique(arrays.facets[arrays.facet_tags == arrays.faces[name]])
        assert arrays.points[nodes, axis] == pytest.approx(value, abs=1e-15)
    nodes = np.unique(arrays.facets[arrays.facet_tags == arrays.faces["electrolyte-lithium"]])
    assert arrays.points[nodes, -1] == pytest.approx(2 * UM, abs=1e-15)


def test_a_mesh_that_memory_cannot_hold_is_refused_before_meshing() -> None:
    section = REGULAR["square"].build()
    with pytest.raises(MeshError, match=r"would make about .* cells.* try size"):
        mesh_arrays(MeshPlan(section, Sizes(1e-10, 1e-10, 2)))


def test_gmsh_is_free_again_after_an_error() -> None:
    with pytest.raises(MeshError, match="in use"), session(), session():
        pass
    assert not gmsh.isInitialized()


def test_an_impermeable_layer_is_a_hole_that_closes_the_way_across_but_not_along() -> None:
    case = fem_spe.parse(
        {
            "study": "diffusion",
            "geometry": {
                "kind": "box",
                "size": [2e-5, 1e-5],
                "layers": {"matrix": 6e-6, "foil": 4e-6},
            },
            "materials": {"matrix": {"diffusivity": 1e-11}, "foil": "impermeable"},
            "diffusion": {"direction": "x"},
            "output": {"figures": False},
        }
    )
    along = fem_spe.run(case).quantities
    assert along["relative_diffusivity"].value == pytest.approx(0.6, rel=1e-11)
    assert along["foil_fraction"].value == pytest.approx(0.4, rel=1e-11)
    with pytest.raises(GeometryError, match=r"no path .* bottom to top"):
        fem_spe.run(case.with_(**{"diffusion.direction": "y"}))

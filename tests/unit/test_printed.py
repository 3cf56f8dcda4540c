"""Printed parts: closed forms, what is refused, and their meshes with every name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
import pytest
import shapely

from fem_spe.case import parse
from fem_spe.case.load import load_geometry
from fem_spe.domain import MeshArrays
from fem_spe.errors import CaseError, MeshError
from fem_spe.geometry import Printed
from fem_spe.geometry.spiral import Spiral
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays

UM = 1e-6
ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "meshes" / "mu2024").glob("*.toml"))
PILLAR: dict[str, Any] = {
    "pattern": "pillar", "width": 100 * UM, "height": 150 * UM, "base": 75 * UM,
}  # fmt: skip
CELL = PILLAR | {"gap": 200 * UM, "lithium": 200 * UM, "cathode": 100 * UM}
SIDES = {"left", "right", "front", "back", "bottom", "top"}
LIMITS = {"square": 1e-6, "round": 1e-3, "spiral": 5e-3}


def mesh(part: Printed, order: int = 1, factor: float = 1.0, **more: Any) -> MeshArrays:
    """`part` meshed with its default sizes times `factor`."""
    coarse = min(part.size) / 12
    sizes = Sizes(factor * coarse, factor * min(part.finest, coarse), order)
    return mesh_arrays(MeshPlan(part, sizes, **more))


def area(arrays: MeshArrays, face: str) -> float:
    """Area of a face; quadratic triangles are split into 400 straight ones."""
    x = arrays.points[arrays.facets[arrays.facet_tags == arrays.faces[face]]]
    if x.shape[1] == 6:
        n = 20
        r, s = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        at = {(i, j): k for k, (i, j) in enumerate(zip(r[r + s <= n], s[r + s <= n], strict=True))}
        r, s = (q[r + s <= n] / n for q in (r, s))
        t = 1 - r - s
        shape = np.stack(
            [t * (2 * t - 1), r * (2 * r - 1), s * (2 * s - 1), 4 * t * r, 4 * r * s, 4 * s * t]
        )
        parts = [(at[i, j], at[i + 1, j], at[i, j + 1]) for i, j in at if i + j < n]
        parts += [(at[i + 1, j], at[i + 1, j + 1], at[i, j + 1]) for i, j in at if i + j < n - 1]
        x = np.einsum("nq,fnd->fqd", shape, x)[:, np.array(parts)].reshape(-1, 3, 3)
    return float(np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1).sum() / 2)


def volume(arrays: MeshArrays, region: str) -> float:
    x = arrays.points[arrays.cells[arrays.cell_tags == arrays.regions[region]]]
    return float(np.abs(np.linalg.det(x[:, 1:4] - x[:, :1])).sum() / 6)


@pytest.mark.parametrize(
    ("given", "ratio", "fraction"),
    [  # the two readings of "200 um spacing"
        ({"gap": 200 * UM}, 1.6667, 0.1111),
        ({"gap": 200 * UM, "shape": "round"}, 1.5236, 0.0873),
        ({"pitch": 200 * UM, "shape": "round"}, 2.1781, 0.1963),
        ({"pitch": 200 * UM}, 2.5, 0.25),
    ],
)
@pytest.mark.parametrize("cell", [{}, {"cell": "quarter"}, {"cell": "array", "count": (3, 2)}])
def test_areas_and_fractions_of_pillars(
    given: dict[str, Any], ratio: float, fraction: float, cell: dict[str, Any]
) -> None:
    part = Printed(**PILLAR, **given, **cell)
    assert part.interface_area_ratio == pytest.approx(ratio, abs=5e-5)
    assert part.print_area / part.footprint == pytest.approx(fraction, abs=5e-5)
    assert part.areas["bottom"] / part.footprint == pytest.approx(ratio, abs=5e-5)
    assert part.areas["top"] == pytest.approx(part.footprint)


def test_volumes_fill_the_cell_and_both_sides_have_the_print() -> None:
    part = Printed(**CELL | {"sides": 2, "cathode": 150 * UM})
    assert sum(part.volumes.values()) == pytest.approx(np.prod(part.size))
    assert part.size == pytest.approx((300 * UM, 300 * UM, 425 * UM))
    # the tips reach the top, where they touch no cathode
    tips = part.print_area
    sides = part.areas
    assert sides["electrolyte-lithium"] - sides["electrolyte-cathode"] == pytest.approx(tips)
    assert Printed(pattern="flat", base=75 * UM).interface_area_ratio == 1.0


@pytest.mark.parametrize("width", [20, 100, 270])
def test_a_spirals_area_and_perimeter_are_those_of_its_outline(width: float) -> None:
    spiral = Spiral(width * UM, 300 * UM, 2)
    spiral.require_apart()
    t = np.linspace(*spiral.angles, 20_001)
    outline = np.vstack([spiral.points(t, 0.5), spiral.points(t, -0.5)[::-1]])
    polygon = shapely.Polygon(outline / UM)
    assert polygon.is_valid
    assert polygon.area * UM**2 == pytest.approx(spiral.area, rel=1e-6)
    assert polygon.length * UM == pytest.approx(spiral.perimeter, rel=1e-6)
    assert np.abs(outline).max() == pytest.approx(spiral.reach, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gap": None}, "needs gap .* or pitch"),
        ({"pitch": "250 um"}, "width . gap = 300 um is not pitch = 250 um; remove gap or pitch"),
        ({"gap": None, "pitch": "100 um"}, "not below pitch = 100 um, so that pillars touch"),
        (
            {"pattern": "spiral", "gap": None, "pitch": "90 um", "count": 2},
            "not below pitch = 90 um, so that the spiral's turns merge",
        ),
        (
            {"pattern": "spiral", "gap": "5 um", "count": 2},
            "width = 100 um leaves next to no gap .* width up to 94.5 um",
        ),
        ({"pattern": "spiral"}, "a spiral needs count"),
        ({"pattern": "spiral", "count": 2, "shape": "round"}, "round.* no meaning for a spiral"),
        ({"pattern": "spiral", "count": 2, "cell": "quarter"}, "a spiral has no quarter cell"),
        ({"height": None}, "needs height"),
        ({"pattern": "flat"}, "width has no meaning for pattern = .flat.; remove it"),
        ({"count": 3}, 'count has no meaning for cell = "unit"'),
        ({"cell": "array"}, "an array needs count"),
        ({"cell": "array", "count": [200, 200]}, "40,000 units, more than 10,000"),
        ({"lithium": "100 um"}, "lithium = 100 um does not cover .* 150 um deep"),
        ({"sides": 3}, r"\[geometry\] sides = 3"),
        ({"base": "0 um"}, r"\[geometry\] base"),
        ({"hight": "1 um"}, "unknown key 'hight' in .geometry.; did you mean 'height'"),
    ],
)
def test_what_cannot_be_printed_is_one_line(changes: dict[str, Any], told: str) -> None:
    given = {
        "kind": "printed", "pattern": "pillar", "width": "100 um", "height": "150 um",
        "gap": "200 um", "base": "75 um", **changes,
    }  # fmt: skip
    geometry = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(CaseError, match=told) as raised:
        parse({"study": "diffusion", "geometry": geometry, "materials": {"electrolyte": "llzto"}})
    assert "\n" not in str(raised.value)


def test_a_mesh_too_large_for_the_machine_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fem_spe.meshing.sizes._memory", lambda: 1e7)
    with pytest.raises(MeshError, match=r"would make about .* cells, .*try size"):
        mesh(Printed(**CELL | {"cell": "array", "count": 50}))


def part_of(file: Path) -> Printed:
    """The part that a geometry file describes."""
    tree = {"study": "diffusion", "geometry": load_geometry(file)}
    part = parse(tree | {"materials": {"electrolyte": "llzto"}}).geometry
    assert isinstance(part, Printed)
    return part


def test_the_papers_variants_are_all_there() -> None:
    parts = [part_of(file) for file in FILES]
    gaps = [p for p in parts if p.pattern == "pillar" and p.gap is not None and p.sides == 1]
    heights = {round(p.height / UM) for p in gaps if p.width == pytest.approx(100 * UM)}  # type: ignore[operator]
    assert heights == {50, 100, 150, 200}
    assert {round(p.width / UM) for p in gaps} == {100, 200, 300}  # type: ignore[operator]
    assert {p.pattern for p in parts} == {"flat", "pillar", "spiral"}
    assert {p.sides for p in parts} == {1, 2}
    assert all(p.gap is None or p.gap == pytest.approx(200 * UM) for p in parts)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_each_variant_has_good_cells_names_volumes_and_areas(file: Path) -> None:
    part = part_of(file)
    # the whole spiral takes ten seconds; `fem-spe verify` has it
    arrays = mesh(part, factor=2.0 if part.pattern == "spiral" else 1.0)
    assert arrays.min_quality >= 0.2
    assert set(arrays.regions) == {"lithium", "electrolyte", "cathode"}
    assert set(arrays.faces) == SIDES | {"electrolyte-lithium", "electrolyte-cathode"}
    limit = LIMITS[part.pattern if part.pattern == "spiral" else part.shape]
    for face, exact in part.areas.items():
        assert area(arrays, face) == pytest.approx(exact, rel=limit)
    for region, exact in part.volumes.items():
        assert volume(arrays, region) == pytest.approx(exact, rel=2 * limit)


@pytest.mark.parametrize("cell", ["quarter", "unit"])
def test_curved_cells_have_the_area_of_round_pillars(cell: Any) -> None:
    part = Printed(**CELL | {"shape": "round", "cell": cell, "lithium": 150 * UM})
    arrays = mesh(part, order=2, factor=1.4)
    assert arrays.min_jacobian > 0.05
    for face, exact in part.areas.items():
        assert area(arrays, face) == pytest.approx(exact, rel=1e-5)


def test_without_electrodes_all_of_a_surface_is_bottom_or_top() -> None:
    part = Printed(**PILLAR, gap=200 * UM, sides=2, cell="array", count=2)
    arrays = mesh(part)
    assert part.regions == ("electrolyte",)
    assert set(arrays.faces) == SIDES
    for face in ("bottom", "top"):
        assert area(arrays, face) == pytest.approx(4 * 150_000 * UM**2, rel=1e-9)
    # every outer facet has a name, and one alone
    corners = np.sort(arrays.cells[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]], axis=2)
    facets, count = np.unique(corners.reshape(-1, 3), axis=0, return_counts=True)
    named = np.sort(arrays.facets, axis=1)
    assert len(np.unique(named, axis=0)) == len(named) == np.sum(count == 1)
    assert np.array_equal(np.unique(named, axis=0), facets[count == 1])


def test_the_print_reaches_into_what_it_faces() -> None:
    down = Printed(**CELL)
    up = replace(down, facing="cathode", lithium=100 * UM, cathode=200 * UM)
    assert down.areas["electrolyte-lithium"] == up.areas["electrolyte-cathode"]
    for part, electrode in ((down, "lithium"), (up, "cathode")):
        arrays = mesh(part, factor=1.5)
        assert area(arrays, f"electrolyte-{electrode}") == pytest.approx(150_000 * UM**2)


def test_a_mesh_is_the_same_each_time_and_matches_across_periodic_sides() -> None:
    part = Printed(**CELL | {"shape": "round"})
    first, second = (mesh(part, factor=2.0, periodic=(0, 1)) for _ in range(2))
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.cells, second.cells)
    for axis in (0, 1):
        ends = [first.points[np.abs(first.points[:, axis] - at) < 1e-12] for at in (0.0, 3e-4)]
        low, high = (np.delete(end, axis, axis=1) for end in ends)
        low, high = (p[np.lexsort(np.round(p / UM, 3).T)] for p in (low, high))
        assert len(low) > 100
        assert np.abs(low - high).max() < 1e-12 * 3e-4 * 1e3
    assert not gmsh.isInitialized()

"""The mesher of structures given by a distance: closed forms, awkward places, refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fem_spe.domain import MeshArrays
from fem_spe.errors import GeometryError, MeshError
from fem_spe.geometry import MeshFile
from fem_spe.meshing import MeshPlan, Sizes, Spot, mesh_arrays
from fem_spe.meshing.areas import areas, volumes
from fem_spe.meshing.implicit import implicit_mesh
from fem_spe.meshing.implicit.faces import leaks
from fem_spe.meshing.implicit.fit import cut_at, sample
from fem_spe.meshing.implicit.octree import grid
from fem_spe.meshing.implicit.quality import radius_ratios

UM = 1e-6
ROUNDING = 1e-12
Places = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Shape:
    """A structure from a formula for its distance, in um."""

    formula: Callable[[Places], NDArray[np.float64]]
    size: tuple[float, float, float] = (UM, UM, UM)
    thinnest: float = 0.4 * UM
    fraction: float | None = None
    periodic: tuple[int, ...] = ()
    regions: tuple[str, ...] = ("matrix", "fiber")

    def distance(self, shape: tuple[int, int, int]) -> NDArray[np.float32]:
        lines = [np.linspace(0, s / UM, n) for s, n in zip(self.size, shape, strict=True)]
        x, y, z = np.meshgrid(*lines, indexing="ij")
        return (UM * self.formula((x, y, z))).astype(np.float32)


def ball(centre: tuple[float, float, float], radius: float) -> Callable[[Places], NDArray]:
    return lambda p: np.sqrt(sum((x - c) ** 2 for x, c in zip(p, centre, strict=True))) - radius


def tube(
    point: tuple[float, float, float], way: tuple[float, float, float], radius: float
) -> Callable[[Places], NDArray]:
    """An endless cylinder."""
    d = np.array(way) / np.linalg.norm(way)

    def formula(p: Places) -> NDArray[np.float64]:
        rest = [x - c for x, c in zip(p, point, strict=True)]
        along = sum(r * k for r, k in zip(rest, d, strict=True))
        return np.sqrt(np.maximum(sum(r * r for r in rest) - along**2, 0)) - radius

    return formula


def either(*formulas: Callable[[Places], NDArray]) -> Callable[[Places], NDArray]:
    return lambda p: np.minimum.reduce([f(p) for f in formulas])


def gyroid(p: Places) -> NDArray[np.float64]:
    """Repeats along all axes; divided by its steepest slope, a lower bound of the distance."""
    x, y, z = (2 * np.pi * c for c in p)
    level = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    return level / (2 * np.pi * math.sqrt(3))


def mesh(shape: Shape, h: float = 0.1, coarse: float = 0.4) -> MeshArrays:
    return implicit_mesh(shape, Sizes(coarse * UM, h * UM))


SHAPES = {
    "ball": Shape(ball((0.5, 0.45, 0.55), 0.3)),
    "ball at a corner": Shape(ball((0, 0, 0), 0.6)),
    "ball touching a face": Shape(ball((0.5, 0.5, 0.3), 0.3)),
    "ball in a flat box": Shape(ball((1.0, 0.6, 0.2), 0.35), (2 * UM, 1.3 * UM, 0.45 * UM)),
    "tube along an axis": Shape(tube((0.5, 0.5, 0), (0, 0, 1), 0.25)),
    "tube askew": Shape(tube((0.4, 0.5, 0.5), (1, 0.7, 0.3), 0.2)),
    "tube in a face": Shape(tube((0, 0.5, 0), (1, 0.2, 0), 0.2)),
    "tube grazing a face": Shape(tube((0.5, 0.5, 0.199), (1, 0.4, 0), 0.2)),
    "tube mostly outside": Shape(tube((0.5, 0.5, -0.12), (1, 0.4, 0), 0.2)),
    "tube along an edge": Shape(tube((0.02, 0.03, 0), (0, 0, 1), 0.2)),
    "crossing tubes": Shape(
        either(tube((0.5, 0.5, 0.5), (1, 0, 0), 0.2), tube((0.5, 0.5, 0.5), (1, 1, 0), 0.2))
    ),
    "touching tubes": Shape(
        either(tube((0, 0.5, 0.3), (1, 0, 0), 0.2), tube((0.5, 0, 0.7), (0, 1, 0), 0.2))
    ),
    "nearly parallel tubes": Shape(
        either(tube((0, 0.4, 0.5), (1, 0.02, 0), 0.2), tube((0, 0.6, 0.5), (1, -0.02, 0), 0.2))
    ),
    "plane between nodes": Shape(lambda p: p[2] - 0.5123),
    "plane through nodes": Shape(lambda p: p[2] - 0.5),
    "plane askew": Shape(lambda p: (p[0] + p[1] - p[2] - 0.4) / math.sqrt(3)),
    "gyroid": Shape(gyroid, periodic=(0, 1, 2)),
    "shell": Shape(lambda p: np.abs(ball((0.5, 0.5, 0.5), 0.3)(p)) - 0.1, thinnest=0.2 * UM),
}


@pytest.mark.parametrize("name", SHAPES)
def test_cells_fill_the_box_and_fit_together(name: str) -> None:
    shape = SHAPES[name]
    found = mesh(shape)
    assert leaks(found) < ROUNDING
    assert found.min_quality >= 0.05
    assert radius_ratios(found.points[found.cells]).min() == pytest.approx(found.min_quality)
    facets = np.sort(found.cells[:, [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]], axis=2)
    single, counts = np.unique(facets.reshape(-1, 3), axis=0, return_counts=True)
    assert counts.max() == 2
    outer = found.points[single[counts == 1]]
    on_box = np.all(outer == 0, axis=1) | np.all(outer == np.array(shape.size), axis=1)
    assert on_box.any(axis=1).all()
    asked = fine_share(shape)
    assert areas(found)["fiber"] / np.prod(shape.size) == pytest.approx(asked, abs=1e-3)


def fine_share(shape: Shape) -> float:
    """Share of the second phase: cell middles of a fine grid."""
    n = 160
    lines = [(np.arange(n) + 0.5) / n * s / UM for s in shape.size]
    x, y, z = np.meshgrid(*lines, indexing="ij")
    inside = np.clip(0.5 - shape.formula((x, y, z)) * n / np.mean(shape.size) * UM, 0, 1)
    return float(inside.mean())


@pytest.mark.parametrize(
    ("formula", "volume", "area"),
    [
        (ball((0.5, 0.5, 0.5), 0.4), 4 / 3 * np.pi * 0.4**3, 4 * np.pi * 0.4**2),
        (tube((0.5, 0.5, 0), (0, 0, 1), 0.4), np.pi * 0.4**2, 2 * np.pi * 0.4),
        (tube((0.52, 0, 0.47), (0, 1, 0), 0.4), np.pi * 0.4**2, 2 * np.pi * 0.4),
    ],
    ids=["sphere", "cylinder", "cylinder off the lattice"],
)
def test_volume_and_area_are_of_second_order_before_the_shift(
    formula: Callable[[Places], NDArray], volume: float, area: float
) -> None:
    shape = Shape(formula)
    steps = np.array([0.1, 0.05, 0.025])  # radius over step: 4, 8, 16
    errors = []
    for step in steps:
        sizes = Sizes(step * UM, step * UM)
        lattice = grid(shape.size, sizes.interface_size, sizes.size)
        phases, covered = cut_at(sample(shape, lattice, ()), lattice, sizes, 0.0, [], ())
        errors.append((abs(phases.share / volume - 1), abs(covered / UM**2 / area - 1)))
    assert errors[1][0] <= 0.005
    assert errors[1][1] <= 0.02
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order[0] == pytest.approx(2.0, abs=0.3)
    assert order[1] > 1.5


def test_the_fraction_is_the_one_asked_for() -> None:
    shape = replace(SHAPES["tube askew"], fraction=0.13)
    found = areas(mesh(shape))
    assert found["fiber"] / sum(found.values()) == pytest.approx(0.13, abs=1e-6)


def test_the_interface_has_the_area_of_the_structure_and_points_outwards() -> None:
    found = mesh(SHAPES["ball"], h=0.05)
    x = found.points[found.facets[found.facet_tags == found.faces["matrix-fiber"]]]
    normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]) / 2
    assert np.linalg.norm(normal, axis=1).sum() == pytest.approx(4 * np.pi * 0.09 * UM**2, rel=0.01)
    middle = x.mean(axis=1) - UM * np.array([0.5, 0.45, 0.55])
    assert np.all(np.einsum("ij,ij->i", middle, normal) > 0)


def test_periodic_faces_are_alike_to_the_last_bit() -> None:
    found = implicit_mesh(SHAPES["gyroid"], Sizes(0.4 * UM, 0.1 * UM), periodic=(0, 1, 2))
    assert leaks(found) < ROUNDING
    for axis, (low, high) in enumerate((("left", "right"), ("front", "back"), ("bottom", "top"))):
        sides = []
        for name in (low, high):
            facets = found.facets[found.facet_tags == found.faces[name]]
            corners = np.delete(found.points[facets], axis, axis=2)
            sides.append(sorted(sorted(map(tuple, f)) for f in corners.tolist()))
        assert sides[0] == sides[1]


def test_what_does_not_repeat_has_no_periodic_faces() -> None:
    with pytest.raises(MeshError, match="does not repeat along x"):
        implicit_mesh(SHAPES["ball at a corner"], Sizes(UM, 0.1 * UM), periodic=(0,))


def test_cells_grow_away_from_the_interface() -> None:
    graded, even = (mesh(SHAPES["ball at a corner"], 0.05, coarse) for coarse in (0.4, 0.05))
    assert len(graded.cells) < len(even.cells) / 2
    assert volumes(graded).max() > 50 * np.median(volumes(even))


def test_cells_are_small_about_a_spot() -> None:
    sizes = Sizes(0.4 * UM, 0.05 * UM)
    place = (0.9 * UM, 0.9 * UM, 0.9 * UM)
    spot = Spot(place, 0.1 * UM, 0.05 * UM)
    shape = SHAPES["ball at a corner"]
    for spots, small in (((), False), ((spot,), True)):
        found = implicit_mesh(shape, sizes, spots=spots)
        near = np.linalg.norm(found.points[found.cells].mean(axis=1) - place, axis=1) < spot.radius
        assert (volumes(found)[near].max() < (0.05 * UM) ** 3) == small
    with pytest.raises(MeshError, match=r"interface_size must be 0\.01 um or less"):
        implicit_mesh(shape, sizes, spots=[replace(spot, size=0.01 * UM)])


def test_a_region_may_be_left_out() -> None:
    whole = mesh(SHAPES["tube askew"])
    left = implicit_mesh(SHAPES["tube askew"], Sizes(0.4 * UM, 0.1 * UM), holes=["fiber"])
    assert left.regions == {"matrix": 1}
    assert areas(left)["matrix"] == pytest.approx(areas(whole)["matrix"], rel=1e-12)
    for name in whole.faces:
        facets = [np.count_nonzero(m.facet_tags == m.faces[name]) for m in (whole, left)]
        assert 0 < facets[1] <= facets[0]
        assert facets[1] == facets[0] or name != "matrix-fiber"
    assert np.unique(left.cells).tolist() == list(range(len(left.points)))


def test_the_same_structure_gives_the_same_mesh() -> None:
    first, second = (mesh(SHAPES["crossing tubes"]) for _ in range(2))
    for name in ("points", "cells", "cell_tags", "facets", "facet_tags"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def test_a_written_mesh_reads_back_alike(tmp_path: Path) -> None:
    file = tmp_path / "mesh.msh"
    made = mesh_arrays(MeshPlan(SHAPES["ball"], Sizes(0.4 * UM, 0.1 * UM)), file)
    read = mesh_arrays(MeshPlan(MeshFile(file=str(file)), Sizes(0.0, 0.0)))
    assert read.regions == made.regions
    assert read.faces == made.faces
    assert len(read.cells) == len(made.cells)
    assert read.min_quality == pytest.approx(made.min_quality, rel=1e-6)
    assert areas(read) == pytest.approx(areas(made), rel=1e-12)
    for name, tag in made.faces.items():
        counts = [np.count_nonzero(m.facet_tags == m.faces[name]) for m in (made, read)]
        assert counts[0] == counts[1], (name, tag)


@pytest.mark.parametrize("suffix", [".vtu", ".xdmf"])
def test_other_formats_are_written(tmp_path: Path, suffix: str) -> None:
    import meshio

    file = tmp_path / f"mesh{suffix}"
    made = mesh_arrays(MeshPlan(SHAPES["ball"], Sizes(0.4 * UM, 0.1 * UM)), file)
    assert len(meshio.read(file).cells_dict["tetra"]) == len(made.cells)


def test_halving_halves_the_cells() -> None:
    plan = MeshPlan(SHAPES["ball"], Sizes(0.2 * UM, 0.1 * UM))
    coarse, fine = (mesh_arrays(replace(plan, halvings=n)) for n in (0, 1))
    assert 4 < len(fine.cells) / len(coarse.cells) < 9


def test_paths_and_islands_are_found() -> None:
    sizes = Sizes(0.4 * UM, 0.1 * UM)
    shell = SHAPES["shell"]
    found = mesh_arrays(MeshPlan(shell, sizes, frozenset({"fiber"}), across="z"))
    core = 4 / 3 * np.pi * 0.2**3
    assert found.isolated == pytest.approx(core / (1 - 4 / 3 * np.pi * (0.4**3 - 0.2**3)), rel=0.12)
    wall = Shape(lambda p: np.abs(p[2] - 0.5) - 0.2)
    with pytest.raises(GeometryError, match="no path leads through"):
        mesh_arrays(MeshPlan(wall, sizes, frozenset({"fiber"}), across="z"))


@pytest.mark.parametrize(
    ("shape", "sizes", "message"),
    [
        (SHAPES["ball"], Sizes(UM, 0.21 * UM), "half of the thinnest fiber, 0.2 um, .* lost; give"),
        (SHAPES["ball"], Sizes(UM, 0.1 * UM, 2), "give order = 1"),
        (SHAPES["ball"], Sizes(UM, 0.0001 * UM), "needs the distance at .* points, but .* give"),
        (Shape(lambda p: p[0] + 1), Sizes(UM, 0.1 * UM), "is all matrix: there is no interface"),
        (Shape(lambda p: -p[0] - 1), Sizes(UM, 0.1 * UM), "is all fiber: there is no interface"),
        (
            Shape(tube((0.5, 0.5, -0.19), (1, 0.4, 0), 0.2)),
            Sizes(UM, 0.1 * UM),
            r"a share of 0\.0000 of the box and not of 0\.00",
        ),
        (
            replace(SHAPES["ball"], fraction=0.9),
            Sizes(UM, 0.1 * UM),
            "a share of .* and not of 0.9000 as asked for; give a smaller",
        ),
        (
            Shape(
                either(ball((0.3, 0.3, 0.3), 0.2), ball((0.7, 0.65, 0.6), 0.105)), fraction=0.022
            ),
            Sizes(UM, 0.2 * UM),
            "1 of 2 pieces of fiber are lost between the nodes; give .* interface_size = 0.0",
        ),
    ],
)
def test_what_cannot_be_meshed_is_refused(shape: Shape, sizes: Sizes, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        implicit_mesh(shape, sizes)


def test_more_cells_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_spe.meshing.sizes._memory", lambda: 1e6)
    with pytest.raises(MeshError, match=r"would make about .* cells.* try size = "):
        mesh(SHAPES["ball"])


def test_specks_and_bridges_are_told(told: pytest.LogCaptureFixture) -> None:
    close = either(
        tube((0, 0.5, 0.295), (1, 0, 0), 0.2),
        tube((0.5, 0, 0.705), (0, 1, 0), 0.2),
        ball((0.1, 0.1, 0.95), 0.02),
    )
    mesh(Shape(close))
    assert "1 smaller than half a cell left out, 0 broken, 1 joined" in told.text

"""Sections as data: fractions, counts, lattices, repeatability; no mesher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
import shapely

from fem_spe.errors import GeometryError
from fem_spe.geometry import (
    AlignedSection,
    AlternatingSection,
    Inclusions,
    Orientation,
    RandomSection,
    Section,
)

UM = 1e-6
POINTS = np.arange(720) / 720


def same(first: Inclusions, second: Inclusions) -> bool:
    """True where every array is equal bit for bit."""
    return all(
        np.array_equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(first)
    )


def area_inside(section: Section) -> float:
    """Area of the inclusions in the box, images included, by polygons."""
    outlines = shapely.polygons(section.with_images().points(POINTS))
    inside = shapely.intersection(shapely.union_all(outlines), shapely.box(0, 0, *section.size))
    return float(shapely.area(inside))


def random_section(**more: object) -> RandomSection:
    given = {
        "size": (60 * UM, 40 * UM),
        "fiber_diameter": 4 * UM,
        "fiber_fraction": 0.35,
        "aspect": 2.0,
    }
    return RandomSection(**{**given, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("lattice", ["square", "hexagonal"])
@pytest.mark.parametrize("fraction", [0.05, 0.2267, 0.5])
def test_aligned_fibers_have_exactly_the_fraction_asked_for(lattice: str, fraction: float) -> None:
    spec = AlignedSection(
        size=(250 * UM, 80 * UM), fiber_diameter=5 * UM, fiber_fraction=fraction, lattice=lattice
    )
    section = spec.build()
    assert section.inclusions.areas.sum() / section.area == pytest.approx(fraction, rel=1e-13)
    assert 2 * section.inclusions.a == pytest.approx(5 * UM, rel=0.1)
    assert area_inside(section) / section.area == pytest.approx(fraction, rel=1e-4)


def test_a_lattice_that_whole_numbers_move_is_told_in_words() -> None:
    spec = AlignedSection(size=(20 * UM, 20 * UM), fiber_diameter=5 * UM, fiber_fraction=0.3)
    assert spec.layout(spec.build()) == "5.05 um thick, on 3 x 2 sites of 6.67 x 10 um"


def test_counts_are_the_most_nearly_square_ones_within_a_tenth_of_the_diameter() -> None:
    size, diameter, fraction = (250.0, 80.0), 5.0, 0.2
    wanted = {}
    for nx in range(1, 400):
        for ny in range(1, 400):
            met = np.sqrt(fraction * size[0] * size[1] / (np.pi / 4 * nx * ny))
            if abs(met / diameter - 1) <= 0.1:
                wanted[nx, ny] = abs(np.log(size[0] / nx / (size[1] / ny)))
    best = min(wanted.values())
    section = AlignedSection(
        size=(250 * UM, 80 * UM), fiber_diameter=5 * UM, fiber_fraction=fraction
    ).build()
    nx, ny = (len(np.unique(q.round(12))) for q in (section.inclusions.x, section.inclusions.y))
    assert wanted[nx, ny] == pytest.approx(best, abs=1e-9)


def test_a_fiber_sits_in_the_centre_of_each_cell_of_a_square_lattice() -> None:
    body = AlignedSection(size=(4.0, 2.0), count=(4, 2), fiber_diameter=0.5).build().inclusions
    assert sorted(zip(body.x, body.y, strict=True)) == [
        (i + 0.5, j + 0.5) for i in range(4) for j in range(2)
    ]


@pytest.mark.parametrize("excess", [-1e-3, -1e-9, 0.0, 1e-9, 1e-3])
def test_no_fiber_of_a_hexagonal_lattice_grazes_a_side(excess: float) -> None:
    """A quarter of the pitch is the radius where lattices laid otherwise would."""
    pitch = 10 * UM
    section = AlignedSection(
        size=(3 * pitch, 4 * pitch * np.sqrt(0.75)),
        count=(3, 4),
        fiber_diameter=pitch / 2 * (1 + excess),
        lattice="hexagonal",
    ).build()
    body = section.with_images()
    for centre, length in ((body.x, section.size[0]), (body.y, section.size[1])):
        for side in (0.0, length):
            away = np.abs(np.abs(centre - side) - body.a)
            assert away.min() > 0.1 * body.a[0]


def test_a_hexagonal_lattice_has_six_nearest_neighbours_through_the_sides() -> None:
    section = AlignedSection(
        size=(4.0, 4 * np.sqrt(0.75)), count=(4, 4), fiber_diameter=0.5, lattice="hexagonal"
    ).build()
    body = section.inclusions
    away = [q[:, None] - q[None] for q in (body.x, body.y)]
    d = np.hypot(*(w - s * np.round(w / s) for w, s in zip(away, section.size, strict=True)))
    assert np.sum(np.abs(d - 1.0) < 1e-12, axis=1).tolist() == [6] * len(body)


def test_fibers_and_fillers_take_turns_and_have_exact_fractions() -> None:
    section = AlternatingSection(
        size=(40 * UM, 40 * UM), count=(4, 4), fiber_fraction=0.15, filler_fraction=0.07
    ).build()
    body = section.inclusions
    for phase, fraction in enumerate((0.15, 0.07)):
        assert body.areas[body.phase == phase].sum() / section.area == pytest.approx(fraction)
    i, j = np.rint(body.x / (10 * UM) - 0.5), np.rint(body.y / (10 * UM) - 0.5)
    assert np.array_equal(body.phase, (i + j) % 2)


@pytest.mark.parametrize("shape", ["ellipse", "rod"])
@pytest.mark.parametrize("boundary", ["cut", "inside", "periodic"])
@pytest.mark.parametrize("fraction", [0.1, 0.35])
def test_random_fibers_have_the_fraction_asked_for(
    shape: str, boundary: str, fraction: float
) -> None:
    section = random_section(
        shape=shape, boundary=boundary, fiber_fraction=fraction, seed=3
    ).build()
    assert area_inside(section) / section.area == pytest.approx(fraction, rel=1e-3)
    assert section.wrapped == (boundary != "inside")
    assert section.periodic == (boundary == "periodic")


@pytest.mark.parametrize("shape", ["ellipse", "rod"])
def test_fused_fibers_cover_the_fraction_asked_for(shape: str) -> None:
    section = random_section(shape=shape, fused=True, fiber_fraction=0.4, seed=1).build()
    assert area_inside(section) / section.area == pytest.approx(0.4, rel=5e-3)


@pytest.mark.parametrize("fused", [False, True])
def test_the_same_seed_gives_the_same_section_bit_for_bit_and_another_seed_another(
    fused: bool,
) -> None:
    first, again, other = (random_section(fused=fused, seed=s).build() for s in (7, 7, 8))
    assert same(first.inclusions, again.inclusions)
    assert not np.array_equal(first.inclusions.x[:5], other.inclusions.x[:5])


def test_images_are_those_that_reach_into_the_box() -> None:
    section = random_section(boundary="periodic", seed=2).build()
    body = section.with_images()
    boxes = shapely.bounds(shapely.polygons(body.points(POINTS)))
    assert np.all(boxes[:, 2:] > 0)
    assert np.all(boxes[:, :2] < section.size)
    assert len(body) > len(section.inclusions)


def test_fibers_prefer_the_direction_asked_for() -> None:
    spec = random_section(size=(160 * UM, 160 * UM), orientation=Orientation(kappa=8, mean=0.5))
    mean = np.exp(2j * spec.build().inclusions.angle).mean()
    assert np.angle(mean) / 2 == pytest.approx(0.5, abs=0.05)
    assert abs(mean) > 0.85


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: AlignedSection(size=(1.0, 1.0), count=(2, 2)), "give two of"),
        (lambda: AlignedSection(size=(1.0, 1.0), count=(2, 2), fiber_fraction=0.8), "touch"),
        (
            lambda: AlignedSection(size=(1.0, 1.0), fiber_diameter=2.0, fiber_fraction=0.1),
            "does not fit",
        ),
        (
            lambda: AlignedSection(
                size=(1.0, 1.0), count=(2, 3), fiber_fraction=0.1, lattice="hexagonal"
            ),
            "even number of rows",
        ),
        (lambda: random_section(fiber_fraction=0.95), "beyond what random fibres reach"),
        (lambda: random_section(aspect=40.0), "do not fit"),
        (lambda: random_section(length=4 * UM), "one of aspect and length"),
        (lambda: random_section(fused=True, min_gap=1e-7), "min_gap has no meaning"),
    ],
)
def test_what_cannot_be_built_is_refused_with_what_would_work(build, words: str) -> None:
    with pytest.raises(GeometryError, match=words):
        build()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: AlignedSection(size=(250e-6, 80e-6), fiber_diameter=5e-9, fiber_fraction=0.2),
        lambda: AlignedSection(size=(250e-6, 80e-6), count=(100_000, 10_000), fiber_fraction=0.2),
        lambda: RandomSection(
            size=(250e-6, 80e-6), fiber_diameter=5e-9, fiber_fraction=0.2, aspect=2.0
        ),
    ],
)
def test_millions_of_fibres_from_a_slip_in_a_unit_are_refused_at_once(
    ask: Callable[[], object],
) -> None:
    with pytest.raises(GeometryError, match="fibres, more than 100,000"):
        ask()

"""Networks as data: fractions, directions, distances, planes cut from them; no mesher."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ive

import fem_spe
from fem_spe.case import to_toml
from fem_spe.case.resolved import with_mesh_defaults
from fem_spe.errors import CaseError, GeometryError
from fem_spe.geometry import FiberNetwork, Network, SliceSection
from fem_spe.geometry.fused import union_area
from fem_spe.geometry.network import Pieces
from fem_spe.geometry.slice import cut

UM = 1e-6
BOX = (20 * UM, 20 * UM, 10 * UM)


def network(**more: object) -> FiberNetwork:
    given = {"size": BOX, "fiber_diameter": (1 * UM, 0.15 * UM), "fiber_fraction": 0.2}
    if "fiber_count" in more and "fiber_fraction" not in more:
        del given["fiber_fraction"]
    return FiberNetwork(**{**given, **more})  # type: ignore[arg-type]


def counted_fraction(built: Network, points: tuple[int, int, int] = (257, 257, 129)) -> float:
    """Share of grid points inside, those on faces counted by half."""
    inside = (built.distance(points) < 0).astype(float)
    for axis in range(3):
        weights = np.ones(inside.shape[0])
        weights[[0, -1]] = 0.5
        inside = np.tensordot(weights / weights.sum(), inside, axes=(0, 0))
        assert inside.ndim == 2 - axis
    return float(inside)


def from_axes(points: np.ndarray, parts: Pieces) -> np.ndarray:
    """Distance of points, shape (n, 3), from the nearest of the tubes about `parts`, m."""
    along = parts.end - parts.start
    t = np.sum((points[:, None] - parts.start) * along, axis=-1) / np.sum(along**2, axis=1)
    nearest = parts.start + np.clip(t, 0, 1)[..., None] * along
    apart = np.linalg.norm(points[:, None] - nearest, axis=-1) - parts.radius
    return np.asarray(apart.min(axis=1))


def samples(built: Network, fiber: int, step: float = 0.1 * UM) -> np.ndarray:
    """Points along a fibre's axis in the box, m, shape (n, 3)."""
    corners = built.points[built.offsets[fiber] : built.offsets[fiber + 1]]
    parts = []
    for a, b in pairwise(corners):
        t = np.linspace(0, 1, math.ceil(np.linalg.norm(b - a) / step) + 1)[:, None]
        parts.append(a + t * (b - a))
    points = np.concatenate(parts)
    return points[np.all((points > 0) & (points < built.size), axis=1)]


@pytest.mark.parametrize(
    "more",
    [
        {"fiber_fraction": 0.05},
        {"fiber_fraction": 0.4, "kappa": 5.0},
        {"tilt": 0.2, "waviness": 0.1},
        {"boundary": "periodic", "waviness": 0.05},
        {"crossing": False, "kappa": 1e3, "fiber_fraction": 0.1},
        {"length": 8 * UM},
    ],
)
def test_a_network_has_the_fraction_asked_for(more: dict[str, object]) -> None:
    spec = network(**more)
    built = spec.build()
    assert counted_fraction(built) == pytest.approx(spec.fiber_fraction, rel=5e-3)
    assert built.fraction == spec.fiber_fraction
    assert 2 * built.radii.mean() == pytest.approx(1 * UM, rel=0.1)


def test_the_same_seed_gives_the_same_network_bit_for_bit_and_another_seed_another() -> None:
    first, again, other = (network(seed=s).build() for s in (7, 7, 8))
    for name in ("points", "offsets", "radii"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.points[:4], other.points[:4])


def test_a_count_is_met_exactly_and_the_diameters_spread_as_asked() -> None:
    built = network(fiber_count=2000, fiber_diameter=(1 * UM, 0.2 * UM)).build()
    assert len(built) == 2000
    assert built.fraction is None
    diameters = 2 * built.radii
    assert diameters.mean() == pytest.approx(1 * UM, rel=0.02)
    assert diameters.std() == pytest.approx(0.88 * 0.2 * UM, rel=0.05)  # cut off at two spreads
    assert np.all(np.abs(diameters - 1 * UM) <= 0.4 * UM)
    assert built.thinnest == diameters.min()


@pytest.mark.parametrize("kappa", [0.0, 2.0, 20.0])
def test_order_parameters_of_ten_thousand_fibers_are_those_of_their_distribution(
    kappa: float,
) -> None:
    number = 10_000
    built = network(
        size=(200 * UM, 100 * UM, 50 * UM), fiber_count=number, kappa=kappa, mean_angle=0.7, seed=1
    ).build()
    exact = ive(1, kappa) / ive(0, kappa)
    doubled = ive(2, kappa) / ive(0, kappa)  # <cos 4 angle>
    length = built.lengths()[1]
    effective = length.sum() ** 2 / np.sum(length**2)  # unequal weights
    error = math.sqrt(max((1 + doubled) / 2 - exact**2, 0.0) / effective)
    assert built.order_parameter_plane == pytest.approx(exact, abs=4 * error)

    def weighted(power: int) -> float:
        """Mean of cos^power with the weight of the solid angle, up to a factor."""
        value, _ = quad(
            lambda a: math.exp(kappa * (math.cos(2 * a) - 1)) * math.sin(a) * math.cos(a) ** power,
            0,
            math.pi / 2,
        )
        return float(value)

    p2 = 1.5 * weighted(2) / weighted(0) - 0.5
    assert built.order_parameter == pytest.approx(p2, abs=0.03)


def test_parallel_fibers_have_order_one() -> None:
    built = network(fiber_count=20, kappa=1e12, mean_angle=math.pi / 2).build()
    assert built.order_parameter_plane == pytest.approx(1.0, abs=1e-9)
    assert built.order_parameter == pytest.approx(1.0, abs=1e-5)


def test_tilt_is_the_standard_deviation_out_of_the_plane() -> None:
    built = network(fiber_count=4000, tilt=0.1).build()
    direction, length = built.lengths()
    rise = np.arcsin(direction[:, 2])
    assert math.sqrt(np.average(rise**2, weights=length)) == pytest.approx(0.1, rel=0.05)


def test_the_distance_is_that_to_the_nearest_axis_less_its_radius() -> None:
    built = network(fiber_count=6, fiber_diameter=3 * UM, waviness=0.1, seed=2).build()
    shape = (21, 21, 11)
    field = built.distance(shape)
    grid = np.stack(
        np.meshgrid(
            *(np.linspace(0, q, n) for q, n in zip(BOX, shape, strict=True)), indexing="ij"
        ),
        axis=-1,
    ).reshape(-1, 3)
    exact = from_axes(grid, built.segments()).reshape(shape)
    assert field.dtype == np.float32
    near = exact < 3.9 * UM
    assert near.mean() > 0.5
    assert np.allclose(field[near], exact[near], atol=1e-12)
    assert np.all(field <= exact + 1e-12)  # a bound farther off


def test_a_periodic_network_continues_through_its_faces() -> None:
    built = network(boundary="periodic", waviness=0.05, fiber_fraction=0.15, tilt=0.3).build()
    shape = (41, 41, 21)
    field = built.distance(shape)
    for axis in range(3):
        assert np.array_equal(field.take(0, axis), field.take(-1, axis))
    # half a box further on, it is the same but for where it starts
    moved = replace(built, points=built.points + np.array(BOX) / 2).distance(shape)
    whole, shifted = field[:-1, :-1, :-1], moved[:-1, :-1, :-1]
    assert np.allclose(np.roll(whole, (20, 20, 10), axis=(0, 1, 2)), shifted, atol=1e-12)


@pytest.mark.parametrize("boundary", ["cut", "periodic"])
def test_fibers_that_may_not_cross_keep_their_gap(boundary: str) -> None:
    built = network(
        crossing=False, min_gap=0.3 * UM, fiber_count=14, kappa=20.0, waviness=0.03, tilt=0.05,
        boundary=boundary, seed=3,
    ).build()  # fmt: skip
    parts = built.segments()
    owner = np.repeat(np.arange(len(built)), np.diff(built.offsets) - 1)
    steps = (-1, 0, 1) if boundary == "periodic" else (0,)
    nearest = math.inf
    for fiber in range(len(built)):
        places = samples(built, fiber)
        rest = parts.take(owner != fiber)
        for step in product(steps, repeat=3):
            shift = np.array(step) * BOX
            image = Pieces(rest.start + shift, rest.end + shift, rest.radius)
            nearest = min(nearest, float(from_axes(places, image).min() - built.radii[fiber]))
    assert 0.3 * UM <= nearest < 1 * UM


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"fiber_count": 3, "fiber_fraction": 0.1}, "one of fiber_count and fiber_fraction"),
        ({"fiber_diameter": (1 * UM, 0.6 * UM)}, "at most 45%"),
        ({"fiber_diameter": 11 * UM}, "do not fit"),
        ({"fiber_diameter": 1e-9}, "more than 100,000"),
        ({"min_gap": 1 * UM}, "crossing = false"),
        ({"crossing": False, "fiber_fraction": 0.5}, "crossing = true"),
        ({"crossing": False, "fiber_count": 300}, "crossing = true"),
        ({"fiber_fraction": 0.02, "fiber_diameter": 8 * UM}, "smaller fiber_diameter"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, object], told: str) -> None:
    with pytest.raises(GeometryError, match=told):
        network(**more).build()


def test_a_box_too_large_to_be_meshed_is_refused() -> None:
    with pytest.raises(GeometryError, match=r"too large for fibres 0\.5 um thick"):
        network(
            size=(400 * UM, 400 * UM, 100 * UM), fiber_diameter=0.5 * UM, fiber_fraction=1e-3
        ).build()


@pytest.mark.parametrize("kappa", [0.0, 20.0])
def test_planes_show_ellipses_where_they_cut_the_fibers(kappa: float) -> None:
    built = network(kappa=kappa, mean_angle=math.pi / 2, tilt=0.1, seed=5).build()
    across, up = 401, 201
    rows, off, share = 41, [], []
    field = built.distance((across, rows, up))
    x, z = np.meshgrid(np.linspace(0, BOX[0], across), np.linspace(0, BOX[2], up), indexing="ij")
    for row in range(2, rows - 2, 4):
        section = cut(built, row * BOX[1] / (rows - 1))
        body = section.inclusions
        inside = np.zeros_like(x, dtype=bool)
        for k in range(len(body)):
            c, s = np.cos(body.angle[k]), np.sin(body.angle[k])
            u, v = x - body.x[k], z - body.y[k]
            inside |= ((c * u + s * v) / body.a[k]) ** 2 + ((c * v - s * u) / body.b[k]) ** 2 < 1
        off.append(np.mean(inside != (field[:, row] < 0)))
        share.append(union_area(section) / section.area)
        assert section.size == (BOX[0], BOX[2])
    assert np.mean(off) < 0.012  # moved a little where they graze each other
    # planes show the fraction of the whole (Delesse)
    assert np.mean(share) == pytest.approx(0.2, abs=0.02)


SLICE = {
    "study": "diffusion",
    "geometry": {
        "kind": "fiber_section", "arrangement": "slice", "y": "10 um",
        "network": {
            "kind": "fiber_network", "size": ["20 um", "20 um", "10 um"],
            "fiber_diameter": "1 um", "fiber_fraction": 0.2, "kappa": 5, "mean_angle": "90 deg",
        },
    },
    "materials": {"matrix": {"diffusivity": 1e-11}, "fiber": "impermeable"},
}  # fmt: skip


def test_a_slice_is_a_two_dimensional_case_that_is_written_and_read_back() -> None:
    case = fem_spe.parse(SLICE)
    assert isinstance(case.geometry, SliceSection)
    assert case.geometry.size == pytest.approx((20 * UM, 10 * UM))
    again = fem_spe.parse(tomllib.loads(to_toml(case)))
    assert again.geometry == case.geometry
    assert fem_spe.parse(SLICE, {"geometry.network.seed": 3}).geometry != case.geometry


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"geometry.y": "30 um"}, "outside the network"),
        ({"geometry.network.waviness": 0.1}, "straight fibres"),
        ({"geometry.network.boundary": "periodic"}, "straight fibres"),
        ({"geometry.network.kapa": 1}, "did you mean 'kappa'"),
        ({"geometry.network.fiber_fraction": 0.99}, "less than or equal to 0.95"),
    ],
)
def test_a_slice_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(CaseError, match=told):
        fem_spe.parse(SLICE, changes)


def test_a_plane_along_the_fibers_is_refused() -> None:
    built = network(kappa=1e12).build()
    y = float(built.points[:, 1][np.argmin(np.abs(built.points[:, 1] - 10 * UM))])
    with pytest.raises(GeometryError, match="lies in the plane"):
        cut(built, y)


def test_the_cells_of_a_network_are_by_default_as_large_as_the_thinnest_radius() -> None:
    given = {**SLICE, "geometry": SLICE["geometry"]["network"]}  # type: ignore[index]
    case = fem_spe.parse(given)
    assert isinstance(case.geometry, FiberNetwork)
    mesh = with_mesh_defaults(case, BOX, case.geometry.build().thinnest / 2).mesh
    assert mesh.interface_size == pytest.approx(0.5 * UM, rel=0.1)
    assert mesh.size == pytest.approx(10 * UM / 12)
    assert mesh.order == 1

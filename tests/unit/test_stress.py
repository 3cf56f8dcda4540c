"""Stress: its invariants, and its statistics by region."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
import ufl
from dolfinx import fem
from mpi4py import MPI

from fem_spe.domain import Domain
from fem_spe.exact import elasticity as exact
from fem_spe.geometry import Box
from fem_spe.measure.stress import _statistics, by_region
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.physics import elasticity as forms
from fem_spe.solve.solids import elastic

E, NU = 5.0, 0.3


def unit(dimension: int = 2, size: float = 0.1, layers: bool = False) -> Domain:
    heights = {"matrix": 0.25, "coating": 0.75} if layers else {}
    box = Box(size=(1.0,) * dimension, layers=heights)
    return build(MPI.COMM_WORLD, MeshPlan(box, Sizes(size, size)))


def value(domain: Domain, expression: object) -> float:
    return domain.integrate(expression * domain.dx)  # type: ignore[operator]


def test_a_ramp_has_the_percentiles_and_the_place_of_the_maximum_that_it_should():
    domain = unit(layers=True)
    x = ufl.SpatialCoordinate(domain.mesh)
    found = by_region(domain, x[1])
    assert found["matrix"].mean == pytest.approx(0.125)
    assert found["coating"].mean == pytest.approx(0.625)
    assert found["coating"].volume == pytest.approx(0.75)
    assert found["coating"].p99 == pytest.approx(1.0 - 0.01 * 0.75, abs=5e-3)
    assert found["matrix"].p99 < found["matrix"].p999 < found["matrix"].maximum
    assert found["matrix"].maximum == pytest.approx(0.25)
    assert found["matrix"].place[1] == pytest.approx(0.25)


def test_percentiles_are_of_the_volume_and_not_of_the_points():
    """Of values v in (0, 1) that stand for volumes of 2 v dv, a part of v^2 has less than v."""
    edges = np.linspace(0.0, 1.0, 20001) ** 3  # few points where volumes are large
    values, volumes = (edges[1:] + edges[:-1]) / 2, np.diff(edges**2)
    places = np.column_stack([values, values])
    shuffled = np.random.default_rng(1).permutation(len(values))
    found = _statistics(MPI.COMM_SELF, values[shuffled], volumes[shuffled], places[shuffled])
    assert found.mean == pytest.approx(2 / 3, rel=1e-6)
    assert found.p99 == pytest.approx(np.sqrt(0.99), rel=1e-4)
    assert found.p999 == pytest.approx(np.sqrt(0.999), rel=1e-4)
    assert (found.maximum, *found.place) == (values[-1],) * 3


@pytest.mark.parametrize("first", [0, 1])
def test_a_maximum_that_is_no_number_is_told_whichever_rank_has_it(first: int):
    """As in a cell that closes at finite strain, where ln det F is none."""

    class Two:
        """The first of two ranks, as far as maxima are concerned."""

        rank = 0

        def allgather(self, one: object) -> list[object]:
            return [one, other][:: 1 - 2 * first]

        def allreduce(self, *_: object, **__: object) -> float:
            return 2.0

        def bcast(self, one: object) -> object:
            return one

        def gather(self, one: object, root: int = 0) -> list[object]:
            return [one]

    other = (float("nan"), (2.0, 3.0))
    found = _statistics(Two(), np.ones(3), np.ones(3), np.zeros((3, 2)))  # type: ignore[arg-type]
    assert np.isnan(found.maximum)
    assert found.place == (2.0, 3.0)
    assert found.mean == 1.0


def test_excluded_points_do_not_count():
    domain = unit()
    x = ufl.SpatialCoordinate(domain.mesh)
    found = by_region(domain, x[1], exclude=lambda p: p[:, 1] > 0.5)["matrix"]
    assert found.maximum <= 0.5
    assert found.volume == pytest.approx(0.5, abs=0.05)
    nothing = by_region(domain, x[1], exclude=lambda p: p[:, 1] > -1.0)["matrix"]
    assert np.isnan(nothing.mean)
    assert np.isnan(nothing.maximum)
    assert nothing.volume == 0.0


@pytest.mark.parametrize("plane", ["strain", "stress"])
def test_uniaxial_tension_shows_its_modulus_in_either_plane(plane):
    domain = unit(size=0.5)
    x = ufl.SpatialCoordinate(domain.mesh)
    m = forms.lame(E, NU, plane)
    side = -NU / (1 - NU) if plane == "strain" else -NU
    u = 0.01 * ufl.as_vector([x[0], side * x[1]])
    modulus = E / (1 - NU**2) if plane == "strain" else E
    sigma = forms.full_stress(u, m)
    across = NU * 0.01 * modulus if plane == "strain" else 0.0
    stresses = [value(domain, sigma[i, i]) for i in range(3)]
    assert stresses == pytest.approx([0.01 * modulus, 0.0, across], abs=1e-14)
    strength = exact.von_mises(np.diag(stresses))
    assert value(domain, forms.von_mises(sigma)) == pytest.approx(float(strength))
    energy = value(domain, forms.energy_density(u, m))
    assert energy == pytest.approx(0.5 * 0.01**2 * modulus)


@pytest.mark.parametrize("dimension", [2, 3])
def test_principal_stresses_are_the_eigenvalues_largest_first(dimension: int):
    domain = unit(dimension, 0.6)
    x = ufl.SpatialCoordinate(domain.mesh)
    slope = np.array([[1.0, 2.0, -0.5], [0.3, -0.7, 0.4], [0.2, 0.9, 0.1]])
    slope = slope[:dimension, :dimension]
    sigma = forms.full_stress(ufl.dot(ufl.as_matrix(slope), x), forms.lame(E, NU))
    tensor = np.array([[value(domain, sigma[i, j]) for j in range(3)] for i in range(3)])
    principal = forms.principal(sigma)
    found = [value(domain, principal[k]) for k in range(3)]
    assert found == pytest.approx(np.linalg.eigvalsh(tensor)[::-1], rel=1e-7)


def test_principal_stresses_under_pressure_alone_are_that_pressure():
    domain = unit(3, 0.6)
    sigma = -2.0 * ufl.Identity(3)
    assert value(domain, forms.principal(sigma)[0]) == pytest.approx(-2.0)


def test_multigrid_and_factorisation_agree_in_space():
    domain = unit(3, 0.12)
    space = fem.functionspace(domain.mesh, ("Lagrange", 1, (3,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = forms.bilinear(u, v, forms.lame(E, NU), domain.dx)
    pull = fem.Constant(domain.mesh, (0.1, 0.0, 0.2))
    load = forms.traction(v, pull, domain.ds(domain.face("top")))
    bcs = [elastic.clamped(domain, space, "bottom")]
    one = elastic.solve(a, load, space, bcs, rtol=1e-12, method="direct")
    many = elastic.solve(a, load, space, bcs, rtol=1e-10, method="elastic")
    assert np.abs(one.u.x.array - many.u.x.array).max() < 1e-8 * np.abs(one.u.x.array).max()
    assert many.iterations < 25


@pytest.mark.parametrize(("nu", "strength", "depth"), [(0.3, 0.558, 0.704), (0.49, 0.520, 0.786)])
def test_the_strength_of_a_line_contact_is_that_of_the_tables(nu, strength, depth):
    found = exact.line_contact_strength(nu)
    assert found == pytest.approx((strength, depth), abs=1e-3)
    # on the surface in the middle sigma_x = sigma_z = -p0, at the edge nothing
    middle, edge = exact.line_contact_stress([0.0, 1.0], 0.0, exact.Hertz(1.0, 1.0), nu)
    assert np.diag(middle) == pytest.approx([-1.0, -1.0, -2 * nu])
    assert edge == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_far_from_a_line_contact_its_stress_is_that_of_a_line_load():
    """Flamant: radial stress -2 F cos(angle) / pi r; Johnson 1985, 2.15; F = pi a p0 / 2."""
    angle, r = np.array([-1.0, -0.3, 0.0, 0.6, 1.2]), 100.0
    x, z = r * np.sin(angle), r * np.cos(angle)
    found = exact.line_contact_stress(x, z, exact.Hertz(1.0, 1.0), NU)
    radial = -np.cos(angle) / r
    tensor = radial[:, None, None] * np.einsum("in,jn->nij", [x / r, z / r], [x / r, z / r])
    assert found[:, :2, :2] == pytest.approx(tensor, abs=2e-3 / r)


def test_the_strength_of_a_ball_contact_is_that_of_the_tables():
    assert exact.ball_contact_strength(0.3) == pytest.approx((0.62, 0.48), abs=3e-3)


def test_a_disc_joins_its_plate_without_a_jump_of_traction_or_displacement():
    angle = np.linspace(0.1, 3.0, 7)
    x, y = np.cos(angle), np.sin(angle)
    disc = exact.Disc(1.0, (1.0, -0.3), 1.0, 1.8, 2.5, 1.4)
    xx, yy, xy = disc.stress(x, y)
    inside = disc.inside
    assert xx * x + xy * y == pytest.approx(inside[0] * x)
    assert xy * x + yy * y == pytest.approx(inside[1] * y)
    total, difference = sum(inside), inside[0] - inside[1]
    strain = [  # Hooke's law in the plane, by kappa
        ((disc.kappa_disc - 1) * total / 2 + sign * difference) / (4 * disc.mu_disc)
        for sign in (1, -1)
    ]
    assert disc.displacement(x, y) == pytest.approx(np.array([strain[0] * x, strain[1] * y]))


RANKS = """
import json
import sys
sys.path.insert(0, sys.argv[1])
from test_stress import by_region, ufl, unit
domain = unit(layers=True)
x = ufl.SpatialCoordinate(domain.mesh)
found = by_region(domain, x[1] * ufl.sin(3 * x[0]))
if domain.mesh.comm.rank == 0:
    print(json.dumps({name: [*vars(s).values()] for name, s in found.items()}))
"""


@pytest.mark.mpi
def test_two_ranks_find_the_same_statistics(python, tmp_path, request):
    here = str(request.path.parent)
    one, two = (python(RANKS, here, cwd=tmp_path, ranks=ranks) for ranks in (1, 2))
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    found, other = json.loads(one.stdout), json.loads(two.stdout)
    for name, statistics in found.items():
        for a, b in zip(statistics, other[name], strict=True):
            assert a == pytest.approx(b, rel=1e-9)

"""Contact in three dimensions: Hertz, two levels against a factorisation, any direction."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
import ufl
from dolfinx import fem
from mpi4py import MPI

from fem_spe.case.mechanics import Balls
from fem_spe.domain import Domain
from fem_spe.geometry import Box, FiberNetwork
from fem_spe.meshing import MeshPlan, Sizes, Spot, build
from fem_spe.physics import elasticity as forms
from fem_spe.solve.solids import elastic
from fem_spe.solve.solids.contact import Contact
from fem_spe.solve.solids.gap import Ball
from fem_spe.solve.solids.multigrid import interpolation
from fem_spe.verify import frames, hertz

UM = 1e-6
E, NU = 6e6, 0.35
SIDE, HEIGHT, RADIUS, DEPTH = 6 * UM, 4 * UM, 3 * UM, 0.4 * UM
SIDES = ("left", "right", "front", "back")


def block(size: float = 0.8 * UM, **plan: Any) -> Domain:
    box = Box(size=(SIDE, SIDE, HEIGHT))
    return build(MPI.COMM_WORLD, MeshPlan(box, Sizes(size, size), **plan))


def network(fine: float, **change: Any) -> Domain:
    structure = replace(NETWORK, **change).build()
    return build(MPI.COMM_WORLD, MeshPlan(structure, Sizes(2 * fine, fine)))


NETWORK = FiberNetwork(
    size=(12 * UM, 12 * UM, 8 * UM), fiber_diameter=2 * UM, fiber_fraction=0.15, seed=2
)


def body(
    domain: Domain, degree: int, materials: dict[str, tuple[float, float]], method: str
) -> Contact:
    """Sides that slide, a clamped bottom."""
    coarse = body(domain, 1, materials, _BELOW[method]) if degree == 2 else None
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (3,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    bcs = [elastic.prescribed(domain, space, name, k // 2) for k, name in enumerate(SIDES)]
    bcs.append(elastic.clamped(domain, space, "bottom"))
    a = forms.bilinear(u, v, forms.moduli(domain, materials), domain.dx)
    face = domain.face_dofs(space, "top")
    rtol = 1e-12 if method == "direct" else 1e-9
    return Contact(a, None, space, bcs, face, rtol=rtol, method=method, coarse=coarse)


_BELOW = {"two-level": "elastic", "direct": "direct"}
MATRIX = {"matrix": (E, NU)}


def ball(x: float, y: float, top: float = HEIGHT) -> Ball:
    return Ball((x, y, top + RADIUS - DEPTH), RADIUS, (0.0, 0.0, -DEPTH))


@pytest.mark.parametrize("kind", ["frictionless", "bonded"])
def test_two_levels_find_what_a_factorisation_does(kind: Any):
    domain, balls = block(), [ball(SIDE / 2, SIDE / 2)]
    one, two = (
        body(domain, 2, MATRIX, method).press(balls, kind=kind)
        for method in ("direct", "two-level")
    )
    largest = np.abs(one.per_ball).max()
    assert np.abs(two.per_ball - one.per_ball).max() < 1e-7 * largest
    assert np.abs(two.u.x.array - one.u.x.array).max() < 1e-7 * DEPTH
    assert two.imbalance < 1e-7
    assert two.least_pressure >= (0.0 if kind == "frictionless" else -np.inf)


def test_the_interpolation_is_exact_for_linear_displacements():
    domain = block(1.5 * UM)
    spaces = [fem.functionspace(domain.mesh, ("Lagrange", degree, (3,))) for degree in (2, 1)]
    free = [np.ones((space.dofmap.index_map.size_local, 3), dtype=bool) for space in spaces]
    P = interpolation(*spaces, *free)
    fine, coarse = (fem.Function(space) for space in spaces)
    for u in (fine, coarse):
        u.interpolate(lambda x: np.array([x[0] + 2 * x[1], x[2], 3 * x[0] - x[1]]))
    right, left = P.createVecs()
    right.array_w[:] = coarse.x.array[: len(right.array)]
    P.mult(right, left)
    assert left.array == pytest.approx(fine.x.array[: len(left.array)], abs=1e-14 * SIDE)


def test_a_component_that_is_fixed_has_neither_row_nor_column():
    domain = block(1.5 * UM)
    spaces = [fem.functionspace(domain.mesh, ("Lagrange", degree, (3,))) for degree in (2, 1)]
    free = [np.ones((space.dofmap.index_map.size_local, 3), dtype=bool) for space in spaces]
    for space, moves in zip(spaces, free, strict=True):
        moves[domain.face_dofs(space, "bottom")] = False
    P = interpolation(*spaces, *free)
    ones = P.createVecRight()
    ones.set(1.0)
    row = P.createVecLeft()
    P.mult(ones, row)
    assert not row.array.reshape(-1, 3)[~free[0].all(axis=1)].any()
    ones = P.createVecLeft()
    ones.set(1.0)
    column = P.createVecRight()
    P.multTranspose(ones, column)
    assert not column.array.reshape(-1, 3)[~free[1].all(axis=1)].any()


def test_the_field_around_hertz_tends_to_that_of_a_point_load():
    force, contact = hertz.hertz_of(0.3)
    far = np.array([[0.0], [0.0], [-1e3 * contact.radius]])
    u = hertz.far_field(far, 0.0, 0.3)
    shear = 2e9 / 2.6
    assert u[:2] == pytest.approx(np.zeros((2, 1)), abs=1e-9 * abs(u[2, 0]))
    assert -u[2, 0] == pytest.approx(force * 2.4 / (4 * np.pi * shear * -far[2, 0]), rel=1e-5)


def test_a_quarter_of_a_ball_presses_a_quarter():
    spot = (Spot((0.0, 0.0, HEIGHT), 1.5 * UM, 0.25 * UM),)
    middle = (Spot((SIDE / 2, SIDE / 2, HEIGHT), 1.5 * UM, 0.25 * UM),)
    half = Box(size=(SIDE / 2, SIDE / 2, HEIGHT))
    size = Sizes(0.8 * UM, 0.8 * UM)
    quarter = build(MPI.COMM_WORLD, MeshPlan(half, size, spots=spot))
    part = body(quarter, 2, MATRIX, "two-level").press([ball(0.0, 0.0)])
    whole = body(block(spots=middle), 2, MATRIX, "two-level").press([ball(SIDE / 2, SIDE / 2)])
    assert 4 * part.per_ball[0, 2] == pytest.approx(whole.per_ball[0, 2], rel=3e-3)


@pytest.mark.parametrize("kind", ["frictionless", "bonded"])
def test_the_force_does_not_depend_on_the_axes(kind: Any):
    """A network turned about a skew axis; `fem-spe verify` has the fixed normals, too."""
    assert frames.turned_error(kind, "updated") <= 1e-7


def test_ten_active_sets_suffice_in_a_network():
    domain = network(0.9 * UM)
    materials = {"matrix": (E, 0.4), "fiber": (100 * E, NU)}
    balls = [ball(4 * UM, 4 * UM, 8 * UM), ball(9 * UM, 8 * UM, 8 * UM)]
    contact = body(domain, 2, materials, "two-level")
    found = contact.press(balls)
    assert found.iterations <= 10
    assert contact.all_krylov <= 110
    assert found.penetration <= 1e-8
    assert found.per_ball[:, 2].max() < 0.0


def test_balls_stand_in_rows_and_columns():
    four = Balls(radius=UM, count=4).centres((8 * UM, 8 * UM, 4 * UM))
    assert np.array(four) / UM == pytest.approx(
        np.array([[2, 2, 5], [2, 6, 5], [6, 2, 5], [6, 6, 5]])
    )
    three = Balls(radius=UM, count=3).centres((30 * UM, 10 * UM, 4 * UM))
    assert [round(x / UM) for x, _, _ in three] == [5, 15, 25]


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([(2 * UM, 5 * UM)], "has 2 values, but the structure has 3 axes"),
        ([(2 * UM, 2 * UM, 4.5 * UM)], "overlaps the block"),
        ([(9 * UM, 2 * UM, 5 * UM)], "stands beside the block of 8 x 8 um"),
        ([(2 * UM, 2 * UM, 5 * UM), (2 * UM, 3 * UM, 5 * UM)], "overlap: their centres are 1 um"),
    ],
)
def test_balls_that_do_not_fit_are_named(positions: Any, message: str):
    with pytest.raises(ValueError, match=message):
        Balls(radius=UM, positions=positions).centres((8 * UM, 8 * UM, 4 * UM))


RANKS = """
import json
import sys
sys.path.insert(0, sys.argv[1])
from test_contact_3d import E, MATRIX, NU, SIDE, UM, ball, block, body, network
found = {}
small = {"size": (6 * UM, 6 * UM, 4 * UM), "fiber_fraction": None, "fiber_count": 2}
for name, domain, fiber, kind in (
    ("block", block(1.2 * UM), {}, "bonded"),
    ("network", network(0.9 * UM, **small), {"fiber": (100 * E, NU)}, "frictionless"),
):
    contact = body(domain, 2, MATRIX | fiber, "two-level")
    found[name] = contact.press([ball(SIDE / 2, SIDE / 3)], kind=kind).per_ball.tolist()
if domain.mesh.comm.rank == 0:
    print(json.dumps(found))
"""


@pytest.mark.mpi
def test_two_ranks_find_the_same_forces(python, tmp_path, request):
    here = str(request.path.parent)
    one, two = (python(RANKS, here, cwd=tmp_path, ranks=ranks) for ranks in (1, 2))
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    forces, others = json.loads(one.stdout), json.loads(two.stdout)
    assert len(forces) == 2
    for name, force in forces.items():
        largest = np.abs(force).max()
        assert np.abs(np.subtract(force, others[name])).max() <= 1e-7 * largest

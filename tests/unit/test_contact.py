"""Contact on small blocks: what can be checked by hand, other methods, and two ranks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.exact.elasticity import ball_contact, contact_modulus
from fem_spe.geometry import AlignedSection, Box, RandomSection
from fem_spe.measure.stress import pressure, reactions
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.physics import elasticity as forms
from fem_spe.solve.linear import residual_vector
from fem_spe.solve.solids import contact as contact_module
from fem_spe.solve.solids import elastic
from fem_spe.solve.solids.contact import Contact
from fem_spe.solve.solids.gap import Ball, gaps, landing
from fem_spe.solve.solids.pressing import in_steps

UM = 1e-6
E, NU = 6e6, 0.4
WIDTH, HEIGHT = 12 * UM, 6 * UM


@dataclass(frozen=True)
class Block:
    """A block whose sides slide and whose bottom is clamped (or slides)."""

    domain: Domain
    space: fem.FunctionSpace
    a: Any
    bcs: list[fem.DirichletBC]

    coarse: Block | None = None

    def contact(self, **more: Any) -> Contact:
        face = self.domain.face_dofs(self.space, "top")
        if self.coarse is not None:
            more["coarse"] = self.coarse.contact()
        return Contact(self.a, None, self.space, self.bcs, face, **more)


def hold(
    domain: Domain, degree: int, materials: dict[str, tuple[float, float]], clamp: bool = True
) -> Block:
    dimension = domain.dimension
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (dimension,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    sides = ("left", "right") if dimension == 2 else ("left", "right", "front", "back")
    bcs = [elastic.prescribed(domain, space, name, k // 2) for k, name in enumerate(sides)]
    if clamp:
        bcs.append(elastic.clamped(domain, space, "bottom"))
    else:
        bcs.append(elastic.prescribed(domain, space, "bottom", dimension - 1))
    m = forms.moduli(domain, materials)
    return Block(domain, space, forms.bilinear(u, v, m, domain.dx), bcs)


def plain(degree: int = 2, size: float = 0.6 * UM, clamp: bool = True) -> Block:
    box = Box(size=(WIDTH, HEIGHT))
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(size, size)))
    return hold(domain, degree, {"matrix": (E, NU)}, clamp)


def composite(count: tuple[int, int], contrast: float, degree: int = 2) -> Block:
    section = AlignedSection(size=(40 * UM, 20 * UM), count=count, fiber_fraction=0.2).build()
    fine = min(0.4, 1.6 / count[0] * 5) * UM
    domain = build(MPI.COMM_WORLD, MeshPlan(section, Sizes(3 * fine, fine, degree)))
    materials = {"matrix": (E, NU), "fiber": (contrast * E, 0.35)}
    coarse = hold(domain, 1, materials) if degree == 2 else None
    return replace(hold(domain, degree, materials), coarse=coarse)


def three_balls(depth: float, radius: float = 4 * UM) -> list[Ball]:
    above = 20 * UM + radius - depth
    return [Ball((x * UM, above), radius, (0.0, -depth)) for x in (10, 20, 30)]


def two_balls(depth: float = 0.4 * UM) -> list[Ball]:
    radius = 3 * UM
    return [Ball((x * UM, HEIGHT + radius - depth), radius, (0.0, -depth)) for x in (3.1, 9.0)]


def test_the_gap_is_the_distance_to_the_nearest_ball():
    balls = [Ball((0.0, 5.0), 5.0), Ball((10.0, 4.0), 5.0)]
    points = np.array([[0.0, -1.0], [3.0, 0.0], [10.0, 0.0]])
    at = gaps(points, np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), balls, "updated")
    assert at.ball.tolist() == [0, 0, 1]
    assert at.gap == pytest.approx([1.0, 0.0, -1.0])
    assert at.normal == pytest.approx(np.array([[0.0, -1.0], [0.6, -0.8], [0.0, -1.0]]))


def test_the_vertical_gap_is_linear_in_the_displacement_and_infinite_beside_the_ball():
    ball = Ball((0.0, 5.0), 5.0)
    points = np.array([[0.0, -1.0], [3.0, 0.0], [6.0, 0.0]])
    moved = np.array([[9.0, 0.25], [9.0, -1.0], [0.0, 0.0]])
    at = gaps(points, moved, [ball], "vertical")
    assert at.gap == pytest.approx([0.75, 2.0, np.inf])
    assert at.normal == pytest.approx(np.tile([0.0, -1.0], (3, 1)))


def test_the_fixed_gap_is_that_of_the_place_before_and_linear_in_the_displacement():
    ball, points = Ball((0.0, 3.0), 2.0), np.array([[0.0, 0.5], [1.5, 1.0]])
    still = np.zeros((2, 2))
    at, true = (gaps(points, still, [ball], rule) for rule in ("fixed", "updated"))
    assert at.gap == pytest.approx(true.gap)
    assert at.normal == pytest.approx(np.array([[0.0, -1.0], [0.6, -0.8]]))
    moved = gaps(points, np.array([[0.7, -0.2], [1.0, 0.5]]), [ball], "fixed")
    assert moved.normal == pytest.approx(at.normal)
    assert moved.gap - at.gap == pytest.approx([0.2, 0.6 - 0.4])
    assert np.all(np.isinf(moved.distance))


def test_a_point_in_the_centre_of_a_ball_has_no_way_out():
    with pytest.raises(CaseError, match="centre"):
        plain().contact().press([Ball((WIDTH / 2, HEIGHT), 3 * UM)])


def test_a_ball_takes_along_what_it_meets_on_its_way():
    ball = Ball((0.0, 4.0), 5.0, (0.0, -2.0))  # its lowest point has come from 1 to -1
    points = np.array([[0.0, 0.0], [0.0, 1.0], [3.0, 0.5]])
    u = landing(points, np.zeros((3, 2)), ball)
    assert u == pytest.approx(np.array([[0.0, -1.0], [0.0, -2.0], [0.0, -0.5]]))
    straight = landing(points, np.zeros((3, 2)), replace(ball, moved=()))
    arm = points + straight - np.array(ball.centre)
    assert np.linalg.norm(arm, axis=1) == pytest.approx(5.0)


@pytest.mark.parametrize("kind", ["frictionless", "bonded"])
@pytest.mark.parametrize("degree", [1, 2])
def test_a_flat_punch_compresses_the_block_uniformly(degree: int, kind: Any):
    """A ball as good as flat on a block that cannot widen: F = (lambda + 2 mu) w d / h."""
    block, depth, radius = plain(degree, clamp=False), 0.1 * UM, 1e3
    ball = Ball((WIDTH / 2, HEIGHT + radius - depth), radius, (0.0, -depth))
    found = block.contact().press([ball], kind=kind)
    m = forms.lame(E, NU)
    exact = (m.lam + 2 * m.mu) * depth / HEIGHT
    assert found.per_ball[0] == pytest.approx([0.0, -exact * WIDTH], rel=1e-6, abs=1e-6 * exact)
    at = pressure(block.domain, found.force, "top")
    top = block.domain.face_dofs(block.space, "top")
    assert -at.x.array.reshape(-1, 2)[top, 1] == pytest.approx(exact, rel=1e-4)


def test_the_contact_force_is_the_reaction_of_the_support():
    block = plain()
    found = block.contact().press(two_balls())
    residual = residual_vector(block.a, None, found.u)
    residual.x.array[:] -= found.force.x.array
    support = reactions(
        block.domain, residual, dict.fromkeys(["bottom", "left", "right"], range(2))
    )
    total = np.sum(list(support.values()), axis=0) + found.per_ball.sum(axis=0)
    assert np.abs(total).max() < 1e-10 * np.abs(found.per_ball).max()
    assert found.least_pressure >= 0.0
    assert found.penetration <= 1e-8
    assert found.slip <= 1e-7


@pytest.mark.parametrize("degree", [1, 2])
def test_the_active_set_solves_the_variational_inequality(degree: int):
    """PETSc's reduced-space Newton method for the same bounds gives the same forces."""
    block, balls = plain(degree), two_balls()
    contact = block.contact()
    found = contact.press(balls, normal="vertical")
    other = by_inequality(block, contact, balls)
    ours = found.force.x.array
    assert np.abs(other - ours).max() < 1e-7 * np.abs(ours).max()


def by_inequality(block: Block, contact: Contact, balls: list[Ball]) -> np.ndarray:
    """Nodal forces by SNES vinewtonrsls with upper bounds on the vertical displacement."""
    at = gaps(contact.points, np.zeros_like(contact.points), balls, "vertical")
    stiffness, zero = contact.A, fem_petsc.create_vector(block.space)
    low, high = zero.duplicate(), zero.duplicate()
    low.set(PETSc.NINFINITY)
    high.set(PETSc.INFINITY)
    bound = np.where(np.isfinite(at.gap), at.gap, PETSc.INFINITY)
    high.array_w[contact.nodes * 2 + 1] = bound
    snes = PETSc.SNES().create(block.domain.mesh.comm)
    snes.setType("vinewtonrsls")
    snes.setFunction(lambda _, x, f: stiffness.mult(x, f), zero.duplicate())
    snes.setJacobian(lambda *_: None, stiffness)
    snes.setVariableBounds(low, high)
    snes.getKSP().setType("preonly")
    snes.getKSP().getPC().setType("lu")
    snes.setTolerances(rtol=1e-12, atol=1e-12 * E * UM, stol=0.0, max_it=50)
    u = zero.duplicate()
    snes.solve(None, u)
    assert snes.getConvergedReason() > 0
    reaction = zero.duplicate()
    stiffness.mult(u, reaction)
    return reaction.array.copy()


def test_a_stiff_penalty_approaches_the_active_set():
    """A penalty p on the nodal penetration errs by the force over p: first order in 1/p."""
    block, balls = plain(size=0.4 * UM), two_balls()
    contact = block.contact()
    found = contact.press(balls, normal="vertical")
    errors = []
    for penalty in (1e3, 1e4):
        force = by_penalty(block, contact, balls, penalty * E)
        errors.append(abs(force / -found.per_ball[:, 1].sum() - 1.0))
    assert errors[1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(10.0, rel=0.2)


def by_penalty(block: Block, contact: Contact, balls: list[Ball], penalty: float) -> float:
    """Total force with springs at the penetrating nodes; Newton on their set."""
    at = gaps(contact.points, np.zeros_like(contact.points), balls, "vertical")
    dofs = contact.nodes * 2 + 1
    lowered, right = contact.A.createVecs()
    caught = at.gap < 0.0
    for _ in range(40):
        matrix = contact.A.copy()
        diagonal = matrix.getDiagonal()
        diagonal.array_w[dofs[caught]] += penalty
        matrix.setDiagonal(diagonal)
        right.set(0.0)
        right.array_w[dofs[caught]] = penalty * at.gap[caught]
        ksp = PETSc.KSP().create(matrix.comm)
        ksp.setOperators(matrix)
        ksp.setType("preonly")
        ksp.getPC().setType("cholesky")
        ksp.getPC().setFactorSolverType("mumps")
        ksp.solve(right, lowered)
        depth = lowered.array[dofs] - at.gap
        if np.array_equal(depth > 0.0, caught):
            return float(penalty * depth[caught].sum())
        caught = depth > 0.0
    raise AssertionError("the penalty form did not converge")


@pytest.mark.parametrize("contrast", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("count", [(3, 2), (8, 5), (16, 8)])
def test_ten_active_sets_suffice_for_any_fibres(count: tuple[int, int], contrast: float):
    block = composite(count, contrast)
    for kind in ("frictionless", "bonded"):
        found = block.contact().press(three_balls(2 * UM), kind=kind)  # type: ignore[arg-type]
        assert found.iterations <= 10
        assert found.penetration <= 1e-8
        assert -found.per_ball[:, 1].min() > 0.0


def test_ten_active_sets_suffice_for_stiff_rods_in_the_surface():
    """Cut rods under the balls in a nearly incompressible matrix: the hardest of a sweep."""
    section = RandomSection(
        size=(40 * UM, 20 * UM), shape="rod", aspect=8.0, fiber_diameter=1 * UM,
        fiber_fraction=0.2, boundary="cut", seed=1,
    ).build()  # fmt: skip
    domain = build(MPI.COMM_WORLD, MeshPlan(section, Sizes(0.8 * UM, 0.2 * UM, 2)))
    materials = {"matrix": (E, 0.49), "fiber": (1000 * E, 0.35)}
    block = replace(hold(domain, 2, materials), coarse=hold(domain, 1, materials))
    found = block.contact().press(three_balls(2 * UM))
    assert found.iterations <= 10
    alone = replace(block, coarse=None).contact().press(three_balls(2 * UM))
    assert alone.per_ball == pytest.approx(found.per_ball, rel=1e-8)


def test_without_friction_the_way_does_not_matter():
    block = plain()
    contact = block.contact()
    once = contact.press(two_balls())
    *_, last = in_steps(contact, two_balls(), 4)
    largest = np.abs(once.per_ball).max()
    assert np.abs(last.per_ball - once.per_ball).max() < 1e-8 * largest


def test_forces_grow_with_each_step_and_vanish_when_the_balls_are_lifted():
    contact = plain().contact()
    pushes = [-found.per_ball[:, 1] for found in in_steps(contact, two_balls(), 3)]
    assert np.all(np.diff(pushes, axis=0) > 0.0)
    lifted = [Ball((ball.centre[0], 2 * HEIGHT), ball.radius) for ball in two_balls()]
    found = contact.press(lifted, start=contact.press(two_balls()))
    assert not found.per_ball.any()
    assert np.abs(found.u.x.array).max() < 1e-9 * UM


def test_a_bonded_ball_carries_its_nodes_sideways_and_pulls():
    contact = plain().contact()
    radius, depth = 3 * UM, 0.4 * UM
    down = Ball((WIDTH / 2, HEIGHT + radius - depth), radius, (0.0, -depth))
    pressed = contact.press([down], kind="bonded")
    sideways = replace(down, centre=(WIDTH / 2 + depth, down.centre[1]), moved=(depth, 0.0))
    found = contact.press([sideways], kind="bonded", start=pressed)
    before = pressed.u.x.array.reshape(-1, 2)[pressed.nodes]
    after = found.u.x.array.reshape(-1, 2)[pressed.nodes]
    assert after - before == pytest.approx(np.tile([depth, 0.0], (len(before), 1)), abs=1e-12 * UM)
    assert found.per_ball[0, 0] > 0.1 * -found.per_ball[0, 1]
    up = replace(down, centre=(WIDTH / 2, down.centre[1] + 2 * depth), moved=(0.0, 2 * depth))
    assert contact.press([up], kind="bonded", start=pressed).per_ball[0, 1] > 0.0


def test_a_ball_on_the_sliding_side_is_half_a_contact():
    """By symmetry: half the force of the ball in the middle of a block twice as wide."""
    radius, depth = 3 * UM, 0.4 * UM
    boxes = [Box(size=(w, HEIGHT)) for w in (WIDTH / 2, WIDTH)]
    forces = []
    for box in boxes:
        domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(0.2 * UM, 0.2 * UM)))
        block = hold(domain, 2, {"matrix": (E, NU)})
        ball = Ball((WIDTH / 2, HEIGHT + radius - depth), radius)
        forces.append(-block.contact().press([ball]).per_ball[0, 1])
    assert 2 * forces[0] == pytest.approx(forces[1], rel=1e-3)


def test_factorisation_and_multigrid_agree_in_three_dimensions():
    box = Box(size=(6 * UM, 6 * UM, 4 * UM))
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(0.7 * UM, 0.7 * UM)))
    block = hold(domain, 1, {"matrix": (E, 0.3)})
    radius, depth = 3 * UM, 0.3 * UM
    balls = [Ball((3 * UM, 3 * UM, 4 * UM + radius - depth), radius)]
    one, other = (
        block.contact(method=method, rtol=1e-11).press(balls) for method in ("direct", "elastic")
    )
    assert other.per_ball == pytest.approx(one.per_ball, rel=1e-7, abs=1e-7 * -one.per_ball.min())
    # a layer on a rigid ground is stiffer than Hertz's half space, more so on a coarse mesh
    hertz, _ = ball_contact(depth, contact_modulus(E, 0.3), radius)
    assert 1.0 < -one.per_ball[0, 2] / hertz < 1.6


def test_a_contact_that_finds_no_set_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contact_module, "MOST_SETS", 1)
    with pytest.raises(ConvergenceError, match=r"\[indentation\] steps"):
        plain().contact().press(two_balls())


def test_forces_out_of_balance_or_along_the_surface_are_seen():
    """The checks of a contact measure what they say: turned normals, a node that is displaced."""
    block, balls = plain(size=1.5 * UM), two_balls()
    contact = block.contact()
    found = contact.press(balls)
    state, active = contact._state(found.u, balls, "updated"), np.isin(contact.nodes, found.nodes)
    turn = np.array([[np.cos(0.1), np.sin(0.1)], [-np.sin(0.1), np.cos(0.1)]])
    normal = replace(state.at, normal=state.at.normal @ turn)
    push = np.sum(state.residual[contact.nodes] * normal.normal, axis=1)
    aside = replace(state, at=normal, push=push)
    assert contact._slip(aside, active) == pytest.approx(np.tan(0.1), rel=0.1)
    x = block.space.tabulate_dof_coordinates()
    low = np.argmin(np.where(x[:, 1] > 1e-3 * UM, x[:, 1] + np.abs(x[:, 0] - WIDTH / 2), np.inf))
    found.u.x.array[2 * low + 1] += 0.1 * UM
    with pytest.raises(ConvergenceError, match="forces and reactions differ"):
        contact._checked(
            contact._state(found.u, balls, "updated"), active, 1, balls, "frictionless"
        )


RANKS = """
import json
import sys
sys.path.insert(0, sys.argv[1])
from test_contact import composite, three_balls, UM
from fem_spe.solve.solids.pressing import in_steps
contact = composite((8, 5), 100.0).contact()
found = {}
for kind in ("frictionless", "bonded"):
    *_, last = in_steps(contact, three_balls(2 * UM), 2, kind=kind)
    found[kind] = last.per_ball.tolist()
found["vertical"] = contact.press(three_balls(2 * UM), normal="vertical").per_ball.tolist()
if contact.comm.rank == 0:
    print(json.dumps(found))
"""


@pytest.mark.mpi
def test_two_ranks_find_the_same_forces(python, tmp_path, request):
    here = str(request.path.parent)
    one, two = (python(RANKS, here, cwd=tmp_path, ranks=ranks) for ranks in (1, 2))
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    forces, others = json.loads(one.stdout), json.loads(two.stdout)
    for name, force in forces.items():
        largest = np.abs(force).max()
        assert np.abs(np.subtract(force, others[name])).max() <= 1e-7 * largest

"""Finite strain, against uniform deformations, Hooke's law in the limit, and a turned frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.elasticity import CELL, unit_cell
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.solve.solids.gap import Ball
    from fem_spe.solve.solids.large_contact import LargeContact
    from fem_spe.solve.solids.large_strain import Body, Deformed
    from fem_spe.solve.solids.pressed import Kind, Pressed

Floats = NDArray[np.float64]

_E, _NU = 6e6, 0.4  # Pa; the matrix of the sections, about
_STIFF = 30.0  # fibre over matrix
_EXACT = 1e-8  # uniform deformations are in the space of the elements
_SOURCE = "Bonet & Wood 2008, 6.4.3"
_FACES = {
    2: ("left", "right", "bottom", "top"),
    3: ("left", "right", "front", "back", "bottom", "top"),
}
_PLATE = 1e5  # radius of a ball that passes for a plate, over the block's side
_SHORT = tuple(4e-3 / 2**k for k in range(4))  # steps, of the whole load
_COMPRESSED = (0.9, 0.7)
_SHEARS = (0.1, 0.5)


def uniform_blocks() -> Iterator[Row]:
    """A block in compression with free sides, and in simple shear, on irregular meshes."""
    for dimension, degree in ((2, 2), (3, 1), (3, 2)):
        for stretch in _COMPRESSED:
            yield from _compressed(dimension, degree, stretch)
        for shear in _SHEARS:
            yield from _sheared(dimension, degree, shear)


def small_strain_limit() -> Iterator[Row]:
    """A section with a stiff fibre: the difference to Hooke's law falls with the load."""
    import ufl

    from fem_spe.physics import elasticity as linear
    from fem_spe.solve.linear import residual_vector
    from fem_spe.solve.solids import elastic

    domain, space, m = _section()
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a = linear.bilinear(u, v, m, domain.dx)
    for name, slope in (
        ("compression", [[0.0, 0.0], [0.0, -1.0]]),
        ("shear and tension", [[0.3, 1.0], [0.0, 0.5]]),
    ):
        loads = [1e-2 / 2**k for k in range(4)]
        differences = []
        for load in loads:
            given = _linear_map(space, np.eye(2) + load * np.array(slope))
            bcs = _on_all_faces(domain, space, given)
            small = elastic.solve(a, None, space, bcs, rtol=1e-13, method="direct").u
            exact = _force(domain, residual_vector(a, None, small))
            found = _force(domain, _deform(domain, space, m, bcs).residual)
            differences.append(float(np.linalg.norm(found - exact) / np.linalg.norm(exact)))
        order = float(np.polyfit(np.log(loads), np.log(differences), 1)[0])
        yield Row(f"small-strain limit, {name}: order", order, 1.0, abs(order - 1.0), 0.05, "")


def newton_at_finite_strain() -> Iterator[Row]:
    """What one step of Newton's method leaves of shorter and shorter steps of the load."""
    from fem_spe.solve.solids.large_pressing import between

    domain, space, m = _section()
    given = _linear_map(space, np.array([[1.0, 0.3], [0.0, 0.9]]))
    with _body(domain, space, m, _on_all_faces(domain, space, given)) as body:
        left = [length * body.under(1.0, body.under(1.0 - length).u).rests[1] for length in _SHORT]
    yield _order_of_newton("a section", left)
    for kind in ("frictionless", "bonded"):
        at = press_section(kind)
        left = []
        for length in _SHORT:
            further = [between(ball, 1.0, 1.0 + length) for ball in at.balls]
            at.contact.press(further, kind=kind, start=at.pressed)
            left.append(at.contact.rests[0])
        yield _order_of_newton(f"{kind} contact", left)


def _order_of_newton(name: str, left: Sequence[float]) -> Row:
    """Of forces that one step leaves after load steps of the lengths `_SHORT`."""
    order = float(np.polyfit(np.log(_SHORT), np.log(left), 1)[0])
    return Row(f"Newton's order, {name}", order, 1.8, max(0.0, 1.8 - order), 0.0, "quadratic: 2")


def turned_frame() -> Iterator[Row]:
    """Energy and forces of a deformation, and of the same one followed by a rotation."""
    from fem_spe.physics import hyperelasticity as forms

    domain, space, m = _section()
    F = np.array([[1.1, 0.2], [-0.05, 0.8]])
    angle = 0.7
    Q = _rotation(angle)
    found = [
        _deform(domain, space, m, _on_all_faces(domain, space, _linear_map(space, map_)))
        for map_ in (F, Q @ F)
    ]
    dx = domain.dx(metadata={"quadrature_degree": forms.quadrature_degree(2, 2)})
    one, two = (domain.integrate(forms.energy_density(d.u, m) * dx) for d in found)
    yield compared("turned frame: energy", two, one, 1e-10, "invariance")
    first, second = (_force(domain, d.residual) for d in found)
    error = float(np.linalg.norm(Q @ first - second) / np.linalg.norm(first))
    yield Row("turned frame: forces", error, 0.0, error, 1e-9, "invariance")
    for kind in ("frictionless", "bonded"):
        straight, turned = press_section(kind), press_section(kind, angle)
        one, two = (float(np.linalg.norm(p.pressed.per_ball)) for p in (straight, turned))
        yield compared(f"turned frame: {kind} contact", two, one, 1e-8, "invariance")


def pressed_block() -> Iterator[Row]:
    """A plate, that is a ball of huge radius, on a block with a free side: plane compression."""
    import ufl

    from fem_spe.exact import hyperelasticity as exact
    from fem_spe.physics.elasticity import lame

    found, domain, deep = press_block()
    m = lame(_E, _NU)
    closed = exact.uniaxial(1.0 - deep / CELL, m.lam, m.mu, plane=True)
    force = -float(found.per_ball[0, 1])
    source, name = _SOURCE, "plate on a block"
    # the plate's surface rises by 5e-6 of the block along it
    yield compared(f"{name}: force", force, -closed.stress * CELL, 5e-5, source)
    n = ufl.FacetNormal(domain.mesh)
    side = domain.integrate(ufl.dot(found.u, n) * domain.ds(domain.face("right"))) / CELL
    yield compared(f"{name}: lateral stretch", 1.0 + side / CELL, closed.lateral, 1e-5, source)
    for what, error, limit in (
        ("penetration", found.penetration, 1e-8),
        ("force against support", found.imbalance, 1e-8),
        ("tangential force", found.slip, 1e-6),
    ):
        yield Row(f"{name}: {what}", error, 0.0, max(0.0, error), limit, "")


def _compressed(dimension: int, degree: int, stretch: float) -> Iterator[Row]:
    from fem_spe.exact import hyperelasticity as exact
    from fem_spe.measure.stress import reactions
    from fem_spe.solve.solids import elastic

    domain, space, m = _block(dimension, degree)
    top, axis = _FACES[dimension][-1], dimension - 1
    bcs = [elastic.prescribed(domain, space, f, k) for k, f in enumerate(_FACES[dimension][::2])]
    bcs.append(elastic.prescribed(domain, space, top, axis, (stretch - 1.0) * CELL))
    found = _deform(domain, space, m, bcs)
    closed = exact.uniaxial(stretch, m.lam, m.mu, plane=dimension == 2)
    force = reactions(domain, found.residual, {top: [axis]})[top][axis]
    name = f"compressed to {stretch}, {dimension}-D, P{degree}"
    area = CELL ** (dimension - 1)
    yield compared(f"{name}: force", force, closed.stress * area, _EXACT, _SOURCE)
    aside = float(np.abs(found.u.x.array.reshape(-1, dimension)[:, 0]).max()) / CELL
    yield compared(f"{name}: lateral stretch", 1.0 + aside, closed.lateral, _EXACT, _SOURCE)
    yield from _energy_and_stress(name, domain, m, found, closed.energy, closed.von_mises)


def _sheared(dimension: int, degree: int, shear: float) -> Iterator[Row]:
    from fem_spe.exact import hyperelasticity as exact

    domain, space, m = _block(dimension, degree)
    F = np.eye(dimension)
    F[0, -1] = shear
    found = _deform(domain, space, m, _on_all_faces(domain, space, _linear_map(space, F)))
    closed = exact.simple_shear(shear, m.mu)
    name = f"sheared by {shear}, {dimension}-D, P{degree}"
    yield from _energy_and_stress(name, domain, m, found, closed.energy, closed.von_mises)


def _energy_and_stress(
    name: str, domain: Domain, m: Any, found: Deformed, energy: float, strength: float
) -> Iterator[Row]:
    """The numbers of a uniform deformation."""
    from fem_spe.measure.stress import by_region
    from fem_spe.physics import hyperelasticity as forms
    from fem_spe.physics.elasticity import von_mises

    volume = CELL**domain.dimension
    stored = domain.integrate(forms.energy_density(found.u, m) * domain.dx)
    yield compared(f"{name}: energy", stored, energy * volume, _EXACT, _SOURCE)
    told = by_region(domain, von_mises(forms.cauchy_stress(found.u, m)))["matrix"]
    for what, value in (("largest", told.maximum), ("mean", told.mean)):
        yield compared(f"{name}: {what} von Mises", value, strength, _EXACT, _SOURCE)


def _block(dimension: int, degree: int) -> tuple[Domain, Any, Any]:
    """A cube of one material on an irregular mesh: domain, space and moduli."""
    from mpi4py import MPI

    from fem_spe.geometry import Box
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.physics.elasticity import lame

    box = Box(size=(CELL, CELL) if dimension == 2 else (CELL, CELL, CELL))
    size = (0.2 if dimension == 2 else 0.35) * CELL
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(size, size)))
    return domain, _space(domain, degree), lame(_E, _NU)


def _section() -> tuple[Domain, Any, Any]:
    """A square with a stiff circle in its middle on curved cells: domain, space and moduli."""
    from fem_spe.physics.elasticity import moduli

    domain, _ = unit_cell(0.08, 2, frozenset())
    m = moduli(domain, {"matrix": (_E, _NU), "fiber": (_STIFF * _E, 0.3)})
    return domain, _space(domain, 2), m


def _space(domain: Domain, degree: int) -> Any:
    from dolfinx import fem

    return fem.functionspace(domain.mesh, ("Lagrange", degree, (domain.dimension,)))


def _linear_map(space: Any, F: Floats) -> Any:
    """The displacement x -> F x - x."""
    from dolfinx import fem

    slope, size = F - np.eye(len(F)), len(F)
    given = fem.Function(space)
    given.interpolate(lambda x: slope @ x[:size])
    return given


def _on_all_faces(domain: Domain, space: Any, given: Any) -> list[Any]:
    from dolfinx import fem

    faces = _FACES[domain.dimension]
    return [fem.dirichletbc(given, domain.face_dofs(space, name)) for name in faces]


@contextmanager
def _body(domain: Domain, space: Any, m: Any, bcs: Sequence[Any]) -> Iterator[Body]:
    from fem_spe.studies.solids import large_strain

    body = large_strain.body(domain, space, m, bcs)
    try:
        yield body
    finally:
        body.destroy()


def _deform(domain: Domain, space: Any, m: Any, bcs: Sequence[Any]) -> Deformed:
    """The body with its boundary displaced, in as many steps as it takes."""
    from fem_spe.solve.solids.load_steps import climb

    with _body(domain, space, m, bcs) as body:
        *_, (_, found) = climb(lambda _, to, last: body.under(to, last and last.u), [1.0], 1.0)
    return found


def _rotation(angle: float) -> Floats:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _force(domain: Domain, residual: Any) -> Floats:
    """Force on the top where every face is held, N/m."""
    from fem_spe.measure.stress import reactions

    return np.array(reactions(domain, residual, {"top": [0, 1]})["top"])


@dataclass(frozen=True)
class Pressing:
    """A contact as computed, step by step.

    Attributes:
        contact: The body.
        balls: At last, with their way.
        parts: Of the way, as they were reached.
        pressed: What is found at last.
    """

    contact: LargeContact
    balls: Sequence[Ball]
    parts: tuple[float, ...]
    pressed: Pressed


def press_section(kind: Kind, angle: float = 0.0) -> Pressing:
    """A ball pressed into a square with a stiff circle, all of it turned by `angle`."""
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.gap import Ball

    domain, space, m = _section()
    bcs = [elastic.clamped(domain, space, "bottom")]
    radius, deep = 0.4 * CELL, 0.15 * CELL
    Q = _rotation(angle)
    x = domain.mesh.geometry.x
    x[:, :2] = x[:, :2] @ Q.T
    centre, way = Q @ (0.45 * CELL, CELL + radius - deep), Q @ (0.0, -deep)
    return _press(domain, space, m, bcs, [Ball(tuple(centre), radius, tuple(way))], kind)


def press_block() -> tuple[Pressed, Domain, float]:
    """A plate pressed into a block that slides left and below, by a fifth: found, mesh, way (m)."""
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.gap import Ball

    domain, space, m = _block(2, 2)
    bcs = [elastic.prescribed(domain, space, f, k) for k, f in enumerate(("left", "bottom"))]
    radius, deep = _PLATE * CELL, 0.2 * CELL
    ball = Ball((0.0, CELL + radius - deep), radius, (0.0, -deep))
    return _press(domain, space, m, bcs, [ball], "frictionless").pressed, domain, deep


def _press(
    domain: Domain, space: Any, m: Any, bcs: Sequence[Any], balls: Sequence[Ball], kind: Kind
) -> Pressing:
    from fem_spe.solve.solids.large_pressing import press_in
    from fem_spe.studies.solids import large_strain

    contact = large_strain.touching_body(domain, space, m, bcs, "top")
    steps = list(press_in(contact, balls, 1, kind=kind))
    return Pressing(contact, balls, tuple(part for part, _ in steps), steps[-1][1])

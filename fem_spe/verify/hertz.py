"""Contact with rigid balls, against Hertz: a quarter of a block with his field around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.contact import graded, summit
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.exact.elasticity import Hertz
    from fem_spe.solve.solids.contact import Contact
    from fem_spe.solve.solids.pressed import Pressed

Floats = NDArray[np.float64]

_E = 2e9  # Pa; any value gives the same relative results
_A = 1e-6  # m, radius of the contact
# Over the radius of the contact. With the vertical gap Hertz's problem is met exactly, but for
# the difference of a ball from a paraboloid, (a/2R)^2.
_BALL = 100.0
_BLOCK = 5.0
_EVEN, _GROWTH = 1.2, 1.35


def ball_contact() -> Iterator[Row]:
    """A ball on a half space: force, largest von Mises stress and its depth."""
    from fem_spe.exact import elasticity as exact

    source = "Hertz; Johnson 1985, 4.2"
    for nu, limit in ((0.3, 2e-3), (0.49, 5e-3)):
        found = press_ball(nu)
        name = f"ball, nu = {nu}"
        force, hertz = hertz_of(nu)
        strength, depth = exact.ball_contact_strength(nu)
        yield compared(f"{name}: force", found.force, force, limit, source)
        peak = strength * hertz.peak
        yield compared(f"{name}: von Mises", found.strength, peak, 1e-2, source)
        yield compared(f"{name}: von Mises in a cell", found.largest, peak, 3e-2, source)
        yield compared(f"{name}: its depth", found.depth, depth * hertz.radius, 3e-2, source)
        pressed = found.pressed
        for what, error, most in (
            ("penetration", pressed.penetration, 1e-8),
            ("force against support", pressed.imbalance, 1e-6),
            ("active sets above ten", max(0, pressed.iterations - 10), 0.0),
        ):
            yield Row(f"{name}: {what}", error, 0.0, max(0.0, error), most, "")


@dataclass(frozen=True)
class _Found:
    """A contact as computed: force of the whole ball in N, stresses in Pa, depth in m.

    `strength` is the largest von Mises stress as a smooth curve along the axis has it,
    `largest` that of all nodes of single cells, where it jumps.
    """

    force: float
    strength: float
    largest: float
    depth: float
    pressed: Pressed


def press_ball(nu: float, per_radius: int = 8) -> _Found:
    """Press a rigid ball into a quarter of a block that moves as Hertz says on its outside.

    Args:
        nu: Poisson's ratio.
        per_radius: Quadratic elements per radius of the contact.
    """
    import ufl
    from dolfinx import fem

    from fem_spe.measure.stress import by_region
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.contact import Contact
    from fem_spe.solve.solids.gap import Ball

    side = graded(1.0 / per_radius, _EVEN, _BLOCK, _GROWTH) * _A
    top = _BLOCK * _A
    domain = graded_solid(side, side, top - side[::-1])
    m = forms.lame(_E, nu)

    def body(degree: int, coarse: Contact | None) -> Contact:
        space = fem.functionspace(domain.mesh, ("Lagrange", degree, (3,)))
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        outside = near_faces(domain, space, OUTSIDE, lambda x: far_field(x, top, nu))
        bcs = [elastic.prescribed(domain, space, name, k) for k, name in enumerate(_SYMMETRY)]
        bcs += [fem.dirichletbc(outside, domain.face_dofs(space, name)) for name in OUTSIDE]
        return Contact(
            forms.bilinear(u, v, m, domain.dx), None, space, bcs, domain.face_dofs(space, "top"),
            rtol=1e-9, method="two-level" if coarse else "elastic", coarse=coarse,
        )  # fmt: skip

    radius = _BALL * _A
    ball = Ball((0.0, 0.0, top + radius - _A**2 / radius), radius)
    pressed = body(2, body(1, None)).press([ball], normal="vertical")
    strength = forms.von_mises(forms.full_stress(pressed.u, m))
    largest = by_region(domain, strength)["matrix"]
    depth, height = summit(domain, strength, top, largest.place[2], _A)
    return _Found(
        force=-4.0 * float(pressed.per_ball[0, 2]),
        strength=height,
        largest=largest.maximum,
        depth=depth,
        pressed=pressed,
    )


_SYMMETRY = ("left", "front")
OUTSIDE = ("right", "back", "bottom")


def hertz_of(nu: float) -> tuple[float, Hertz]:
    """Force, N, and contact."""
    from fem_spe.exact import elasticity as exact

    radius = _BALL * _A
    return exact.ball_contact(_A**2 / radius, exact.contact_modulus(_E, nu), radius)


def near_faces(
    domain: Domain, space: Any, names: Sequence[str], field: Callable[[Floats], Floats]
) -> Any:
    """A function of the space with the values of a field on faces, which is dear, and nearby."""
    from dolfinx import fem

    found, cells = fem.Function(space), space.dofmap.list
    on = np.zeros(cells.max(initial=-1) + 1, dtype=bool)
    for name in names:
        on[domain.face_dofs(space, name)] = True
    found.interpolate(field, np.flatnonzero(on[cells].any(axis=1)).astype(np.int32))
    return found


def far_field(x: Floats, top: float, nu: float, rings: int = 12, spokes: int = 24) -> Floats:
    """Displacement that Hertz's pressure about the origin causes outside of the contact, m.

    Point loads after Boussinesq, Johnson (1985), 3.18, summed over the circle of contact.

    Args:
        x: Places, m, shape (3, n), not in the circle.
        top: Height of the surface, m.
        nu: Poisson's ratio.
        rings, spokes: Of point loads.
    """
    force, hertz = hertz_of(nu)
    # of 3 F s^2 ds dphi / 2 pi
    return force * loaded_circle(
        x, top, hertz.radius, _E, nu, lambda s: 3.0 * s**2, rings=rings, spokes=spokes
    )


def loaded_circle(
    x: Floats,
    top: float,
    radius: float,
    modulus: float,
    nu: float,
    load: Callable[[Floats], Floats],
    *,
    rings: int = 12,
    spokes: int = 24,
) -> Floats:
    """Displacement over force that a pressure on a circle about the origin causes, m/N.

    Point loads after Boussinesq, Johnson (1985), 3.18, summed over the circle.

    Args:
        x: Places, m, shape (3, n), not in the circle.
        top: Height of the surface, m.
        radius: Of the circle, m.
        modulus, nu: Of the half space.
        load: Force over ds dphi / 2 pi with s = sqrt(1 - r^2 / radius^2), of a force of one in all.
        rings, spokes: Of point loads.
    """
    node, weight = np.polynomial.legendre.leggauss(rings)
    s, weight = (node + 1.0) / 2.0, weight / 2.0
    phi = 2.0 * np.pi * np.arange(spokes) / spokes
    shear = modulus / (2.0 * (1.0 + nu))
    z = top - x[2]
    u = np.zeros_like(x)
    for depth, share in zip(s, load(s) * weight / spokes, strict=True):
        r = radius * np.sqrt(1.0 - depth**2)
        for angle in phi:
            dx, dy = x[0] - r * np.cos(angle), x[1] - r * np.sin(angle)
            rho = np.maximum(np.sqrt(dx**2 + dy**2 + z**2), 1e-3 * radius)
            aside = z / rho**3 - (1.0 - 2.0 * nu) / (rho * (rho + z))
            down = z**2 / rho**3 + 2.0 * (1.0 - nu) / rho
            u += share / (4.0 * np.pi * shear) * np.array([dx * aside, dy * aside, -down])
    return u


def graded_solid(xs: Floats, ys: Floats, zs: Floats) -> Domain:
    """A box of tetrahedra, six to a cell of the grid planes given, m, with its sides named."""
    from mpi4py import MPI

    from fem_spe.domain import MeshArrays, distribute
    from fem_spe.geometry.faces import BOX_FACES

    comm = MPI.COMM_WORLD
    if comm.rank:
        return distribute(comm, None)
    shape = (len(xs), len(ys), len(zs))
    points = np.stack(np.meshgrid(xs, ys, zs, indexing="ij"), axis=-1).reshape(-1, 3)
    node = np.arange(len(points)).reshape(shape)
    first = node[:-1, :-1, :-1].ravel()
    step = np.array([shape[1] * shape[2], shape[2], 1])
    cells = np.concatenate([_along(first, step[list(order)]) for order in permutations(range(3))])
    volume = np.linalg.det(points[cells[:, 1:]] - points[cells[:, :1]])
    cells[volume < 0, :2] = cells[volume < 0, 1::-1]
    facets, tags = [], []
    faces: dict[str, int] = {}
    for axis, pair in enumerate(BOX_FACES[3]):
        others = np.delete(step, axis)
        for end, name in enumerate(pair):
            faces[name] = len(faces) + 1
            plane = np.take(node, -end, axis=axis)[:-1, :-1].ravel()
            found = np.concatenate([_along(plane, others), _along(plane, others[::-1])])
            facets.append(found)
            tags.append(np.full(len(found), faces[name], dtype=np.int32))
    return distribute(
        comm,
        MeshArrays(
            points=points,
            cells=cells.astype(np.int64),
            cell_tags=np.ones(len(cells), dtype=np.int32),
            facets=np.concatenate(facets).astype(np.int64),
            facet_tags=np.concatenate(tags),
            regions={"matrix": 1},
            faces=faces,
            order=1,
            min_quality=float("nan"),
            min_jacobian=float("nan"),
        ),
    )


def _along(first: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Simplices from a corner of a cell to the opposite one, axis by axis."""
    return np.column_stack([first + steps[:k].sum() for k in range(len(steps) + 1)])

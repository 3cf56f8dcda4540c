"""A rigid punch with a flat face on a half space: by the machinery of contact with balls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.contact import graded
from fem_spe.verify.hertz import OUTSIDE, graded_solid, loaded_circle, near_faces
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.solve.solids.pressed import Pressed

Floats = NDArray[np.float64]

_E = 2e9  # Pa; any value gives the same relative results
_A = 1e-6  # m, radius of the punch
_DEPTH = 1e-3  # of the punch into the body, over its radius
_BALL = 1e6  # of the ball that passes for flat, over the radius of the punch
_BLOCK = 4.0
_GROWTH = 1.7  # of the cells away from the rim, where pressures have no bound


def flat_punch() -> Iterator[Row]:
    """Force and balance under a circular punch."""
    from fem_spe.exact import elasticity as exact

    for nu in (0.3, 0.49):
        force, pressed = press_punch(nu)
        closed = 2.0 * _A * exact.contact_modulus(_E, nu) * _DEPTH * _A
        name = f"flat punch, nu = {nu}"
        yield compared(f"{name}: force", force, closed, 1e-2, "Johnson 1985, 3.36")
        for what, error, most in (
            ("penetration", pressed.penetration, 1e-8),
            ("force against support", pressed.imbalance, 1e-6),
        ):
            yield Row(f"{name}: {what}", error, 0.0, max(0.0, error), most, "")


def press_punch(nu: float, per_radius: int = 14) -> tuple[float, Pressed]:
    """The force, N, on a punch pressed into a quarter of a block with the exact field around it.

    A ball that is all but flat may touch the nodes of a circle alone: those under the punch.

    Args:
        nu: Poisson's ratio.
        per_radius: Quadratic elements at its rim that would make up its radius.
    """
    import ufl
    from dolfinx import fem

    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.contact import Contact
    from fem_spe.solve.solids.gap import Ball

    domain = _round(per_radius)
    top, m = _BLOCK * _A, forms.lame(_E, nu)
    force = 2.0 * _A * _E / (1.0 - nu**2) * _DEPTH * _A

    def body(degree: int, coarse: Contact | None) -> Contact:
        space = fem.functionspace(domain.mesh, ("Lagrange", degree, (3,)))
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        outside = near_faces(
            domain, space, OUTSIDE,
            lambda x: force * loaded_circle(x, top, _A, _E, nu, lambda s: np.ones_like(s)),
        )  # fmt: skip
        bcs = [elastic.prescribed(domain, space, f, k) for k, f in enumerate(("left", "front"))]
        for name in OUTSIDE:
            bcs.append(fem.dirichletbc(outside, domain.face_dofs(space, name)))
        face = domain.face_dofs(space, "top")
        x = space.tabulate_dof_coordinates()[face]
        under = face[np.hypot(x[:, 0], x[:, 1]) <= (1.0 + 1e-9) * _A]
        return Contact(
            forms.bilinear(u, v, m, domain.dx), None, space, bcs, under,
            rtol=1e-9, method="two-level" if coarse else "elastic", coarse=coarse,
        )  # fmt: skip

    ball = Ball((0.0, 0.0, top + (_BALL - _DEPTH) * _A), _BALL * _A)
    pressed = body(2, body(1, None)).press([ball], normal="vertical")
    return -4.0 * float(pressed.per_ball[0, 2]), pressed


def _round(per_radius: int) -> Domain:
    """A quarter of a block whose squares about the axis are circles, up to the punch and beyond."""
    fine = 1.0 / per_radius
    inner, outer, down = (graded(fine, fine, w, _GROWTH) for w in (1.0, _BLOCK - 1.0, _BLOCK))
    side = np.concatenate([1.0 - inner[::-1], 1.0 + outer[1:]])
    domain = graded_solid(side * _A, side * _A, (_BLOCK - down[::-1]) * _A)
    x = domain.mesh.geometry.x
    edge = np.max(np.abs(x[:, :2]), axis=1) / _A
    radius = np.maximum(np.linalg.norm(x[:, :2], axis=1) / _A, 1e-12)
    # circles up to 1.2 radii, squares from 2.5 on
    circle = np.clip((2.5 - edge) / 1.3, 0.0, 1.0)
    x[:, :2] *= (1.0 + circle * (edge / radius - 1.0))[:, None]
    return domain

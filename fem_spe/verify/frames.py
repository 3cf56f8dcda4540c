"""Balls on a fibre network, and the same ones in a frame turned about a skew axis."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.row import Row

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.solve.solids.contact import Contact
    from fem_spe.solve.solids.gap import Normal
    from fem_spe.solve.solids.pressed import Kind, Pressed

Floats = NDArray[np.float64]

_UM = 1e-6
_SIZE = (6 * _UM, 6 * _UM, 4 * _UM)
_CELLS = 0.9 * _UM
_RADIUS, _DEPTH = 3 * _UM, 1.0 * _UM
_MATERIALS = {"matrix": (6e6, 0.4), "fiber": (600e6, 0.37)}
_AXIS, _ANGLE = np.array([1.0, 2.0, 3.0]) / np.sqrt(14.0), 0.7
_LIMIT = 1e-7  # of the force
# What holds in any frame: the vertical rule names an axis.
_RULES: tuple[tuple[Kind, Normal], ...] = (
    ("frictionless", "updated"),
    ("frictionless", "fixed"),
    ("bonded", "updated"),
)


def turned_balls() -> Iterator[Row]:
    """Forces, on quadratic elements under two levels."""
    for kind, normal in _RULES:
        error = turned_error(kind, normal)
        name = f"balls in a turned frame, {kind}, {normal} normals: force"
        yield Row(name, error, 0.0, error, _LIMIT, "invariance")


def turned_error(kind: Kind, normal: Normal) -> float:
    """Largest difference of the force on a ball and of the turned one, over the force."""
    Q = rotation(_AXIS, _ANGLE)
    straight, turned = (press_network(R, kind, normal).per_ball[0] for R in (np.eye(3), Q))
    return float(np.abs(Q.T @ turned - straight).max() / np.linalg.norm(straight))


def rotation(axis: Floats, angle: float) -> Floats:
    """The matrix that turns by `angle` about a unit axis (Rodrigues)."""
    cross = np.cross(np.eye(3), axis)
    return np.asarray(np.eye(3) - np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def press_network(R: Floats, kind: Kind, normal: Normal) -> Pressed:
    """A ball on a network that is clamped below and free at its sides, all turned by R."""
    from fem_spe.solve.solids.gap import Ball

    domain, still = _network()
    domain.mesh.geometry.x[:] = still @ R.T
    try:
        centre = R @ (0.5 * _SIZE[0], 0.4 * _SIZE[1], _SIZE[2] + _RADIUS - _DEPTH)
        way = R @ (0.0, 0.0, -_DEPTH)
        contact = _body(domain, 2, _body(domain, 1, None))
        return contact.press([Ball(tuple(centre), _RADIUS, tuple(way))], kind=kind, normal=normal)
    finally:
        domain.mesh.geometry.x[:] = still


@cache
def _network() -> tuple[Domain, Floats]:
    """The mesh, and where its nodes are."""
    from mpi4py import MPI

    from fem_spe.geometry import FiberNetwork
    from fem_spe.meshing import MeshPlan, Sizes, build

    network = FiberNetwork(size=_SIZE, fiber_diameter=2 * _UM, fiber_count=2, seed=2)
    domain = build(MPI.COMM_WORLD, MeshPlan(network.build(), Sizes(2 * _CELLS, _CELLS)))
    return domain, domain.mesh.geometry.x.copy()


def _body(domain: Domain, degree: int, coarse: Contact | None) -> Contact:
    import ufl
    from dolfinx import fem

    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.contact import Contact

    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (3,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    return Contact(
        forms.bilinear(u, v, forms.moduli(domain, _MATERIALS), domain.dx), None, space,
        [elastic.clamped(domain, space, "bottom")], domain.face_dofs(space, "top"), rtol=1e-10,
        method="two-level" if coarse else "elastic", coarse=coarse,
    )  # fmt: skip

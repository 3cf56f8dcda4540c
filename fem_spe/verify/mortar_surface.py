"""Two elastic bodies in three dimensions on meshes that do not match: patch test, and Hertz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.verify.contact import graded
from fem_spe.verify.hertz import loaded_circle, near_faces, press_ball
from fem_spe.verify.mortar import SIDE, apart, elastic_body, patched
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.exact.elasticity import Hertz

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_E = 2e9  # Pa; any value gives the same relative results
# Of Hertz's problem, over the radius of the contact, as in `hertz`
_A = 1e-6  # m
_BELOW = (_E, 0.3)
_PER_RADIUS = 8  # elements
_COARSE = 5
_BALL = 100.0
_BLOCK = 4.0
_EVEN, _GROWTH = 1.1, 1.8
_CURVED = 2.0  # up to which the upper body may touch
_EDGES = ((0, 1), (1, 2), (2, 0), (3, 0), (2, 3), (1, 3))  # of a tetrahedron, in Gmsh's order


def patch() -> Iterator[Row]:
    """A block pressed on another through a non-matching interface: uniform stress."""
    return patched("mortar in 3-D", blocks)


def two_balls() -> Iterator[Row]:
    """A curved body on a flat one, of other stiffness: Hertz with his field around both."""
    source = "Hertz; Johnson 1985, 4.2"
    for name, stiffness in (("alike", 1.0), ("10 times stiffer above", 10.0)):
        found = press_bodies(_bodies(stiffness))
        title = f"two balls, {name}"
        yield compared(f"{title}: force", found.force, found.exact, 1e-2, source)
        yield compared(f"{title}: p0", found.peak, found.hertz.peak, 1e-2, source)
        yield compared(f"{title}: radius", found.radius, found.hertz.radius, 1e-2, source)
        for what, error, limit in (
            ("action = reaction", found.imbalance, 1e-10),
            ("penetration", found.penetration, 1e-8),
            ("steps above ten", max(0, found.steps - 10), 0.0),
        ):
            yield Row(f"{title}: {what}", error, 0.0, float(error), limit, "")


def stiff_ball() -> Iterator[Row]:
    """A body a thousand times stiffer presses like a rigid ball."""
    found = press_bodies(_bodies(1e3), _COARSE)
    rigid = press_ball(_BELOW[1], _COARSE).force
    name = "two balls, 1000 times stiffer above: force"
    yield compared(name, found.force, rigid, 5e-3, "a rigid ball, by `ball_contact`")


def _bodies(stiffness: float) -> dict[str, tuple[float, float]]:
    return {"lower": _BELOW, "upper": (stiffness * _E, 0.38)}


def blocks(*, bent: bool = False) -> Domain:
    """A block on another one; `bent`: second order, lines bent, those of the interface too."""
    s = SIDE
    low = np.linspace(0.0, s, 4), np.linspace(0.0, s, 3), np.linspace(0.0, s, 3)
    high = np.linspace(0.0, s, 5), np.array([0.0, 0.3, 0.55, 1.0]) * s, np.linspace(s, 2 * s, 3)
    return stacked_solids(low, high, warp=0.05 if bent else 0.0)


@dataclass(frozen=True)
class _Found:
    """A contact of two bodies as computed; forces of the whole bodies, N.

    `peak` and `radius` are those of Hertz's pressure with the same force and second moment.
    """

    force: float
    exact: float
    hertz: Hertz
    peak: float
    radius: float
    imbalance: float
    penetration: float
    steps: int


def press_bodies(
    materials: Mapping[str, tuple[float, float]],
    per_radius: int = _PER_RADIUS,
    degree: int = 2,
    method: str = "two-level",
) -> _Found:
    """A body with a paraboloid below, pressed on a flat one; a quarter of both.

    Outside both move as Hertz says.

    Args:
        materials: Of `lower` and `upper`: (E in Pa, nu).
        per_radius: Elements per radius of the contact; the upper ones are a quarter coarser.
        degree: Of the displacement.
        method: Of the linear solver.
    """
    from dolfinx import fem

    from fem_spe.exact import elasticity as exact
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.equilibrium import Supports, balance
    from fem_spe.solve.solids.mortar.constraint import Mortar

    a, fine = _A, 1.0 / per_radius
    along = [graded(q, _EVEN, _BLOCK, _GROWTH) * a for q in (fine, 1.25 * fine)]
    deep = [graded(q, 0.5 * _EVEN, _BLOCK, _GROWTH) * a for q in (fine, 1.25 * fine)]
    top = _BLOCK * a
    domain = stacked_solids(
        (along[0], along[0], top - deep[0][::-1]), (along[1], along[1], top + deep[1]),
        radius=_BALL * a, curved=_CURVED * a,
    )  # fmt: skip
    one, other = (exact.contact_modulus(*materials[part]) for part in ("lower", "upper"))
    sunk = a / _BALL
    force, hertz = exact.ball_contact(sunk, 1.0 / (1.0 / one + 1.0 / other), _BALL * a)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (3,)))
    body = elastic_body(domain, space, materials)
    bcs = []
    for part, (modulus, nu) in materials.items():
        side, prefix = (1.0, "") if part == "lower" else (-1.0, "upper-")

        def field(
            x: Floats, modulus: float = modulus, nu: float = nu, side: float = side
        ) -> Floats:
            # the upper body is the mirror image, brought down as a whole
            x = np.array([x[0], x[1], np.minimum(top + side * (x[2] - top), top)])
            u = force * loaded_circle(x, top, hertz.radius, modulus, nu, lambda s: 3.0 * s**2)
            u[2] = side * u[2] - (side < 0.0) * sunk
            return u

        outside = [prefix + name for name in ("right", "back", "bottom" if side > 0.0 else "top")]
        moved = near_faces(domain, space, outside, field)
        bcs += [elastic.prescribed(domain, space, prefix + "left", 0)]
        bcs += [elastic.prescribed(domain, space, prefix + "front", 1)]
        bcs += [fem.dirichletbc(moved, domain.face_dofs(space, name)) for name in outside]
    supports = Supports.of(space, bcs)
    contact = Mortar(domain, space, supports, "upper-bottom", "top")
    residuals = balance(body, supports, 1.0, rtol=1e-10, method=method, contact=contact)
    last, upper = contact.last, contact.upper
    assert last is not None
    triangles = upper.facets[:, :3]
    peak, radius = _hertzian(last.at[triangles], triangles, last.nodal[:, 2], last.area)
    return _Found(
        force=4.0 * float(last.force[0, 2]),
        exact=force,
        hertz=hertz,
        peak=peak,
        radius=radius,
        imbalance=float(np.linalg.norm(last.force.sum(axis=0))) / float(last.force[0, 2]),
        penetration=max(0.0, -float(last.gap.min())) / sunk,
        steps=len(residuals),
    )


def _hertzian(corners: Floats, triangles: Ints, force: Floats, area: Floats) -> tuple[float, float]:
    """Peak, Pa, and radius, m, of Hertz's pressure with the second moment of nodal forces.

    The mean of r^2 under Hertz's pressure is 2 a^2 / 5. Nodal forces are integrals with hat
    functions, and hats make of r^2 what is higher by a twelfth of the squares of the sides.

    Args:
        corners: Of the triangles, m, shape (n, 3, 3).
        triangles: Their nodes, shape (n, 3).
        force, area: Of the nodes, on a quarter about the axis, N and m^2.
    """
    sides = corners - np.roll(corners, 1, axis=1)
    across = 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    pressure = force / np.maximum(area, 1e-300)
    pressed = across * pressure[triangles].mean(axis=1)
    pull = np.zeros_like(pressure)
    np.add.at(pull, triangles, np.sum(corners[:, :, :2] ** 2, axis=2) * across[:, None] / 3.0)
    above = np.sum(sides[:, :, :2] ** 2, axis=(1, 2)) / 12.0
    radius = np.sqrt(2.5 * (pressure @ pull - pressed @ above) / force.sum())
    return float(1.5 * 4.0 * force.sum() / (np.pi * radius**2)), float(radius)


def stacked_solids(
    lower: tuple[Floats, Floats, Floats],
    upper: tuple[Floats, Floats, Floats],
    *,
    radius: float = np.inf,
    curved: float = np.inf,
    warp: float = 0.0,
) -> Domain:
    """Two boxes of tetrahedra on grid planes, one on the other, each with its own nodes.

    Args:
        lower, upper: Their grid planes in x, y and z, m.
        radius: Of the upper one's paraboloid below, m.
        curved: Distance from its axis, m, up to where the paraboloid goes on, and faces count as
            able to touch; then the slope stays.
        warp: Bends cells sideways by this part of the side, on cells of second order.
    """
    order = 1 if warp == 0.0 and np.isinf(radius) else 2
    parts = []
    for prefix, planes in (("", lower), ("upper-", upper)):
        place, cells, sides = tetrahedra(planes, order)
        away = np.hypot(place[:, 0], place[:, 1])
        if prefix:
            z = planes[2]
            bend = np.where(away < curved, 0.5 * away**2, curved * (away - 0.5 * curved)) / radius
            place[:, 2] += bend * (z[-1] - place[:, 2]) / (z[-1] - z[0])
            touch = away[sides["bottom"][:, :3]].mean(axis=1) < curved
            sides["bottom"] = sides["bottom"][touch]
        x, y = ((place[:, k] - planes[k][0]) / np.ptp(planes[k]) for k in (0, 1))
        bump = warp * np.sin(np.pi * x) * np.sin(np.pi * y)
        place[:, 0] += bump * np.ptp(planes[0])
        place[:, 1] -= bump * np.ptp(planes[1])
        parts.append((place, cells, {prefix + name: side for name, side in sides.items()}))
    return apart(parts, order)


def tetrahedra(
    planes: tuple[Floats, Floats, Floats], order: int
) -> tuple[Floats, Ints, dict[str, Ints]]:
    """Places, tetrahedra, six to a box of the grid, and sides; nodes in Gmsh's order."""
    if order == 2:
        x, y, z = (np.insert(q, np.arange(1, len(q)), (q[1:] + q[:-1]) / 2) for q in planes)
    else:
        x, y, z = planes
    points = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)
    node = np.arange(len(points)).reshape(len(x), len(y), len(z))
    step = order * np.array([len(y) * len(z), len(z), 1])
    first = node[:-1:order, :-1:order, :-1:order].ravel()
    cells = np.concatenate([_along(first, step[list(axes)]) for axes in permutations(range(3))])
    volume = np.linalg.det(points[cells[:, 1:]] - points[cells[:, :1]])
    cells[volume < 0, :2] = cells[volume < 0, 1::-1]
    sides = {}
    for axis, pair in enumerate(BOX_FACES[3]):
        others = np.delete(step, axis)
        for end, name in enumerate(pair):
            plane = np.take(node, -end, axis=axis)[:-1:order, :-1:order].ravel()
            side = np.concatenate([_along(plane, others), _along(plane, others[::-1])])
            sides[name] = _with_middles(side, _EDGES[:3]) if order == 2 else side
    return points, _with_middles(cells, _EDGES) if order == 2 else cells, sides


def _along(first: Ints, steps: Ints) -> Ints:
    """Simplices from a corner of a box to the opposite one, axis by axis."""
    return np.column_stack([first + steps[:k].sum() for k in range(len(steps) + 1)])


def _with_middles(corners: Ints, edges: tuple[tuple[int, int], ...]) -> Ints:
    """Nodes are numbered along the grid: that in the middle has the mean number."""
    return np.column_stack([corners, *((corners[:, i] + corners[:, j]) // 2 for i, j in edges)])

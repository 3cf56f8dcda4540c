"""Two elastic bodies on meshes that do not match: patch test, and Hertz's cylinders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.contact import graded
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.solve.solids.plastic import Yielding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_E = 2e9  # Pa; any value gives the same relative results
SIDE = 10e-6  # m, of the blocks of the patch test
# Of Hertz's problem, over the half width of the contact, as in `contact`
_HALF_WIDTH = 1e-6  # m, about
_CYLINDER = 200.0
_BLOCK = 100.0
_CURVED = 3.0  # up to which the upper body may touch
_SUNK = 0.025  # how far the bodies approach; the half width follows


def patch() -> Iterator[Row]:
    """A block pressed on another through a non-matching interface: uniform stress."""
    return patched("mortar", blocks)


def patched(name: str, blocks: Callable[..., Domain]) -> Iterator[Row]:
    """The rows of `pressed_blocks`, on straight cells and on those that `blocks(bent=True)` has."""
    for degree, bent in ((1, False), (2, False), (2, True)):
        found = pressed_blocks(blocks(bent=bent), degree)
        title = f"{name}, P{degree}{', curved cells' if bent else ''}"
        for what, error, limit in (
            ("patch test, force", found.force, 1e-8),
            ("patch test, stress", found.stress, 1e-4),
            ("action = reaction", found.imbalance, 1e-10),
        ):
            yield Row(f"{title}: {what}", error, 0.0, error, limit, "linear fields are exact")


def two_cylinders() -> Iterator[Row]:
    """A curved body on a flat one, of other stiffness: Hertz from the force found."""
    from fem_spe.exact import elasticity as exact

    source = "Hertz; Johnson 1985, 4.2"
    for name, stiffness in (("alike", 1.0), ("10 times stiffer above", 10.0)):
        materials = {"lower": (_E, 0.3), "upper": (stiffness * _E, 0.38)}
        found = press_bodies(materials)
        one, other = (exact.contact_modulus(*materials[part]) for part in ("lower", "upper"))
        modulus = 1.0 / (1.0 / one + 1.0 / other)
        hertz = exact.line_contact(found.force, modulus, _CYLINDER * _HALF_WIDTH)
        title = f"two bodies, {name}"
        yield compared(f"{title}: p0", found.peak, hertz.peak, 1e-2, source)
        yield compared(f"{title}: half width", found.half_width, hertz.radius, 2e-2, source)
        for what, error, limit in (
            ("action = reaction", found.imbalance, 1e-10),
            ("penetration", found.penetration, 1e-8),
            ("steps above fifteen", max(0, found.steps - 15), 0.0),
        ):
            yield Row(f"{title}: {what}", error, 0.0, float(error), limit, "")


@dataclass(frozen=True)
class _Patch:
    """Relative errors of the patch test."""

    force: float
    stress: float
    imbalance: float


def blocks(*, bent: bool = False) -> Domain:
    """A block on another one, meshes that do not match; `bent`: second order, lines bent inside."""
    low = np.linspace(0.0, SIDE, 5), np.linspace(0.0, SIDE, 5)
    high = np.linspace(0.0, SIDE, 8), np.linspace(SIDE, 2 * SIDE, 7)
    return stacked(low, high, warp=0.03 if bent else 0.0)


def pressed_blocks(domain: Domain, degree: int) -> _Patch:
    """A block on another one of another material, between walls along which both slide.

    Args:
        domain: Cubes or squares of the edge `SIDE`, as `blocks` makes them, in 2-D or 3-D.
        degree: Of the displacement.
    """
    import ufl
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.geometry.faces import BOX_FACES
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.equilibrium import Supports, balance
    from fem_spe.solve.solids.mortar.constraint import Mortar

    materials = {"lower": (_E, 0.3), "upper": (3.0 * _E, 0.4)}
    d = domain.dimension
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (d,)))
    body = elastic_body(domain, space, materials)
    down = 1e-3 * SIDE
    bcs = [
        elastic.prescribed(domain, space, prefix + name, axis)
        for prefix in ("", "upper-")
        for axis, pair in enumerate(BOX_FACES[d][:-1])
        for name in pair
    ]
    bcs.append(elastic.prescribed(domain, space, "bottom", d - 1))
    bcs.append(elastic.prescribed(domain, space, "upper-top", d - 1, -down))
    supports = Supports.of(space, bcs)
    contact = Mortar(domain, space, supports, "upper-bottom", "top")
    balance(body, supports, 1.0, rtol=1e-12, contact=contact)
    assert contact.last is not None
    stiffness = [m.lam + 2.0 * m.mu for m in (forms.lame(*given) for given in materials.values())]
    pressure = down / SIDE / sum(1.0 / k for k in stiffness)
    force = contact.last.force
    sigma = forms.stress(body.u, forms.moduli(domain, materials))
    off = ufl.as_vector([sigma[d - 1, d - 1] + pressure, *(sigma[k, d - 1] for k in range(d - 1))])
    points = np.array([[0.1, 0.2, 0.2], [0.6, 0.2, 0.1], [0.2, 0.6, 0.1], [0.1, 0.1, 0.7]])[:, :d]
    cells = np.arange(domain.mesh.topology.index_map(d).size_local, dtype=np.int32)
    table = fem.Expression(off, points).eval(domain.mesh, cells)
    worst = float(domain.mesh.comm.allreduce(np.max(np.abs(table), initial=0.0), op=MPI.MAX))
    return _Patch(
        abs(force[0, -1] / (pressure * SIDE ** (d - 1)) - 1.0),
        worst / pressure,
        float(np.linalg.norm(force.sum(axis=0))) / abs(float(force[0, -1])),
    )


@dataclass(frozen=True)
class _Found:
    """A contact of two bodies as computed."""

    force: float
    peak: float
    half_width: float
    imbalance: float
    penetration: float
    steps: int


def press_bodies(materials: Mapping[str, tuple[float, float]], fine: float = 0.05) -> _Found:
    """A body with a parabola below, pressed on a flat one; half of both by symmetry.

    Args:
        materials: Of `lower` and `upper`: (E in Pa, nu).
        fine: Cell size at the contact over its half width; the upper one is a quarter coarser.
    """
    from dolfinx import fem

    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.equilibrium import Supports, balance
    from fem_spe.solve.solids.mortar.constraint import Mortar

    a = _HALF_WIDTH
    down = (_BLOCK - graded(1.5 * fine, 1.3, _BLOCK)[::-1]) * a
    up = (_BLOCK + graded(1.9 * fine, 1.3, _BLOCK)) * a
    domain = stacked(
        (graded(fine, 1.3, _BLOCK) * a, down), (graded(1.25 * fine, 1.3, _BLOCK) * a, up),
        radius=_CYLINDER * a, curved=_CURVED * a,
    )  # fmt: skip
    space = fem.functionspace(domain.mesh, ("Lagrange", 2, (2,)))
    body = elastic_body(domain, space, materials)
    bcs = [elastic.prescribed(domain, space, name, 0) for name in ("left", "upper-left")]
    bcs.append(elastic.clamped(domain, space, "bottom"))
    bcs.append(elastic.prescribed(domain, space, "upper-top", 1, -_SUNK * a))
    bcs.append(elastic.prescribed(domain, space, "upper-top", 0))
    supports = Supports.of(space, bcs)
    contact = Mortar(domain, space, supports, "upper-bottom", "top")
    residuals = balance(body, supports, 1.0, rtol=1e-9, contact=contact)
    last = contact.last
    assert last is not None
    reach = int(np.flatnonzero(last.active).max())
    force = last.force
    return _Found(
        force=2.0 * float(force[0, 1]),
        peak=float(last.pressure[0]),
        half_width=0.5 * float(last.at[reach, 0] + last.at[reach + 1, 0]),
        imbalance=float(np.linalg.norm(force[:, 1].sum())) / float(force[0, 1]),
        penetration=max(0.0, -float(last.gap.min())) / (_SUNK * a),
        steps=len(residuals),
    )


def elastic_body(
    domain: Domain, space: Any, materials: Mapping[str, tuple[float, float]]
) -> Yielding:
    """A body of several materials that never yields."""
    from fem_spe.physics import elasticity, plasticity
    from fem_spe.solve.solids.plastic import Yielding

    mu = {name: elasticity.lame(E, nu).mu for name, (E, nu) in materials.items()}
    strength = plasticity.strength(domain, mu, {})
    return Yielding(domain, space, elasticity.moduli(domain, materials), strength)


def stacked(
    lower: tuple[Floats, Floats],
    upper: tuple[Floats, Floats],
    *,
    radius: float = np.inf,
    curved: float = np.inf,
    warp: float = 0.0,
) -> Domain:
    """Two rectangles of triangles on grid lines, one on the other, each with its own nodes.

    Args:
        lower, upper: Their grid lines in x and y, m.
        radius: Of the upper one's parabola below, m.
        curved: Up to where the parabola goes on, and faces count as able to touch, m; then the
            slope stays.
        warp: Bends the cells inside by this part of the side, on cells of second order.
    """
    order = 1 if warp == 0.0 and np.isinf(radius) else 2
    parts = []
    for prefix, (xs, ys) in (("", lower), ("upper-", upper)):
        place, cells, sides = _grid(xs, ys, order)
        x, y = place.T.copy()
        if prefix:
            bend = np.where(x < curved, 0.5 * x**2, curved * (x - 0.5 * curved)) / radius
            y = y + bend * (ys[-1] - y) / (ys[-1] - ys[0])
            middle = place[sides["bottom"]][:, :2, 0].mean(axis=1)
            sides["bottom"] = sides["bottom"][middle < curved]
        bump = np.sin(np.pi * (x - xs[0]) / np.ptp(xs)) * np.sin(np.pi * (y - ys[0]) / np.ptp(ys))
        place = np.column_stack([x, y + warp * np.ptp(ys) * bump])
        parts.append((place, cells, {prefix + name: side for name, side in sides.items()}))
    return apart(parts, order)


def apart(parts: Sequence[tuple[Floats, Ints, dict[str, Ints]]], order: int) -> Domain:
    """The bodies `lower` and `upper` that share no node: points, cells and faces of each."""
    from mpi4py import MPI

    from fem_spe.domain import MeshArrays, distribute

    comm = MPI.COMM_WORLD
    if comm.rank:
        return distribute(comm, None)
    starts = np.cumsum([0, *(len(points) for points, _, _ in parts)])
    facets = {
        name: side + start
        for start, (_, _, sides) in zip(starts, parts, strict=False)
        for name, side in sides.items()
    }
    return distribute(
        comm,
        MeshArrays(
            points=np.concatenate([points for points, _, _ in parts]),
            cells=np.concatenate(
                [cells + start for start, (_, cells, _) in zip(starts, parts, strict=False)]
            ),
            cell_tags=np.repeat([1, 2], [len(cells) for _, cells, _ in parts]).astype(np.int32),
            facets=np.concatenate(list(facets.values())),
            facet_tags=np.repeat(
                np.arange(1, len(facets) + 1), [len(f) for f in facets.values()]
            ).astype(np.int32),
            regions={"lower": 1, "upper": 2},
            faces={name: tag for tag, name in enumerate(facets, 1)},
            order=order,
            min_quality=float("nan"),
            min_jacobian=float("nan"),
        ),
    )


def _grid(xs: Floats, ys: Floats, order: int) -> tuple[Floats, Ints, dict[str, Ints]]:
    """Places, triangles and sides of a grid; of second order with the middles of edges."""
    if order == 2:
        xs, ys = (np.insert(q, np.arange(1, len(q)), (q[1:] + q[:-1]) / 2) for q in (xs, ys))
    X, Y = np.meshgrid(xs, ys, indexing="ij")
    n = np.arange(X.size).reshape(X.shape)
    s, e = order, (order - 1 or 1)  # from corner to corner; to the middle
    last = (len(xs) - 1, len(ys) - 1)

    def at(i: int, j: int) -> Ints:
        return np.asarray(n[i : last[0] + i - s + 1 : s, j : last[1] + j - s + 1 : s].ravel())

    a, b, c, d = at(0, 0), at(s, 0), at(s, s), at(0, s)
    one, two = [a, b, c], [a, c, d]
    if order == 2:
        one += [at(e, 0), at(s, e), at(e, e)]
        two += [at(e, e), at(e, s), at(0, e)]
    lines = {"left": n[0], "right": n[-1], "bottom": n[:, 0], "top": n[:, -1]}
    sides = {}
    for name, line in lines.items():
        ends = [line[:-s:s], line[s::s]] + ([line[1::2]] if order == 2 else [])
        sides[name] = np.column_stack(ends)
    return (
        np.column_stack([X.ravel(), Y.ravel()]),
        np.concatenate([np.column_stack(one), np.column_stack(two)]),
        sides,
    )

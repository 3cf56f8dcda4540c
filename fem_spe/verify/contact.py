"""Contact with rigid cylinders, against Hertz; for balls see `hertz`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.solve.solids.pressed import Pressed

Floats = NDArray[np.float64]

_E = 2e9  # Pa; any value gives the same relative results
# Lengths over the half width of the contact. The block must be wide and deep against the
# contact, and the contact narrow against the cylinder: Hertz's gap forgets that points of
# the surface move sideways, by about p0/E* = a/2R of the half width.
_HALF_WIDTH = 1e-6  # m, about
_CYLINDER = 200.0
_BLOCK = 500.0
_NEAR = {2: 0.1, 3: 0.2}  # the axis, where the depth of the maximum is sought
_DEPTH = 0.0170  # of the cylinder into the block; the half width follows


def line_contact() -> Iterator[Row]:
    """A cylinder on a deep block: pressure, half width and stress from the force found."""
    from fem_spe.exact import elasticity as exact
    from fem_spe.studies.solids.mechanics import NEARLY_INCOMPRESSIBLE

    source = "Hertz; Johnson 1985, 4.2"
    for nu in (0.3, 0.49, 0.4999):
        # where pressures are of first order, the mesh is finer
        found = press_cylinder(nu, fine=0.015 if nu > NEARLY_INCOMPRESSIBLE else 0.03)
        name = f"line contact, nu = {nu}"
        modulus = exact.contact_modulus(_E, nu)
        hertz = exact.line_contact(found.force, modulus, _CYLINDER * _HALF_WIDTH)
        strength, depth = exact.line_contact_strength(nu)
        yield compared(f"{name}: p0", found.peak, hertz.peak, 5e-3, source)
        yield compared(f"{name}: half width", found.half_width, hertz.radius, 2e-2, source)
        yield compared(f"{name}: von Mises", found.strength, strength * hertz.peak, 1e-2, source)
        yield compared(f"{name}: its depth", found.depth, depth * hertz.radius, 1e-2, source)
        pressed = found.pressed
        for what, error, limit in (
            ("penetration", pressed.penetration, 1e-8),
            ("force against support", pressed.imbalance, 1e-8),
            ("tangential force", pressed.slip, 1e-6),
            ("active sets above ten", max(0, pressed.iterations - 10), 0.0),
        ):
            yield Row(f"{name}: {what}", error, 0.0, max(0.0, error), limit, "")


@dataclass(frozen=True)
class _Found:
    """A line contact as computed: lengths in m, stresses in Pa, force per length."""

    force: float
    peak: float
    half_width: float
    strength: float
    depth: float
    pressed: Pressed


def press_cylinder(nu: float, fine: float = 0.03) -> _Found:
    """Press a rigid cylinder into a block clamped below, half of it by symmetry.

    Nearly incompressible blocks are integrated as `studies.indentation` does.

    Args:
        nu: Poisson's ratio.
        fine: Cell size at the contact over its half width.
    """
    import ufl
    from dolfinx import fem

    from fem_spe.measure.stress import by_region, pressure
    from fem_spe.physics import elasticity as forms
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.contact import Contact
    from fem_spe.solve.solids.gap import Ball
    from fem_spe.studies.solids.mechanics import NEARLY_INCOMPRESSIBLE

    a = _HALF_WIDTH
    domain = graded_block(
        graded(fine, 1.3, _BLOCK) * a, (_BLOCK - graded(1.5 * fine, 1.3, _BLOCK)[::-1]) * a
    )
    space = fem.functionspace(domain.mesh, ("Lagrange", 2, (2,)))
    m = forms.lame(_E, nu)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    bcs = [
        elastic.prescribed(domain, space, "left", 0),
        elastic.clamped(domain, space, "bottom"),
    ]
    face = domain.face_dofs(space, "top")
    form = (
        forms.reduced_bilinear(u, v, m, domain)
        if nu > NEARLY_INCOMPRESSIBLE
        else forms.bilinear(u, v, m, domain.dx)
    )
    contact = Contact(form, None, space, bcs, face)
    top, radius = _BLOCK * a, _CYLINDER * a
    pressed = contact.press([Ball((0.0, top + radius - _DEPTH * a), radius)])

    x = space.tabulate_dof_coordinates()
    on_top = np.sort(x[face, 0])
    reach = float(x[pressed.nodes, 0].max())
    traction = pressure(domain, pressed.force, "top")
    middle = face[np.argmin(x[face, 0])]
    strength = forms.von_mises(forms.full_stress(pressed.u, m))
    largest = by_region(domain, strength)["matrix"]
    return _Found(
        force=-2.0 * float(pressed.per_ball[0, 1]),
        peak=-float(traction.x.array[2 * middle + 1]),
        # the edge lies between the last node in contact and the next
        half_width=0.5 * (reach + float(on_top[np.searchsorted(on_top, reach) + 1])),
        strength=largest.maximum,
        depth=summit(domain, strength, top, largest.place[1], a)[0],
        pressed=pressed,
    )


def summit(
    domain: Domain, strength: Any, top: float, near: float, half_width: float
) -> tuple[float, float]:
    """The top of a cubic through the values about the axis: its depth, m, and its height.

    The maximum itself is flat, and jumps from cell to cell.
    """
    import basix
    import ufl
    from dolfinx import fem

    points, _ = basix.make_quadrature(domain.mesh.basix_cell(), 2)
    x = ufl.SpatialCoordinate(domain.mesh)
    dimension = domain.dimension
    num_owned = domain.mesh.topology.index_map(dimension).size_local
    cells = np.arange(num_owned, dtype=np.int32)
    table = fem.Expression(ufl.as_vector([strength, *x]), points).eval(domain.mesh, cells)
    value, *place, height = table.reshape(-1, 1 + dimension).T
    aside = np.linalg.norm(place, axis=0)
    close = (aside < _NEAR[dimension] * half_width) & (np.abs(height - near) < 0.3 * half_width)
    largest = float(value[close].max())
    value, aside = value[close] / largest, aside[close] / half_width
    above = (height[close] - near) / half_width
    # cubic along the axis, even across it
    terms = np.column_stack([above**3, above**2, above, np.ones_like(above), aside**2])
    cubic = np.linalg.lstsq(terms, value, rcond=None)[0]
    roots = np.roots(np.polyder(cubic[:4]))
    root = float(roots[np.argmin(np.abs(roots))].real)
    return top - near - root * half_width, largest * float(np.polyval(cubic[:4], root))


def graded(fine: float, even: float, length: float, growth: float = 1.15) -> Floats:
    """Coordinates from 0 to `length`: spacing `fine` up to `even`, then growing.

    Returns:
        Shape (n,), ascending.
    """
    xs = list(np.linspace(0.0, even, round(even / fine) + 1))
    step = fine
    while xs[-1] < length:
        step *= growth
        xs.append(xs[-1] + step)
    stretch = np.array(xs)
    outer = stretch > even
    stretch[outer] = even + (stretch[outer] - even) * (length - even) / (stretch[-1] - even)
    return stretch


def graded_block(xs: Floats, ys: Floats) -> Domain:
    """A rectangle of triangles on the grid lines given, m, with its sides named."""
    from mpi4py import MPI

    from fem_spe.domain import MeshArrays, distribute

    comm = MPI.COMM_WORLD
    if comm.rank:
        return distribute(comm, None)
    nx, ny = len(xs), len(ys)
    X, Y = np.meshgrid(xs, ys, indexing="ij")
    node = np.arange(nx * ny).reshape(nx, ny)
    a, b, c, d = (q.ravel() for q in (node[:-1, :-1], node[1:, :-1], node[1:, 1:], node[:-1, 1:]))
    sides = {
        "left": np.column_stack([node[0, :-1], node[0, 1:]]),
        "right": np.column_stack([node[-1, :-1], node[-1, 1:]]),
        "bottom": np.column_stack([node[:-1, 0], node[1:, 0]]),
        "top": np.column_stack([node[:-1, -1], node[1:, -1]]),
    }
    cells = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return distribute(
        comm,
        MeshArrays(
            points=np.column_stack([X.ravel(), Y.ravel()]),
            cells=cells.astype(np.int64),
            cell_tags=np.ones(len(cells), dtype=np.int32),
            facets=np.concatenate(list(sides.values())).astype(np.int64),
            facet_tags=np.repeat(np.arange(1, 5), [len(s) for s in sides.values()]).astype(
                np.int32
            ),
            regions={"matrix": 1},
            faces={name: tag for tag, name in enumerate(sides, 1)},
            order=1,
            min_quality=float("nan"),
            min_jacobian=float("nan"),
        ),
    )

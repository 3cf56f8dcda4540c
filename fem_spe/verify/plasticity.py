"""Metals that yield, against closed forms: bars, confined blocks, thick cylinders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.row import Row, compared

if TYPE_CHECKING:
    from fem_spe.domain import Domain
    from fem_spe.exact.plasticity import Metal
    from fem_spe.solve.solids.equilibrium import Supports
    from fem_spe.solve.solids.plastic import Yielding

_SIDE = 10e-6  # m
_ROUND_OFF = 1e-10
_INNER, _OUTER = 1.0, 2.0  # radii of the thick cylinder; any unit gives the same ratios
# Of its bore, over the elastic opening at yield; half way about half of it yields
_HALF_WAY = 2.0
_OPENINGS = (0.8, 1.2, 1.6, _HALF_WAY, 3.0, 6.0, 12.0, 24.0)
_DISTANCES = np.geomspace(3e-3, 3e-5, 5)  # from the solution, over the way of the last step


def uniaxial() -> Iterator[Row]:
    """A bar pulled and let go, and blocks without strain across or in shear: round-off."""
    from fem_spe.exact.plasticity import Metal

    metal = Metal(7.8e9, 0.38, 0.8e6, 50e6)
    strain = 3e-3
    for hardening in (50e6, 0.0):
        bar = Metal(7.8e9, 0.38, 0.8e6, hardening)
        force, grown = _pulled(3, bar, {"top": (2, [strain])})
        stress, plastic = bar.tension(strain)
        name, source = f"bar, H = {hardening * 1e-6:g} MPa", "Simo & Hughes 1998, 1.2"
        yield compared(f"{name}: stress", force[0], stress, _ROUND_OFF, source)
        yield compared(f"{name}: plastic strain", grown, plastic, _ROUND_OFF, source)
        # let go elastically: down to the other side of zero, short of yielding there
        back = 1.5 * stress / bar.youngs_modulus
        force, grown = _pulled(3, bar, {"top": (2, [strain, strain - back])})
        yield compared(f"{name}: let go", force[1], -0.5 * stress, _ROUND_OFF, source)
    for dimension in (2, 3):
        name = f"confined block, {dimension}-D"
        top = {"top": (dimension - 1, [-strain])}
        force, grown = _pulled(dimension, metal, top, confined=True)
        stress, plastic = metal.confined(-strain)
        yield compared(f"{name}: stress", force[0], stress, _ROUND_OFF, "by hand")
        yield compared(f"{name}: plastic strain", grown, plastic, _ROUND_OFF, "by hand")
    plane, grown = _pulled(2, metal, {"top": (1, [strain])})
    solid, also = _pulled(3, metal, {"top": (2, [strain])}, confined="front")
    yield compared("bar in plane strain: 2-D and 3-D", plane[0], solid[0], _ROUND_OFF, "")
    yield compared("bar in plane strain: plastic strain", grown, also, _ROUND_OFF, "")


def burst() -> Iterator[Row]:
    """A thick cylinder that is widened: plastic radius on the way, then the limit load."""
    from fem_spe.exact import plasticity as exact

    for nu in (0.3, 0.49):
        found = widened(exact.Metal(1e3, nu, 1.0))
        name, source = f"thick cylinder, nu = {nu}", "Hill 1950, V.2"
        limit = exact.limit_pressure(1.0, _INNER, _OUTER)
        yield compared(f"{name}: limit load", found.limit, limit, 1e-3, source)
        if nu > 0.4:
            hill = exact.plastic_radius(found.pressure, 1.0, _INNER, _OUTER)
            yield compared(f"{name}: plastic radius", found.radius, hill, 5e-3, source)
        order = found.order
        yield Row(f"{name}: order of Newton", order, 1.8, max(0.0, 1.8 - order), 0.0, "theory: 2")
        yield Row(f"{name}: beyond yield", found.beyond, 0.0, found.beyond, 1e-9, "")


def _pulled(
    dimension: int,
    metal: Metal,
    moved: dict[str, tuple[int, list[float]]],
    *,
    confined: bool | str = False,
) -> tuple[list[float], float]:
    """A box in uniform strain: mean stress on the moved face step by step, plastic strain."""
    from mpi4py import MPI

    from fem_spe.geometry import Box
    from fem_spe.geometry.faces import BOX_FACES
    from fem_spe.meshing import MeshPlan, Sizes, build
    from fem_spe.solve.solids import elastic
    from fem_spe.solve.solids.equilibrium import Supports, balance

    box = Box(size=(_SIDE, _SIDE) if dimension == 2 else (_SIDE, _SIDE, _SIDE))
    size = 0.5 * _SIDE
    domain = build(MPI.COMM_WORLD, MeshPlan(box, Sizes(size, size)))
    body = yielding(domain, metal)
    space, ((face, (axis, strains)),) = body.space, moved.items()
    held = {pair[0]: k for k, pair in enumerate(BOX_FACES[dimension])}
    if confined is True:
        held |= {pair[1]: k for k, pair in enumerate(BOX_FACES[dimension]) if k != axis}
    if confined == "front":
        held["back"] = 1
    forces = []
    for strain in strains:
        bcs = [elastic.prescribed(domain, space, name, k) for name, k in held.items()]
        bcs.append(elastic.prescribed(domain, space, face, axis, strain * _SIDE))
        balance(body, Supports.of(space, bcs), 1.0, rtol=1e-12)
        body.commit()
        forces.append(pull(domain, body, face, axis) / _SIDE ** (dimension - 1))
    most = float(np.max(body.amount.x.array, initial=0.0))
    return forces, float(domain.mesh.comm.allreduce(most, op=MPI.MAX))


@dataclass(frozen=True)
class _Widened:
    """A thick cylinder as computed: half way, and at its limit."""

    pressure: float
    radius: float
    limit: float
    order: float
    beyond: float


def widened(metal: Metal, across: int = 12) -> _Widened:
    """Widen the bore of a quarter of a thick cylinder in steps, far beyond its limit load.

    Args:
        metal: Without hardening.
        across: Cells between the radii.
    """
    from dolfinx import fem
    from mpi4py import MPI

    from fem_spe.domain import distribute
    from fem_spe.physics import plasticity as forms
    from fem_spe.solve.solids.equilibrium import Supports, balance
    from fem_spe.verify.shells import quarter_ring

    comm = MPI.COMM_WORLD
    ring = quarter_ring((_INNER, _OUTER), across, 2 * across) if comm.rank == 0 else None
    domain = distribute(comm, ring)
    body = yielding(domain, metal)
    space, tiny = body.space, 1e-9 * _OUTER
    wide = fem.Function(space)
    wide.interpolate(lambda x: x[:2] / np.hypot(x[0], x[1]))
    bcs = [fem.dirichletbc(wide, domain.face_dofs(space, "inner"))]
    for axis in (0, 1):
        part = space.sub(axis)
        line, _ = part.collapse()
        dofs = fem.locate_dofs_geometrical((part, line), lambda x, k=axis: np.abs(x[k]) < tiny)
        zero = fem.Function(line)
        bcs.append(fem.dirichletbc(zero, dofs, part))
    supports = Supports.of(space, bcs)
    first = metal.yield_stress / metal.youngs_modulus * _INNER
    pressures, radii, order = [], [], 0.0
    for opening in _OPENINGS:
        before = body.u.x.array.copy()
        balance(body, supports, opening * first, rtol=1e-10)
        if opening == _HALF_WAY:
            order = _order(body, supports, opening * first, before)
        body.commit()
        pressures.append(_pressure(domain, body))
        radii.append(_edge(domain, body))
    excess = forms.beyond_yield(body.u, body.components, body.amount, body.moduli, body.strength)
    value = fem.Expression(excess, body.points).eval(domain.mesh, body.cells)
    beyond = float(comm.allreduce(np.max(value, initial=-1.0), op=MPI.MAX))
    middle = _OPENINGS.index(_HALF_WAY)
    return _Widened(pressures[middle], radii[middle], pressures[-1], order, max(0.0, beyond))


def _pressure(domain: Domain, body: Yielding) -> float:
    """On the bore: radial forces over its length. Collective."""
    from mpi4py import MPI

    dofs = domain.face_dofs(body.space, "inner")
    dofs = dofs[dofs < body.space.dofmap.index_map.size_local]
    outward = body.space.tabulate_dof_coordinates()[dofs, :2] / _INNER
    residual = body.residual()
    force = float(np.sum(residual.array.reshape(-1, 2)[dofs] * outward))
    residual.destroy()
    return float(domain.mesh.comm.allreduce(force, op=MPI.SUM)) / (0.5 * np.pi * _INNER)


def _order(body: Yielding, supports: Supports, share: float, before: NDArray[np.float64]) -> float:
    """Of Newton's method: slope of the residual after one step over that before it. Collective.

    The steps start ever nearer to the solution, which stands in the body, off it towards the
    state `before` where displacements are not prescribed.
    """
    from fem_spe.solve.solids.equilibrium import balance, out_of_balance

    solution, owned = body.u.x.array.copy(), len(supports.fixed)
    aside = before - solution
    aside[:owned][supports.fixed] = 0.0
    residuals = []
    for distance in _DISTANCES:
        body.u.x.array[:] = solution + distance * aside
        body.u.x.scatter_forward()
        start = out_of_balance(body, supports)
        residuals.append((start, balance(body, supports, share, rtol=1e-10)[0]))
    body.u.x.array[:] = solution
    old, new = np.log(residuals).T
    return float(np.polyfit(old, new, 1)[0])


def _edge(domain: Domain, body: Yielding) -> float:
    """Where the plastic strain comes to zero: it falls as c^2/r^2 - 1 (Hill). Collective."""
    import ufl
    from dolfinx import fem

    from fem_spe.measure.flux import gather

    x = ufl.SpatialCoordinate(domain.mesh)
    both = ufl.as_vector([ufl.dot(x, x), body.amount])
    owned = body.cells[: domain.mesh.topology.index_map(2).size_local]
    square, amount = fem.Expression(both, body.points).eval(domain.mesh, owned).reshape(-1, 2).T
    square, amount = gather(domain.mesh.comm, square, amount)
    found = np.nan
    if domain.mesh.comm.rank == 0 and np.count_nonzero(amount) > 2:
        slope, level = np.polyfit(1.0 / square[amount > 0.0], amount[amount > 0.0], 1)
        found = float(np.sqrt(-slope / level))
    return float(domain.mesh.comm.bcast(found))


def yielding(domain: Domain, metal: Metal) -> Yielding:
    """A body of one metal, quadratic displacements."""
    from dolfinx import fem

    from fem_spe.physics import elasticity, plasticity
    from fem_spe.solve.solids.plastic import Yielding

    space = fem.functionspace(domain.mesh, ("Lagrange", 2, (domain.dimension,)))
    m = elasticity.lame(metal.youngs_modulus, metal.poisson_ratio)
    (region,) = domain.regions
    yields = {region: (metal.yield_stress, metal.hardening)}
    return Yielding(domain, space, m, plasticity.strength(domain, {region: m.mu}, yields))


def pull(domain: Domain, body: Yielding, face: str, axis: int) -> float:
    """Force on the body at a face along an axis. Collective."""
    from mpi4py import MPI

    residual = body.residual()
    dofs = domain.face_dofs(body.space, face)
    size = body.space.dofmap.bs
    mine = dofs[dofs < body.space.dofmap.index_map.size_local]
    force = float(residual.array.reshape(-1, size)[mine, axis].sum())
    residual.destroy()
    return float(domain.mesh.comm.allreduce(force, op=MPI.SUM))

"""Stress by region: means, percentiles weighted by volume, maxima with their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import basix
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.measure.flux import gather
from fem_spe.solve.linear import as_load, solve
from fem_spe.units import in_um

Floats = NDArray[np.float64]
Mask = Callable[[Floats], NDArray[np.bool_]]

_PERCENTILES = (0.99, 0.999)


@dataclass(frozen=True)
class Statistics:
    """How a scalar is spread over a region.

    Attributes:
        mean: Over the volume.
        p99, p999: Below these values lie 99 and 99.9 % of the volume.
        maximum: Largest value at the quadrature points and at the nodes of each cell.
        place: Where it is, m.
        volume: Of what counted, m^2 or m^3.
    """

    mean: float
    p99: float
    p999: float
    maximum: float
    place: tuple[float, ...]
    volume: float

    @property
    def where(self) -> str:
        """The coordinates of `place` in um, for a person."""
        return in_um(self.place)


def by_region(
    domain: Domain,
    value: Any,
    *,
    degree: int = 4,
    exclude: Mask | None = None,
    corners: bool = True,
) -> dict[str, Statistics]:
    """Statistics of a scalar expression in each region. Collective.

    Args:
        domain: The mesh.
        value: A UFL scalar, for example the von Mises stress.
        degree: Of the quadrature that gives the weights.
        exclude: Points of shape (n, gdim) -> True where a point is left out, say around
            clamped corners, where stresses are singular.
        corners: Whether the nodes of the cells count for the maximum, too.

    Returns:
        Region -> statistics, the same on all ranks; NaN where nothing is left.
    """
    quadrature, weights = basix.make_quadrature(domain.mesh.basix_cell(), degree)
    nodes = basix.create_lattice(
        domain.mesh.basix_cell(), 2, basix.LatticeType.equispaced, exterior=True
    )
    nodes = nodes if corners else nodes[:0]
    points = np.vstack([quadrature, nodes])
    # points without weight count for the maximum alone: stress peaks on interfaces, where
    # no quadrature point lies
    weight = np.concatenate([weights, np.zeros(len(nodes))])
    place = ufl.SpatialCoordinate(domain.mesh)
    volume = abs(ufl.JacobianDeterminant(domain.mesh))
    evaluate = fem.Expression(ufl.as_vector([value, volume, *place]), points)
    num_owned = domain.mesh.topology.index_map(domain.dimension).size_local
    found = {}
    for name, tag in domain.regions.items():
        cells = domain.cell_tags.find(tag)
        cells = cells[cells < num_owned]
        table = evaluate.eval(domain.mesh, cells).reshape(-1, len(points), 2 + domain.dimension)
        rows = table.reshape(-1, 2 + domain.dimension)
        volumes = (table[:, :, 1] * weight).ravel()
        kept = np.ones(len(rows), dtype=bool) if exclude is None else ~exclude(rows[:, 2:])
        found[name] = _statistics(domain.mesh.comm, rows[kept, 0], volumes[kept], rows[kept, 2:])
    return found


def _statistics(comm: MPI.Intracomm, values: Floats, volumes: Floats, places: Floats) -> Statistics:
    weighted = volumes > 0.0
    best = np.argmax(values) if len(values) else None
    highest = (
        (-np.inf, (np.nan,) * places.shape[1])
        if best is None
        else (float(values[best]), tuple(map(float, places[best])))
    )
    # what is no number, in a cell that closes, is told as that: on any rank, and the same on all
    maximum, place = max(comm.allgather(highest), key=lambda one: (np.isnan(one[0]), *one))
    every, volume = gather(comm, values[weighted], volumes[weighted])
    head = None
    if comm.rank == 0 and len(every):
        order = np.argsort(every)
        share = np.cumsum(volume[order])
        at = np.searchsorted(share, np.array(_PERCENTILES) * share[-1])
        p99, p999 = (float(p) for p in every[order][np.minimum(at, len(order) - 1)])
        head = (float(every @ volume / share[-1]), p99, p999, float(share[-1]))
    mean, p99, p999, total = comm.bcast(head) or (np.nan, np.nan, np.nan, 0.0)
    return Statistics(mean, p99, p999, maximum if total else np.nan, place, total)


def shares(domain: Domain, density: Any) -> dict[str, float]:
    """The part of each region in the integral of a scalar density. Collective.

    Of the strain energy's density this is the share of energy. Of a stress component
    sigma_aa it is the share of load along the axis a: the mean force across the sections
    along it.
    """
    one = {name: domain.integrate(density * domain.dx(tag)) for name, tag in domain.regions.items()}
    total = sum(one.values())
    return {name: part / total if total else np.nan for name, part in one.items()}


def reactions(
    domain: Domain, residual: fem.Function, held: Mapping[str, Iterable[int]]
) -> dict[str, tuple[float, ...]]:
    """Force on the body at each face where displacements are fixed. Collective.

    A component at a node counts for the first face that fixes it, so that the sum is right.

    Args:
        domain: The mesh.
        residual: a(u, v) - L(v) for every basis function, from `solve.residual_vector`.
        held: Face -> axes along which it is held.

    Returns:
        Face -> force per axis, N (N/m in two dimensions).
    """
    space = residual.function_space
    nodal = residual.x.array.reshape(-1, space.dofmap.bs)
    counted = np.zeros(nodal.shape, dtype=bool)
    counted[space.dofmap.index_map.size_local :] = True  # another rank's
    forces = {}
    for name, axes in held.items():
        counts = np.zeros(nodal.shape, dtype=bool)
        counts[np.ix_(domain.face_dofs(space, name), list(axes))] = True
        counts &= ~counted
        counted |= counts
        force = np.where(counts, nodal, 0.0).sum(axis=0)
        force = domain.mesh.comm.allreduce(force, op=MPI.SUM)
        forces[name] = tuple(map(float, force))
    return forces


def pressure(domain: Domain, force: fem.Function, face: str) -> fem.Function:
    """Nodal forces as a traction along a face: through the face's mass matrix. Collective.

    The traction oscillates about the edge of a contact, within two cells of it.

    Args:
        domain: The mesh.
        force: Nodal forces on `face`, a vector function.
        face: Its name.

    Returns:
        Force per area on the body in the space of `force`, Pa.
    """
    space = force.function_space
    num_local = space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts
    on_face = domain.face_dofs(space, face)
    off_face = np.setdiff1d(np.arange(num_local, dtype=np.int32), on_face)
    fixed = fem.dirichletbc(fem.Function(space), off_face)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    mass = ufl.inner(u, v) * domain.ds(domain.face(face))
    return solve(mass, as_load(force), space, [fixed], rtol=1e-12, method="jacobi", name="face").u

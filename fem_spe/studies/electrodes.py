"""What holds and drives a potential: electrodes, charges or currents, floating conductors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry.faces import faces_across, thickness
from fem_spe.measure.charge import Dofs, once
from fem_spe.solve.constraints import Ties
from fem_spe.solve.floating import conductors, floating


@dataclass(frozen=True)
class Electrodes:
    """Boundary data by name of a face or an interface.

    Attributes:
        potentials: Fixed potentials, V.
        given: Charge (C/m^2) or inflowing current (A/m^2) per area.
        floating: Faces that are insulated conductors.
        regions: Regions that are conductors.
        axis: The driven axis; the thickness where faces are given one by one.
        unit_difference: True for 0 and 1 V on the two faces across the axis.
    """

    potentials: dict[str, float]
    given: dict[str, float]
    floating: tuple[str, ...]
    regions: tuple[str, ...]
    axis: int
    unit_difference: bool

    @property
    def ends(self) -> tuple[float, float] | None:
        """The two potentials where there are just two and nothing else drives, lower first."""
        levels = sorted(set(self.potentials.values()))
        return None if len(levels) != 2 or self.given else (levels[0], levels[1])

    @property
    def floats(self) -> bool:
        """True where there is any conductor besides the electrodes."""
        return bool(self.floating or self.regions)


def electrodes(case: Case, dimension: int) -> Electrodes:
    """The electrodes of a case whose direction is resolved."""
    floats = tuple(name for name, b in case.boundary.items() if b.floating)
    regions = tuple(r for r, value in case.materials.items() if value == "conductor")
    direction = case.electrostatics.direction
    if direction is not None:
        low, high = faces_across(dimension, direction)
        axis = "xyz".index(direction)
        return Electrodes({low: 0.0, high: 1.0}, {}, floats, regions, axis, unit_difference=True)
    fixed = {n: b.potential for n, b in case.boundary.items() if b.potential is not None}
    given = {
        n: value
        for n, b in case.boundary.items()
        if (value := b.surface_charge if b.current_density is None else b.current_density)
        is not None
    }
    axis = "xyz".index(thickness(dimension))
    return Electrodes(fixed, given, floats, regions, axis, unit_difference=False)


@dataclass(frozen=True)
class Held:
    """Electrodes and conductors as unknowns of a space.

    Attributes:
        bcs: The fixed potentials.
        ties: Of the conductors that float; None without any.
        electrodes: Name -> unknowns of this rank, with those of conductors that touch it.
        floating: Unknowns of this rank of each conductor that floats.
        area: Integration over the faces of `Electrodes.given`; None without any.
    """

    bcs: list[fem.DirichletBC]
    ties: Ties | None
    electrodes: dict[str, Dofs]
    floating: list[Dofs]
    area: ufl.Measure | None

    def load(self, v: ufl.Argument, data: Electrodes, domain: Domain, scale: float) -> ufl.Form:
        """What the given charges or currents add to L(v), over `scale`."""
        load = ufl.inner(fem.Constant(domain.mesh, 0.0), v) * domain.dx
        for name, value in data.given.items():
            assert self.area is not None
            density = fem.Constant(domain.mesh, value / scale)
            load += ufl.inner(density, v) * self.area(domain.face(name))
        return load


def hold(domain: Domain, space: fem.FunctionSpace, data: Electrodes) -> Held:
    """The unknowns that electrodes fix and that conductors tie. Collective.

    Raises:
        CaseError: if two electrodes of different potentials touch, or a conductor joins them.
    """
    comm = domain.mesh.comm
    dofs = {name: domain.face_dofs(space, name) for name in data.potentials}
    # the piece of each unknown, ghosts included
    piece = fem.Function(space)
    owned = space.dofmap.index_map.size_local
    piece.x.array[:] = -1.0
    if data.floats:
        of_dof = conductors(domain, space, data.floating, data.regions)
        piece.x.array[:owned] = of_dof
        piece.x.scatter_forward()
    labels = np.rint(piece.x.array).astype(np.int64)
    number = max(comm.allgather(int(labels.max(initial=-1)))) + 1

    touched = {name: _on_all(comm, labels[found]) - {-1} for name, found in dofs.items()}
    for (one, low), (other, high) in combinations(data.potentials.items(), 2):
        if low == high:
            continue
        if touched[one] & touched[other]:
            raise CaseError(
                f"[boundary.*] a conductor joins {one} ({low:g} V) and {other} ({high:g} V): a "
                "short circuit; take it away from one of them, or give both the same potential"
            )
        if comm.allreduce(len(np.intersect1d(dofs[one], dofs[other]))):
            raise touching(one, low, other, high)
    whole = {
        name: np.union1d(found, np.flatnonzero(np.isin(labels, list(touched[name])))).astype(
            np.int32
        )
        for name, found in dofs.items()
    }
    bcs = [fem.dirichletbc(data.potentials[name], found, space) for name, found in whole.items()]
    attached = set().union(*touched.values())
    free = [k for k in range(number) if k not in attached]
    ties = floating(space, labels[:owned], attached) if free else None
    area = once(domain, data.given) if data.given else None
    return Held(bcs, ties, whole, _parts(labels, number, free), area)


def touching(one: str, low: float, other: str, high: float) -> CaseError:
    """The error of two electrodes that share nodes."""
    return CaseError(
        f"[boundary.*] {one} ({low:g} V) and {other} ({high:g} V) touch, where the field and the "
        "charge are infinite; leave a gap, or give both the same potential"
    )


def _on_all(comm: object, some: NDArray[np.int64]) -> set[int]:
    """The different values that any rank has."""
    found = comm.allgather(np.unique(some).tolist())  # type: ignore[attr-defined]
    return {value for one in found for value in one}


def _parts(labels: NDArray[np.int64], number: int, wanted: list[int]) -> list[Dofs]:
    """The unknowns of each of the `wanted` pieces."""
    order = np.argsort(labels, kind="stable").astype(np.int32)
    edges = np.searchsorted(labels[order], np.arange(number + 1))
    return [order[edges[k] : edges[k + 1]] for k in wanted]

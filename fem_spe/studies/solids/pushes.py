"""What is told of the balls of an indentation: forces and sizes of the contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.domain import Domain
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.measure.flux import gather
from fem_spe.meshing import cuts
from fem_spe.results import Quantity, Table
from fem_spe.solve.solids.gap import Normal
from fem_spe.solve.solids.pressed import Pressed

_FACE = "top"
# Shares of a triangle that its nodes stand for: the integrals of their basis functions. Corners of
# quadratic ones have none, and may be free amid a contact, for their forces have any sign.
_SHARES = {3: (1 / 3,) * 3, 6: (0.0,) * 3 + (1 / 3,) * 3}


@dataclass(frozen=True)
class Pushes:
    """Balls that press.

    Attributes:
        domain: The mesh.
        pressed: The body in contact with them.
        centres: Where the balls were at first, m.
        sliding: Faces that slide: planes of symmetry for the balls that stand above them.
        rows: The displacement, m, and the force of each ball, N (N/m in 2-D), step by step.
    """

    domain: Domain
    pressed: Pressed
    centres: Sequence[tuple[float, ...]]
    sliding: Sequence[str]
    rows: Sequence[tuple[float, ...]]

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """Half width, or radius of the circle of equal area, under each ball, m. Collective."""
        if self.domain.dimension == 2:
            widths = _half_widths(self.domain, self.pressed, len(self.centres))
            return np.asarray(widths * self._parts())
        areas = _areas(self.domain, self.pressed, len(self.centres))
        return np.sqrt(areas * self._parts() / np.pi)

    def _parts(self) -> NDArray[np.float64]:
        """Into how many parts planes of symmetry cut each ball."""
        low = np.array(self.domain.origin)
        sides = [cuts(tuple(np.array(c) - low), self.domain.size) for c in self.centres]
        slide = [sum(BOX_FACES[3][k][end] in self.sliding for k, end in cut) for cut in sides]
        return 2.0 ** np.array(slide)

    def quantities(self, deep: float, normal: Normal = "updated") -> dict[str, Quantity]:
        """The numbers of the contact.

        Args:
            deep: Displacement of the balls, m.
            normal: The rule that it was found with, see `gap.gaps`.
        """
        plane = self.domain.dimension == 2
        what = "half width" if plane else "radius of a circle of its area"
        return {
            "contact_force": Quantity(
                float(sum(self.rows[-1][1:])), "N/m" if plane else "N", "of all balls together"
            ),
            "contact_radius": Quantity(
                mean_size(self.sizes), "m", f"{what}, mean of the balls that touch"
            ),
            "max_penetration": Quantity(
                max(0.0, self.pressed.penetration) * deep,
                "m",
                f"of a node into a ball along the {normal} normals, round-off",
            ),
        }

    def tables(self) -> dict[str, Table]:
        """Those of `tables`."""
        return tables(self.rows, self.centres, self.sizes)


def tables(
    rows: Sequence[tuple[float, ...]],
    centres: Sequence[tuple[float, ...]],
    sizes: NDArray[np.float64],
) -> dict[str, Table]:
    """The force over the displacement, and what each ball bears at last.

    Args:
        rows: The displacement, m, and the force of each ball, N (N/m in 2-D), step by step.
        centres: Where the balls were at first, m.
        sizes: Half width or radius of each contact, m, shape (balls,).
    """
    unit, size = ("N/m", "half width") if len(centres[0]) == 2 else ("N", "radius")
    curve = np.array(rows)
    forces: Table = {
        "displacement [um]": curve[:, 0] * 1e6,
        f"force [{unit}]": curve[:, 1:].sum(axis=1),
    }
    for k in range(len(centres)):
        forces[f"force on ball {k + 1} [{unit}]"] = curve[:, k + 1]
    base = np.array(centres)[:, :-1].T
    balls: Table = {f"{axis} [um]": x * 1e6 for axis, x in zip("xy", base, strict=False)}
    balls[f"force [{unit}]"] = curve[-1, 1:]
    balls[f"contact {size} [um]"] = sizes * 1e6
    return {"force": forces, "balls": balls}


def mean_size(sizes: NDArray[np.float64]) -> float:
    """Of the contacts that there are, m; 0 where nothing touches."""
    return float(sizes.sum()) / max(int(np.count_nonzero(sizes)), 1)


def _half_widths(domain: Domain, pressed: Pressed, balls: int) -> NDArray[np.float64]:
    """Half width of the contact under each ball, m: to midway to the next node. Collective."""
    space, comm = pressed.u.function_space, domain.mesh.comm
    x = space.tabulate_dof_coordinates()[:, 0]
    face = domain.face_dofs(space, _FACE)
    face = face[face < space.dofmap.index_map.size_local]
    (on_face,) = gather(comm, x[face])
    at, ball = gather(comm, x[pressed.nodes], pressed.ball.astype(np.float64))
    widths = np.zeros(balls)
    if comm.rank == 0:
        nodes = np.sort(on_face)
        for k in range(balls):
            mine = at[ball == k]
            if len(mine):
                first, last = np.searchsorted(nodes, (mine.min(), mine.max()))
                low = nodes[max(first - 1, 0)]
                high = nodes[min(last + 1, len(nodes) - 1)]
                widths[k] = 0.25 * (high - low + mine.max() - mine.min())
    return np.asarray(comm.bcast(widths))


def _areas(domain: Domain, pressed: Pressed, balls: int) -> NDArray[np.float64]:
    """Area that the nodes in contact with each ball stand for, m^2, shape (balls,). Collective."""
    space, topology = pressed.u.function_space, domain.mesh.topology
    size = space.dofmap.bs
    touched = fem.Function(space)
    touched.x.array[pressed.nodes * size] = pressed.ball + 1.0
    touched.x.scatter_forward()
    ball = np.rint(touched.x.array[::size]).astype(int)

    topology.create_connectivity(2, 3)
    topology.create_connectivity(3, 2)
    facets = domain.facet_tags.find(domain.face(_FACE))
    facets = facets[facets < topology.index_map(2).size_local]
    cell_of, facets_of = topology.connectivity(2, 3), topology.connectivity(3, 2)
    nodes = [space.dofmap.dof_layout.entity_closure_dofs(2, k) for k in range(4)]
    x = space.tabulate_dof_coordinates()
    areas = np.zeros(balls + 1)
    for facet in facets:
        cell = cell_of.links(facet)[0]
        place = int(np.flatnonzero(facets_of.links(cell) == facet)[0])
        of_facet = space.dofmap.cell_dofs(cell)[nodes[place]]
        a, b, c = x[of_facet[:3]]
        area = 0.5 * float(np.linalg.norm(np.cross(b - a, c - a)))
        np.add.at(areas, ball[of_facet], area * np.array(_SHARES[len(of_facet)]))
    return np.asarray(domain.mesh.comm.allreduce(areas))[1:]

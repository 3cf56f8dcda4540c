"""The structure's distance on a grid, cut into two phases whose shares are those asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from fem_spe.errors import MeshError
from fem_spe.geometry.implicit import Implicit
from fem_spe.meshing.implicit.faces import interface_facets
from fem_spe.meshing.implicit.lattice import Lattice, lattice
from fem_spe.meshing.implicit.octree import Grid, Mask, cut_cubes, octree
from fem_spe.meshing.implicit.quality import volumes
from fem_spe.meshing.implicit.snap import snap
from fem_spe.meshing.implicit.split import Cut, split
from fem_spe.meshing.sizes import Sizes, require_room

_TRIALS = 6
_NUDGE = 0.03  # of a finest cube: by how much the nodes of an interface may be moved at last
_CELLS_PER_CUBE = 15  # 12 of the lattice, and what cutting adds
_FINE_POINTS = 2e7  # of the grid on which a share is measured that nobody gave
_UNLIKE = 1e-3  # of a finest cube: allowed difference of the distance on periodic faces


@dataclass(frozen=True)
class Phases:
    """Cells of two phases.

    Attributes:
        points: m, shape (num_points, 3).
        cut: The cells.
        tags: 1 in the phase of positive distance, 2 in that of negative.
        share: Of the second phase in the box.
        shift: What was added to the second phase's radius for that, m.
    """

    points: NDArray[np.float64]
    cut: Cut
    tags: NDArray[np.int32]
    share: float
    shift: float


def sample(structure: Implicit, grid: Grid, periodic: tuple[int, ...]) -> NDArray[np.float32]:
    """The signed distance at the grid's points, m, the same on opposite periodic faces.

    Raises:
        MeshError: if there is one phase only, or the structure does not repeat.
    """
    values = np.array(structure.distance(grid.shape), dtype=np.float32)
    second, first = structure.regions[1], structure.regions[0]
    if not (values < 0).any() or not (values > 0).any():
        there = second if (values < 0).any() else first
        raise MeshError(f"the structure is all {there}: there is no interface to mesh")
    for axis in periodic:
        layers = np.moveaxis(values, axis, 0)
        # farther off the distance may be a bound, which need not repeat
        near = np.abs(layers[0]) < grid.edges.max()
        off = np.abs(layers[0] - layers[-1])[near].max(initial=0.0)
        if axis not in structure.periodic or off > _UNLIKE * grid.edges.max():
            raise MeshError(
                f"the structure does not repeat along {'xyz'[axis]}, so that its faces cannot be "
                "periodic; make the structure periodic, or take the faces' periodic away"
            )
        layers[-1] = layers[0]
    return values


def fitted(
    values: NDArray[np.float32],
    grid: Grid,
    sizes: Sizes,
    target: float,
    divided: Sequence[Mask],
    periodic: tuple[int, ...],
) -> Phases:
    """Cells of which the second phase has the share `target`, by a secant on the iso-value.

    Straight cells cut the corners of round fibres: the share comes out small without a shift.

    Args:
        values: From `sample`.
        grid: Of the values.
        sizes: For the message where memory is short.
        target: Share of the second phase in the box.
        divided: As for `octree`.
        periodic: Axes whose opposite faces are to be meshed alike.

    Raises:
        MeshError: if the share cannot be reached, or memory is short.
    """
    tried: list[tuple[float, float]] = []
    shift, edge = 0.0, float(grid.edges.min())
    volume = float(np.prod(grid.size))
    for _ in range(_TRIALS):
        phases, area = cut_at(values, grid, sizes, shift, divided, periodic)
        off = phases.share - target
        if abs(off) * volume <= _NUDGE * edge * area:
            return nudged(phases, target, grid, periodic)
        if area == 0.0:
            break
        tried.append((shift, off))
        slope = area / volume
        if len(tried) > 1:
            (s0, f0), (s1, f1) = tried[-2:]
            # nodes snap here and there, which makes small jumps
            if s1 != s0:
                slope = float(np.clip((f1 - f0) / (s1 - s0), slope / 2, 2 * slope))
        shift = float(np.clip(shift - off / slope, -edge, edge))
    raise _missed(phases.share, target, sizes)


def _within(values: NDArray[np.float32], cells: Lattice) -> NDArray[np.float64]:
    """Gradient of `values` within the box faces at the nodes on them; zero elsewhere."""
    gradient = np.zeros((len(cells.nodes), 3))
    for axis in range(3):
        free = np.flatnonzero((cells.fixed > 0) & ((cells.fixed >> 2 * axis & 3) == 0))
        ahead, behind = cells.index[free].astype(int).T.copy(), cells.index[free].astype(int).T
        ahead[axis] += 1
        behind[axis] -= 1
        gradient[free, axis] = (values[tuple(ahead)] - values[tuple(behind)]) / 2
    return gradient


def nudged(phases: Phases, target: float, grid: Grid, periodic: tuple[int, ...]) -> Phases:
    """`phases` with the interface moved evenly along its normals until the share is `target`.

    Nodes stay on their box faces; those on periodic faces stay where they are.
    """
    points, cut = phases.points.copy(), phases.cut
    facets = interface_facets(cut.cells, phases.tags, cut.on)
    free = np.stack([(cut.fixed >> 2 * k & 3) == 0 for k in range(3)], axis=1)
    for axis in periodic:
        free[~free[:, axis]] = False
    whole, share = float(np.prod(grid.size)), phases.share
    for _ in range(2):  # the volume is nearly linear in so small a way
        x = points[facets]
        normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]) / 6  # a third of the area
        gradient = np.zeros_like(points)
        for corner in range(3):
            for axis in range(3):
                gradient[:, axis] += np.bincount(
                    facets[:, corner], normal[:, axis], minlength=len(points)
                )
        way = gradient * free
        length = np.linalg.norm(way, axis=1)
        way[length > 0] /= length[length > 0, None]
        rate = float(np.sum(way * gradient))
        if rate == 0.0:
            break
        points += (target - share) * whole / rate * way
        share = float(volumes(points, cut.cells[phases.tags == 2]).sum()) / whole
    return replace(phases, points=points, share=share)


def _missed(share: float, target: float, sizes: Sizes) -> MeshError:
    return MeshError(
        f"the second phase has a share of {share:.4f} of the box and not of {target:.4f} as asked "
        f"for; give a smaller [mesh] interface_size than {sizes.interface_size * 1e6:.3g} um"
    )


def share_asked(structure: Implicit, grid: Grid, values: NDArray[np.float32]) -> float:
    """The share of the second phase that the structure wants, or that its distance shows."""
    if structure.fraction is not None:
        return structure.fraction
    shape = tuple(2 * n - 1 for n in values.shape)
    if np.prod(shape, dtype=float) <= _FINE_POINTS:
        values = structure.distance((shape[0], shape[1], shape[2]))
    steps = np.array(grid.size) / (np.array(values.shape) - 1)
    inside = np.clip(0.5 - values / np.float32(steps.mean()), 0.0, 1.0)
    for _ in range(3):  # trapezoidal sums along the last axis that is left
        weights = np.ones(inside.shape[-1])
        weights[[0, -1]] = 0.5
        inside = inside @ weights / weights.sum()
    return float(inside)


def cut_at(
    values: NDArray[np.float32],
    grid: Grid,
    sizes: Sizes,
    shift: float,
    divided: Sequence[Mask],
    periodic: tuple[int, ...],
) -> tuple[Phases, float]:
    """The cells of both phases where the distance is `shift`, and the area between them, m^2."""
    shifted = values - np.float32(shift)
    reach = float(np.linalg.norm(grid.edges)) / 2
    tree = octree(cut_cubes(shifted, reach), divided, periodic)
    require_room(float(_CELLS_PER_CUBE * tree.num_leaves), sizes, 3)
    cells = lattice(grid, tree, periodic)
    at_nodes = shifted.ravel()[cells.nodes].astype(float)
    cut = split(cells, snap(cells, at_nodes, _within(shifted, cells), grid.edges))
    points = cut.points * (grid.edges / 2)
    for axis, length in enumerate(grid.size):
        points[(cut.fixed >> 2 * axis + 1 & 1).astype(bool), axis] = length
    side = cut.side.copy()
    within = np.flatnonzero(side == 0)
    middle = cut.points[cut.cells[within]].mean(axis=1).T
    side[within] = np.where(scipy.ndimage.map_coordinates(shifted, middle, order=1) < 0, -1, 1)
    tags = np.where(side < 0, 2, 1).astype(np.int32)
    share = float(volumes(points, cut.cells)[tags == 2].sum()) / float(np.prod(grid.size))
    x = points[interface_facets(cut.cells, tags, cut.on)]
    area = np.linalg.norm(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]), axis=1).sum() / 2
    return Phases(points, cut, tags, share, shift), float(area)

"""From a signed distance to a conforming mesh of both phases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from fem_spe.domain import MeshArrays
from fem_spe.errors import MeshError
from fem_spe.geometry.faces import interface_name
from fem_spe.geometry.implicit import Implicit
from fem_spe.meshing.implicit.faces import (
    box_facets,
    facing,
    interface_facets,
    require_watertight,
)
from fem_spe.meshing.implicit.fit import Phases, fitted, sample, share_asked
from fem_spe.meshing.implicit.octree import Grid, Mask, grid
from fem_spe.meshing.implicit.pieces import Pieces, pieces
from fem_spe.meshing.implicit.polish import polish
from fem_spe.meshing.implicit.quality import radius_ratios
from fem_spe.meshing.sizes import Sizes, Spot, require_points
from fem_spe.progress import log

_MIN_QUALITY = 0.01  # radius ratio that no mesh may fall short of


def implicit_mesh(
    structure: Implicit,
    sizes: Sizes,
    *,
    holes: Collection[str] = (),
    periodic: Sequence[int] = (),
    spots: Sequence[Spot] = (),
) -> MeshArrays:
    """Tetrahedra that fill the box and follow the interface.

    The finest cells have edges of about `sizes.interface_size` (the edge of a cube with twelve
    cells), the coarsest about `sizes.size`, rounded to a power of two times as much.

    Args:
        structure: The two phases.
        sizes: Wanted sizes; cells are straight.
        holes: Regions that are left out.
        periodic: Axes across which opposite faces are meshed alike.
        spots: Places about which no cell is larger than the spot's size.

    Raises:
        MeshError: if the cells are too large for the structure, or too many for the machine.
    """
    _require_straight(sizes)
    _require_resolved(structure, sizes)
    lattice = grid(structure.size, sizes.interface_size, sizes.size)
    require_points(float(np.prod(np.array(lattice.shape, dtype=float))), sizes)
    axes = tuple(sorted(periodic))
    values = sample(structure, lattice, axes)
    target = share_asked(structure, lattice, values)
    divided = _about(spots, lattice)
    phases = fitted(values, lattice, sizes, target, divided, axes)
    cut = phases.cut
    _tell(
        structure,
        pieces(values, phases.points, cut.cells[phases.tags == 2], lattice.edges / 2),
        lattice,
    )

    held = np.zeros(len(cut.fixed), dtype=bool)
    for axis in axes:  # a node and its periodic image may only move together
        held |= (cut.fixed >> 2 * axis & 3) > 0
    ratios = radius_ratios(phases.points[cut.cells])
    points, ratios = polish(
        phases.points, cut.cells, cut.fixed, ratios, float(lattice.edges.min()), held
    )
    if ratios.min() < _MIN_QUALITY:
        raise MeshError(
            f"the mesh has cells of quality {ratios.min():.1e} (radius ratio); give a slightly "
            "different [mesh] interface_size"
        )
    return _assemble(structure, replace(phases, points=points), ratios, frozenset(holes), axes)


def _assemble(
    structure: Implicit,
    phases: Phases,
    ratios: np.ndarray,
    holes: frozenset[str],
    periodic: tuple[int, ...],
) -> MeshArrays:
    """Arrays with names, checked, without the holes."""
    cut = phases.cut
    between = interface_name(*structure.regions[:2])
    facets = {
        **box_facets(cut.cells, cut.fixed),
        between: interface_facets(cut.cells, phases.tags, cut.on),
    }
    whole = MeshArrays(
        points=phases.points,
        cells=cut.cells.astype(np.int64),
        cell_tags=phases.tags,
        facets=np.concatenate(list(facets.values())).astype(np.int64),
        facet_tags=np.repeat(
            np.arange(1, len(facets) + 1, dtype=np.int32), [len(f) for f in facets.values()]
        ),
        regions={name: k + 1 for k, name in enumerate(structure.regions[:2])},
        faces={name: k + 1 for k, name in enumerate(facets)},
        order=1,
        min_quality=float(ratios.min()),
        min_jacobian=1.0,
        box=structure.size,
    )
    require_watertight(whole)
    if not holes.intersection(whole.regions):
        return whole
    left = {name: tag for name, tag in whole.regions.items() if name not in holes}
    if not left:
        raise MeshError("every region of the structure is left out; nothing remains to mesh")
    kept = np.isin(phases.tags, list(left.values()))
    used = np.zeros(len(whole.points), dtype=bool)
    used[whole.cells[kept]] = True
    number = np.cumsum(used) - 1
    sides, bare = facing(box_facets(cut.cells[kept], cut.fixed), phases.points, periodic)
    facets = {**sides, between: np.concatenate([facets[between], bare])}
    facets = {name: some for name, some in facets.items() if len(some)}
    return replace(
        whole,
        points=whole.points[used],
        cells=number[whole.cells[kept]],
        cell_tags=np.ones(int(kept.sum()), dtype=np.int32),
        facets=number[np.concatenate(list(facets.values()))],
        facet_tags=np.repeat(
            np.arange(1, len(facets) + 1, dtype=np.int32), [len(f) for f in facets.values()]
        ),
        regions=dict.fromkeys(left, 1),
        faces={name: k + 1 for k, name in enumerate(facets)},
        min_quality=float(ratios[kept].min()),
    )


def _require_straight(sizes: Sizes) -> None:
    if sizes.order != 1:
        raise MeshError(
            "[mesh] order = 2: the cells of networks and images are straight; give order = 1"
        )


def _require_resolved(structure: Implicit, sizes: Sizes) -> None:
    """Raise where the thinnest part would be lost between the nodes."""
    radius = structure.thinnest / 2
    if sizes.interface_size > radius * (1 + 1e-6):
        raise MeshError(
            f"[mesh] interface_size = {sizes.interface_size * 1e6:.4g} um is more than half of the "
            f"thinnest {structure.regions[1]}, {radius * 1e6:.4g} um, which would be lost; give "
            f"interface_size = {radius * 1e6:.4g} um or less"
        )


def _about(spots: Sequence[Spot], lattice: Grid) -> list[Mask]:
    """Per level from 1 up, the cubes that must be divided for being near a spot.

    Raises:
        MeshError: if a spot wants cells below the finest.
    """
    divided = []
    for level in range(1, lattice.levels + 1):
        shape = tuple(n >> level for n in lattice.counts)
        edges = lattice.edges * 2**level
        mask = np.zeros(shape, dtype=bool)
        for spot in spots:
            if edges.max() > spot.size:
                away = [
                    ((np.arange(n) + 0.5) * e - x) ** 2
                    for n, e, x in zip(shape, edges, spot.place, strict=True)
                ]
                far = away[0][:, None, None] + away[1][None, :, None] + away[2][None, None, :]
                mask |= far <= (spot.radius + float(np.linalg.norm(edges)) / 2) ** 2
        divided.append(mask)
    finest = min((spot.size for spot in spots), default=np.inf)
    if finest < float(lattice.edges.max()) * (1 - 1e-6):
        raise MeshError(
            f"[mesh] interface_size must be {finest * 1e6:.3g} um or less for the cells at the "
            "contacts"
        )
    return divided


def _tell(structure: Implicit, found: Pieces, lattice: Grid) -> None:
    """Say what became of pieces that the cells cannot show.

    Raises:
        MeshError: if a piece is lost that is more than half as thick as a cell.
    """
    name = structure.regions[1]
    if found.lost and 4 * found.deepest_lost > lattice.edges.max():
        raise MeshError(
            f"{found.lost} of {found.on_grid} pieces of {name} are lost between the nodes; give "
            f"[mesh] interface_size = {found.deepest_lost * 1e6:.2g} um"
        )
    if found.lost or found.broken or found.joined:
        log.warning(
            "cells of %.3g um do not show all %d pieces of %s as they are: %d smaller than half a "
            "cell left out, %d broken, %d joined to others",
            lattice.edges.max() * 1e6,
            *(found.on_grid, name, found.lost, found.broken, found.joined),
        )

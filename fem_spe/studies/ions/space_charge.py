"""Nernst-Planck with Poisson's equation: the closure that resolves the charged layers at walls."""

from __future__ import annotations

import math

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import Box, MeshFile
from fem_spe.geometry.faces import BOX_FACES, face_names, opposite
from fem_spe.measure.probe import Follower
from fem_spe.meshing import Spot, WallLayer
from fem_spe.progress import Clock, log
from fem_spe.results import Solution
from fem_spe.studies.ions import space_charge_in_time
from fem_spe.studies.ions.limits import Limits, require_below
from fem_spe.studies.ions.space_charge_measure import Fields, measure
from fem_spe.studies.ions.space_charge_model import Model, thickness
from fem_spe.studies.ions.space_charge_steady import settle
from fem_spe.studies.ions.walls import Walls, limits, walls
from fem_spe.studies.registry import Plan

_WALL_CELL = 0.1  # of the thinness of a layer: thickness of the cell at its wall
_DEPTH = 10.0  # Debye lengths: how far the cells of a layer grow slowly
_COARSEST = 0.5  # of the thinness, beyond which a mesh made otherwise shows no layer
_MOST_CELLS = 2e5  # of all sides alike: what a step of Newton's method takes half a minute for
_SLOPE = 0.35  # of the size field of sections: growth of the cells per distance
_FLAT = 1e3  # radius of a ball over the structure: what it bulges is far below a cell


def plan(case: Case, holes: frozenset[str]) -> Plan:
    """Thin cells at every face with a layer; flat ones where the structure is a box."""
    found, geometry = walls(case), case.geometry
    if isinstance(geometry, MeshFile):
        return Plan(holes, tuple(found.faces))
    _require_possible(case, found, geometry.size)
    thin = {name: _thickness(case, found, name) for name in _layered(found)}
    if isinstance(geometry, Box):
        known = face_names(len(geometry.size), geometry.regions)
        depth = _DEPTH * found.bulk.debye
        layers = [WallLayer(name, cell, depth) for name, cell in thin.items() if name in known]
        return Plan(holes, tuple(found.faces), layers=tuple(layers))
    return Plan(holes, tuple(found.faces), spots=_spots(found, thin, geometry.size))


def _layered(found: Walls) -> list[str]:
    """The faces with a layer: all but reservoirs, which are neutral."""
    return [name for name in found.faces if name not in found.reservoirs]


def _thickness(case: Case, found: Walls, face: str) -> float:
    """Of the cells at a face, m; [mesh] interface_size makes them thinner."""
    layer = _WALL_CELL * _thinness(found, face)
    return min(layer, case.mesh.interface_size or layer)


def _thinness(found: Walls, face: str) -> float:
    """Of the layer at a face, m: the Debye length where it bears nothing.

    At a charged wall the counterions are e^zeta times as many, within half the Debye length of
    so many.
    """
    return found.bulk.debye / (2.0 * math.exp(found.zeta(face) / 2) - 1.0)


def _spots(found: Walls, thin: dict[str, float], size: tuple[float, ...]) -> tuple[Spot, ...]:
    """Small cells of all sides alike along the outer faces of a section.

    Raises:
        CaseError: with the Debye length that can be resolved, if they would be too many.
    """
    # the integral of 1 / area of the cells, sides of which grow by the slope
    per_side = {n: _side(n, size) * 4 / (math.sqrt(3) * _SLOPE * h) for n, h in thin.items()}
    cells = sum(per_side.values())
    if cells > _MOST_CELLS:
        enough = found.bulk.debye * cells / _MOST_CELLS
        raise CaseError(
            f"[nernst_planck] a Debye length of {found.bulk.debye * 1e9:.3g} nm takes about "
            f"{cells:.1e} cells along {', '.join(thin)}, and {_MOST_CELLS:.0e} are the most; give "
            f'debye_length = "{enough * 1e9:.2g} nm", or geometry kind = "box", whose cells are '
            "flat at walls"
        )
    radius, spots = _FLAT * max(size), []
    for name, cell in thin.items():
        across = opposite(len(size), name)
        if across is not None:
            axis, low = across[0], name == BOX_FACES[len(size)][across[0]][0]
            place = [0.5 * s for s in size]
            place[axis] = -radius if low else size[axis] + radius
            spots.append(Spot(tuple(place), radius, cell))
    return tuple(spots)


def _side(name: str, size: tuple[float, ...]) -> float:
    """Length of a side of a section, m; 0 for an interface."""
    found = opposite(len(size), name)
    return 0.0 if found is None else size[1 - found[0]]


def _require_possible(case: Case, found: Walls, size: tuple[float, ...]) -> Limits:
    """The limits; raise where a steady state cannot be."""
    told, salt = limits(found, size), found.bulk.salt
    if case.nernst_planck.mode == "steady" and salt is not None and not found.reservoirs:
        require_below(told, "which goes on into the layer of charge that then grows")
    return told


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure, steady or in time. Collective.

    Raises:
        CaseError: if the mesh does not resolve the layers.
    """
    found = walls(case)
    told = _require_possible(case, found, domain.size)
    log.info("  %s", told)
    _require_resolved(domain, found)
    model = Model(case, domain, found)
    if case.nernst_planck.mode == "transient":
        return space_charge_in_time.run(case, model, told, clock)
    with clock.stage("solve") as stage:
        settle(model)
        stage.note = f"{model.num_dofs} unknowns"
    with clock.stage("measure"):
        fields = Fields(model)
        quantities, checks, tables = measure(model, told, fields)
        tables |= Follower(domain, case.probe, fields.functions).snapshot()
    information = {"method": ", ".join(model.methods), "closure": case.nernst_planck.closure}
    return Solution(quantities, checks, fields.functions, tables, information, model.num_dofs)


def _require_resolved(domain: Domain, found: Walls) -> None:
    """Raise where cells at a wall are thicker than its layer. Collective.

    Raises:
        CaseError: with the Debye length that the mesh resolves.
    """
    for name in found.faces:
        thick = thickness(domain, name)
        layer = _thinness(found, name)
        if name not in found.reservoirs and thick > _COARSEST * layer:
            raise CaseError(
                f"[mesh] the cells at {name} are {thick * 1e9:.3g} nm thick, too coarse for a "
                f"Debye length of {found.bulk.debye * 1e9:.3g} nm; give [mesh] interface_size = "
                f'"{_WALL_CELL * layer * 1e9:.2g} nm", or [nernst_planck] debye_length = '
                f'"{thick / layer * found.bulk.debye / _WALL_CELL * 1e9:.2g} nm"'
            )

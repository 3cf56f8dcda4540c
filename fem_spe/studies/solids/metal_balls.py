"""Indentation with balls that are bodies themselves, such as lithium that yields.

The lower half of each ball is meshed; its flat is moved down and held sideways, as the metal
behind it would. What is round of it and the top of the structure touch through a mortar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from dolfinx import fem

from fem_spe.case import Boundary, Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError, did_you_mean
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import BOX_FACES
from fem_spe.materials import Material, lookup
from fem_spe.meshing import ACROSS, HalfBall, HalfDisc, Spot, cuts
from fem_spe.progress import Clock, log
from fem_spe.results import Quantity, Solution
from fem_spe.solve.solids.equilibrium import Supports, choose
from fem_spe.solve.solids.mortar.constraint import Mortar, Touch
from fem_spe.solve.solids.yielding_steps import bring_up
from fem_spe.studies.registry import Plan
from fem_spe.studies.solids import mechanics, metal_touch, yielding
from fem_spe.studies.solids.metal_touch import Centres
from fem_spe.units import in_um

_FACE = "top"
_BALL, _DRIVEN, _CONTACT = "ball", "ball-driven", "ball-contact"
_RTOL = 1e-9  # of forces out of balance, at best: normals settle linearly
_SMALL = 0.1  # share of a ball's radius beyond which strains are no longer small


def plan(case: Case, wanted: Plan, centres: Centres) -> Plan:
    """What a study with rigid balls would want, with balls of metal.

    Raises:
        CaseError: naming what stands against them.
    """
    assert case.balls is not None
    radius = case.balls.radius
    _require(case, centres)
    if len(centres[0]) == 3:
        return replace(wanted, half_balls=tuple(HalfBall(c, radius) for c in centres))
    discs = tuple(HalfDisc((x, y), radius) for x, y in centres)
    inside = tuple(Spot((x, y), radius, radius / ACROSS) for x, y in centres)
    return replace(wanted, spots=(*wanted.spots, *inside), half_discs=discs)


def metal(case: Case) -> Material:
    """What the balls are made of.

    Raises:
        CaseError: if there is no such material, or its elastic moduli are unknown.
    """
    assert case.balls is not None
    name = case.balls.material
    found = case.materials.get(name)
    if not isinstance(found, Material):
        try:
            found = lookup(found if isinstance(found, str) else name)
        except CaseError as error:
            known = ["rigid", *case.materials]
            raise CaseError(
                f'[balls] material = {name!r}: {did_you_mean(name, known)}it is neither "rigid" '
                f"nor in [materials], and {error}"
            ) from None
    if found.youngs_modulus is None or found.poisson_ratio is None:
        raise CaseError(
            f"[balls] material = {name!r} has no youngs_modulus and poisson_ratio; give [materials]"
            f' {name} = {{ youngs_modulus = "7.8 GPa", poisson_ratio = 0.38, ... }}'
        )
    return found


def _require(case: Case, centres: Centres) -> None:
    assert case.balls is not None
    assert case.indentation is not None
    where = f"[balls] material = {case.balls.material!r}"
    material = metal(case)
    geometry = case.geometry
    size: tuple[float, ...] = () if isinstance(geometry, MeshFile) else geometry.size
    if isinstance(geometry, MeshFile):
        raise CaseError(
            f"{where}: balls are bodies on a structure that is meshed with them; give another "
            '[geometry], or material = "rigid"'
        )
    if case.indentation.contact == "bonded":
        raise CaseError(f'{where}: [indentation] contact = "bonded" is for rigid balls; remove it')
    if case.elasticity.plane == "stress":
        raise CaseError(f'{where}: [elasticity] plane = "stress" is for rigid balls; remove it')
    for centre in centres:
        _require_inside(case, centre, size)
    materials, yields = _materials(case, geometry.regions)
    assert material.poisson_ratio is not None
    yielding.require(case, len(size), materials, yields)
    stiff, limit = mechanics.too_stiff(materials), mechanics.NEARLY_INCOMPRESSIBLE
    if stiff is not None:
        raise CaseError(
            f"{where}: with balls that are meshed the poisson_ratio of {stiff} must be at most "
            f"{limit}"
        )


def _require_inside(case: Case, centre: tuple[float, ...], size: tuple[float, ...]) -> None:
    """Raise where a ball reaches beyond the structure, but for cuts along planes of symmetry.

    Raises:
        CaseError: with the side.
    """
    assert case.balls is not None
    where = f"[balls] material = {case.balls.material!r}"
    place = in_um(centre[:-1])
    cut = cuts(centre, size) if len(size) == 3 else []
    for axis, end in cut:
        side = BOX_FACES[3][axis][end]
        if side in case.boundary and not case.boundary[side].sliding:
            raise CaseError(
                f"{where}: the ball at {place} um is cut by {side}, which must slide for it; give "
                f"[boundary.{side}] sliding = true, or another place"
            )
    for axis, x in enumerate(centre[:-1]):
        room = size[axis] if axis in dict(cut) else min(x, size[axis] - x)
        if room < case.balls.radius:
            raise CaseError(
                f"{where}: the ball at {place} um reaches beyond the structure of "
                f"{size[axis] * 1e6:.4g} um; give fewer or smaller ones"
            )


def _materials(
    case: Case, regions: Sequence[str]
) -> tuple[dict[str, tuple[float, float]], yielding.Yields]:
    """(E, nu) of the regions and of the balls, and which of them yield."""
    own = [region for region in regions if region != _BALL]
    materials, yields = mechanics.require_materials(case, own), yielding.strengths(case, own)
    found = metal(case)
    materials[_BALL] = (found.youngs_modulus or 0.0, found.poisson_ratio or 0.0)
    strength = yielding.strength(found)
    return materials, yields | ({} if strength is None else {_BALL: strength})


def run(
    case: Case, domain: Domain, faces: dict[str, Boundary], centres: Centres, clock: Clock
) -> Solution:
    """Press and measure. Collective.

    Args:
        case: With every default.
        domain: The mesh of structure and balls.
        faces: Supports and loads of the structure.
        centres: Of the balls at first, m.
        clock: Of the run.

    Raises:
        ConvergenceError: if not even the first step is reached.
    """
    assert case.balls is not None
    assert case.indentation is not None
    deep, radius = case.indentation.displacement, case.balls.radius
    dimension, degree = domain.dimension, case.solver.degree or 2
    materials, yields = _materials(case, tuple(domain.regions))
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (dimension,)))
    num_dofs = dimension * int(space.dofmap.index_map.size_global)
    method = choose(num_dofs, degree, dimension)
    unit = "N/m" if dimension == 2 else "N"
    down = Boundary(displacement=(*(0.0,) * (dimension - 1), -deep))
    part, newton, stopped = 0.0, 0, ""
    rows: list[tuple[float, ...]] = []
    last: Touch | None = None
    with clock.stage("solve") as stage:
        body = yielding.body(domain, space, materials, yields, faces)
        supports = Supports.of(space, mechanics.supports(domain, space, faces | {_DRIVEN: down}))
        rounded = partial(metal_touch.on_balls, np.array(centres) + domain.origin, radius)
        contact = Mortar(domain, space, supports, _CONTACT, _FACE, rounded)
        try:
            for part, step in bring_up(
                body, supports, case.indentation.steps, rtol=max(case.solver.rtol, _RTOL),
                method=method, name="contact", contact=contact,
            ):  # fmt: skip
                newton += step.newton
                last = contact.last
                assert last is not None
                rows.append((part * deep, *metal_touch.per_ball(last, centres)))
                log.info(
                    "  %.4g um: %.4g %s, %d steps of Newton's method",
                    part * deep * 1e6, sum(rows[-1][1:]), unit, step.newton,
                )  # fmt: skip
        except ConvergenceError as error:
            if last is None:
                raise
            stopped = (
                f"[indentation] the balls come {part * deep * 1e6:.4g} um deep, not "
                f"{deep * 1e6:.4g} um: {error}; the last good step is kept"
            )
        assert last is not None
        stage.note = f"{num_dofs} unknowns, {method}, {newton} Newton in {len(rows)} steps"
    if part * deep > _SMALL * radius:
        log.warning(
            "the balls move by %.2g of their radius: strains are not small, as this study takes "
            "them to be", part * deep / radius,
        )  # fmt: skip
    with clock.stage("measure"):
        corners = mechanics.clamped_corners(domain, faces)
        exclude = metal_touch.near_rims(domain, centres, radius, corners)
        told, checks = yielding.measured(domain, body, yields, exclude)
        parts = np.array([2 ** len(cuts(centre, domain.size)) for centre in centres])
        top = float(contact.lower.at[:, -1].max())
        touches = metal_touch.Touches(last, centres, parts, rows, top)
        quantities = touches.quantities() | _of_the_structure(told.quantities)
    information = {
        "iterations": newton, "steps": len(rows), "method": method, "normal": "updated",
    }  # fmt: skip
    return Solution(
        quantities,
        checks | touches.checks(deep),
        {"displacement": body.u, **told.fields},
        touches.tables(),
        information,
        num_dofs,
        stopped=stopped,
    )


def _of_the_structure(quantities: dict[str, Quantity]) -> dict[str, Quantity]:
    """The numbers with shares of the load of the structure alone: the balls lie outside of it."""
    name = "load_share."
    shares = {key: q for key, q in quantities.items() if key.startswith(name)}
    del shares[name + _BALL]
    total = sum(q.value for q in shares.values())
    kept = {key: q for key, q in quantities.items() if not key.startswith(name)}
    return kept | {key: replace(q, value=q.value / total) for key, q in shares.items()}

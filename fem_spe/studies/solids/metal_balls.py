"""Indentation with balls that are bodies themselves, such as lithium that yields: in 2-D.

The lower half of each ball is meshed; its flat is moved down and held sideways, as the metal
behind it would. Its arc and the top of the structure touch through a mortar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Boundary, Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError, did_you_mean
from fem_spe.geometry import MeshFile
from fem_spe.materials import Material, lookup
from fem_spe.measure.stress import Mask
from fem_spe.meshing import HalfDisc, Spot
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution, Table
from fem_spe.solve.solids.equilibrium import Supports
from fem_spe.solve.solids.mortar import Mortar, Touch
from fem_spe.solve.solids.yielding_steps import bring_up
from fem_spe.studies.registry import Plan
from fem_spe.studies.solids import mechanics, yielding

_FACE = "top"
_BALL, _DRIVEN, _CONTACT = "ball", "ball-driven", "ball-contact"
_ACROSS = 6.0  # cells along the radius of a ball, away from the contact
_CORNER = 0.1  # of the radius: the zone about an end of a flat that is left out
_RTOL = 1e-9  # of forces out of balance, at best: normals settle linearly
_PENETRATION = 1e-8  # of the displacement
_PULL = 1e-6  # of the largest pressure
_TINY = 1e-300  # for quotients where nothing touches yet
_SMALL = 0.1  # share of a ball's radius beyond which strains are no longer small

Centres = Sequence[tuple[float, ...]]


def plan(case: Case, wanted: Plan, centres: Centres) -> Plan:
    """What a study with rigid balls would want, with balls of metal.

    Raises:
        CaseError: naming what stands against them.
    """
    assert case.balls is not None
    radius = case.balls.radius
    _require(case, centres)
    discs = tuple(HalfDisc((x, y), radius) for x, y in centres)
    inside = tuple(Spot((x, y), radius, radius / _ACROSS) for x, y in centres)
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
    if isinstance(geometry, MeshFile) or len(size) != 2:
        raise CaseError(
            f"{where}: balls are meshed in two dimensions, on a structure that is meshed with "
            'them; give a section or a box of two sizes, or material = "rigid"'
        )
    if case.indentation.contact == "bonded":
        raise CaseError(f'{where}: [indentation] contact = "bonded" is for rigid balls; remove it')
    if case.elasticity.plane == "stress":
        raise CaseError(f'{where}: [elasticity] plane = "stress" is for rigid balls; remove it')
    for x, _ in centres:
        if x - case.balls.radius < 0.0 or x + case.balls.radius > size[0]:
            raise CaseError(
                f"{where}: the ball at {x * 1e6:.4g} um reaches beyond the structure of "
                f"{size[0] * 1e6:.4g} um; give fewer or smaller ones"
            )
    materials, yields = _materials(case, geometry.regions)
    assert material.poisson_ratio is not None
    yielding.require(case, 2, materials, yields)
    stiff, limit = mechanics.too_stiff(materials), mechanics.NEARLY_INCOMPRESSIBLE
    if stiff is not None:
        raise CaseError(
            f"{where}: with balls that are meshed the poisson_ratio of {stiff} must be at most "
            f"{limit}"
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
    materials, yields = _materials(case, tuple(domain.regions))
    space = fem.functionspace(domain.mesh, ("Lagrange", case.solver.degree or 2, (2,)))
    num_dofs = 2 * int(space.dofmap.index_map.size_global)
    held = dict(faces) | {_DRIVEN: Boundary(displacement=(0.0, -deep))}
    part, newton, stopped = 0.0, 0, ""
    rows: list[tuple[float, ...]] = []
    last: Touch | None = None
    with clock.stage("solve") as stage:
        body = yielding.body(domain, space, materials, yields, faces)
        supports = Supports.of(space, mechanics.supports(domain, space, held))
        contact = Mortar(domain, space, supports, _CONTACT, _FACE)
        try:
            for part, step in bring_up(
                body, supports, case.indentation.steps, rtol=max(case.solver.rtol, _RTOL),
                method="direct", name="contact", contact=contact,
            ):  # fmt: skip
                newton += step.newton
                last = contact.last
                assert last is not None
                rows.append((part * deep, *_per_ball(last, centres)))
                log.info(
                    "  %.4g um: %.4g N/m, %d steps of Newton's method",
                    part * deep * 1e6, sum(rows[-1][1:]), step.newton,
                )  # fmt: skip
        except ConvergenceError as error:
            if last is None:
                raise
            stopped = (
                f"[indentation] the balls come {part * deep * 1e6:.4g} um deep, not "
                f"{deep * 1e6:.4g} um: {error}; the last good step is kept"
            )
        assert last is not None
        stage.note = f"{num_dofs} unknowns, direct, {newton} Newton in {len(rows)} steps"
    if part * deep > _SMALL * radius:
        log.warning(
            "the balls move by %.2g of their radius: strains are not small, as this study takes "
            "them to be", part * deep / radius,
        )  # fmt: skip
    with clock.stage("measure"):
        exclude = _excluded(mechanics.clamped_corners(domain, faces), domain, centres, radius)
        told, checks = yielding.measured(domain, body, yields, exclude)
        widths = _widths(last, centres)
        depth = _depth(last)
        forces = np.array(rows)[:, 1:]
        quantities = {
            "contact_force": Quantity(float(forces[-1].sum()), "N/m", "of all balls together"),
            "contact_radius": Quantity(float(widths.mean()), "m", "half width, mean of the balls"),
            "contact_pressure": Quantity(
                float(forces[-1].sum() / max(2.0 * widths.sum(), _TINY)), "Pa", "mean in contact"
            ),
            "max_penetration": Quantity(
                max(0.0, -float(last.gap.min())), "m", "weighted, of nodes"
            ),
            "indented_depth": Quantity(
                depth, "m", "how deep the surface in contact is pressed in, weighted by force"
            ),
            "ball_flattening": Quantity(
                part * deep - depth, "m", "the rest of the way: by how much the balls give way"
            ),
            "reached_displacement": Quantity(part * deep, "m", "of the balls"),
        } | _of_the_structure(told.quantities)
        pressed = last.pressure[last.active]
        strongest = max(float(pressed.max(initial=0.0)), _TINY)
        force = max(float(np.abs(forces[-1]).sum()), _TINY)
        checks |= {
            "penetration": Check(max(0.0, -float(last.gap.min())) / deep, _PENETRATION),
            "pulled_nodes": Check(float(pressed.min(initial=0.0)) / strongest, _PULL),
            "action_reaction": Check(float(np.linalg.norm(last.force.sum(axis=0))) / force, 1e-8),
            "unreached": Check(1.0 - part, 0.0),
        }
    information = {
        "iterations": newton, "steps": len(rows), "method": "direct", "normal": "updated",
    }  # fmt: skip
    fields = {"displacement": body.u, **told.fields}
    tables = _tables(np.array(rows), centres, widths)
    return Solution(quantities, checks, fields, tables, information, num_dofs, stopped=stopped)


def _of_the_structure(quantities: dict[str, Quantity]) -> dict[str, Quantity]:
    """The numbers with shares of the load of the structure alone: the balls lie outside of it."""
    name = "load_share."
    shares = {key: q for key, q in quantities.items() if key.startswith(name)}
    del shares[name + _BALL]
    total = sum(q.value for q in shares.values())
    kept = {key: q for key, q in quantities.items() if not key.startswith(name)}
    return kept | {key: replace(q, value=q.value / total) for key, q in shares.items()}


def _owner(touch: Touch, centres: Centres) -> NDArray[np.int64]:
    """The ball of each slave: that whose centre is nearest."""
    x = np.array([centre[0] for centre in centres])
    return np.asarray(np.argmin(np.abs(touch.x[:, None] - x), axis=1))


def _per_ball(touch: Touch, centres: Centres) -> list[float]:
    """Upward force on each ball, N/m."""
    owner = _owner(touch, centres)
    return [float(touch.nodal[owner == k, 1].sum()) for k in range(len(centres))]


def _widths(touch: Touch, centres: Centres) -> NDArray[np.float64]:
    """Half width of each contact, m: to midway to the next node."""
    owner, widths = _owner(touch, centres), np.zeros(len(centres))
    for k in range(len(centres)):
        x, active = touch.x[owner == k], np.flatnonzero(touch.active[owner == k])
        if len(active):
            first, end = active[0], active[-1]
            low, high = x[max(first - 1, 0)], x[min(end + 1, len(x) - 1)]
            widths[k] = 0.25 * (high - low + x[end] - x[first])
    return widths


def _depth(touch: Touch) -> float:
    """How deep the surface in contact has come, m: what the force has done work along."""
    upward = touch.nodal[:, 1]
    return -float(upward @ touch.moved[:, 1]) / max(float(upward.sum()), _TINY)


def _excluded(corners: Mask | None, domain: Domain, centres: Centres, radius: float) -> Mask:
    """Points near clamped corners, and near the ends of the flats, where they are clamped."""
    ends = np.array([(x + side * radius, y) for x, y in centres for side in (-1.0, 1.0)])
    ends += np.array(domain.origin)

    def near(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        away = np.linalg.norm(points[:, None, :2] - ends, axis=2).min(axis=1)
        found = np.asarray(away < _CORNER * radius)
        return found if corners is None else np.asarray(found | corners(points))

    return near


def _tables(
    curve: NDArray[np.float64], centres: Centres, widths: NDArray[np.float64]
) -> dict[str, Table]:
    """The force over the displacement, and what each ball bears at last."""
    forces: Table = {
        "displacement [um]": curve[:, 0] * 1e6,
        "force [N/m]": curve[:, 1:].sum(axis=1),
    }
    for k in range(len(centres)):
        forces[f"force on ball {k + 1} [N/m]"] = curve[:, k + 1]
    balls: Table = {
        "x [um]": np.array([centre[0] for centre in centres]) * 1e6,
        "force [N/m]": curve[-1, 1:],
        "contact half width [um]": widths * 1e6,
    }
    return {"force": forces, "balls": balls}

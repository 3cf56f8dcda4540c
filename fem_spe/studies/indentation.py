"""Indentation: rigid balls, such as lithium dendrites, pressed into the top of a structure.

The bottom is clamped and the sides slide unless [boundary.*] says otherwise. The gap is the true
distance to the nearest ball, the normal that of the deformed place. In three dimensions a ball
above an edge or a corner of sliding sides is a half or a quarter of one, by symmetry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import ufl
from dolfinx import fem

from fem_spe.case import Boundary, Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import BOX_FACES, face_names
from fem_spe.meshing import Spot
from fem_spe.physics import elasticity as forms
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Solution
from fem_spe.solve.solids.contact import Contact
from fem_spe.solve.solids.gap import Ball
from fem_spe.solve.solids.multigrid import choose
from fem_spe.solve.solids.pressed import PULL
from fem_spe.solve.solids.pressing import in_steps
from fem_spe.studies.registry import Plan, Study
from fem_spe.studies.solids import large_strain_indentation, mechanics, metal_balls, yielding
from fem_spe.studies.solids.large_strain_indentation import Press
from fem_spe.studies.solids.pushes import Pushes

_FACE = "top"
_CONTACT_CELLS = {2: 30, 3: 8}  # per radius, under the balls
_SPOT = 1.3  # of the half width that a ball would have where it overlaps the undeformed block


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Every region is meshed, finely under the balls."""
    materials = mechanics.require_materials(case, regions)
    if case.balls is None or case.indentation is None:
        missing = "balls" if case.balls is None else "indentation"
        example = 'radius = "4 um"' if case.balls is None else 'displacement = "2 um"'
        raise CaseError(f"[{missing}] is missing; indentation needs it, with {example}")
    large_strain_indentation.require_rigid(case)
    _require_updated(case)
    if isinstance(case.geometry, MeshFile):
        return Plan() if case.balls.rigid else metal_balls.plan(case, Plan(), ())
    size = case.geometry.size
    mechanics.require_plane(case, len(size))
    _require_compressible(materials, len(size))
    faces = _faces(case, len(size))
    large_strain_indentation.require(case, len(size), materials, faces)
    mechanics.require_faces(faces, len(size), face_names(len(size), regions))
    mechanics.require_support(faces, len(size))
    centres = _centres(case, size)
    wanted = Plan(spots=_spots(case, centres, size))
    if not case.balls.rigid:
        return metal_balls.plan(case, wanted, centres)
    _require_elastic(case, regions)
    return wanted


def _require_updated(case: Case) -> None:
    """Raise where another rule for the normals than the usual one is for rigid balls alone.

    Raises:
        CaseError: naming the key.
    """
    assert case.balls is not None
    assert case.indentation is not None
    if case.indentation.normal != "updated" and not case.balls.rigid:
        raise CaseError(
            f'[indentation] normal = "{case.indentation.normal}" is for rigid balls, not for '
            f'material = "{case.balls.material}"; remove one of them'
        )


def _require_elastic(case: Case, regions: tuple[str, ...]) -> None:
    """Raise where a region yields, which the solver for rigid balls does not know.

    Raises:
        CaseError: naming the region.
    """
    yields = yielding.strengths(case, regions)
    if yields:
        raise CaseError(
            f"[materials] {next(iter(yields))} has a yield_stress, which rigid balls do not know; "
            "give [balls] material, or values without yield_stress"
        )


def _require_compressible(materials: dict[str, tuple[float, float]], dimension: int) -> None:
    """Raise where the elements that do not lock are for the plane only.

    Raises:
        CaseError: naming the material; multigrid does not solve them in 3-D.
    """
    stiff, limit = mechanics.too_stiff(materials), mechanics.NEARLY_INCOMPRESSIBLE
    if dimension == 3 and stiff is not None:
        raise CaseError(
            f"[materials] {stiff}: indentation in 3-D needs a poisson_ratio of at most {limit}"
        )


def _faces(case: Case, dimension: int) -> dict[str, Boundary]:
    """The supports: those of the case, and the usual ones on the faces that it does not name."""
    if _FACE in case.boundary:
        raise CaseError(f"[boundary.{_FACE}]: the balls press there; remove it")
    sides = [name for pair in BOX_FACES[dimension][:-1] for name in pair]
    usual = {"bottom": Boundary(clamped=True)} | {name: Boundary(sliding=True) for name in sides}
    return usual | case.boundary


def _centres(case: Case, size: tuple[float, ...]) -> list[tuple[float, ...]]:
    """Where the balls are at first, m."""
    assert case.balls is not None
    assert case.indentation is not None
    height = size[-1]
    if case.indentation.displacement >= height:
        raise CaseError(
            f"[indentation] displacement of {case.indentation.displacement * 1e6:.4g} um leads "
            f"through the block of {height * 1e6:.4g} um; give less"
        )
    try:
        centres = case.balls.centres(size)
    except ValueError as error:
        raise CaseError(f"[balls] {error}") from None
    radius = case.balls.radius
    lowest = min(centre[-1] for centre in centres) - case.indentation.displacement
    if lowest - radius >= height:
        short = lowest - radius - height
        raise CaseError(
            f"[indentation] displacement: no ball reaches the block, {short * 1e6:.4g} um are "
            "missing; give more, or lower [balls] positions"
        )
    _require_outward(case, height - lowest + radius)
    return centres


def _require_outward(case: Case, deep: float) -> None:
    """Raise where the centre of a ball comes below the surface that it is to press on.

    Args:
        case: With balls.
        deep: How far the lowest would go into the undeformed block, m.

    Raises:
        CaseError: with what would work.
    """
    assert case.balls is not None
    assert case.indentation is not None
    radius, indentation = case.balls.radius, case.indentation
    what = f"[indentation] a ball of radius {radius * 1e6:.4g} um would go in by"
    if indentation.normal == "fixed" and deep >= radius:
        raise CaseError(
            f"{what} {deep * 1e6:.4g} um, its centre below the undeformed surface, whence no fixed "
            'normal leads out; give normal = "updated", or a smaller displacement'
        )
    each = min(deep, indentation.displacement / indentation.steps)
    # at finite strain steps are as short as they must be
    if indentation.strain == "small" and indentation.normal == "updated" and each >= radius:
        steps = mechanics.fewest_steps(indentation.displacement, radius)
        raise CaseError(
            f"{what} {each * 1e6:.4g} um in one step, its centre below the surface, whence no "
            f"direction leads out; give steps = {steps} or more, or a smaller displacement"
        )


def _spots(
    case: Case, centres: Sequence[tuple[float, ...]], size: tuple[float, ...]
) -> tuple[Spot, ...]:
    """Where the mesh is fine: under each ball, as wide as it would overlap the block."""
    assert case.balls is not None
    assert case.indentation is not None
    radius, height, found = case.balls.radius, size[-1], []
    fine = case.indentation.contact_size or radius / _CONTACT_CELLS[len(size)]
    for *place, y in centres:
        deep = min(height - (y - case.indentation.displacement - radius), radius)
        if deep > 0.0:
            half_width = math.sqrt(2 * radius * deep - deep**2)
            found.append(Spot((*place, height), _SPOT * half_width, fine))
    return tuple(found)


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Press and measure. Collective.

    Raises:
        ConvergenceError: if the contact does not settle, or contradicts itself.
    """
    assert case.balls is not None
    assert case.indentation is not None
    dimension = domain.dimension
    degree, faces = case.solver.degree or 2, _faces(case, dimension)
    mechanics.require_faces(faces, dimension, list(domain.faces))
    mechanics.require_support(faces, dimension)
    mechanics.require_plane(case, dimension)
    if not case.balls.rigid:
        return metal_balls.run(case, domain, faces, _centres(case, domain.size), clock)
    _require_elastic(case, tuple(domain.regions))
    materials = mechanics.require_materials(case, domain.regions)
    _require_compressible(materials, dimension)
    moduli = forms.moduli(domain, materials, case.elasticity.plane)
    if moduli.plane == "strain":
        mechanics.warn_of_locking(degree, materials)
    centres = [
        tuple(x0 + x for x0, x in zip(domain.origin, place, strict=True))
        for place in _centres(case, domain.size)
    ]
    deep, radius = case.indentation.displacement, case.balls.radius
    down = (*(0.0,) * (dimension - 1), -deep)
    balls = [Ball((*place, y - deep), radius, down) for *place, y in centres]
    if case.indentation.strain == "finite":
        large_strain_indentation.require(case, dimension, materials, faces)
        small = partial(_body, case, domain, moduli, materials, degree)
        return large_strain_indentation.run(
            Press(case, domain, faces, moduli, centres, balls, _FACE, small), clock
        )
    unit = "N" if dimension == 3 else "N/m"
    with clock.stage("solve") as stage:
        contact = _body(case, domain, moduli, materials, degree)
        rows: list[tuple[float, ...]] = []
        kind = case.indentation.contact
        normal, steps = case.indentation.normal, case.indentation.steps
        for step, pressed in enumerate(in_steps(contact, balls, steps, kind=kind, normal=normal)):
            part = (step + 1) / steps
            rows.append((part * deep, *(-pressed.per_ball[:, -1])))
            if steps > 1:
                log.info(
                    "  %.4g um: %.4g %s, %d active sets",
                    part * deep * 1e6, -pressed.per_ball[:, -1].sum(), unit, pressed.iterations,
                )  # fmt: skip
        num_dofs = dimension * int(contact.space.dofmap.index_map.size_global)
        stage.note = f"{num_dofs} unknowns, {contact.method}, {pressed.iterations} active sets"
    with clock.stage("measure"):
        reduced = _locks(degree, materials, moduli)
        sigma, energy = _stress(domain, pressed.u, moduli, reduced=reduced)
        exclude = mechanics.clamped_corners(domain, faces)
        told = mechanics.stressed(domain, sigma, energy, axis=dimension - 1, exclude=exclude)
        pushes = Pushes(
            domain, pressed, centres, [name for name, b in faces.items() if b.sliding], rows
        )
        checks = {
            "penetration": Check(max(0.0, pressed.penetration), 1e-8),
            "force_imbalance": Check(pressed.imbalance, 1e-6),
            "pulled_nodes": Check(min(0.0, pressed.least_pressure), PULL),
            "tangential_force": Check(pressed.slip, 1e-6),
        }
        if kind == "bonded":
            del checks["pulled_nodes"], checks["tangential_force"]
    information = {
        "iterations": pressed.iterations, "method": contact.method, "normal": normal,
    }  # fmt: skip
    if contact.method != "direct":
        information["krylov"] = contact.all_krylov
    return Solution(
        pushes.quantities(deep, normal) | told.quantities,
        checks,
        {"displacement": pressed.u, **told.fields},
        pushes.tables(),
        information,
        num_dofs,
    )


def _body(
    case: Case,
    domain: Domain,
    moduli: forms.Moduli,
    materials: dict[str, tuple[float, float]],
    degree: int,
) -> Contact:
    """The elastic body that may touch the balls, with the linear one that finds the contact."""
    dimension = domain.dimension
    coarse = None if degree == 1 else _body(case, domain, moduli, materials, 1)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (dimension,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    faces = _faces(case, dimension)
    return Contact(
        forms.reduced_bilinear(u, v, moduli, domain)
        if _locks(degree, materials, moduli)
        else forms.bilinear(u, v, moduli, domain.dx),
        mechanics.tractions(domain, v, faces),
        space,
        mechanics.supports(domain, space, faces),
        domain.face_dofs(space, _FACE),
        rtol=case.solver.rtol,
        method=choose(degree, dimension),
        name="contact",
        coarse=coarse,
    )


def _locks(degree: int, materials: dict[str, tuple[float, float]], moduli: forms.Moduli) -> bool:
    """Whether div u is taken as its mean over each cell; a film gives way across its plane."""
    thick = moduli.plane == "strain"
    return thick and degree == 2 and mechanics.too_stiff(materials) is not None


def _stress(domain: Domain, u: fem.Function, m: forms.Moduli, *, reduced: bool) -> tuple[Any, Any]:
    """Stress, Pa, and strain energy per volume, J/m^3, as the solution has them."""
    if not reduced:
        return forms.full_stress(u, m), forms.energy_density(u, m)
    constants = fem.functionspace(domain.mesh, ("DG", 0))
    mean = fem.Function(constants)  # one point, as in `forms.reduced_bilinear`
    mean.interpolate(fem.Expression(ufl.div(u), constants.element.interpolation_points))
    eps = forms.strain(u)
    energy = m.mu * ufl.inner(eps, eps) + 0.5 * m.lam * mean**2
    return forms.mixed_full_stress(u, m.lam * mean, m), energy


STUDY = Study("indentation", plan, run)

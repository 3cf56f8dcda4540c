"""Indentation: rigid balls, such as lithium dendrites, pressed into the top of a structure.

The bottom is clamped and the sides slide unless [boundary.*] says otherwise. The gap is the true
distance to the nearest ball, the normal that of the deformed place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from fem_spe.case import Boundary, Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import face_names
from fem_spe.measure.flux import gather
from fem_spe.meshing import Spot
from fem_spe.physics import elasticity as forms
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution, Table
from fem_spe.solve.contact import Contact
from fem_spe.solve.gap import Ball
from fem_spe.solve.pressed import Pressed
from fem_spe.solve.pressing import in_steps
from fem_spe.studies import mechanics
from fem_spe.studies.registry import Plan, Study

_FACE = "top"
_CONTACT_CELLS = 30  # per radius, under the balls
_SPOT = 1.3  # of the half width that a ball would have where it overlaps the undeformed block


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Every region is meshed, finely under the balls."""
    mechanics.require_materials(case, regions)
    if case.balls is None or case.indentation is None:
        missing = "balls" if case.balls is None else "indentation"
        example = 'radius = "4 um"' if case.balls is None else 'displacement = "2 um"'
        raise CaseError(f"[{missing}] is missing; indentation needs it, with {example}")
    if isinstance(case.geometry, MeshFile):
        return Plan()
    if len(case.geometry.size) != 2:
        raise CaseError("indentation works in two dimensions so far; give a size of two values")
    faces = _faces(case)
    mechanics.require_faces(faces, 2, face_names(2, regions))
    mechanics.require_support(faces, 2)
    width, height = case.geometry.size
    return Plan(spots=_spots(case, _centres(case, (width, height)), height))


def _faces(case: Case) -> dict[str, Boundary]:
    """The supports: those of the case, and the usual ones on the faces that it does not name."""
    if _FACE in case.boundary:
        raise CaseError(f"[boundary.{_FACE}]: the balls press there; remove it")
    usual = {
        "bottom": Boundary(clamped=True),
        "left": Boundary(sliding=True),
        "right": Boundary(sliding=True),
    }
    return usual | case.boundary


def _centres(case: Case, size: tuple[float, float]) -> list[tuple[float, float]]:
    """Where the balls are at first, m."""
    assert case.balls is not None
    assert case.indentation is not None
    if case.indentation.displacement >= size[1]:
        raise CaseError(
            f"[indentation] displacement of {case.indentation.displacement * 1e6:.4g} um leads "
            f"through the block of {size[1] * 1e6:.4g} um; give less"
        )
    try:
        centres = case.balls.centres(size)
    except ValueError as error:
        raise CaseError(f"[balls] {error}") from None
    radius = case.balls.radius
    lowest = min(y for _, y in centres) - case.indentation.displacement
    if lowest - radius >= size[1]:
        short = lowest - radius - size[1]
        raise CaseError(
            f"[indentation] displacement: no ball reaches the block, {short * 1e6:.4g} um are "
            "missing; give more, or lower [balls] positions"
        )
    deepest = min(size[1] - lowest + radius, case.indentation.displacement / case.indentation.steps)
    if deepest >= radius:
        steps = math.floor(case.indentation.displacement / radius) + 1
        raise CaseError(
            f"[indentation] a ball of radius {radius * 1e6:.4g} um would go in by "
            f"{deepest * 1e6:.4g} um in one step, its centre below the surface, whence no "
            f"direction leads out; give steps = {steps} or more, or a smaller "
            "displacement"
        )
    return centres


def _spots(case: Case, centres: Sequence[tuple[float, float]], height: float) -> tuple[Spot, ...]:
    """Where the mesh is fine: under each ball, as wide as it would overlap the block."""
    assert case.balls is not None
    assert case.indentation is not None
    radius, found = case.balls.radius, []
    size = case.indentation.contact_size or radius / _CONTACT_CELLS
    for x, y in centres:
        deep = min(height - (y - case.indentation.displacement - radius), radius)
        if deep > 0.0:
            half_width = math.sqrt(2 * radius * deep - deep**2)
            found.append(Spot((x, height), _SPOT * half_width, size))
    return tuple(found)


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Press and measure. Collective.

    Raises:
        ConvergenceError: if the contact does not settle, or contradicts itself.
    """
    assert case.balls is not None
    assert case.indentation is not None
    if domain.dimension != 2:
        raise CaseError("indentation works in two dimensions so far; the mesh has three")
    degree, faces = case.solver.degree or 2, _faces(case)
    mechanics.require_faces(faces, 2, list(domain.faces))
    mechanics.require_support(faces, 2)
    materials = mechanics.require_materials(case, domain.regions)
    mechanics.warn_of_locking(degree, materials)
    moduli = forms.moduli(domain, materials, case.elasticity.plane)
    x0, y0 = domain.origin
    width, height = domain.size
    centres = [(x0 + x, y0 + y) for x, y in _centres(case, (width, height))]
    deep, radius = case.indentation.displacement, case.balls.radius
    balls = [Ball((x, y - deep), radius, (0.0, -deep)) for x, y in centres]
    with clock.stage("solve") as stage:
        contact = _body(case, domain, moduli, materials, degree)
        rows: list[tuple[float, ...]] = []
        kind = case.indentation.contact
        for step, pressed in enumerate(in_steps(contact, balls, case.indentation.steps, kind=kind)):
            part = (step + 1) / case.indentation.steps
            rows.append((part * deep, *(-pressed.per_ball[:, 1])))
            if case.indentation.steps > 1:
                log.info(
                    "  %.4g um: %.4g N/m, %d active sets",
                    part * deep * 1e6, -pressed.per_ball[:, 1].sum(), pressed.iterations,
                )  # fmt: skip
        num_dofs = 2 * int(contact.space.dofmap.index_map.size_global)
        stage.note = f"{num_dofs} unknowns, direct, {pressed.iterations} active sets"
    with clock.stage("measure"):
        sigma, energy = _stress(domain, pressed.u, moduli, reduced=_locks(degree, materials))
        exclude = mechanics.clamped_corners(domain, faces)
        told = mechanics.stressed(domain, sigma, energy, axis=1, exclude=exclude)
        quantities = _contact_numbers(domain, pressed, rows[-1][1:], deep) | told.quantities
        checks = {
            "penetration": Check(max(0.0, pressed.penetration), 1e-8),
            "force_imbalance": Check(pressed.imbalance, 1e-6),
            "pulled_nodes": Check(min(0.0, pressed.least_pressure), 1e-9),
            "tangential_force": Check(pressed.slip, 1e-6),
        }
        if kind == "bonded":
            del checks["pulled_nodes"], checks["tangential_force"]
        tables = _tables(domain, pressed, centres, rows)
    information = {
        "iterations": pressed.iterations, "method": contact.method, "normal": "updated",
    }  # fmt: skip
    fields = {"displacement": pressed.u, **told.fields}
    return Solution(quantities, checks, fields, tables, information, num_dofs)


def _body(
    case: Case,
    domain: Domain,
    moduli: forms.Moduli,
    materials: dict[str, tuple[float, float]],
    degree: int,
) -> Contact:
    """The elastic body that may touch the balls, with the linear one that finds the contact."""
    coarse = None if degree == 1 else _body(case, domain, moduli, materials, 1)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (2,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    faces = _faces(case)
    return Contact(
        forms.reduced_bilinear(u, v, moduli, domain)
        if _locks(degree, materials)
        else forms.bilinear(u, v, moduli, domain.dx),
        mechanics.tractions(domain, v, faces),
        space,
        mechanics.supports(domain, space, faces),
        domain.face_dofs(space, _FACE),
        rtol=case.solver.rtol,
        name="contact",
        coarse=coarse,
    )


def _locks(degree: int, materials: dict[str, tuple[float, float]]) -> bool:
    """Whether div u is taken as its mean over each cell."""
    return degree == 2 and max(nu for _, nu in materials.values()) > mechanics.NEARLY_INCOMPRESSIBLE


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


def _contact_numbers(
    domain: Domain, pressed: Pressed, forces: Sequence[float], deep: float
) -> dict[str, Quantity]:
    widths = _half_widths(domain, pressed, len(forces))
    return {
        "contact_force": Quantity(float(sum(forces)), "N/m", "of all balls together"),
        "contact_radius": Quantity(float(np.mean(widths)), "m", "half width, mean of the balls"),
        "max_penetration": Quantity(
            max(0.0, pressed.penetration) * deep, "m", "of a node into a ball, round-off"
        ),
    }


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


def _tables(
    domain: Domain,
    pressed: Pressed,
    centres: Sequence[tuple[float, float]],
    rows: list[tuple[float, ...]],
) -> dict[str, Table]:
    curve = np.array(rows)
    forces: Table = {
        "displacement [um]": curve[:, 0] * 1e6,
        "force [N/m]": curve[:, 1:].sum(axis=1),
    }
    for k in range(len(centres)):
        forces[f"force on ball {k + 1} [N/m]"] = curve[:, k + 1]
    balls: Table = {
        "x [um]": np.array([x for x, _ in centres]) * 1e6,
        "force [N/m]": curve[-1, 1:],
        "contact half width [um]": _half_widths(domain, pressed, len(centres)) * 1e6,
    }
    return {"force": forces, "balls": balls}


STUDY = Study("indentation", plan, run)

"""Balls pressed into a structure at finite strain, with the small-strain answer beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.physics import elasticity as linear
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution
from fem_spe.solve.solids.contact import Contact
from fem_spe.solve.solids.gap import Ball
from fem_spe.solve.solids.large_pressing import press_in
from fem_spe.solve.solids.multigrid import choose
from fem_spe.solve.solids.pressed import PULL, Kind, Pressed
from fem_spe.solve.solids.pressing import in_steps
from fem_spe.studies.solids import large_strain, mechanics
from fem_spe.studies.solids.pushes import Pushes


@dataclass(frozen=True)
class Press:
    """Balls above a structure.

    Attributes:
        case: With every default.
        domain: The mesh.
        faces: Supports and loads of the structure.
        moduli: Of its regions.
        centres: Of the balls at first, m.
        balls: At last, with their way.
        face: That they are pressed into.
        small: The same body at small strain.
    """

    case: Case
    domain: Domain
    faces: mechanics.Faces
    moduli: linear.Moduli
    centres: Sequence[tuple[float, ...]]
    balls: Sequence[Ball]
    face: str
    small: Callable[[], Contact]

    @property
    def deep(self) -> float:
        """How far the balls are to move, m."""
        return float(-self.balls[0].motion[-1])

    @property
    def kind(self) -> Kind:
        """How the balls hold."""
        assert self.case.indentation is not None
        return self.case.indentation.contact

    @property
    def unit(self) -> str:
        """Of forces."""
        return "N" if self.domain.dimension == 3 else "N/m"


def require_rigid(case: Case) -> None:
    """Raise where [balls] and [elasticity] do not go with the strain.

    Raises:
        CaseError: naming the key.
    """
    if case.elasticity.strain == "finite":
        raise CaseError("[elasticity] strain is for loads without balls; give [indentation] strain")
    assert case.balls is not None
    assert case.indentation is not None
    if case.indentation.strain == "finite" and not case.balls.rigid:
        raise CaseError(
            f'[balls] material = "{case.balls.material}": balls that deform are for small '
            'strain alone; give material = "rigid", or [indentation] strain = "small"'
        )


def require(
    case: Case,
    dimension: int,
    materials: dict[str, tuple[float, float]],
    faces: mechanics.Faces,
) -> None:
    """Raise where balls cannot be pressed in at finite strain; `faces` hold the structure.

    Raises:
        CaseError: naming what stands against it.
    """
    assert case.indentation is not None
    if case.indentation.strain == "small":
        return
    large_strain.require(case, dimension, materials)
    for name, boundary in faces.items():
        if any(value not in ("free", 0.0) for value in boundary.displacement or ()):
            raise CaseError(
                f'[boundary.{name}] displacement: with [indentation] strain = "finite" faces are '
                "held where they are; give 0 or clamped = true, or a traction"
            )


def run(press: Press, clock: Clock) -> Solution:
    """Press and measure. Collective.

    Raises:
        ConvergenceError: if not even the first step is reached.
    """
    case, domain, kind, unit = press.case, press.domain, press.kind, press.unit
    assert case.indentation is not None
    degree, dimension = case.solver.degree or 2, domain.dimension
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (dimension,)))
    num_dofs = dimension * int(space.dofmap.index_map.size_global)
    with clock.stage("solve") as stage:
        contact = large_strain.touching_body(
            domain, space, press.moduli, mechanics.supports(domain, space, press.faces),
            press.face, press.faces, rtol=case.solver.rtol, method=choose(degree, dimension),
        )  # fmt: skip
        rows: list[tuple[float, ...]] = []
        reached: Pressed | None = None
        part, newton, stopped = 0.0, 0, ""
        try:
            for part, reached in press_in(contact, press.balls, case.indentation.steps, kind=kind):
                newton += reached.iterations
                rows.append((part * press.deep, *(-reached.per_ball[:, -1])))
                log.info(
                    "  %.4g um: %.4g %s, %d steps of Newton's method",
                    part * press.deep * 1e6, sum(rows[-1][1:]), unit, reached.iterations,
                )  # fmt: skip
        except ConvergenceError as error:
            if reached is None:
                raise
            stopped = (
                f"[indentation] the balls come {part * press.deep * 1e6:.4g} um deep, not "
                f"{press.deep * 1e6:.4g} um: {error}; the last good step is kept"
            )
        assert reached is not None
        stage.note = f"{num_dofs} unknowns, {contact.method}, {newton} Newton in {len(rows)} steps"
    with clock.stage("small strain"):
        small = _small(press, part, len(rows))
    with clock.stage("measure"):
        exclude = mechanics.clamped_corners(domain, press.faces)
        told = large_strain.stressed(domain, reached.u, press.moduli, exclude)
        pushes = _pushes(press, reached, rows)
        quantities = pushes.quantities(rows[-1][0]) | told.quantities
        quantities["reached_displacement"] = Quantity(rows[-1][0], "m", "of the balls")
        tables = pushes.tables()
        if small is not None:
            quantities |= large_strain.differences(quantities, _told_small(press, part, small))
            tables["balls"][f"small-strain force [{unit}]"] = -small.per_ball[:, -1]
        checks = {
            "penetration": Check(max(0.0, reached.penetration), 1e-8),
            "force_imbalance": Check(reached.imbalance, 1e-6),
            "unreached": Check(1.0 - part, 0.0),
        }
        if kind == "frictionless":
            checks["pulled_nodes"] = Check(min(0.0, reached.least_pressure), PULL)
            checks["tangential_force"] = Check(reached.slip, 1e-6)
    information = {
        "iterations": newton, "steps": len(rows), "method": contact.method, "normal": "updated",
        "strain": "finite",
    }  # fmt: skip
    if contact.method != "direct":
        information["krylov"] = contact.krylov
    fields = {"displacement": reached.u, **told.fields}
    return Solution(quantities, checks, fields, tables, information, num_dofs, stopped=stopped)


def _small(press: Press, part: float, steps: int) -> Pressed | None:
    """The answer of small strain where the balls came to; None where there is none."""
    assert press.case.indentation is not None
    body, deep = press.small(), part * press.deep
    if press.kind != "bonded":  # what sticks depends on the way
        least = mechanics.fewest_steps(deep, press.balls[0].radius)
        steps = max(press.case.indentation.steps, least)
    balls = [
        Ball((*place, y - deep), ball.radius, (*(0.0,) * len(place), -deep))
        for (*place, y), ball in zip(press.centres, press.balls, strict=True)
    ]
    try:
        *_, found = in_steps(body, balls, steps, kind=press.kind)
    except ConvergenceError as error:
        log.warning("small strain gives no answer to compare with: %s", error)
        return None
    return found


def _told_small(press: Press, part: float, found: Pressed) -> dict[str, Quantity]:
    domain, deep = press.domain, part * press.deep
    sigma = linear.full_stress(found.u, press.moduli)
    energy = linear.energy_density(found.u, press.moduli)
    exclude = mechanics.clamped_corners(domain, press.faces)
    told = mechanics.stressed(domain, sigma, energy, axis=domain.dimension - 1, exclude=exclude)
    rows = [(deep, *(-found.per_ball[:, -1]))]
    return _pushes(press, found, rows).quantities(deep) | told.quantities


def _pushes(press: Press, found: Pressed, rows: Sequence[tuple[float, ...]]) -> Pushes:
    sliding = [name for name, boundary in press.faces.items() if boundary.sliding]
    return Pushes(press.domain, found, press.centres, sliding, rows)

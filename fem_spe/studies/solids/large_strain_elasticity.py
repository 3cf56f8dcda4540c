"""A structure under loads on its faces at finite strain, with the small-strain answer beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import ConvergenceError
from fem_spe.physics import elasticity as linear
from fem_spe.physics import hyperelasticity as forms
from fem_spe.progress import Clock, log
from fem_spe.results import Check, Quantity, Solution
from fem_spe.solve.solids import elastic
from fem_spe.solve.solids.large_strain import Deformed
from fem_spe.solve.solids.load_steps import climb
from fem_spe.studies.solids import large_strain, loads, mechanics


def run(
    case: Case,
    domain: Domain,
    materials: dict[str, tuple[float, float]],
    small: Callable[[], Solution],
    clock: Clock,
) -> Solution:
    """Load and measure. Collective.

    Args:
        case: With every default.
        domain: The mesh.
        materials: Region -> (E in Pa, nu).
        small: The answer of small strain.
        clock: Of the run.

    Raises:
        ConvergenceError: if not even the first step is reached.
    """
    degree, faces = case.solver.degree or 1, case.boundary
    m = linear.moduli(domain, materials)
    space = fem.functionspace(domain.mesh, ("Lagrange", degree, (domain.dimension,)))
    num_dofs = domain.dimension * int(space.dofmap.index_map.size_global)
    reached: Deformed | None = None
    part, newton, stopped = 0.0, 0, ""
    rows: list[tuple[float, ...]] = []
    names: list[str] = []
    with clock.stage("solve") as stage:
        body = large_strain.body(
            domain, space, m, mechanics.supports(domain, space, faces), faces,
            rtol=case.solver.rtol, method=elastic.choose(num_dofs, domain.dimension),
        )  # fmt: skip
        try:
            for part, reached in climb(
                lambda _, to, last: body.under(to, last and last.u), [1.0], 1.0
            ):
                newton += reached.iterations
                forces, balance = loads.forces_at(domain, faces, reached.residual, part=part)
                names = list(forces)
                rows.append((part, *(force.value for force in forces.values())))
                log.info("  %.4g of the load, %d steps", part, reached.iterations)
        except ConvergenceError as error:
            if reached is None:
                raise
            stopped = (
                f"[boundary.*] {part:.4g} of the load is reached, not all of it: {error}; the "
                "last good step is kept"
            )
        finally:
            body.destroy()
        assert reached is not None
        stage.note = f"{num_dofs} unknowns, {body.method}, {newton} Newton in {len(rows)} steps"
    hooke = small().quantities
    with clock.stage("measure"):
        exclude = mechanics.clamped_corners(domain, faces)
        told = large_strain.stressed(domain, reached.u, m, exclude)
        quantities = told.quantities | forces
        quantities |= loads.tension(domain, forms.cauchy_stress(reached.u, m), exclude)
        quantities |= large_strain.differences(quantities, _scaled(hooke, part))
        quantities["reached_load"] = Quantity(part, "", "part of displacements and tractions")
    columns = np.array(rows).T
    units = [forces[name].unit for name in names]
    heads = ["load", *(f"{name} [{unit}]" for name, unit in zip(names, units, strict=True))]
    return Solution(
        quantities,
        {"force_imbalance": balance, "unreached": Check(1.0 - part, 0.0)},
        {"displacement": reached.u, **told.fields},
        {"load": dict(zip(heads, columns, strict=True))},
        {"iterations": newton, "steps": len(rows), "method": body.method, "strain": "finite"},
        num_dofs,
        stopped=stopped,
    )


def _scaled(hooke: dict[str, Quantity], part: float) -> dict[str, Quantity]:
    """The numbers of a linear answer under a part of its load."""
    return {
        name: replace(q, value=q.value * (part**2 if name == "strain_energy" else part))
        for name, q in hooke.items()
    }

"""What is told of a structure with loads on its faces: reactions, their balance, tension."""

from __future__ import annotations

from typing import Any

import numpy as np
from dolfinx import fem

from fem_spe.domain import Domain
from fem_spe.measure.charge import once
from fem_spe.measure.stress import Mask, by_region, reactions
from fem_spe.physics import elasticity as forms
from fem_spe.results import Check, Quantity
from fem_spe.studies.solids import mechanics

_BALANCE = 1e-9  # of reactions and loads


def forces_at(
    domain: Domain, faces: mechanics.Faces, residual: fem.Function, *, part: float = 1.0
) -> tuple[dict[str, Quantity], Check]:
    """The reactions where faces are held, and how far they balance the loads. Collective.

    Args:
        domain: The mesh.
        faces: With supports and tractions.
        residual: Inner less outer forces at every node, N.
        part: Of the tractions that acts.
    """
    held = mechanics.held(faces, domain.dimension)
    forces = reactions(domain, residual, held)
    unit, told = "N" if domain.dimension == 3 else "N/m", {}
    for face, axes in held.items():
        for axis in axes:
            text = f"force on the structure at {face} along {'xyz'[axis]}"
            name = f"reaction_{'xyz'[axis]}.{face}"
            told[name] = Quantity(forces[face][axis], unit, text)
    parts = [np.array(force) for force in forces.values()]
    given = {name: b.traction for name, b in faces.items() if b.traction is not None}
    on = once(domain, given)
    for name, traction in given.items():
        area = domain.integrate(1.0 * on(domain.face(name)))
        parts.append(part * area * np.array(traction))
    largest = max((float(np.linalg.norm(force)) for force in parts), default=0.0)
    rest = float(np.linalg.norm(sum(parts))) / largest if largest else 0.0
    return told, Check(rest, _BALANCE)


def tension(domain: Domain, sigma: Any, exclude: Mask | None) -> dict[str, Quantity]:
    """The largest principal stress in each region, Pa. Collective.

    Args:
        domain: The mesh.
        sigma: Stress as a 3 x 3 tensor, Pa.
        exclude: Points that do not count.
    """
    found = by_region(domain, forms.principal(sigma)[0], exclude=exclude)
    return {
        f"max_principal.{region}": Quantity(
            of.maximum, "Pa", f"largest principal stress in {region}"
        )
        for region, of in found.items()
    }

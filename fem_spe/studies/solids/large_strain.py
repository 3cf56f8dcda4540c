"""What studies at finite strain share: neo-Hookean bodies, their numbers, small strain beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.errors import CaseError
from fem_spe.measure.squeezed import squeezed
from fem_spe.measure.stress import Mask, shares
from fem_spe.physics import elasticity as linear
from fem_spe.physics import hyperelasticity as forms
from fem_spe.progress import log
from fem_spe.results import Quantity
from fem_spe.solve.solids.contact import Contact
from fem_spe.solve.solids.large_contact import LargeContact
from fem_spe.solve.solids.large_strain import Body, Upright
from fem_spe.studies.solids import mechanics

# Of what is told, what small strain answers as well
_COMPARED = ("contact_force", "contact_radius", "strain_energy", "reaction_", "max_principal.")
_ROUND_OFF = 1e-9  # of the largest reaction
_STRENGTHS = tuple(f"{part}_von_mises." for part in ("mean", "p99", "p999", "max"))


def require(case: Case, dimension: int, materials: Mapping[str, tuple[float, float]]) -> None:
    """Raise where finite strain is not to be had.

    Raises:
        CaseError: naming what stands against it.
    """
    if dimension == 2 and case.elasticity.plane == "stress":
        raise CaseError(
            '[elasticity] plane = "stress" is for small strain alone; give plane = "strain", or '
            'strain = "small"'
        )
    for region in materials:
        material = case.material(region)
        if material is not None and material.yield_stress is not None:
            raise CaseError(
                f"[materials] {region} has a yield_stress, which is for small strain alone; give "
                'strain = "small", or values without yield_stress'
            )
    stiff, limit = mechanics.too_stiff(materials), mechanics.NEARLY_INCOMPRESSIBLE
    if stiff is not None:
        raise CaseError(
            f'[materials] {stiff}: strain = "finite" needs a poisson_ratio of at most {limit}'
        )


def body(
    domain: Domain,
    space: fem.FunctionSpace,
    m: linear.Moduli,
    bcs: Sequence[fem.DirichletBC],
    faces: mechanics.Faces | None = None,
    *,
    rtol: float = 1e-12,
    method: str = "direct",
) -> Body:
    """A neo-Hookean body that is held, and drawn at the tractions of `faces`. Collective."""
    u, w, v = fem.Function(space), ufl.TrialFunction(space), ufl.TestFunction(space)
    degree = forms.quadrature_degree(space.element.basix_element.degree, domain.dimension)
    dx = domain.dx(metadata={"quadrature_degree": degree})
    part = fem.Constant(domain.mesh, 0.0)
    load = mechanics.tractions(domain, v, faces or {})
    inner = forms.residual(u, v, m, dx)
    return Body(
        u,
        inner if load is None else inner - part * load,
        forms.tangent(u, w, v, m, dx),
        part,
        bcs,
        Upright(u, forms.stretch(u), degree),
        rtol=rtol,
        method=method,
    )


def touching_body(
    domain: Domain,
    space: fem.FunctionSpace,
    m: linear.Moduli,
    bcs: Sequence[fem.DirichletBC],
    face: str,
    faces: mechanics.Faces | None = None,
    *,
    rtol: float = 1e-12,
    method: str = "direct",
) -> LargeContact:
    """A neo-Hookean body that balls may touch on `face`. Collective.

    Args:
        domain: The mesh.
        space: Of the displacement.
        m: Moduli.
        bcs: Zero displacements.
        face: Where balls may touch.
        faces: With the supports that `bcs` are of, and with tractions.
        rtol: On the reduced residual.
        method: `direct`, `elastic` or `two-level`, see `multigrid.choose`.
    """
    u, v = fem.Function(space), ufl.TestFunction(space)
    degree = forms.quadrature_degree(space.element.basix_element.degree, domain.dimension)
    dx = domain.dx(metadata={"quadrature_degree": degree})
    held_back = fem.Constant(domain.mesh, 0.0)
    coarse = None
    if method == "two-level":  # the same tangent on linear elements
        low = fem.functionspace(domain.mesh, ("Lagrange", 1, (domain.dimension,)))
        v1 = ufl.TestFunction(low)
        coarse = Contact(
            forms.tangent(u, ufl.TrialFunction(low), v1, m, dx, held_back), None, low,
            mechanics.supports(domain, low, faces or {}), domain.face_dofs(low, face), rtol=rtol,
            method="elastic", name="contact", residual=forms.residual(u, v1, m, dx),
        )  # fmt: skip
    part = fem.Constant(domain.mesh, 0.0)
    load = mechanics.tractions(domain, v, faces or {})
    return LargeContact(
        u,
        forms.residual(u, v, m, dx),
        forms.tangent(u, ufl.TrialFunction(space), v, m, dx, held_back),
        None if load is None else part * load,
        part,
        held_back,
        bcs,
        domain.face_dofs(space, face),
        Upright(u, forms.stretch(u), degree),
        rtol=rtol,
        method=method,
        coarse=coarse,
    )


def stressed(
    domain: Domain, u: fem.Function, m: linear.Moduli, exclude: Mask | None
) -> mechanics.Stressed:
    """Cauchy stresses of the deformed body, by parts of the undeformed volume. Collective.

    Corners of cells that are inside out, where equilibrium does not look, have none.
    """
    axis = domain.dimension - 1
    upright = ufl.gt(forms.stretch(u), 0.0)
    sigma = _where(upright, forms.cauchy_stress(u, m))
    energy = ufl.conditional(upright, forms.energy_density(u, m), 0.0)
    told = mechanics.stressed(domain, sigma, energy, axis=axis, exclude=exclude)
    # the force across a section of the material is that of the nominal stress
    nominal = ufl.conditional(upright, forms.nominal_stress(u, m)[axis, axis], 0.0)
    loads = {
        f"load_share.{region}": replace(told.quantities[f"load_share.{region}"], value=share)
        for region, share in shares(domain, nominal).items()
    }
    return replace(told, quantities=told.quantities | loads | _squeezed(domain, u))


def _where(condition: Any, tensor: Any) -> Any:
    """`tensor` where the condition holds, else zero."""
    rows, columns = tensor.ufl_shape
    return ufl.as_tensor(
        [[ufl.conditional(condition, tensor[i, j], 0.0) for j in range(columns)]
         for i in range(rows)]
    )  # fmt: skip


def _squeezed(domain: Domain, u: fem.Function) -> dict[str, Quantity]:
    """How much of each region is squeezed, and a warning where largest stresses mean nothing."""
    degree = forms.quadrature_degree(
        u.function_space.element.basix_element.degree, domain.dimension
    )
    told = {}
    for region, of in squeezed(domain, forms.stretch(u), degree).items():
        text = f"of {region}, in cells that have less than half of their volume somewhere"
        told[f"squeezed_share.{region}"] = Quantity(of.share, "", text)
        text = f"volume over undeformed volume in {region}: least, at ({of.where}) um"
        told[f"least_volume_ratio.{region}"] = Quantity(of.least, "", text)
        if of.least <= 0.0:
            log.warning(
                "a corner of a cell of %s is inside out at (%s) um: largest stresses mean nothing "
                "about there; give a smaller interface_size and contact_size", region, of.where,
            )  # fmt: skip
    return told


def differences(
    finite: Mapping[str, Quantity], small: Mapping[str, Quantity]
) -> dict[str, Quantity]:
    """Of what both tell, finite over small strain less one: `small_strain_difference.NAME`.

    Forces that are round-off beside others are left out.
    """
    forces = [abs(q.value) for name, q in small.items() if name.startswith("reaction_")]
    least = _ROUND_OFF * max(forces, default=0.0)
    return {
        f"small_strain_difference.{name}": Quantity(
            quantity.value / small[name].value - 1.0, "", f"{name}: finite over small strain, - 1"
        )
        for name, quantity in finite.items()
        if name.startswith(_COMPARED + _STRENGTHS)
        and abs(small[name].value) > (least if name.startswith("reaction_") else 0.0)
    }

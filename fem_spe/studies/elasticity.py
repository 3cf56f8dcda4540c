"""Elasticity: how a structure deforms under displacements and forces on its faces."""

from __future__ import annotations

from functools import partial

import ufl
from dolfinx import fem

from fem_spe.case import Case
from fem_spe.domain import Domain
from fem_spe.geometry import MeshFile
from fem_spe.geometry.faces import face_names
from fem_spe.physics import elasticity as forms
from fem_spe.progress import Clock
from fem_spe.results import Solution
from fem_spe.solve.linear import residual_vector
from fem_spe.solve.solids import elastic
from fem_spe.studies.registry import Plan, Study
from fem_spe.studies.solids import large_strain, large_strain_elasticity, loads, mechanics, yielding


def plan(case: Case, regions: tuple[str, ...]) -> Plan:
    """Every region is meshed; the faces hold the structure."""
    materials = mechanics.require_materials(case, regions)
    if not isinstance(case.geometry, MeshFile):
        dimension = len(case.geometry.size)
        mechanics.require_faces(case.boundary, dimension, face_names(dimension, regions))
        mechanics.require_support(case.boundary, dimension)
        mechanics.require_plane(case, dimension)
        if case.elasticity.strain == "finite":
            large_strain.require(case, dimension, materials)
        yielding.require(case, dimension, materials, yielding.strengths(case, regions))
    return Plan()


def run(case: Case, domain: Domain, clock: Clock) -> Solution:
    """Solve and measure. Collective."""
    degree, dimension = case.solver.degree or 1, domain.dimension
    faces = case.boundary
    mechanics.require_faces(faces, dimension, list(domain.faces))
    mechanics.require_support(faces, dimension)
    mechanics.require_plane(case, dimension)
    materials = mechanics.require_materials(case, domain.regions)
    thick = case.elasticity.plane == "strain"  # a film gives way across its plane, and never locks
    if thick:
        mechanics.warn_of_locking(degree, materials)
    yields = yielding.strengths(case, domain.regions)
    yielding.require(case, dimension, materials, yields)
    if yields:
        return yielding.run(case, domain, materials, yields, clock)
    if case.elasticity.strain == "finite":
        large_strain.require(case, dimension, materials)
        hooke = case.elasticity.model_copy(update={"strain": "small"})
        small = partial(run, case.model_copy(update={"elasticity": hooke}), domain, clock)
        return large_strain_elasticity.run(case, domain, materials, small, clock)
    moduli = forms.moduli(domain, materials, case.elasticity.plane)
    stiffest = max(nu for _, nu in materials.values())
    mixed = thick and degree == 2 and stiffest > mechanics.NEARLY_INCOMPRESSIBLE
    with clock.stage("solve") as stage:
        space = fem.functionspace(domain.mesh, ("Lagrange", degree, (dimension,)))
        num_dofs = int(space.dofmap.index_map.size_global) * dimension
        if mixed:
            whole = elastic.taylor_hood(domain.mesh)
            u, p = ufl.TrialFunctions(whole)
            v, q = ufl.TestFunctions(whole)
            a = forms.mixed_bilinear(u, p, v, q, moduli, domain.dx)
            load = mechanics.tractions(domain, v, faces)
            load = ufl.inner(fem.Constant(domain.mesh, 0.0), q) * domain.dx + (load or 0)
            bcs = mechanics.supports(domain, whole.sub(0), faces)
            solved = elastic.solve_mixed(a, load, whole, bcs, rtol=case.solver.rtol)
            displaced, pressure = ufl.split(solved.u)
            sigma = forms.mixed_full_stress(displaced, pressure, moduli)
            displacement = solved.u.sub(0).collapse()
            residual = residual_vector(a, load, solved.u).sub(0).collapse()
        else:
            u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
            a = forms.bilinear(u, v, moduli, domain.dx)
            load = mechanics.tractions(domain, v, faces)
            bcs = mechanics.supports(domain, space, faces)
            method = elastic.choose(num_dofs, dimension)
            solved = elastic.solve(a, load, space, bcs, rtol=case.solver.rtol, method=method)
            displacement = solved.u
            sigma = forms.full_stress(displacement, moduli)
            residual = residual_vector(a, load, displacement)
        stage.note = f"{num_dofs} unknowns, {solved.method}, {solved.iterations} iterations"
    with clock.stage("measure"):
        energy = 0.5 * ufl.inner(sigma, _padded(forms.strain(displacement)))
        exclude = mechanics.clamped_corners(domain, faces)
        told = mechanics.stressed(domain, sigma, energy, axis=dimension - 1, exclude=exclude)
        quantities = dict(told.quantities)
        quantities |= loads.tension(domain, sigma, exclude)
        forces, balance = loads.forces_at(domain, faces, residual)
        quantities |= forces
        checks = {"force_imbalance": balance}
    information = {
        "iterations": solved.iterations, "method": solved.method, "residual": solved.residual,
    }  # fmt: skip
    fields = {"displacement": displacement, **told.fields}
    return Solution(quantities, checks, fields, {}, information, num_dofs)


def _padded(strain: ufl.core.expr.Expr) -> ufl.core.expr.Expr:
    if strain.ufl_shape == (3, 3):
        return strain
    return ufl.as_tensor(
        [[strain[0, 0], strain[0, 1], 0], [strain[1, 0], strain[1, 1], 0], [0, 0, 0]]
    )


STUDY = Study("elasticity", plan, run)

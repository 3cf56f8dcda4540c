"""What a case becomes before the work begins: checked, placed, with sizes."""

from __future__ import annotations

from fem_spe.case import Case
from fem_spe.case.resolved import with_mesh_defaults, with_solver_defaults, with_voxel_defaults
from fem_spe.errors import CaseError
from fem_spe.geometry import (
    AlignedSection,
    AlternatingSection,
    Box,
    MeshFile,
    Network,
    Printed,
    Section,
    Voxels,
)
from fem_spe.geometry.image_sample import default_voxel
from fem_spe.meshing import MeshPlan, Sizes, Structure
from fem_spe.studies import Plan, Study, lookup


def check(case: Case) -> tuple[Study, Plan | None]:
    """The study of `case`, and what it wants of the mesh, if it wants one.

    Raises:
        CaseError: what is wrong in the case itself, before anything is built.
    """
    study = lookup(case.study)
    return study, study.plan(case, _regions(case))


def resolved(case: Case) -> list[Case]:
    """`case` as a run writes it out; one for each dimension that a mesh file may have.

    Raises:
        GeometryError: if the structure cannot be placed.
    """
    structure = placed(case)
    _, plan = check(case)
    if plan is None:
        return [with_voxels(case, structure)]
    dimensions = (2, 3) if isinstance(structure, MeshFile) else (len(structure.size),)
    whole = with_sizes(case, structure)
    return [with_solver_defaults(whole, dimension) for dimension in dimensions]


def placed(case: Case) -> Structure:
    """The structure of `case`.

    Raises:
        GeometryError: if it cannot be placed.
    """
    geometry = case.geometry
    return geometry if isinstance(geometry, (Box, Printed, MeshFile)) else geometry.build()


def shown(case: Case, structure: Structure) -> str:
    """What was placed, in words."""
    if isinstance(structure, Section):
        note, asked = f"{len(structure.inclusions)} inclusions", case.geometry
        if isinstance(asked, (AlignedSection, AlternatingSection)):
            note += f", {asked.layout(structure)}"
        return note
    if isinstance(structure, Network):
        return f"{len(structure)} fibres"
    if isinstance(structure, Voxels):
        return f"{' x '.join(map(str, structure.labels.shape))} voxels"
    return ""


def with_sizes(case: Case, structure: Structure) -> Case:
    """`case` with what its study and the mesh take from the structure.

    Raises:
        CaseError: if that contradicts what it says itself.
    """
    resolve = lookup(case.study).resolve
    if resolve is not None:
        case = resolve(case, structure)
    if isinstance(structure, MeshFile):
        if case.mesh.size or case.mesh.interface_size:
            raise CaseError("[mesh] size has no meaning for a mesh file; remove it")
        return case
    radius = None
    if isinstance(structure, Section):
        radius = float(structure.inclusions.b.min())
    elif isinstance(structure, (Network, Voxels)):
        radius = structure.thinnest / 2
    elif isinstance(structure, Printed):
        radius = structure.finest
    return with_mesh_defaults(case, structure.size, radius)


def with_voxels(case: Case, structure: Structure) -> Case:
    """`case` with the voxels that the structure implies; no mesh is made."""
    if isinstance(structure, Voxels):
        if case.mesh.voxel is not None:
            raise CaseError("[mesh] voxel: an image has its own, [geometry] voxel_size; remove it")
        return with_voxel_defaults(case, None)
    return with_voxel_defaults(case, default_voxel(structure))


def mesh_plan(case: Case, structure: Structure, plan: Plan) -> MeshPlan:
    """How `case`, with sizes, is meshed for what its study wants."""
    size = case.mesh.coarsest or case.mesh.size or 0.0
    sizes = Sizes(size, case.mesh.interface_size or 0.0, case.mesh.order or 1)
    return MeshPlan(structure, sizes, **vars(plan))


def _regions(case: Case) -> tuple[str, ...]:
    """The regions of the structure; those that the case names where a file decides."""
    geometry = case.geometry
    return tuple(case.materials) if isinstance(geometry, MeshFile) else geometry.regions

"""The case as data again: with every default, as TOML, as a JSON schema."""

from __future__ import annotations

import math
from typing import Any

from fem_spe.case.model import Case
from fem_spe.geometry.faces import thickness

CELLS_PER_INTERFACE = 6.0  # of a diffuse front: the planar law then holds within 1 %

SEEN = 2.0  # widths of a front: a cell that is longer may hide one between its corners
_COARSER = 8.0  # cells away from a front over those at it
_COARSER_AT_FIBRES = 2.0  # beside fibres: they are polygons, and the roughness then changes by 2e-3

CONTACT_RTOL = 1e-9  # forces then hold to 1e-7

# cells per radius of the thinnest fibre: in 3-D the fewest that do not lose it
_PER_RADIUS = {2: 5.0, 3: 1.0}


def with_solver_defaults(case: Case, dimension: int) -> Case:
    """`case` with the degree and the direction that a `dimension` of 2 or 3 implies."""
    direction = case.diffusion.direction or (None if case.driven_faces else thickness(dimension))
    electric = case.electrostatics
    if case.study == "electrostatics":
        given = electric.direction or (None if case.charged_faces else thickness(dimension))
        electric = electric.model_copy(update={"form": case.electric_form, "direction": given})
    # what flows without change of volume is too stiff on linear cells
    flat = dimension == 2 and case.study != "dendrite"
    usual = 2 if flat or case.yields else 1
    solver: dict[str, Any] = {"degree": case.solver.degree or usual}
    if case.study == "indentation":
        solver = _contact_solver(case, dimension)
    return case.model_copy(
        update={
            "solver": case.solver.model_copy(update=solver),
            "diffusion": case.diffusion.model_copy(update={"direction": direction}),
            "electrostatics": electric,
        }
    )


def _contact_solver(case: Case, dimension: int) -> dict[str, Any]:
    """Degree and tolerance under balls: multigrid in 3-D need not reach round-off."""
    usual = CONTACT_RTOL if dimension == 3 else case.solver.rtol
    rtol = case.solver.rtol if "rtol" in case.solver.model_fields_set else usual
    return {"degree": case.solver.degree or 2, "rtol": rtol}


def with_mesh_defaults(case: Case, size: tuple[float, ...], radius: float | None) -> Case:
    """`case` with the cell sizes and the order that its structure implies.

    Args:
        case: The case as written.
        size: Extent of the box along each axis, m.
        radius: Half width of the thinnest inclusion, m; of printed parts the size of cells at
            interfaces; None without inclusions.
    """
    dimension = len(size)
    case = with_solver_defaults(case, dimension)
    order = case.mesh.order or (case.solver.degree if dimension == 2 else 1)
    coarse = case.mesh.size or min(size) / 12
    if case.dendrite is not None:
        # the front comes by everywhere
        coarse = case.mesh.size or (case.dendrite.interface_width or coarse) / CELLS_PER_INTERFACE
        radius = None
    finest = radius / _PER_RADIUS[dimension] if radius else coarse
    elsewhere = case.mesh.coarsest
    if case.mesh.adapt == "front":
        width = (case.dendrite.interface_width if case.dendrite else None) or math.inf
        usual = min(_COARSER * coarse, SEEN * width, min(size) / 4)
        elsewhere = elsewhere or max(coarse, usual)
        finest = _COARSER_AT_FIBRES * coarse
    fine = case.mesh.interface_size or finest
    sizes = {"size": coarse, "interface_size": min(fine, elsewhere or coarse), "order": order}
    sizes["coarsest"] = elsewhere
    return case.model_copy(update={"mesh": case.mesh.model_copy(update=sizes)})


def with_voxel_defaults(case: Case, voxel: float | None) -> Case:
    """`case` with the direction of a structure in 3-D and voxels of `voxel` (m), if not given."""
    case = with_solver_defaults(case, 3)
    if case.mesh.voxel is not None or voxel is None:
        return case
    return case.model_copy(update={"mesh": case.mesh.model_copy(update={"voxel": voxel})})


def to_toml(case: Case) -> str:
    """The case file in which every default is written out; `parse` reads it back alike."""
    import tomli_w

    return tomli_w.dumps(case.to_dict())


def schema() -> dict[str, Any]:
    """The JSON schema of a case file, where a geometry may also name a file to read in."""
    whole = Case.model_json_schema()
    included = {
        "type": "object",
        "description": "A geometry file; keys beside `file` override the file's",
        "properties": {"file": {"type": "string"}},
        "required": ["file"],
    }
    slices = whole["$defs"]["SliceSection"]["properties"]
    for properties, key in ((whole["properties"], "geometry"), (slices, "network")):
        properties[key] = {"anyOf": [properties[key], included]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}

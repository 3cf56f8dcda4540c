"""The case as data again: with every default, as TOML, as a JSON schema."""

from __future__ import annotations

from typing import Any

from fem_spe.case.model import Case
from fem_spe.geometry.faces import thickness


def with_solver_defaults(case: Case, dimension: int) -> Case:
    """`case` with the degree and the direction that a `dimension` of 2 or 3 implies."""
    direction = case.diffusion.direction or (None if case.driven_faces else thickness(dimension))
    electric = case.electrostatics
    if case.study == "electrostatics":
        given = electric.direction or (None if case.charged_faces else thickness(dimension))
        electric = electric.model_copy(update={"form": case.electric_form, "direction": given})
    degree = case.solver.degree or (2 if dimension == 2 else 1)
    return case.model_copy(
        update={
            "solver": case.solver.model_copy(update={"degree": degree}),
            "diffusion": case.diffusion.model_copy(update={"direction": direction}),
            "electrostatics": electric,
        }
    )


def with_mesh_defaults(case: Case, size: tuple[float, ...], radius: float | None) -> Case:
    """`case` with the cell sizes and the order that its structure implies.

    Args:
        case: The case as written.
        size: Extent of the box along each axis, m.
        radius: Half width of the thinnest inclusion, m; None without inclusions.
    """
    dimension = len(size)
    case = with_solver_defaults(case, dimension)
    order = case.mesh.order or (case.solver.degree if dimension == 2 else 1)
    coarse = case.mesh.size or min(size) / 12
    fine = case.mesh.interface_size or (radius / 5 if radius else coarse)
    sizes = {"size": coarse, "interface_size": min(fine, coarse), "order": order}
    return case.model_copy(update={"mesh": case.mesh.model_copy(update=sizes)})


def to_toml(case: Case) -> str:
    """The case file in which every default is written out; `parse` reads it back alike."""
    import tomli_w

    return tomli_w.dumps(case.to_dict())


def schema() -> dict[str, Any]:
    """The JSON schema of a case file, where [geometry] may also name a file to read in."""
    whole = Case.model_json_schema()
    own = whole["properties"]["geometry"]
    included = {
        "type": "object",
        "description": "A geometry file; keys beside `file` override the file's",
        "properties": {"file": {"type": "string"}},
        "required": ["file"],
    }
    whole["properties"]["geometry"] = {"anyOf": [own, included]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}

"""The case as data again: resolved TOML, JSON schema, known keys."""

from __future__ import annotations

from typing import Any

from fem_spe.case.model import Case
from fem_spe.geometry.faces import thickness


def to_dict(case: Case) -> dict[str, Any]:
    """Nested dictionaries as TOML gives them, defaults included, values with units."""
    whole = case.model_dump(mode="json", exclude_none=True)
    return {key: value for key, value in whole.items() if value != {}}


def with_solver_defaults(case: Case, dimension: int) -> Case:
    """`case` with the degree and the direction that a `dimension` of 2 or 3 implies."""
    direction = case.diffusion.direction or (None if case.boundary else thickness(dimension))
    degree = case.solver.degree or (2 if dimension == 2 else 1)
    return case.model_copy(
        update={
            "solver": case.solver.model_copy(update={"degree": degree}),
            "diffusion": case.diffusion.model_copy(update={"direction": direction}),
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

    return tomli_w.dumps(to_dict(case))


def schema() -> dict[str, Any]:
    """The JSON schema of a case file."""
    return Case.model_json_schema()


def known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed in the table at `location` (a pydantic error location)."""
    whole = schema()
    node = whole
    for part in location:
        node = _child(_resolve(node, whole), part, whole)
    return list(_resolve(node, whole).get("properties", {}))


def _resolve(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = whole["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _child(node: dict[str, Any], part: int | str, whole: dict[str, Any]) -> dict[str, Any]:
    if part in node.get("properties", {}):
        return dict(node["properties"][part])
    mapping = node.get("discriminator", {}).get("mapping", {})
    if part in mapping:
        target = mapping[part]
        return {"$ref": target} if isinstance(target, str) else target
    for option in [*node.get("oneOf", []), *node.get("anyOf", [])]:
        resolved = _resolve(option, whole)
        if resolved.get("title") == part:
            return resolved
        if part in resolved.get("discriminator", {}).get("mapping", {}):
            return _child(resolved, part, whole)
    extra = node.get("additionalProperties")
    return dict(extra) if isinstance(extra, dict) else node

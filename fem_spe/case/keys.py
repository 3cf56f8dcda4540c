"""Which keys a table of the case may have, from the JSON schema."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def known_keys(schema: Schema, location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed in the table at `location` (a pydantic error location)."""
    node = schema
    for part in location:
        node = _child(_resolve(node, schema), part, schema)
    return list(_resolve(node, schema).get("properties", {}))


def known_tags(schema: Schema, location: tuple[int | str, ...]) -> list[str]:
    """What may tell the kinds of the table at `location` (a pydantic error location) apart."""
    node = schema
    for part in location:
        node = _child(_resolve(node, schema), part, schema)
    return list(_resolve(node, schema).get("discriminator", {}).get("mapping", {}))


def _resolve(node: Schema, whole: Schema) -> Schema:
    while "$ref" in node:
        node = whole["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _child(node: Schema, part: int | str, whole: Schema) -> Schema:
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
        if "oneOf" in resolved:
            inner = _child(resolved, part, whole)
            if inner is not resolved:
                return inner
    if isinstance(part, int) and isinstance(node.get("items"), dict):
        return dict(node["items"])
    extra = node.get("additionalProperties")
    return dict(extra) if isinstance(extra, dict) else node

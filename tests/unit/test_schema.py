"""The JSON schema of cases: it accepts and refuses what the program does."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fem_spe.comm  # noqa: F401 - before DOLFINx
from fem_spe.case import load, overrides, parse, schema, to_toml
from fem_spe.case.templates import kinds, template
from fem_spe.errors import CaseError

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.toml"))

ALIGNED = tomllib.loads(template("aligned"))


TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
NOTES = {"$schema", "$defs", "title", "description", "examples", "default", "discriminator"}


def violations(value: Any, node: dict[str, Any], whole: dict[str, Any], at: str) -> Iterator[str]:
    """Where `value` breaks the JSON schema `node`; raises for a keyword not known here."""
    for word, rule in node.items():
        match word:
            case "$ref":
                yield from violations(value, whole["$defs"][rule.rpartition("/")[2]], whole, at)
            case "anyOf" | "oneOf":
                found = [list(violations(value, option, whole, at)) for option in rule]
                if all(found):
                    yield min(found, key=len)[0]
            case "type":
                truth = isinstance(value, bool) and rule != "boolean"
                if truth or not isinstance(value, TYPES[rule]):
                    yield f"{at}: {value!r} is no {rule}"
            case "const":
                if value != rule:
                    yield f"{at}: {value!r} is not {rule!r}"
            case "enum":
                if value not in rule:
                    yield f"{at}: {value!r} is not in {rule}"
            case "properties" if isinstance(value, dict):
                for key in value.keys() & rule.keys():
                    yield from violations(value[key], rule[key], whole, f"{at}.{key}")
            case "additionalProperties" if isinstance(value, dict):
                for key in value.keys() - node.get("properties", {}).keys():
                    if rule is False:
                        yield f"{at}: unknown key {key}"
                    elif rule is not True:
                        yield from violations(value[key], rule, whole, f"{at}.{key}")
            case "required" if isinstance(value, dict):
                yield from (f"{at}: no {key}" for key in rule if key not in value)
            case "prefixItems" if isinstance(value, list):
                for k, (item, one) in enumerate(zip(value, rule, strict=False)):
                    yield from violations(item, one, whole, f"{at}[{k}]")
            case "items" if isinstance(value, list):
                for k, item in enumerate(value):
                    yield from violations(item, rule, whole, f"{at}[{k}]")
            case "minItems" | "minProperties" if isinstance(value, (list, dict)):
                if len(value) < rule:
                    yield f"{at}: fewer than {rule}"
            case "maxItems" if isinstance(value, list):
                if len(value) > rule:
                    yield f"{at}: more than {rule}"
            case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
                pass  # on the SI value
            case _:
                assert word in NOTES | {
                    "properties", "additionalProperties", "required", "prefixItems", "items",
                    "minItems", "maxItems", "minProperties",
                }, word  # fmt: skip


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.stem)
def test_the_schema_accepts_the_cases_of_the_papers_as_written_and_resolved(file):
    whole = schema()
    written = tomllib.loads(file.read_text("utf-8"))
    assert list(violations(written, whole, whole, "case")) == []
    assert list(violations(tomllib.loads(to_toml(load(file))), whole, whole, "case")) == []


@pytest.mark.parametrize("kind", kinds())
def test_the_schema_accepts_every_template(kind):
    assert list(violations(tomllib.loads(template(kind)), schema(), schema(), "case")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"materals": 1},
        {"geometry.fibre_fraction": 0.2},
        {"mesh.size": True},
        {"geometry.arrangement": "alined"},
        {"geometry.size": ["1 um"]},
        {"solver.degree": 3},
    ],
    ids=lambda c: next(iter(c)),
)
def test_the_schema_refuses_what_the_program_refuses(changes):
    wrong = overrides.apply(ALIGNED, changes)
    with pytest.raises(CaseError):
        parse(ALIGNED, changes)
    assert len(list(violations(wrong, schema(), schema(), "case"))) >= 1

"""Validation errors as one line for a person: the key, the value, what would work."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fem_spe.case.keys import Schema, known_keys, known_tags
from fem_spe.errors import did_you_mean

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_ENTRY = re.compile(r"(\w+)\[(\d+)\]")
_NAMES_TABLE = re.compile(r"\[[a-z_.]+\] ")  # a message that says itself where it belongs


def explain(error: ValidationError, data: dict[str, Any], schema: Schema) -> str:
    """The most telling of the errors as `[table] key: what is wrong; what would work`.

    Args:
        error: What pydantic found.
        data: The case as it stands in the file.
        schema: The JSON schema of the case, for the keys that there are.
    """
    details = error.errors(include_url=False)
    # A misspelt key also shows as a missing one: the misspelling is the news. And a fault in
    # three values also shows as three where two were expected.
    order = {"missing": 2, "missing_argument": 2, "too_long": 2}
    detail = min(details, key=lambda d: 0 if d["type"] in _UNKNOWN_KEY else order.get(d["type"], 1))
    keys = _path(detail, data)
    # The members of a union each report the same value; only other places count as more.
    others = {".".join(_path(d, data)) for d in details}
    more = sum(1 for other in others if not ".".join(keys).startswith(other))
    if detail["type"] in _UNKNOWN_KEY:
        message = _unknown_key(keys, known_keys(schema, detail["loc"][:-1]))
    else:
        message = _message(detail, keys, data, schema)
    return message + (f" (and {more} more)" if more else "")


def _path(detail: ErrorDetails, data: Any) -> list[str]:
    """The keys of the location that stand in the file; the rest name union members."""
    keys: list[str] = []
    place = data
    *_, last = detail["loc"] or ("",)
    for part in detail["loc"]:
        if _has(place, part):
            if isinstance(place, dict):
                keys.append(str(part))
            else:
                keys[-1] += f"[{part}]"
            place = place[part]
        elif part is last and isinstance(part, str) and detail["type"].startswith("missing"):
            keys.append(part)
    return keys


def _has(place: Any, part: int | str) -> bool:
    if isinstance(place, (list, tuple)):
        return isinstance(part, int) and part < len(place)
    return isinstance(place, dict) and part in place


def _written(detail: ErrorDetails, data: Any) -> Any:
    """The value as it stands in the file, before units were converted."""
    place = data
    for part in detail["loc"]:
        if _has(place, part):
            place = place[part]
    return detail["input"] if isinstance(place, dict) else place


def _message(detail: ErrorDetails, keys: list[str], data: Any, schema: Schema) -> str:
    table, key = ".".join(keys[:-1]), keys[-1] if keys else ""
    place = f"{_table(table)} {key}" if table else key
    value = _written(detail, data)
    match detail["type"]:
        case "too_short":
            return f"{place} = {value!r}: has too few entries"
        case "missing" if isinstance(value, (list, tuple)):
            return f"{place} = {value!r}: has too few entries"
        case "too_long":
            most = detail["ctx"]["max_length"]
            return f"{place} = {value!r}: has too many entries; give {most} or fewer"
        case "tuple_type":
            return f"{place} = {value!r}: must be a list of values, such as [{value!r}, ...]"
        case (
            "dict_type"
            | "dict_attributes_type"
            | "model_type"
            | "dataclass_type"
            | "model_attributes_type"
        ):
            return f"{place} = {value!r}: must be a table of keys and values"
        case "missing" if keys == ["study"]:
            return 'study: is missing; the case needs it, for example study = "diffusion"'
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return f"{place}: is missing; the case needs it"
        case "union_tag_not_found":
            tag = detail["ctx"]["discriminator"].strip("'")
            known = known_tags(schema, detail["loc"])
            return f"[{'.'.join(keys)}] {tag}: is missing; give one of {', '.join(known)}"
        case "union_tag_invalid":
            context = detail["ctx"]
            tag, tags = context["discriminator"].strip("'"), context["expected_tags"]
            hint = did_you_mean(context["tag"], [t.strip(" '") for t in tags.split(",")])
            return f"[{'.'.join(keys)}] {tag} = {context['tag']!r}: {hint}known are {tags}"
        case "value_error":
            text = str(detail["ctx"]["error"])
            if not place or _NAMES_TABLE.match(text):
                return text
            if isinstance(detail["input"], dict):
                return f"{_table('.'.join(keys))} {text}"
            return f"{place}: {text}"
        case "float_parsing" | "int_parsing" | "int_from_float":
            what = "whole number" if detail["type"].startswith("int") else "number"
            plain = ", without quotes and unit" if isinstance(value, str) else ""
            return f"{place} = {value!r}: must be a {what}{plain}"
        case "bool_parsing" | "bool_type":
            return f"{place} = {value!r}: must be true or false, without quotes"
        case "string_type":
            return f"{place} = {value!r}: must be a text in quotes"
        case "finite_number":
            return f"{place} = {value!r}: must be a finite number"
        case _:
            what = detail["msg"].replace("Input should be", "must be").replace("True", "true")
            kelvin = " K" if key == "temperature" else ""
            return f"{place} = {value!r}: {what[0].lower()}{what[1:]}{kelvin}"


def _table(name: str) -> str:
    """The table as it stands in the file, the entries of a list by number as a person counts."""
    entry = _ENTRY.fullmatch(name)
    return f"[[{entry[1]}]] number {int(entry[2]) + 1}:" if entry else f"[{name}]"


def _unknown_key(keys: list[str], known: list[str]) -> str:
    table, key = ".".join(keys[:-1]), keys[-1]
    where = f"in {_table(table)}" if table else "at the top of the case"
    hint = did_you_mean(key, known, cutoff=0.5)
    between = "" if where.endswith(":") else ";"
    return f"unknown key {key!r} {where}{between} {hint}known are {', '.join(known)}"

"""The material table that comes with the package."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fem_spe.errors import CaseError, did_you_mean
from fem_spe.materials.material import CONDUCTIVITY_AXES, DIFFUSIVITY_AXES, Material
from fem_spe.units import ENERGY, PRESSURE

MARKS = {
    "G": "Gou 2025",
    "M": "Mu 2024",
    "L": "read in the cited source",
    "C": "computed",
    "m": "from memory, not verified",
}


@dataclass(frozen=True)
class Entry:
    """One value of the table.

    Attributes:
        material: Name of the material.
        name: Name of the property, as in a case file.
        value: The value as written, with unit.
        source: Where it comes from.
        mark: One of `MARKS`.
    """

    material: str
    name: str
    value: str
    source: str
    mark: str


@cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    text = resources.files("fem_spe.materials").joinpath("table.toml").read_text("utf-8")
    return tomllib.loads(text)


def entries() -> list[Entry]:
    """All values of the table, in its order."""
    return [
        Entry(material, name, **value)
        for material, values in _table().items()
        for name, value in values.items()
    ]


def lookup(name: str) -> Material:
    """The material `name` of the table.

    Raises:
        CaseError: if there is none; the message names the nearest and lists all.
    """
    table = _table()
    if name not in table:
        known = [*table, "impermeable"]
        hint = did_you_mean(name, known)
        raise CaseError(f"no material {name!r}; {hint}the table has: {', '.join(known)}")
    parsers: dict[str, Callable[[str], Any]] = {
        "diffusivity": DIFFUSIVITY_AXES.parse,
        "conductivity": CONDUCTIVITY_AXES.parse,
        "activation_energy": ENERGY.parse,
        "partition": float,
        "youngs_modulus": PRESSURE.parse,
        "poisson_ratio": float,
        "yield_stress": PRESSURE.parse,
        "hardening_modulus": PRESSURE.parse,
        "permittivity": float,
    }
    return Material(**{key: parsers[key](entry["value"]) for key, entry in table[name].items()})

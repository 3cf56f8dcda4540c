"""Materials: a table in which each value has a unit, a source and a mark."""

from fem_spe.materials.law import (
    ConductivityByTemperature,
    DiffusivityByConcentration,
    DiffusivityByTemperature,
    DiffusivityLaw,
    DiffusivityPolynomial,
    lowest,
)
from fem_spe.materials.material import Material, Special
from fem_spe.materials.table import Entry, entries, lookup

__all__ = [
    "ConductivityByTemperature",
    "DiffusivityByConcentration",
    "DiffusivityByTemperature",
    "DiffusivityLaw",
    "DiffusivityPolynomial",
    "Entry",
    "Material",
    "Special",
    "entries",
    "lookup",
    "lowest",
]

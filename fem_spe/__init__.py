"""Finite elements for structured solid polymer electrolytes.

import fem_spe

case = fem_spe.load("case.toml")
result = fem_spe.run(case.with_(**{"geometry.seed": 3}), output=None)
print(result.quantities["relative_diffusivity"].value)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fem_spe.case import Case, load, parse
    from fem_spe.job import run
    from fem_spe.results import Check, Frame, Quantity, Result, Solution
    from fem_spe.studies import Plan, Study, register

__all__ = [
    "Case",
    "Check",
    "Frame",
    "Plan",
    "Quantity",
    "Result",
    "Solution",
    "Study",
    "load",
    "parse",
    "register",
    "run",
]

_PLACES = {
    "Case": "fem_spe.case",
    "load": "fem_spe.case",
    "parse": "fem_spe.case",
    "run": "fem_spe.job",
    "Check": "fem_spe.results",
    "Frame": "fem_spe.results",
    "Quantity": "fem_spe.results",
    "Result": "fem_spe.results",
    "Solution": "fem_spe.results",
    "Plan": "fem_spe.studies",
    "Study": "fem_spe.studies",
    "register": "fem_spe.studies",
}


def __getattr__(name: str) -> Any:
    """Import on first use: the command line must start quickly."""
    if name not in _PLACES:
        raise AttributeError(f"module 'fem_spe' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)

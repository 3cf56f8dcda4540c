"""Restart files: what a study in time goes on from, on the same or another number of ranks."""

from __future__ import annotations

# isort: off
from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: on
from fem_spe.checkpoint.file import remove, require_new, require_restart
from fem_spe.checkpoint.keeper import Keeper, Record, Steps, kept_in
from fem_spe.checkpoint.layout import Part

__all__ = [
    "Keeper",
    "Part",
    "Record",
    "Steps",
    "kept_in",
    "remove",
    "require_new",
    "require_restart",
]

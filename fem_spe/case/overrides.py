"""Other values for dotted keys, as `--set` and `Case.with_` give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fem_spe.errors import CaseError

Tree = dict[str, Any]


def apply(tree: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """A copy of `tree` with `changes`, for example {"geometry.seed": 3}.

    Raises:
        CaseError: if a key leads through something that is not a table.
    """
    changed = _copy(tree)
    for key, value in changes.items():
        *tables, last = key.split(".")
        place = changed
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise CaseError(f"--set {key}: {table!r} is a value, not a table")
        place[last] = value
    return changed


def _copy(tree: Mapping[str, Any]) -> Tree:
    return {k: _copy(v) if isinstance(v, Mapping) else v for k, v in tree.items()}

"""`sweep.csv`: one row for each member, renewed whole after each."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from fem_spe.ensemble.keys import Swept
from fem_spe.ensemble.members import Member, Outcome
from fem_spe.errors import CaseError

NAME = "sweep.csv"
_STATUS = "status"  # its column ends those of the swept keys


def write_table(
    folder: Path,
    sweeps: Sequence[Swept],
    members: Sequence[Member],
    outcomes: Mapping[str, Outcome],
) -> None:
    """Write the table, whole or not at all.

    Args:
        folder: That of the sweep.
        sweeps: The swept keys.
        members: One row for each.
        outcomes: By the member's name.

    Raises:
        CaseError: if it cannot be written.
    """
    heads: dict[tuple[str, str], str] = {}
    for outcome in outcomes.values():
        for name, quantity in outcome.quantities.items():
            unit = quantity["unit"]
            heads[name, unit] = f"{name} [{unit}]" if unit else name
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    keys = [swept.key for swept in sweeps]
    rows.writerow([*keys, _STATUS, *heads.values(), "error", "folder"])
    for member in members:
        outcome = outcomes[member.name]
        cells = [_cell(outcome, name, unit) for name, unit in heads]
        written = [member.texts[key] for key in keys]
        rows.writerow([*written, outcome.status, *cells, outcome.error, member.name])
    temporary = folder / f"{NAME}.part"
    try:
        temporary.write_text(text.getvalue(), encoding="utf-8")
        os.replace(temporary, folder / NAME)
    except OSError as error:
        raise CaseError(f"{folder / NAME}: cannot be written ({error.strerror})") from None


def swept_keys(folder: Path) -> list[str] | None:
    """The keys of the table in `folder`; None where there is none of ours."""
    try:
        with (folder / NAME).open(encoding="utf-8", newline="") as lines:
            heads = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return heads[: heads.index(_STATUS)] if _STATUS in heads else None


def _cell(outcome: Outcome, name: str, unit: str) -> str:
    quantity = outcome.quantities.get(name)
    if quantity is None or quantity["unit"] != unit:
        return ""
    value = quantity["value"]
    return "nan" if value is None else f"{value:.9g}"

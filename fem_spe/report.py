"""Finished results in words: one alone, or several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fem_spe.errors import CaseError
from fem_spe.results import read_summary


def overview(summary: dict[str, Any]) -> str:
    """The quantities and checks of one summary, one line each."""
    quantities, checks = summary["quantities"], summary["checks"]
    values = {n: f"{_cell(q)} {q['unit']}".strip() for n, q in quantities.items()}
    names = max((len(n) for n in [*quantities, *checks]), default=0)
    wide = max((len(v) for v in values.values()), default=0)
    lines = [
        f"{name:{names}}  {value:{wide}}  {quantities[name]['description']}"
        for name, value in values.items()
    ]
    for name, check in checks.items():
        verdict = "ok" if check["passed"] else "NOT PASSED"
        number = "not a number" if check["value"] is None else f"{check['value']:.1e}"
        lines.append(f"{name:{names}}  {number} (limit {check['limit']:.0e})  {verdict}")
    return "\n".join(lines)


def markdown(head: str, rows: Sequence[str], note: str = "") -> str:
    """A Markdown table with a note below it; cells of `head` and rows are parted by ` | `."""
    rule = "---|" * len(head.split(" | "))
    lines = [f"| {head} |", f"|{rule}", *(f"| {row} |" for row in rows)]
    return "\n".join([*lines, "", note] if note else lines)


def table(folders: list[Path]) -> str:
    """A Markdown table: one row for each quantity, one column for each result.

    Raises:
        CaseError: if no folder is given, or one holds no finished result.
    """
    if not folders:
        raise CaseError("report needs at least one result folder")
    summaries = [read_summary(folder) for folder in folders]
    names = list(dict.fromkeys(n for s in summaries for n in s["quantities"]))
    rows = []
    for name in names:
        found = [s["quantities"].get(name) for s in summaries]
        unit = next(q["unit"] for q in found if q)
        rows.append(f"{name} | {unit} | {' | '.join(map(_cell, found))}")
    rows.append(f"status | | {' | '.join(s['status'] for s in summaries)}")
    return markdown(f"quantity | unit | {' | '.join(_heads(folders))}", rows)


def _heads(folders: list[Path]) -> list[str]:
    """The folders' names; with their paths where two are alike."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _cell(quantity: dict[str, float | None] | None) -> str:
    if quantity is None:
        return ""
    if quantity["value"] is None:
        return "not a number"
    error = quantity.get("error")
    text = f"{quantity['value']:.6g}" + (f" ± {error:.1g}" if error else "")
    return text + (" (singular)" if quantity.get("singular") else "")

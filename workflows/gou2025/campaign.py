"""What the campaigns share: assumptions that are varied, and the words of their commands."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Changes = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """Another value of one assumption: what changes in each case, None for nothing."""

    what: str
    value: str
    ase: Changes | None
    rse: Changes | None


def both(what: str, value: str, changes: Changes) -> Choice:
    """A choice that concerns both electrolytes alike."""
    return Choice(what, value, changes, changes)


def asked[P](about: str, name: str, whole: P, quick: P, least: int, less: str) -> tuple[Path, P]:
    """Where a campaign writes, and its plan, from the words of the command.

    Args:
        about: What it does; the first line counts.
        name: Of the folder below `results`.
        whole, quick: The usual plan, and that of `--quick`; each has `seeds`.
        least: Fewest seeds that the statistics need.
        less: What `--quick` leaves out.
    """
    seeds = [plan.seeds for plan in (whole, quick)]  # type: ignore[attr-defined]
    words = argparse.ArgumentParser(description=about.partition("\n")[0])
    words.add_argument("folder", type=Path, nargs="?", help=f"default: results/{name}")
    words.add_argument(
        "--seeds", type=int, help=f"random sections (default: {seeds[0]}, quick: {seeds[1]})"
    )
    words.add_argument("--quick", action="store_true", help=less)
    given = words.parse_args()
    if given.seeds is not None and given.seeds < least:
        words.error(f"--seeds {given.seeds}: the statistics need {least} or more")
    plan = quick if given.quick else whole
    if given.seeds is not None:
        plan = replace(plan, seeds=given.seeds)  # type: ignore[type-var]
    return given.folder or Path(f"results/{name}{'_quick' * given.quick}"), plan

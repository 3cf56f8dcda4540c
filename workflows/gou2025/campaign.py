"""What the campaigns share: assumptions that are varied, and the words of their commands."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from fem_spe.case import Case
from fem_spe.ensemble import read_sweeps, sweep

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


def place(choice: Choice) -> str:
    """The folder of a choice."""
    return re.sub(r"[^a-z0-9]+", "_", f"{choice.what} {choice.value}".lower()).strip("_")


class Done(NamedTuple):
    """One member of a sweep: its case, its result folder, and the quantities of its summary."""

    case: Case
    folder: Path
    quantities: Any


def members(file: Path, words: Sequence[str], folder: Path, changes: Changes) -> list[Done]:
    """The members of a sweep, one after another; those that are done are kept. Collective.

    A member that fails ends the program: to leave it out would make the statistics those of
    the structures that work.

    Args:
        file: The case.
        words: Of the sweep, such as `geometry.seed=1,2`.
        folder: Of the members.
        changes: Other values of the case.
    """

    def tell(told: str, _: object) -> None:
        print(f"{folder.parent.name}/{folder.name}: {told}", flush=True)

    done = sweep(file, read_sweeps(words), folder, changes=changes, tell=tell)
    failed = [f"{member.name}: {outcome.error}" for member, outcome in done if outcome.error]
    if failed:
        sys.exit(f"{folder}: {len(failed)} of {len(done)} members failed; {failed[0]}")
    return [Done(m.case, folder / m.name, outcome.quantities) for m, outcome in done]


def seeds(number: int) -> str:
    """The word of a sweep over seeds from 1 to `number`."""
    return f"geometry.seed={','.join(str(n) for n in range(1, number + 1))}"


class Measured(Protocol):
    """What a member tells: numbers by their names."""

    @property
    def values(self) -> dict[str, float]: ...


def column(rows: Sequence[Measured], name: str) -> np.ndarray:
    """One number of each member."""
    return np.array([row.values[name] for row in rows])


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

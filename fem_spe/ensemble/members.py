"""The members of a sweep: what each computes, and what is known of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fem_spe.case import Case, load
from fem_spe.case.load import read_toml, toml_value
from fem_spe.ensemble.keys import Swept, combinations, folder_name
from fem_spe.errors import CaseError, CheckError, FemSpeError
from fem_spe.geometry import MeshFile
from fem_spe.job import check, resolved
from fem_spe.results import read_summary

Status = Literal["waiting", "done", "failed", "refused"]
Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of a member.

    Attributes:
        status: `waiting` before its turn, `done`, `failed` where it did not converge or
            a check did not pass, `refused` where its case is a bad one.
        quantities: As in its summary: name -> value, unit and more.
        error: One line, or nothing.
        exit_code: That of a run of the member alone.
    """

    status: Status = "waiting"
    quantities: Mapping[str, Tree] = field(default_factory=dict)
    error: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class Member:
    """One combination of the swept values.

    Attributes:
        name: Its folder within that of the sweep.
        texts: Key -> value as written.
        case: What it computes; a bad case is an error in its place.
    """

    name: str
    texts: Mapping[str, str]
    case: Case | FemSpeError


def read_members(file: Path, changes: Mapping[str, Any], sweeps: Sequence[Swept]) -> list[Member]:
    """All members of a sweep over the case in `file` with `changes`.

    Their pictures are left out unless the case asks for them.

    Raises:
        CaseError: if no member can run, which is the case's fault or that of a key.
    """
    members: list[Member] = []
    for texts in combinations(sweeps):
        values = {key: toml_value(text) for key, text in texts.items()}
        case: Case | FemSpeError
        try:
            case = _without_figures(load(file, {**changes, **values}))
            check(case)
        except FemSpeError as error:
            case = error
        members.append(Member(folder_name(texts), texts, case))
    bad = [member.case for member in members if isinstance(member.case, FemSpeError)]
    if len(bad) == len(members):
        raise bad[0]
    _require_different_names(members)
    return members


def from_summary(folder: Path) -> Outcome:
    """What the summary of a finished member tells."""
    summary = read_summary(folder)
    if summary["status"] == "done":
        return Outcome("done", summary["quantities"])
    return Outcome("failed", summary["quantities"], summary["error"], CheckError.exit_code)


def from_error(error: Exception) -> Outcome:
    """What is told of a member that ended with `error`."""
    text = " ".join(str(error).split())
    if not isinstance(error, FemSpeError):
        text = f"unexpected {type(error).__name__}: {text}"
    code = getattr(error, "exit_code", FemSpeError.exit_code)
    return Outcome("refused" if isinstance(error, CaseError) else "failed", {}, text, code)


def is_finished(member: Member, folder: Path) -> bool:
    """True where `folder` holds the result of this very case.

    Raises:
        CaseError: if it holds that of another one.
    """
    summary = folder / member.name / "summary.json"
    if isinstance(member.case, FemSpeError) or not summary.exists():
        return False
    written = _lasting(read_toml(summary.with_name("case.toml")))
    wanted = [_lasting(case.to_dict()) for case in resolved(member.case)]
    geometry = member.case.geometry
    if written not in wanted:
        what = "; ".join(itertools.islice(_differences(written, wanted[0]), 3))
    elif isinstance(geometry, MeshFile) and _newer(Path(geometry.file), summary):
        what = f"{geometry.file} is newer"
    else:
        return True
    raise CaseError(
        f"{summary.parent} holds the result of another case ({what}); "
        "give --force to repeat all members, or another folder with -o"
    )


def _lasting(case: dict[str, Any]) -> dict[str, Any]:
    """The case but for how often an unfinished run keeps its state."""
    output = {k: v for k, v in case.get("output", {}).items() if k != "checkpoint"}
    return case | {"output": output}


def _without_figures(case: Case) -> Case:
    if "figures" in case.output.model_fields_set:
        return case
    return case.model_copy(update={"output": case.output.model_copy(update={"figures": False})})


def _require_different_names(members: Sequence[Member]) -> None:
    """Two ways to write one value would share a folder."""
    first: dict[str, Member] = {}
    for member in members:
        other = first.setdefault(member.name, member)
        for key, text in member.texts.items():
            if text != other.texts[key]:
                raise CaseError(
                    f"--sweep {key}: {other.texts[key]} and {text} are the same; remove one"
                )


def _differences(written: Tree, wanted: Tree, table: str = "") -> Iterator[str]:
    """Each key whose values differ, as `key: one there, another now`."""
    for key in {**wanted, **written}:
        there, now = written.get(key), wanted.get(key)
        if isinstance(there, dict) and isinstance(now, dict):
            yield from _differences(there, now, f"{table}{key}.")
        elif there != now:
            yield f"{table}{key}: {_shown(there)} there, {_shown(now)} now"


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _newer(file: Path, than: Path) -> bool:
    try:
        return file.stat().st_mtime > than.stat().st_mtime
    except OSError:
        return False  # the run will tell what is wrong with it, if it must

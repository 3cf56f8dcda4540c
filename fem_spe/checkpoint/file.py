"""The folder of restart files: what it is called, what lies in it, how a file is written."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.case import Case
from fem_spe.errors import CaseError

Array = NDArray[np.float64]

FOLDER = "restart"
FORMAT = 2
_OURS = ("state_*.npz*", "frame_*.npz*")
# what the solution does not depend on, or only within its tolerance
_FREE = ("title", "output.", "time.rtol", "dendrite.tolerance", "solver.rtol")


def state_file(folder: Path, solve: int) -> Path:
    """The state of the run's `solve`-th solution, from 0; a mesh study has several."""
    return folder / FOLDER / f"state_{solve}.npz"


def frame_file(folder: Path, solve: int, frame: int) -> Path:
    """The fields of an output time, from 0."""
    return folder / FOLDER / f"frame_{solve}_{frame}.npz"


def write(file: Path, head: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Numbers and arrays into `file`, whole or not at all."""
    file.parent.mkdir(exist_ok=True)
    text = np.frombuffer(json.dumps(head, default=_plain).encode(), dtype=np.uint8)
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as out:
        np.savez(out, **{"head": text, **arrays})  # type: ignore[arg-type]
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, file)


def read_head(file: Path) -> dict[str, Any]:
    """The numbers of a file.

    Raises:
        CaseError: if it is none of ours.
    """
    return read(file, arrays=False)[0]


def read(file: Path, *, arrays: bool = True) -> tuple[dict[str, Any], dict[str, Array]]:
    """The numbers and arrays of a file.

    Raises:
        CaseError: if it is none of ours.
    """
    try:
        with np.load(file, allow_pickle=False) as found:
            head = json.loads(found["head"].tobytes())
            names = [name for name in found.files if name != "head"] if arrays else []
            values = {name: found[name] for name in names}
        if head["format"] != FORMAT:
            raise ValueError(f"format {head['format']} is not {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        if "pickle" in what:  # NumPy's advice for what has another beginning than its archives
            what = "it is damaged, or another kind of file"
        raise CaseError(
            f"{file}: cannot be read as a restart file ({what}); give --force in place of "
            "--restart to begin anew"
        ) from None
    return head, values


def require_new(folder: Path) -> None:
    """Raise where a run that was interrupted can go on.

    Raises:
        CaseError: naming the ways on.
    """
    if state_file(folder, 0).exists():
        raise CaseError(
            f"{folder} holds an interrupted run; give --restart to go on with it, --force to "
            "begin anew, or another folder with -o"
        )


def require_restart(folder: Path, case: Case) -> None:
    """Raise unless the run of `case` was interrupted in `folder`.

    Raises:
        CaseError: if it is finished, was not begun, or is that of another case.
    """
    if (folder / "summary.json").exists():
        raise CaseError(f"{folder} holds a finished result: there is nothing to restart")
    file = state_file(folder, 0)
    if not file.exists():
        raise CaseError(
            f"{folder}: there is nothing to restart from (no {FOLDER}/{file.name}); leave "
            "--restart out"
        )
    before, now = _flat(read_head(file)["case"]), _flat(as_data(case))
    for key in sorted({*before, *now}):
        if key.startswith(_FREE) or before.get(key) == now.get(key):
            continue
        table, _, name = key.rpartition(".")
        shown = f"[{table}] {name}" if table else name
        raise CaseError(
            f"{folder}: --restart goes on with the same case, but {shown} is "
            f"{_said(now.get(key))} and was {_said(before.get(key))}; give that, or --force in "
            "place of --restart to begin anew"
        )
    try:
        (folder / "log.txt").open("ab").close()
    except OSError as error:
        raise CaseError(f"{folder}: cannot be written ({error.strerror})") from None


def as_data(case: Case) -> dict[str, Any]:
    """The case as JSON holds it."""
    return dict(json.loads(json.dumps(case.to_dict())))


def remove(folder: Path) -> None:
    """The restart files of a run that needs them no more; what else lies there stays."""
    place = folder / FOLDER
    for pattern in _OURS:
        for file in place.glob(pattern):
            file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not there, or not empty
        place.rmdir()


def _flat(tree: Mapping[str, Any], stem: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        inner = isinstance(value, dict)
        found |= _flat(value, f"{stem}{key}.") if inner else {f"{stem}{key}": value}
    return found


def _said(value: Any) -> str:
    return "not given" if value is None else json.dumps(value)


def _plain(value: Any) -> Any:
    """NumPy's values as JSON holds them."""
    return value.tolist()

"""One member after another, each into its own folder; what is done is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mpi4py import MPI

from fem_spe import job
from fem_spe.case import Case
from fem_spe.comm import on_root
from fem_spe.ensemble import arrhenius
from fem_spe.ensemble.keys import Swept
from fem_spe.ensemble.members import (
    Member,
    Outcome,
    from_error,
    from_summary,
    is_finished,
    read_members,
)
from fem_spe.ensemble.picture import NAME as PICTURE
from fem_spe.ensemble.picture import draw_sweep, main_quantity
from fem_spe.ensemble.table import NAME as TABLE
from fem_spe.ensemble.table import swept_keys, write_table
from fem_spe.errors import CaseError, FemSpeError, InterruptedRunError
from fem_spe.interrupt import MESSAGE as INTERRUPTED

Told = Callable[[str, Outcome], None]


def sweep(
    file: Path,
    sweeps: Sequence[Swept],
    output: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    comm: MPI.Intracomm | None = None,
    force: bool = False,
    tell: Told = lambda line, outcome: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> list[tuple[Member, Outcome]]:
    """Run the case in `file` with every combination of the swept values. Collective.

    Finished members of the same sweep are kept; those that failed without a result are
    tried again. `sweep.csv` is renewed after each member, `sweep.png` drawn at the end; a sweep
    over `temperature` ends with activation energies, `arrhenius.csv` and `arrhenius.png`.

    Args:
        file: The case.
        sweeps: From `read_sweeps`.
        output: Folder for the members, the table and the picture.
        changes: Other values for keys that are not swept.
        comm: The ranks that share the work of each member; all of them by default.
        force: Repeat finished members.
        tell: Called on rank 0 for each member with a line and what became of it.
        interrupted: True once the run is to end, whatever error that became.

    Raises:
        CaseError: if no member can run, or `output` is not the folder of such a sweep or
            holds results of another case; nothing is run or changed then.
    """
    comm = comm or MPI.COMM_WORLD
    members = on_root(comm, lambda: read_members(file, changes or {}, sweeps))
    outcomes = on_root(comm, lambda: _kept(output, sweeps, members, force=force))

    def renew() -> None:
        write_table(output, sweeps, members, outcomes)

    on_root(comm, lambda: _open(output, renew))
    for number, member in enumerate(members, 1):
        start = time.perf_counter()
        waiting = outcomes[member.name].status == "waiting"
        if waiting:
            folder = output / member.name
            outcomes[member.name] = _outcome(member.case, comm, folder, interrupted)
            on_root(comm, renew)
        if comm.rank == 0:
            outcome = outcomes[member.name]
            spent = f" in {time.perf_counter() - start:.1f} s" if waiting else ", kept"
            if isinstance(member.case, FemSpeError):
                spent = ""  # it never started
            line = f"[{number:{len(str(len(members)))}}/{len(members)}] {member.name}  "
            tell(line + _told(outcome, spent), outcome)
    fits = on_root(comm, lambda: _tell_energies(output, sweeps, members, outcomes, tell))
    on_root(comm, lambda: _draw(output, sweeps, members, outcomes, fits, tell))
    return [(member, outcomes[member.name]) for member in members]


def _kept(
    folder: Path, sweeps: Sequence[Swept], members: Sequence[Member], *, force: bool
) -> dict[str, Outcome]:
    """What is known of each member before anything runs, by name.

    Raises:
        CaseError: if the folder is not that of a sweep over these keys.
    """
    keys = [swept.key for swept in sweeps]
    found = swept_keys(folder)
    if found is None and folder.is_dir() and any(folder.iterdir()):
        raise CaseError(
            f"{folder} is there already and holds no sweep; give another folder with -o"
        )
    if found is not None and found != keys and not force:
        raise CaseError(
            f"{folder / TABLE} is of a sweep over {', '.join(found)}; "
            "give another folder with -o, or --force to replace the table"
        )
    outcomes = {}
    for member in members:
        outcomes[member.name] = Outcome()
        if not force and is_finished(member, folder):
            outcomes[member.name] = from_summary(folder / member.name)
    return outcomes


def _open(folder: Path, renew: Callable[[], None]) -> None:
    """Make the folder and its table, which marks it as that of a sweep."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (PICTURE, arrhenius.PICTURE, arrhenius.TABLE):
            (folder / name).unlink(missing_ok=True)  # it would show another table than this
    except OSError as error:
        raise CaseError(
            f"{folder}: cannot be written ({error.strerror}); give another folder with -o"
        ) from None
    renew()


def _outcome(
    case: Case | FemSpeError, comm: MPI.Intracomm, folder: Path, interrupted: Callable[[], bool]
) -> Outcome:
    """Run one member. Collective."""
    if isinstance(case, FemSpeError):
        return from_error(case)
    if interrupted():  # a library has swallowed the error
        raise InterruptedRunError(INTERRUPTED)
    try:
        job.run(case, comm, folder, force=True)
    except InterruptedRunError:
        raise
    except FemSpeError as error:
        return from_error(error)
    except Exception as error:
        # the other ranks may not have met it, and would wait in the member that this one left
        if comm.size > 1 or interrupted():
            raise
        return from_error(error)
    return on_root(comm, lambda: from_summary(folder))


def _told(outcome: Outcome, spent: str) -> str:
    name = main_quantity({"": outcome})
    if outcome.error or name is None:
        return f"{outcome.status}{spent}: {outcome.error}"
    value, unit = outcome.quantities[name]["value"], outcome.quantities[name]["unit"]
    number = "not a number" if value is None else f"{value:.6g}"
    return f"{outcome.status}{spent}: {name} = {number} {unit}".rstrip()


def _tell_energies(
    folder: Path,
    sweeps: Sequence[Swept],
    members: Sequence[Member],
    outcomes: Mapping[str, Outcome],
    tell: Told,
) -> list[arrhenius.Fitted]:
    """The activation energies of a sweep over temperature, told and written."""
    fits = arrhenius.fitted(sweeps, members, outcomes)
    for fit in fits:
        tell(f"activation energy of {fit.name}: {fit.law}", Outcome("done"))
    if fits:
        try:
            arrhenius.write_fits(folder / arrhenius.TABLE, fits)
        except OSError as error:
            what = f"{folder / arrhenius.TABLE}: cannot be written ({error.strerror})"
            raise CaseError(what) from None
    return fits


def _draw(
    folder: Path,
    sweeps: Sequence[Swept],
    members: Sequence[Member],
    outcomes: Mapping[str, Outcome],
    fits: Sequence[arrhenius.Fitted],
    tell: Told,
) -> None:
    """The pictures; a failing graphics library costs the picture, not the sweep."""
    try:
        draw_sweep(folder / PICTURE, sweeps, members, outcomes)
        if fits:
            arrhenius.draw_fits(folder / arrhenius.PICTURE, fits)
    except InterruptedRunError:
        raise
    except Exception as error:
        text = f"no picture: {' '.join(str(error).split())}; the numbers stand"
        tell(text, from_error(error))

"""The errors that a user meets, each with the exit code of the command line.

Every message is one line for a person: what is wrong, where, and what would work.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`did you mean 'x'? ` with the nearest of the known names; empty where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f"did you mean {near[0]!r}? " if near else ""


class FemSpeError(Exception):
    """Base of all errors that end a run with one line instead of a traceback."""

    exit_code = 1


class CaseError(FemSpeError, ValueError):
    """The case file, a key in it, or the problem it poses is wrong (exit code 2).

    It is a `ValueError` so that the case validation can collect it with the key it
    belongs to.
    """

    exit_code = 2


class GeometryError(CaseError):
    """A structure that cannot exist, be placed or carry a path (exit code 2)."""


class MeshError(CaseError):
    """A mesh that cannot be made, or that is not good enough to compute on (exit code 2)."""


class ConvergenceError(FemSpeError):
    """A solver stopped before its tolerance (exit code 3)."""

    exit_code = 3


class CheckError(FemSpeError):
    """A result that fails one of its own checks (exit code 3)."""

    exit_code = 3


class InterruptedRunError(FemSpeError):
    """The user or the queue ended the run (exit code 4)."""

    exit_code = 4

"""What a program tells on one rank and on two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def on_one_and_two(python: Callable[..., Any], code: str, cwd: Path) -> list[dict[str, float]]:
    """The dictionary that the code prints behind `told:`, as JSON, on each number of ranks."""
    found = []
    for ranks in (1, 2):
        done = python(code, cwd=cwd, ranks=ranks)
        assert done.returncode == 0, done.stderr
        (line,) = [part for part in done.stdout.splitlines() if part.startswith("told:")]
        found.append(json.loads(line.removeprefix("told:")))
    return found

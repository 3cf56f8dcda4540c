"""Pictures of a result folder, drawn in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fem_spe.errors import CaseError, FemSpeError
from fem_spe.progress import log

if TYPE_CHECKING:
    from PIL.Image import Image


def draw(folder: Path) -> list[str]:
    """The names of all pictures, drawn; none where that failed."""
    done = _draw_apart(folder)
    if done.returncode != 0:
        log.warning(
            "no pictures: %s ('fem-spe info' tells more); the numbers stand", _last_line(done)
        )
        return []
    return [Path(line).name for line in done.stdout.splitlines() if line]


def picture(folder: Path, name: str) -> Image:
    """The picture `name`, drawn.

    Raises:
        CaseError: if there is none of that name.
        FemSpeError: if it could not be drawn on this machine.
    """
    from PIL import Image

    done = _draw_apart(folder, name)
    if done.returncode != 0:
        kind = CaseError if done.returncode == CaseError.exit_code else FemSpeError
        raise kind(_last_line(done))
    with Image.open(done.stdout.strip()) as drawn:
        return drawn.copy()


def _draw_apart(folder: Path, *name: str) -> subprocess.CompletedProcess[str]:
    """Draw in a process of its own, where a failing graphics driver harms no result."""
    # a child of an MPI rank must not take itself for one
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "MPI", "HYD"))}
    return subprocess.run(
        [sys.executable, "-m", "fem_spe.figures", str(folder), *name],
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["the graphics driver crashed"])[-1]

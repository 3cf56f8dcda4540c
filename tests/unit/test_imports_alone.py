"""Every room can be imported first, in a fresh interpreter, in any order."""

import subprocess
import sys

import pytest

ROOMS = [
    "fem_spe.domain",
    "fem_spe.meshing",
    "fem_spe.solve.linear",
    "fem_spe.measure.flux",
    "fem_spe.physics.diffusion",
    "fem_spe.studies",
    "fem_spe.job",
    "fem_spe.figures",
]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_can_be_imported_on_its_own(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {room}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

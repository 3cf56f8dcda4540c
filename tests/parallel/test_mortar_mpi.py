"""Two bodies in three dimensions that touch, on two ranks: the same forces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from told import on_one_and_two

pytestmark = pytest.mark.mpi

PRESS = """
import json
from fem_spe.comm import world
from fem_spe.verify.mortar import pressed_blocks
from fem_spe.verify.mortar_surface import blocks, press_bodies
materials = {"lower": (2e9, 0.3), "upper": (6e9, 0.38)}
found = press_bodies(materials, per_radius=2, method="direct")
patch = pressed_blocks(blocks(bent=True), 2)
told = {"force": found.force, "peak": found.peak, "radius": found.radius, "steps": found.steps}
told |= {"imbalance": found.imbalance, "stress": patch.stress}
if world().rank == 0:
    print("told:", json.dumps(told))
"""


def test_one_and_two_ranks_press_alike(python: Callable[..., Any], tmp_path: Path) -> None:
    one, two = told = on_one_and_two(python, PRESS, tmp_path)
    for found in told:
        assert found.pop("imbalance") < 1e-10
        assert found.pop("stress") < 1e-4
    assert two == pytest.approx(one, rel=1e-7)

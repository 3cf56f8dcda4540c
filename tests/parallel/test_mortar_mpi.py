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
patch = pressed_blocks(blocks(bent=True), 2)
told = {"stress": patch.stress}
for method in ("direct", "two-level"):
    found = press_bodies(materials, per_radius=2, method=method)
    told |= {f"force {method}": found.force, f"peak {method}": found.peak}
    told |= {f"radius {method}": found.radius, f"imbalance {method}": found.imbalance}
if world().rank == 0:
    print("told:", json.dumps(told))
"""


def test_one_and_two_ranks_press_alike(python: Callable[..., Any], tmp_path: Path) -> None:
    """By factorisation and under two levels, whose ties and seam lie on both ranks."""
    one, two = told = on_one_and_two(python, PRESS, tmp_path)
    for found in told:
        assert found.pop("stress") < 1e-4
        for method in ("direct", "two-level"):
            assert found.pop(f"imbalance {method}") < 1e-10
        for what in ("force", "peak", "radius"):
            other = found[f"{what} direct"]
            assert found[f"{what} two-level"] == pytest.approx(other, rel=1e-7), what
    assert two == pytest.approx(one, rel=1e-7)

"""A ball of lithium that yields, on two ranks: the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from told import on_one_and_two

pytestmark = pytest.mark.mpi

PRESS = """
import json
from fem_spe import parse, run
from fem_spe.comm import world
result = run(parse({
    "study": "indentation",
    "geometry": {
        "kind": "fiber_section", "arrangement": "parallel", "size": ["16 um", "8 um"],
        "fiber_diameter": "1 um", "fiber_fraction": 0.25,
    },
    "mesh": {"size": "3 um", "interface_size": "0.8 um"},
    "materials": {
        "matrix": "pegda-sn-litfsi", "fiber": "pan",
        "lithium": {
            "youngs_modulus": 7.8e9, "poisson_ratio": 0.38, "yield_stress": 0.4e6,
            "hardening_modulus": 50e6,
        },
    },
    "balls": {"radius": "4 um", "material": "lithium"},
    "indentation": {"displacement": "0.3 um", "contact_size": "0.4 um", "steps": 2},
}))
assert result.failed_checks == []
if world().rank == 0:
    print("told:", json.dumps({name: q.value for name, q in result.quantities.items()}))
"""


def test_one_and_two_ranks_press_alike(python: Callable[..., Any], tmp_path: Path) -> None:
    one, two = on_one_and_two(python, PRESS, tmp_path)
    assert one["plastic_fraction.ball"] > 0.1
    # round-off, and its part of the way of the balls
    small = {"max_penetration": 1e-14, "ball_flattening": 1e-13}
    for name, value in one.items():
        close = pytest.approx(value, rel=1e-7, abs=small.get(name, 0.0))
        assert two[name] == close, name

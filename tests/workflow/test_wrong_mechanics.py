"""Wrong elastic and contact cases: one line that says what would work, and nothing written."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

import fem_spe
from fem_spe.errors import CaseError

BOX = {"kind": "box", "size": ["20 um", "10 um"]}
MATRIX = {"matrix": {"youngs_modulus": "6 MPa", "poisson_ratio": 0.4}}
CASES: dict[str, dict[str, Any]] = {
    "indentation": {
        "study": "indentation",
        "geometry": BOX,
        "mesh": {"size": "2 um"},
        "materials": MATRIX,
        "balls": {"radius": "4 um"},
        "indentation": {"displacement": "1 um"},
    },
    "elasticity": {
        "study": "elasticity",
        "geometry": BOX,
        "mesh": {"size": "2 um"},
        "materials": MATRIX,
        "boundary": {
            "bottom": {"clamped": True},
            "top": {"displacement": ["free", "0.1 um"]},
        },
    },
    "diffusion": {
        "study": "diffusion",
        "geometry": BOX,
        "mesh": {"size": "2 um"},
        "materials": {"matrix": {"diffusivity": 1e-11}},
    },
}
CUBE = ["20 um", "20 um", "10 um"]
FREE = {"traction": ["0 Pa", "0 Pa"]}
GONE = "(gone)"  # a key that is taken away


def at(*positions: tuple[str, ...]) -> dict[str, Any]:
    return {"balls": {"radius": "4 um", "positions": [list(place) for place in positions]}}


WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    # balls
    ("indentation", at(("10 um", "13 um")), ["overlaps the block", "10 um", "14 um"]),
    ("indentation", {"balls.count": 3}, ["[balls]", "overlap", "fewer or smaller"]),
    ("indentation", at(("9 um", "14 um"), ("12 um", "15 um")), ["overlap", "apart"]),
    ("indentation", at(("30 um", "14 um")), ["beside the block", "20 um"]),
    ("indentation", at(("10 um", "40 um")), ["no ball reaches", "25 um"]),
    ("indentation", at(), ["[balls]", "positions", "at least one"]),
    ("indentation", at(("10 um", "14 um", "1 um")), ["position", "3 values", "2 axes"]),
    ("indentation", {**at(("10 um", "14 um")), "balls.count": 1}, ["count", "positions", "one of"]),
    ("indentation", {"balls.radius": 0}, ["[balls] radius", "greater than 0"]),
    ("indentation", {"balls.face": "left"}, ["face", "'left'", "'top'"]),
    ("indentation", {"balls": GONE}, ["[balls] is missing", "radius"]),
    ("indentation", {"indentation": GONE}, ["[indentation] is missing", "displacement"]),
    (
        "indentation",
        {**at(("0.5 um", "14 um")), "boundary.left.clamped": True},
        ["[balls]", "0.9586 um", "(0, 10) um", "sliding = true"],
    ),
    # how they move
    ("indentation", {"indentation.displacement": "10 um"}, ["displacement", "through the block"]),
    ("indentation", {"indentation.displacement": "5 um"}, ["4 um", "5 um", "steps = 2"]),
    ("indentation", {"indentation.displacement": "-1 um"}, ["displacement", "greater than 0"]),
    ("indentation", {"indentation.contact": "stick"}, ["'stick'", "'bonded'"]),
    ("indentation", {"indentation.steps": 0}, ["steps", "1"]),
    ("indentation", {"indentation.normal": "up"}, ["'up'", "'fixed'", "'vertical'"]),
    (
        "indentation",
        {"indentation.normal": "fixed", "indentation.contact": "bonded"},
        ['normal = "fixed"', 'contact = "bonded"', "remove one"],
    ),
    (
        "indentation",
        {"indentation.normal": "vertical", "indentation.strain": "finite"},
        ['normal = "vertical"', 'strain = "finite"', "remove one"],
    ),
    (
        "indentation",
        {"indentation.normal": "fixed", "balls.material": "lithium"},
        ['normal = "fixed"', "rigid balls", '"lithium"'],
    ),
    (
        "indentation",
        {"indentation.normal": "fixed", "indentation.displacement": "5 um", "indentation.steps": 2},
        ["4 um", "5 um", 'normal = "updated"'],
    ),
    # materials
    ("indentation", {"materials.matrix.poisson_ratio": 0.5}, ["poisson_ratio = 0.5", "less than"]),
    ("indentation", {"materials.matrix.youngs_modulus": "0 MPa"}, ["youngs_modulus", "greater"]),
    ("elasticity", {"materials.matrix.youngs_modulus": "-1 MPa"}, ["youngs_modulus", "greater"]),
    ("elasticity", {"materials.matrix.youngs_modulus": "3 um"}, ["is a length, not a pressure"]),
    ("elasticity", {"materials.matrix": "impermeable"}, ["matrix", "youngs_modulus"]),
    ("elasticity", {"materials.matrix": {"diffusivity": 1e-11}}, ["matrix", "youngs_modulus"]),
    ("elasticity", {"geometry.layers": {"matrix": "5 um", "coating": "5 um"}}, ["coating"]),
    # supports and loads
    ("elasticity", {"boundary": GONE}, ["nothing holds the block", "clamped", "sliding"]),
    ("elasticity", {"boundary": {"left": {"sliding": True}}}, ["still move", "1 rigid motion"]),
    ("elasticity", {"boundary": {"top": FREE}}, ["nothing holds the block"]),
    (
        "indentation",
        {"boundary": {"bottom": {"sliding": True}, "left": FREE, "right": FREE}},
        ["still move", "1 rigid motion"],
    ),
    ("indentation", {"boundary.top.clamped": True}, ["[boundary.top]", "balls press there"]),
    ("indentation", {"boundary.botom.clamped": True}, ["botom", "'bottom'"]),
    ("elasticity", {"boundary.front.clamped": True}, ["front", "no such face"]),
    ("elasticity", {"boundary.matrix-fiber.sliding": True}, ["matrix-fiber", "no such face"]),
    ("elasticity", {"boundary.top.displacement": ["1 um"]}, ["1 value", "2 axes"]),
    ("elasticity", {"boundary.top": {"traction": ["1 Pa"] * 3}}, ["3 values", "2 axes"]),
    ("elasticity", {"boundary.top": {"traction": ["1 um", "free"]}}, ["length, not a pressure"]),
    ("elasticity", {"boundary.top.displacement": ["fre", "1 um"]}, ["'fre'", '"free"']),
    ("elasticity", {"boundary.top": {"displacement": "1 um"}}, ["list of values"]),
    ("elasticity", {"boundary.top.clamped": True}, ["displacement and clamped", "one of them"]),
    ("elasticity", {"boundary.bottom.clamped": False}, ["clamped", "true"]),
    ("elasticity", {"elasticity.plane": "stres"}, ["'stres'", "'stress'"]),
    (
        "elasticity",
        {"geometry.size": CUBE, "elasticity.plane": "stress", "boundary.top": {"clamped": True}},
        ["[elasticity] plane", "three dimensions"],
    ),
    # what another study reads
    ("indentation", {"diffusion.mode": "steady"}, ["[diffusion]", "'indentation'"]),
    ("indentation", {"boundary.bottom.concentration": 1.0}, ["concentration", "displacement"]),
    ("indentation", {"mesh.adapt": 1e-3}, ["[mesh] adapt", "study = 3"]),
    (
        "indentation",
        {"geometry": {"kind": "mesh_file", "file": "any.msh"}, "mesh": {"study": 3}},
        ["[mesh] study", "mesh_file", "finer meshes"],
    ),
    ("elasticity", {"balls.radius": "1 um"}, ["[balls]", "'elasticity'"]),
    ("elasticity", {"boundary.left.periodic": True}, ["periodic", "'elasticity'"]),
    ("diffusion", {"boundary.top.clamped": True}, ["clamped", "'diffusion'", "concentration"]),
    ("diffusion", {"balls.radius": "1 um"}, ["[balls]", "'diffusion'"]),
]


@pytest.mark.parametrize(
    ("study", "changes", "told"),
    WRONG,
    ids=[re.sub(r"[^\w.-]+", " ", f"{s} {c}")[:70] for s, c, _ in WRONG],
)
def test_a_wrong_case_is_refused_in_one_line_and_nothing_is_written(
    study: str, changes: dict[str, Any], told: list[str], tmp_path: Path
) -> None:
    tree = copy.deepcopy(CASES[study])
    for key in [key for key, value in changes.items() if value is GONE]:
        del tree[key]
    given = {key: value for key, value in changes.items() if value is not GONE}
    with pytest.raises(CaseError) as caught:
        fem_spe.run(fem_spe.parse(tree, given), output=tmp_path / "result")
    line = str(caught.value)
    assert [part for part in told if part not in line] == []
    assert len(line.splitlines()) == 1
    assert caught.value.exit_code == 2
    assert not (tmp_path / "result").exists()

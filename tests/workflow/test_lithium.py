"""Regions and balls that yield, from case to numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mechanics import GEL, LITHIUM, STIFF, solved, value

import fem_spe
from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
import ufl
from dolfinx import fem
from mpi4py import MPI

from fem_spe.errors import CaseError
from fem_spe.exact.elasticity import contact_modulus, line_contact
from fem_spe.exact.plasticity import Metal
from fem_spe.geometry import Box
from fem_spe.meshing import MeshPlan, Sizes, Spot, build
from fem_spe.studies.solids.metal_touch import near_rims
from fem_spe.studies.solids.yielding import _flowed
from fem_spe.verify.plasticity import yielding

UM = 1e-6
BLOCK: dict[str, Any] = {
    "study": "elasticity",
    "geometry": {"kind": "box", "size": ["10 um", "10 um"]},
    "mesh": {"size": "5 um"},
    "materials": {"matrix": LITHIUM},
    "boundary": {
        "left": {"sliding": True}, "right": {"sliding": True}, "bottom": {"sliding": True},
        "top": {"displacement": ["free", "-0.03 um"]},
    },
    "output": {"figures": False},
}  # fmt: skip
BALL: dict[str, Any] = {
    "study": "indentation",
    "geometry": {"kind": "box", "size": ["20 um", "10 um"]},
    "mesh": {"size": "2 um"},
    "materials": {"matrix": GEL, "lithium": LITHIUM},
    "balls": {"radius": "4 um", "material": "lithium"},
    "indentation": {"displacement": "0.3 um", "contact_size": "0.3 um", "steps": 2},
    "output": {"figures": False},
}


def test_a_confined_block_yields_as_the_closed_form_says() -> None:
    result = solved(BLOCK)
    metal = Metal(*(LITHIUM[key] for key in LITHIUM))
    stress, plastic = metal.confined(-3e-3)
    assert value(result, "reaction_y.top") == pytest.approx(stress * 10 * UM, rel=1e-9)
    assert value(result, "max_plastic_strain.matrix") == pytest.approx(plastic, rel=1e-9)
    assert value(result, "plastic_fraction.matrix") == pytest.approx(1.0, abs=1e-12)
    now = metal.yield_stress + metal.hardening * plastic
    for name in ("mean", "p99", "max"):
        assert value(result, f"{name}_von_mises.matrix") == pytest.approx(now, rel=1e-8)
    spent = (metal.yield_stress + 0.5 * metal.hardening * plastic) * plastic * (10 * UM) ** 2
    assert value(result, "plastic_work") == pytest.approx(spent, rel=1e-9)


def test_the_energy_of_a_block_that_yields_is_that_of_its_elastic_strain() -> None:
    """Of the von Mises stress q and the mean stress: q^2 / 6 mu + K eps^2 / 2."""
    result, strain = solved(BLOCK), 3e-3
    metal = Metal(*(LITHIUM[key] for key in LITHIUM))
    _, plastic = metal.confined(-strain)
    now = metal.yield_stress + metal.hardening * plastic
    density = now**2 / (6 * metal.mu) + 0.5 * metal.bulk * strain**2
    assert value(result, "strain_energy") == pytest.approx(density * (10 * UM) ** 2, rel=1e-8)


def test_the_part_that_has_yielded_is_weighted_by_volume() -> None:
    """Plastic strain left of a line, on a mesh that is fine to the right of it."""
    size, line = (10 * UM, 10 * UM), 3 * UM
    spots = (Spot((10 * UM, 5 * UM), 5 * UM, 0.3 * UM),)
    domain = build(MPI.COMM_WORLD, MeshPlan(Box(size=size), Sizes(1 * UM, 1 * UM), spots=spots))
    body = yielding(domain, Metal(*(LITHIUM[key] for key in LITHIUM)))
    x = fem.Expression(ufl.SpatialCoordinate(domain.mesh)[0], body.points)
    at = x.eval(domain.mesh, body.cells)
    body.amount.x.array[body.amount.function_space.dofmap.list] = np.where(at < line, 2e-3, 0.0)
    fractions, largest = _flowed(domain, body)
    assert fractions["matrix"] == pytest.approx(0.3, abs=0.02)
    assert largest["matrix"] == 2e-3


def test_below_the_yield_stress_the_answer_is_that_of_elasticity() -> None:
    small = {"boundary.top.displacement": ["free", "-0.5 nm"]}
    yields = solved(BLOCK, **small)
    elastic = {key: LITHIUM[key] for key in ("youngs_modulus", "poisson_ratio")}
    plain = solved(BLOCK, **small, **{"materials.matrix": elastic})
    assert value(yields, "plastic_fraction.matrix") == 0.0
    for name, quantity in plain.quantities.items():
        if name != "reaction_x.left" and abs(quantity.value) > 0.0:
            assert value(yields, name) == pytest.approx(quantity.value, rel=1e-8), name


def test_a_load_beyond_the_limit_keeps_the_last_good_step(
    tmp_path: Path, fem_spe: Callable[..., Any]
) -> None:
    """Perfectly plastic in plane strain: the limit is 2/sqrt(3) of the yield stress."""
    (tmp_path / "c.toml").write_text(
        'study = "elasticity"\n[geometry]\nkind = "box"\nsize = ["10 um", "10 um"]\n'
        '[mesh]\nsize = "5 um"\n[materials]\nmatrix = "lithium"\n[boundary]\n'
        "left = { sliding = true }\nbottom = { sliding = true }\ntop = { traction = "
        '["0 MPa", "1 MPa"] }\n[output]\nfigures = false\n',
        encoding="utf-8",
    )
    done = fem_spe("run", "c.toml", "-o", "r", cwd=tmp_path)
    assert done.returncode == 3
    told = done.stderr.strip().splitlines()[-1]
    assert "[boundary.*]" in told
    assert "0.923" in told
    assert "hardening_modulus" in told
    assert "last good step is kept" in told
    summary = json.loads((tmp_path / "r" / "summary.json").read_text("utf-8"))
    assert summary["status"] == "failed"
    reached = summary["quantities"]["reached_load"]["value"]
    assert reached == pytest.approx(2 / np.sqrt(3) * 0.8, rel=1e-3)
    assert reached < 2 / np.sqrt(3) * 0.8
    assert summary["quantities"]["reaction_y.bottom"]["value"] == pytest.approx(
        -reached * 10.0, rel=1e-8
    )
    assert not summary["checks"]["unreached"]["passed"]
    assert summary["checks"]["force_imbalance"]["passed"]


def test_a_stiff_ball_presses_as_a_rigid_one() -> None:
    stiff = solved(BALL, **{"materials.lithium": STIFF})
    rigid = {key: part for key, part in BALL.items() if key not in ("balls", "materials")}
    rigid |= {"balls": {"radius": "4 um"}, "materials": {"matrix": GEL}}
    other = solved(rigid)
    assert value(stiff, "contact_force") == pytest.approx(value(other, "contact_force"), rel=3e-3)
    for name in ("p99_von_mises.matrix", "strain_energy"):
        assert value(stiff, name) == pytest.approx(value(other, name), rel=1e-2)
    # its arc hangs on few nodes: the last one that touches decides
    assert value(stiff, "contact_radius") == pytest.approx(value(other, "contact_radius"), rel=0.1)
    assert value(stiff, "ball_flattening") == pytest.approx(0.0, abs=1e-3 * UM)
    # under half an ellipse of pressure the arc lies <x^2> / 2 R = a^2 / 8 R above its foot
    curved = value(other, "contact_radius") ** 2 / (8 * 4 * UM)
    foot = 0.3 * UM - curved
    assert value(stiff, "indented_depth") == pytest.approx(foot, rel=0.02)
    above = {"balls.positions": [["10 um", "14.1 um"]], "indentation.displacement": "0.4 um"}
    later = solved(BALL, **above, **{"materials.lithium": STIFF})
    for name in ("contact_force", "indented_depth"):  # not counting the way to the surface
        assert value(later, name) == pytest.approx(value(stiff, name), rel=1e-2)
    # of the structure, above which the ball lies
    assert value(stiff, "load_share.matrix") == pytest.approx(1.0, rel=1e-12)


def test_stress_within_a_tenth_of_the_radius_of_a_rim_does_not_count() -> None:
    structure: Any = SimpleNamespace(origin=(UM, 0.0))
    left_out = near_rims(structure, [(9 * UM, 14 * UM)], 4 * UM, None)
    points = np.array([[14.39, 14.0], [14.41, 14.0], [5.7, 13.8], [6.0, 13.5], [10.0, 10.0]])
    assert left_out(points * UM).tolist() == [True, False, True, False, False]


def test_an_elastic_ball_on_an_elastic_block_presses_as_hertz_says() -> None:
    """The mean pressure over the half width found; the force depends on the block in 2-D."""
    same = {"youngs_modulus": 6e6, "poisson_ratio": 0.4}
    wide = {"geometry.size": ["60 um", "60 um"], "mesh.size": "4 um", "balls.radius": "20 um"}
    narrow = {"indentation": {"displacement": "0.1 um", "contact_size": "0.06 um"}}
    result = solved(BALL, **wide, **narrow, **{"materials.lithium": same})
    modulus = 0.5 * contact_modulus(same["youngs_modulus"], same["poisson_ratio"])
    hertz = line_contact(value(result, "contact_force"), modulus, 20 * UM)
    assert value(result, "contact_radius") == pytest.approx(hertz.radius, rel=0.03)


def test_a_ball_of_lithium_yields_on_a_stiff_block_and_a_strong_one_does_not() -> None:
    hard = {"materials.matrix.youngs_modulus": "60 MPa", "indentation.displacement": "0.1 um"}
    soft = solved(BALL, **hard)
    strong = solved(BALL, **hard, **{"materials.lithium.yield_stress": "105 MPa"})
    assert value(strong, "plastic_fraction.ball") == 0.0
    assert 0.1 < value(soft, "plastic_fraction.ball") < 1.0
    assert value(soft, "ball_flattening") > 2 * value(strong, "ball_flattening")
    assert value(soft, "contact_force") < value(strong, "contact_force")
    flowed = 0.8e6 + 50e6 * value(soft, "max_plastic_strain.ball")
    assert value(soft, "max_von_mises.ball") <= flowed * (1 + 1e-9)
    assert value(strong, "max_von_mises.ball") > value(soft, "max_von_mises.ball")
    for result in (soft, strong):
        curve = result.solution.tables["force"]
        assert np.all(np.diff(curve["force [N/m]"]) > 0)
        total = result.solution.tables["balls"]["force [N/m]"].sum()
        assert total == pytest.approx(value(result, "contact_force"), rel=1e-12)


def test_a_ball_bears_nothing_until_it_meets_the_structure() -> None:
    places = [["6 um", "14.1 um"], ["15 um", "14.3 um"]]
    changes = {
        "balls": {"radius": "4 um", "material": "lithium", "positions": places},
        "indentation": {"displacement": "0.2 um", "contact_size": "0.5 um", "steps": 2},
    }
    result = solved(BALL, **changes)
    curve, balls = result.solution.tables["force"], result.solution.tables["balls"]
    assert curve["force [N/m]"][0] == pytest.approx(0.0, abs=1e-3 * curve["force [N/m]"][1])
    assert balls["force [N/m]"][1] == 0.0
    assert balls["force [N/m]"][0] > 0.0


def test_the_resolved_case_of_a_metal_ball_is_a_case() -> None:
    case = fem_spe.parse(BALL)
    again = fem_spe.parse(case.to_dict())
    assert again == case


YIELDS = {"materials.matrix": LITHIUM}
WRONG: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (BLOCK, {"materials.matrix": {"yield_stress": 1e6}}, ["yield_stress needs youngs_modulus"]),
    (BLOCK, {"materials.matrix": {**GEL, "hardening_modulus": 1e6}}, ["needs yield_stress"]),
    (BLOCK, {"materials.matrix.yield_stress": "0 MPa"}, ["yield_stress", "greater than 0"]),
    (BLOCK, {"materials.matrix.hardening_modulus": "-1 MPa"}, ["hardening_modulus", "greater"]),
    (BLOCK, {"materials.matrix.yield_stress": "1 um"}, ["is a length, not a pressure"]),
    (BLOCK, {"materials.matrix.poisson_ratio": 0.495}, ["poisson_ratio", "0.49"]),
    (BLOCK, {"elasticity.plane": "stress"}, ["plane", "yield_stress", "matrix"]),
    (BLOCK, {"elasticity.strain": "finite"}, ["small strain", "yield_stress", "matrix"]),
    (BLOCK, {"elasticity.steps": 0}, ["[elasticity] steps", "1"]),
    (BALL, {"balls.material": "lithum"}, ["'lithum'", "did you mean 'lithium'", "[materials]"]),
    (BALL, {"balls.material": "gou-rse"}, ["'gou-rse'", "youngs_modulus"]),
    (BALL, {"balls.material": "rigid", **YIELDS}, ["matrix has a yield_stress", "rigid balls"]),
    (BALL, {"indentation.contact": "bonded"}, ["bonded", "rigid balls"]),
    (BALL, {"indentation.strain": "finite"}, ["small strain", "rigid"]),
    (BALL, {"elasticity.plane": "stress"}, ["plane", "rigid"]),
    (BALL, {"materials.lithium.poisson_ratio": 0.495}, ["poisson_ratio", "0.49"]),
    (
        BALL,
        {"balls": {"radius": "4 um", "material": "lithium", "positions": [["2 um", "14 um"]]}},
        ["2 um", "beyond the structure"],
    ),
]


@pytest.mark.parametrize(("tree", "changes", "told"), WRONG)
def test_a_wrong_case_is_refused_in_one_line_and_nothing_is_written(
    tree: dict[str, Any], changes: dict[str, Any], told: list[str], tmp_path: Path
) -> None:
    with pytest.raises(CaseError) as caught:
        fem_spe.run(fem_spe.parse(tree, changes), output=tmp_path / "result")
    message = str(caught.value)
    assert "\n" not in message
    for words in told:
        assert words in message
    assert not (tmp_path / "result").exists()


def test_a_mesh_file_takes_no_metal_balls(tmp_path: Path) -> None:
    plain = {key: part for key, part in BALL.items() if key != "balls"}
    plain |= {"balls": {"radius": "4 um"}, "materials": {"matrix": GEL}}
    fem_spe.run(fem_spe.parse(plain), output=tmp_path / "r")
    file = {"geometry": {"kind": "mesh_file", "file": str(tmp_path / "r" / "mesh.msh")}}
    with pytest.raises(CaseError, match="meshed with them"):
        fem_spe.run(fem_spe.parse(BALL | {"mesh": {}}, file))

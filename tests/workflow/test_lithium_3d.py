"""Balls of metal in three dimensions, from case to numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mechanics import GEL, LITHIUM, STIFF, solved, value

import fem_spe
from fem_spe.errors import CaseError, MeshError
from fem_spe.exact.elasticity import contact_modulus
from fem_spe.geometry import Box
from fem_spe.meshing import HalfBall, MeshPlan, Sizes, Spot, mesh_arrays
from fem_spe.meshing.areas import areas
from fem_spe.results import read_summary
from fem_spe.studies.solids import metal_balls

UM = 1e-6
QUARTER = {"radius": "4 um", "material": "lithium", "positions": [["0 um", "0 um", "9 um"]]}
BALL: dict[str, Any] = {
    "study": "indentation",
    "geometry": {"kind": "box", "size": ["5 um", "5 um", "5 um"]},
    "mesh": {"size": "2 um"},
    "materials": {"matrix": GEL, "lithium": LITHIUM},
    "balls": QUARTER,
    "indentation": {"displacement": "0.2 um", "contact_size": "0.25 um"},
    "output": {"figures": False},
}


@pytest.mark.parametrize(("place", "parts"), [((5, 5), 1), ((0, 5), 2), ((10, 10), 4)])
def test_a_half_ball_is_meshed_beside_the_structure(place: tuple[int, int], parts: int) -> None:
    x, y = (UM * c for c in place)
    box = Box(size=(10 * UM, 10 * UM, 8 * UM))
    plan = MeshPlan(
        box, Sizes(4 * UM, 4 * UM), spots=(Spot((x, y, 8 * UM), 1.5 * UM, 0.4 * UM),),
        half_balls=(HalfBall((x, y, 12 * UM), 4 * UM),),
    )  # fmt: skip
    arrays = mesh_arrays(plan)
    assert arrays.min_quality > 0.15
    found = areas(arrays)
    assert found["matrix"] == pytest.approx(800 * UM**3, rel=1e-12)
    whole = 2 / 3 * math.pi * (4 * UM) ** 3
    assert found["ball"] == pytest.approx(whole / parts, rel=0.015)
    edges = arrays.points[arrays.cells]
    assert np.linalg.det(edges[:, 1:] - edges[:, :1]).min() > 0
    own = np.unique(arrays.cells[arrays.cell_tags == arrays.regions["ball"]])
    others = np.unique(arrays.cells[arrays.cell_tags != arrays.regions["ball"]])
    assert not np.intersect1d(own, others).size

    def area(name: str) -> float:
        corners = arrays.points[arrays.facets[arrays.facet_tags == arrays.faces[name]]]
        sides = corners[:, 1:] - corners[:, :1]
        return float(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum() / 2)

    disc = math.pi * (4 * UM) ** 2
    assert area("ball-driven") == pytest.approx(disc / parts, rel=0.01)
    cap = 2 * disc * (1 - math.cos(math.radians(75)))
    assert area("ball-contact") == pytest.approx(cap / parts, rel=0.04)
    # cut faces belong to the sides, which slide
    cuts = sum(area(name) for name in ("left", "right", "front", "back")) - 4 * 80 * UM**2
    assert cuts == pytest.approx({1: 0, 2: 1, 4: 1}[parts] * disc / 2, rel=0.01, abs=UM**2 * 1e-9)
    round_ = np.unique(arrays.facets[arrays.facet_tags == arrays.faces["ball-contact"]])
    away = np.linalg.norm(arrays.points[round_] - [x, y, 12 * UM], axis=1)
    assert np.allclose(away, 4 * UM, rtol=1e-9)


def test_curved_cells_are_refused() -> None:
    box = Box(size=(10 * UM, 10 * UM, 8 * UM))
    balls = (HalfBall((5 * UM, 5 * UM, 12 * UM), 4 * UM),)
    with pytest.raises(MeshError, match="order = 1"):
        mesh_arrays(MeshPlan(box, Sizes(4 * UM, 4 * UM, 2), half_balls=balls))


def test_a_stiff_ball_presses_as_a_rigid_one() -> None:
    stiff = solved(BALL, **{"materials.lithium": STIFF})
    rigid = {key: part for key, part in BALL.items() if key not in ("balls", "materials")}
    places = {key: part for key, part in QUARTER.items() if key != "material"}
    other = solved(rigid | {"balls": places, "materials": {"matrix": GEL}})
    assert value(stiff, "contact_force") == pytest.approx(value(other, "contact_force"), rel=5e-3)
    for name in ("p99_von_mises.matrix", "strain_energy"):
        assert value(stiff, name) == pytest.approx(value(other, name), rel=1e-2)
    assert value(stiff, "ball_flattening") == pytest.approx(0.0, abs=1e-3 * UM)
    assert stiff.solution.checks["action_reaction"].value < 1e-10


def test_a_ball_of_lithium_yields_on_a_stiff_block_and_a_strong_one_does_not() -> None:
    hard = {"materials.matrix.youngs_modulus": "60 MPa", "indentation.contact_size": "0.5 um"}
    soft = solved(BALL, **hard)
    strong = solved(BALL, **hard, **{"materials.lithium.yield_stress": "105 MPa"})
    assert value(strong, "plastic_fraction.ball") == 0.0
    assert 0.02 < value(soft, "plastic_fraction.ball") < 1.0
    assert value(soft, "ball_flattening") > 2 * value(strong, "ball_flattening")
    assert value(soft, "contact_force") < value(strong, "contact_force")
    flowed = 0.8e6 + 50e6 * value(soft, "max_plastic_strain.ball")
    assert value(soft, "max_von_mises.ball") <= flowed * (1 + 1e-9)
    total = soft.solution.tables["balls"]["force [N]"].sum()
    assert total == pytest.approx(value(soft, "contact_force"), rel=1e-12)
    radius = soft.solution.tables["balls"]["contact radius [um]"][0] * UM
    assert radius == pytest.approx(value(soft, "contact_radius"), rel=1e-12)
    mean = value(soft, "contact_force") / (0.25 * math.pi * radius**2)
    assert value(soft, "contact_pressure") == pytest.approx(mean, rel=1e-12)


def test_two_levels_find_what_a_factorisation_does(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = {
        "mesh.size": "2.5 um", "materials.matrix.youngs_modulus": "60 MPa",
        "indentation": {"displacement": "0.1 um", "contact_size": "0.6 um"},
    }  # fmt: skip
    direct = solved(BALL, **coarse)
    monkeypatch.setattr(metal_balls, "choose", lambda *_: "two-level")
    other = solved(BALL, **coarse)
    for name in ("contact_force", "contact_radius", "ball_flattening", "plastic_work"):
        assert value(other, name) == pytest.approx(value(direct, name), rel=1e-7), name


def test_a_ball_on_a_hard_block_yields_first_at_the_force_of_theory() -> None:
    """Johnson, Contact Mechanics, 1985, 6.1: p0 = 1.60 Y at nu = 0.3, by the elastic stresses."""
    modulus, radius = 1e9, 4 * UM
    changes = {
        "geometry.size": ["4.2 um", "4.2 um", "2 um"], "mesh.size": "1 um",
        "materials": {
            "matrix": {"youngs_modulus": 1e12, "poisson_ratio": 0.3},
            "lithium": {"youngs_modulus": modulus, "poisson_ratio": 0.3},
        },
        "balls.positions": [["0 um", "0 um", "6 um"]],
        "indentation": {"displacement": "0.058 um", "contact_size": "0.15 um"},
    }  # fmt: skip
    result = solved(BALL, **changes)
    both = contact_modulus(modulus, 0.3) / (1 + modulus / 1e12)
    highest = 1.60 * value(result, "max_von_mises.ball")
    first = math.pi**3 * radius**2 / (6 * both**2) * highest**3
    assert 4 * value(result, "contact_force") == pytest.approx(first, rel=0.05)


@pytest.mark.mpi
def test_two_ranks_find_what_one_does(fem_spe: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'study = "indentation"\n[geometry]\nkind = "box"\nsize = ["5 um", "5 um", "5 um"]\n'
        '[mesh]\nsize = "2.5 um"\n[materials]\nmatrix = { youngs_modulus = "60 MPa", '
        'poisson_ratio = 0.4 }\n[materials.lithium]\nyoungs_modulus = "7.8 GPa"\n'
        'poisson_ratio = 0.38\nyield_stress = "0.8 MPa"\nhardening_modulus = "50 MPa"\n[balls]\n'
        'radius = "4 um"\nmaterial = "lithium"\npositions = [["0 um", "0 um", "9 um"]]\n'
        '[indentation]\ndisplacement = "0.1 um"\ncontact_size = "0.6 um"\n'
        "[output]\nfigures = false\n",
        encoding="utf-8",
    )
    found = {}
    for ranks in (1, 2):
        done = fem_spe("run", "c.toml", "-o", f"on{ranks}", cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        found[ranks] = read_summary(tmp_path / f"on{ranks}")["quantities"]
    for name in ("contact_force", "contact_radius", "ball_flattening", "plastic_work"):
        assert found[2][name]["value"] == pytest.approx(found[1][name]["value"], rel=1e-7), name


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"balls.positions": [["2 um", "0 um", "9 um"]]}, ["2, 0 um", "beyond the structure"]),
    ({"boundary.front": {"clamped": True}}, ["cut by front", "sliding = true"]),
    ({"geometry.size": ["3 um", "5 um", "5 um"]}, ["beyond the structure of 3 um"]),
    ({"indentation.contact": "bonded"}, ["bonded", "rigid balls"]),
    ({"indentation.strain": "finite"}, ["small strain", "rigid"]),
    ({"materials.lithium.poisson_ratio": 0.495}, ["poisson_ratio", "0.49"]),
]


@pytest.mark.parametrize(("changes", "told"), WRONG)
def test_a_wrong_case_is_refused_in_one_line(changes: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(CaseError) as caught:
        fem_spe.run(fem_spe.parse(BALL, changes))
    message = str(caught.value)
    assert "\n" not in message
    for words in told:
        assert words in message

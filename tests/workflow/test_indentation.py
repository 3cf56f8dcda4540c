"""Balls pressed into structures, from case to numbers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mechanics import solved, value

import fem_spe
from fem_spe.case import Boundary
from fem_spe.exact.elasticity import contact_modulus, line_contact, von_mises
from fem_spe.physics.elasticity import lame
from fem_spe.studies.solids.mechanics import clamped_corners

UM = 1e-6
E, NU = 6e6, 0.4
BLOCK: dict[str, Any] = {
    "study": "indentation",
    "geometry": {"kind": "box", "size": ["20 um", "10 um"]},
    "mesh": {"size": "1.5 um"},
    "materials": {"matrix": {"youngs_modulus": E, "poisson_ratio": NU}},
    "balls": {"radius": "4 um"},
    "indentation": {"displacement": "0.5 um"},
    "output": {"figures": False},
}
FIBRES: dict[str, Any] = {
    "geometry": {
        "kind": "fiber_section", "arrangement": "random", "size": ["24 um", "12 um"],
        "fiber_diameter": "2 um", "aspect": 1.0, "fiber_fraction": 0.2, "min_gap": "0.4 um",
        "seed": 1,
    },
    "mesh": {"size": "1.2 um", "interface_size": "0.4 um"},
    "materials.fiber": {"youngs_modulus": 190 * E, "poisson_ratio": 0.37},
}  # fmt: skip


def press(**changes: Any) -> fem_spe.Result:
    """A run of the block with `changes`, without a check that failed."""
    return solved(BLOCK, **changes)


def test_the_quantities_have_the_names_of_the_contract() -> None:
    result = press(**FIBRES)
    names = set(result.quantities)
    assert names >= {"contact_force", "contact_radius", "max_penetration", "strain_energy"}
    for region in ("matrix", "fiber"):
        assert names >= {f"{s}_von_mises.{region}" for s in ("mean", "p99", "p999", "max")}
        assert names >= {f"load_share.{region}", f"energy_share.{region}"}
        spread = [value(result, f"{s}_von_mises.{region}") for s in ("mean", "p99", "p999", "max")]
        assert spread == sorted(spread)
    for share in ("load_share", "energy_share"):
        both = value(result, f"{share}.matrix") + value(result, f"{share}.fiber")
        assert both == pytest.approx(1.0, rel=1e-12)
    assert result.quantities["contact_force"].unit == "N/m"
    assert set(result.solution.tables) >= {"force", "balls"}
    assert result.solution.tables["balls"]["force [N/m]"].sum() == pytest.approx(
        value(result, "contact_force"), rel=1e-12
    )


def test_a_shallow_ball_presses_as_hertz_says() -> None:
    """Half width from the force; the force itself depends on the block in two dimensions."""
    deep = {"geometry.size": ["60 um", "60 um"], "mesh.size": "3 um", "balls.radius": "40 um"}
    narrow = {"indentation": {"displacement": "0.1 um", "contact_size": "0.05 um"}}
    result = press(**deep, **narrow)
    hertz = line_contact(value(result, "contact_force"), contact_modulus(E, NU), 40 * UM)
    assert value(result, "contact_radius") == pytest.approx(hertz.radius, rel=0.02)


def test_corners_of_a_clamped_face_count_where_the_side_is_a_plane_of_symmetry() -> None:
    block: Any = SimpleNamespace(origin=(0.0, 0.0), size=(20 * UM, 10 * UM), dimension=2)
    slides = dict.fromkeys(("left", "right"), Boundary(sliding=True))
    held = {"bottom": Boundary(clamped=True)}
    assert clamped_corners(block, held | slides) is None
    near = clamped_corners(block, held | {"left": slides["left"]})
    assert near is not None
    points = np.array([[0.1, 0.1], [19.6, 0.4], [19.4, 0.1], [19.6, 9.9]]) * UM
    assert near(points).tolist() == [False, True, False, False]


def test_two_balls_press_alike_and_two_mirrored_ones_too() -> None:
    result = press(**{"balls.count": 2, "geometry.size": ["40 um", "10 um"]})
    left, right = result.solution.tables["balls"]["force [N/m]"]
    # the mesh is not symmetric
    assert left == pytest.approx(right, rel=1e-3)
    moved = {"balls": {"radius": "4 um", "positions": [["6 um", "14 um"], ["30 um", "14 um"]]}}
    mirrored = {"balls": {"radius": "4 um", "positions": [["34 um", "14 um"], ["10 um", "14 um"]]}}
    size = {"geometry.size": ["40 um", "10 um"]}
    one, two = press(**size, **moved), press(**size, **mirrored)
    assert one.solution.tables["balls"]["force [N/m]"] == pytest.approx(
        two.solution.tables["balls"]["force [N/m]"], rel=1e-3
    )


def test_half_a_ball_over_a_plane_of_symmetry_is_as_wide_as_a_whole_one() -> None:
    whole = press()
    half = press(
        **{"geometry.size": ["10 um", "10 um"], "balls.positions": [["0 um", "14 um"]]},
    )
    assert value(half, "contact_force") == pytest.approx(
        0.5 * value(whole, "contact_force"), rel=0.01
    )
    assert value(half, "contact_radius") == pytest.approx(value(whole, "contact_radius"), rel=0.1)


def test_a_ball_that_touches_nothing_does_not_count_in_the_mean_radius() -> None:
    two = [["6 um", "14 um"], ["14 um", "14.6 um"]]
    result = press(**{"balls.positions": two})
    sizes = result.solution.tables["balls"]["contact half width [um]"]
    assert sizes[1] == 0.0
    assert value(result, "contact_radius") == pytest.approx(sizes[0] * UM, rel=1e-12)


def test_the_force_curve_rises_and_ends_where_one_step_does() -> None:
    one = press(**FIBRES)
    steps = press(**FIBRES, **{"indentation.steps": 5})
    curve = steps.solution.tables["force"]
    assert curve["displacement [um]"] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert np.all(np.diff(curve["force [N/m]"]) > 0)
    assert curve["force [N/m]"] == pytest.approx(curve["force on ball 1 [N/m]"])
    # frictionless and elastic: the way does not matter
    assert curve["force [N/m]"][-1] == pytest.approx(value(one, "contact_force"), rel=1e-6)


@pytest.mark.parametrize("normal", ["fixed", "vertical"])
def test_normals_that_do_not_turn_make_a_linear_problem(normal: str) -> None:
    """Near those that do where balls go in a little; the steps do not matter."""
    shallow = {"indentation.displacement": "0.2 um", "indentation.normal": normal}
    true = press(**{**shallow, "indentation.normal": "updated"})
    one, steps = (press(**{**shallow, "indentation.steps": n}) for n in (1, 3))
    force = value(one, "contact_force")
    assert force == pytest.approx(value(true, "contact_force"), rel=0.02)
    assert value(steps, "contact_force") == pytest.approx(force, rel=1e-9)
    assert one.solution.solver["iterations"] <= 4


def test_what_sticks_resists_more_and_the_more_the_finer_the_steps() -> None:
    deep = {"indentation.displacement": "1 um"}
    sticking = {**deep, "indentation.contact": "bonded"}
    results = [press(**deep), press(**sticking), press(**sticking, **{"indentation.steps": 8})]
    forces = [value(result, "contact_force") for result in results]
    assert forces[0] < forces[1] < forces[2] < 1.05 * forces[0]
    assert "tangential_force" not in results[1].checks


@pytest.mark.parametrize("kind", ["frictionless", "bonded"])
def test_a_nearly_incompressible_block_does_not_lock(kind: str) -> None:
    """From nu = 0.49 to 0.4999 the force rises little; linear elements say 1.7 and more."""
    change = {"indentation.contact": kind, "mesh.size": "1 um"}
    found = [press(**change, **{"materials.matrix.poisson_ratio": nu}) for nu in (0.49, 0.4999)]
    forces = [value(result, "contact_force") for result in found]
    assert 1.0 < forces[1] / forces[0] < 1.1
    # energies are those of the work of the balls: less than force times way, more than a third
    for result, force in zip(found, forces, strict=True):
        assert 0.3 < value(result, "strain_energy") / (force * 0.5 * UM) < 0.6


@pytest.mark.parametrize("nu", [0.4, 0.4999])
def test_the_energy_stored_is_the_work_of_the_forces(nu: float) -> None:
    """A linear body under its nodal forces: half of force times displacement."""
    found = press(**{"materials.matrix.poisson_ratio": nu, "mesh.size": "1 um"})
    # bonded, all contact nodes move with the ball
    bonded = press(
        **{"materials.matrix.poisson_ratio": nu, "indentation.contact": "bonded",
           "balls.radius": "1 m", "mesh.size": "1 um"}
    )  # fmt: skip
    work = 0.5 * value(bonded, "contact_force") * 0.5 * UM
    assert value(bonded, "strain_energy") == pytest.approx(work, rel=1e-6)
    assert value(found, "strain_energy") < value(bonded, "strain_energy")


@pytest.mark.parametrize("normal", ["updated", "vertical"])
def test_the_force_is_the_slope_of_the_energy(normal: str) -> None:
    """Half a ball without friction, R/4 deep. Fixed normals turn with its way: no potential."""
    half = {"balls": {"radius": "4 um", "positions": [["0 um", "14 um"]]}}
    energies, forces = [], []
    for deep in (0.98, 1.0, 1.02):
        given = {"displacement": f"{deep} um", "normal": normal, "contact_size": "0.3 um"}
        result = press(**half, **{"geometry.size": ["10 um", "10 um"], "indentation": given})
        energies.append(value(result, "strain_energy"))
        forces.append(value(result, "contact_force"))
    assert (energies[2] - energies[0]) / (0.04 * UM) == pytest.approx(forces[1], rel=3e-3)


def test_a_ball_beside_a_wall_leans_on_it() -> None:
    """A node in the corner moves down alone: what presses it there is in balance, too."""
    result = press(**{"balls": {"radius": "4 um", "positions": [["19.6 um", "14 um"]]}})
    assert value(result, "contact_force") > 0.0
    assert result.checks["force_imbalance"].value < 1e-9


@pytest.mark.parametrize("steps", [1, 2])
def test_a_face_that_is_drawn_relieves_a_flat_ball(steps: int) -> None:
    """Plane strain: sigma_y = E' eps_y + nu' sigma_x, with E / (1 - nu^2) and nu / (1 - nu)."""
    pull = 0.2e6  # Pa
    faces = {
        "left": {"sliding": True}, "bottom": {"sliding": True},
        "right": {"traction": [f"{pull * 1e-6} MPa", "0 MPa"]},
    }  # fmt: skip
    given = {"displacement": "0.5 um", "contact_size": "3 um", "steps": steps}
    found = press(
        **{"boundary": faces, "balls.radius": "1 m", "mesh.size": "3 um", "indentation": given}
    )
    stress = -E / (1 - NU**2) * 0.05 + NU / (1 - NU) * pull
    assert value(found, "contact_force") == pytest.approx(-stress * 20 * UM, rel=3e-4)


@pytest.mark.parametrize("plane", ["strain", "stress"])
@pytest.mark.parametrize("nu", [0.3, 0.495])
def test_a_flat_ball_strains_a_block_evenly(plane: str, nu: float) -> None:
    """Sides slide: no strain along x. In a film there is no stress across the plane.

    The ball's surface rises by a ten thousandth of the way towards the sides.
    """
    found = press(
        **{"elasticity.plane": plane, "materials.matrix.poisson_ratio": nu, "balls.radius": "1 m",
           "mesh.size": "3 um", "indentation": {"displacement": "0.5 um", "contact_size": "3 um"}}
    )  # fmt: skip
    m, strain = lame(E, nu, plane), 0.05  # type: ignore[arg-type]
    stress = np.diag([m.lam, m.lam + 2 * m.mu, m.lam if plane == "strain" else 0.0]) * strain
    assert value(found, "contact_force") == pytest.approx(stress[1, 1] * 20 * UM, rel=3e-4)
    for name in ("mean", "p99", "p999", "max"):
        told = value(found, f"{name}_von_mises.matrix")
        assert told == pytest.approx(float(von_mises(stress)), rel=3e-4), name
    energy = 0.5 * stress[1, 1] * strain * 20 * UM * 10 * UM
    assert value(found, "strain_energy") == pytest.approx(energy, rel=3e-4)


@pytest.mark.parametrize("kind", ["frictionless", "bonded"])
def test_a_mesh_study_tells_errors_and_what_is_singular(kind: str) -> None:
    """The edge of a bonded contact is the tip of a crack; that of a free one is not."""
    sizes = {"mesh": {"study": 3, "size": "2 um"}, "indentation.contact_size": "0.3 um"}
    result = press(**sizes, **{"indentation.displacement": "1 um", "indentation.contact": kind})
    singular = {name for name, quantity in result.quantities.items() if quantity.singular}
    assert singular == ({"max_von_mises.matrix"} if kind == "bonded" else set())
    for name, most in (("p99_von_mises.matrix", 0.02), ("contact_force", 2e-3)):
        values = result.solution.tables["mesh_study"][f"{name} [{result.quantities[name].unit}]"]
        assert values[-1] == pytest.approx(values[-2], rel=most)
        assert result.quantities[name].error is not None


def test_a_mesh_file_is_pressed_like_the_structure_it_came_from(tmp_path: Path) -> None:
    first = fem_spe.run(fem_spe.parse(BLOCK), output=tmp_path / "r")
    file = {"geometry": {"kind": "mesh_file", "file": str(tmp_path / "r" / "mesh.msh")}}
    again = press(**file, mesh={})
    for name, quantity in first.quantities.items():
        if name != "max_penetration":
            assert value(again, name) == pytest.approx(quantity.value, rel=1e-9), name
    summary = json.loads((tmp_path / "r" / "summary.json").read_text("utf-8"))
    assert (summary["status"], summary["study"]) == ("done", "indentation")
    assert {p.name for p in (tmp_path / "r" / "tables").iterdir()} >= {"force.csv", "balls.csv"}


def test_parallel_fibres_carry_what_discs_do_not() -> None:
    parallel = {
        "kind": "fiber_section", "arrangement": "parallel", "size": ["24 um", "12 um"],
        "fiber_diameter": "1 um", "fiber_fraction": 0.2, "cover": "0.8 um",
    }  # fmt: skip
    along = press(**{**FIBRES, "geometry": parallel, "mesh.interface_size": "0.25 um"})
    across = press(**FIBRES)
    assert value(along, "energy_share.fiber") > 2 * value(across, "energy_share.fiber")

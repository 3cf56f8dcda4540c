"""Balls pressed into blocks and networks in three dimensions, from case to numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mechanics import solved, value

import fem_spe
from fem_spe.errors import CaseError, MeshError
from fem_spe.exact.elasticity import ball_contact, contact_modulus

UM = 1e-6
E, NU = 6e6, 0.4
BLOCK: dict[str, Any] = {
    "study": "indentation",
    "geometry": {"kind": "box", "size": ["12 um", "12 um", "8 um"]},
    "mesh": {"size": "2 um"},
    "materials": {"matrix": {"youngs_modulus": E, "poisson_ratio": NU}},
    "balls": {"radius": "4 um"},
    "indentation": {"displacement": "0.6 um"},
    "output": {"figures": False},
}
NETWORK: dict[str, Any] = {
    "geometry": {
        "kind": "fiber_network", "size": ["12 um", "12 um", "8 um"], "fiber_diameter": "2 um",
        "fiber_fraction": 0.15, "seed": 1,
    },
    "mesh": {"size": "1.8 um", "interface_size": "0.9 um"},
    "materials.fiber": {"youngs_modulus": 100 * E, "poisson_ratio": 0.37},
    "indentation.contact_size": "0.9 um",
}  # fmt: skip


def press(**changes: Any) -> fem_spe.Result:
    """A run of the block with `changes`, without a check that failed."""
    return solved(BLOCK, **changes)


def test_a_network_gives_the_quantities_of_the_contract_and_a_picture(tmp_path: Path) -> None:
    case = fem_spe.parse(BLOCK, {**NETWORK, "solver.degree": 1, "output.figures": True})
    result = fem_spe.run(case, output=tmp_path / "r")
    assert result.failed_checks == []
    for region in ("matrix", "fiber"):
        spread = [value(result, f"{s}_von_mises.{region}") for s in ("mean", "p99", "p999", "max")]
        assert spread == sorted(spread)
    for share in ("load_share", "energy_share"):
        both = value(result, f"{share}.matrix") + value(result, f"{share}.fiber")
        assert both == pytest.approx(1.0, rel=1e-12)
    assert result.quantities["contact_force"].unit == "N"
    assert result.quantities["strain_energy"].unit == "J"
    assert set(result.solution.tables["balls"]) == {
        "x [um]", "y [um]", "force [N]", "contact radius [um]"
    }  # fmt: skip
    assert (tmp_path / "r" / "figures" / "von_mises.png").stat().st_size > 20_000
    assert (tmp_path / "r" / "tables" / "force.csv").exists()


def test_a_shallow_ball_in_a_corner_presses_as_hertz_says() -> None:
    """A quarter model: a quarter of the force, the whole radius; deep and wide blocks."""
    corner = {"balls": {"radius": "10 um", "positions": [["0 um", "0 um", "26 um"]]}}
    shallow = {"indentation": {"displacement": "0.1 um", "contact_size": "0.2 um"}}
    size = {"geometry.size": ["16 um", "16 um", "16 um"], "mesh.size": "3 um"}
    result = press(**corner, **shallow, **size)
    force, hertz = ball_contact(0.1 * UM, contact_modulus(E, NU), 10 * UM)
    whole = 4 * value(result, "contact_force")
    # ground and sides at 16 radii of the contact stiffen by some percent
    assert 1.0 < whole / force < 1.12
    radius = (0.75 * whole * 10 * UM / contact_modulus(E, NU)) ** (1 / 3)
    assert value(result, "contact_radius") == pytest.approx(radius, rel=0.04)
    assert hertz.radius == pytest.approx(UM, rel=1e-12)


def test_degrees_agree_and_linear_cells_are_the_stiffer_ones() -> None:
    two, one = (press(**{"solver.degree": degree}) for degree in (2, 1))
    assert 1.0 < value(one, "contact_force") / value(two, "contact_force") < 1.2
    assert two.solution.solver["method"] == "two-level"
    assert one.solution.solver["method"] == "elastic"
    assert two.solution.solver["iterations"] <= 10


def test_the_energy_stored_is_the_work_of_what_sticks() -> None:
    """A ball as good as flat that sticks: half of force times displacement."""
    bonded = press(**{"indentation.contact": "bonded", "balls.radius": "1 m",
                      "indentation.contact_size": "2 um"})  # fmt: skip
    work = 0.5 * value(bonded, "contact_force") * 0.6 * UM
    assert value(bonded, "strain_energy") == pytest.approx(work, rel=1e-6)
    m = E * (1 - NU) / ((1 + NU) * (1 - 2 * NU))
    exact = m * 0.6 / 8 * (12 * UM) ** 2  # sides that slide: uniaxial strain
    assert value(bonded, "contact_force") == pytest.approx(exact, rel=1e-6)
    assert value(bonded, "contact_radius") == pytest.approx(12 * UM / np.sqrt(np.pi), rel=1e-9)


def test_the_force_curve_ends_where_one_step_does() -> None:
    one = press()
    steps = press(**{"indentation.steps": 3})
    curve = steps.solution.tables["force"]["force [N]"]
    assert np.all(np.diff(curve) > 0)
    assert curve[-1] == pytest.approx(value(one, "contact_force"), rel=1e-6)


def test_the_rule_for_the_normal_matters_where_balls_go_deep() -> None:
    """At 0.4 radii; measured 0.980 and 1.095 of the force with updated normals."""
    forces = {}
    for normal in ("updated", "fixed", "vertical"):
        result = press(**{"indentation": {"displacement": "1.6 um", "normal": normal}})
        forces[normal] = value(result, "contact_force")
        assert result.solution.solver["normal"] == normal
        assert result.solution.solver["iterations"] <= 6
    assert forces["fixed"] / forces["updated"] == pytest.approx(0.98, abs=0.015)
    assert forces["vertical"] / forces["updated"] == pytest.approx(1.095, abs=0.03)


def test_two_balls_press_alike() -> None:
    result = press(**{"balls.count": 2, "geometry.size": ["16 um", "8 um", "6 um"],
                      "balls.radius": "3 um"})  # fmt: skip
    left, right = result.solution.tables["balls"]["force [N]"]
    assert left == pytest.approx(right, rel=1e-2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"materials.matrix.poisson_ratio": 0.495}, "needs a poisson_ratio of at most 0.49"),
        ({"balls.positions": [["6 um", "12 um"]]}, "has 2 values, but the structure has 3 axes"),
        ({"indentation.displacement": "5 um"}, "give steps = 2"),
        ({"elasticity.plane": "stress"}, "no meaning in three dimensions"),
        ({"boundary": {"top": {"clamped": True}}}, "the balls press there"),
    ],
)
def test_what_cannot_be_pressed_is_told_in_one_line(change: Any, message: str) -> None:
    with pytest.raises(CaseError, match=message) as error:
        press(**change)
    assert "\n" not in str(error.value)


def test_a_network_too_coarse_for_the_contact_says_which_size_would_do() -> None:
    with pytest.raises(MeshError, match=r"interface_size must be 0\.3 um or less"):
        press(**{**NETWORK, "indentation.contact_size": "0.3 um"})

"""Elastic structures, from case to numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fem_spe
from fem_spe.errors import CaseError
from fem_spe.exact.elasticity import voigt_reuss
from fem_spe.physics.elasticity import lame

UM = 1e-6
E, NU = 6e6, 0.3
SIZE = {2: (20 * UM, 10 * UM), 3: (20 * UM, 15 * UM, 10 * UM)}
SLIDING = {2: ("left", "bottom"), 3: ("left", "front", "bottom")}
STRAIN = 1e-3


def case(dimension: int = 2, **changes: Any) -> fem_spe.Case:
    """A box that stands in a corner and is pulled up by `STRAIN`; its other faces are free."""
    pull = [*["free"] * (dimension - 1), STRAIN * SIZE[dimension][-1]]
    tree = {
        "study": "elasticity",
        "geometry": {"kind": "box", "size": SIZE[dimension]},
        "mesh": {"size": 5 * UM},
        "materials": {"matrix": {"youngs_modulus": E, "poisson_ratio": NU}},
        "boundary": {
            **{name: {"sliding": True} for name in SLIDING[dimension]},
            "top": {"displacement": pull},
        },
        "output": {"figures": False},
    }
    return fem_spe.parse(tree, changes)


def numbers(case: fem_spe.Case) -> dict[str, float]:
    """What a run of `case` finds, without a check that failed."""
    result = fem_spe.run(case)
    assert result.failed_checks == []
    return {name: quantity.value for name, quantity in result.quantities.items()}


@pytest.mark.parametrize(
    ("dimension", "plane", "modulus", "equivalent"),
    [
        (2, "strain", E / (1 - NU**2), (1 - NU + NU**2) ** 0.5),
        (2, "stress", E, 1.0),
        (3, None, E, 1.0),
    ],
)
@pytest.mark.parametrize("degree", [1, 2])
def test_a_stretched_box_is_that_of_the_textbook(
    dimension: int, plane: str | None, modulus: float, equivalent: float, degree: int
) -> None:
    given = {"elasticity.plane": plane} if plane else {}
    found = numbers(case(dimension, **given, **{"solver.degree": degree}))
    size = SIZE[dimension]
    area = size[0] if dimension == 2 else size[0] * size[1]
    stress, up = STRAIN * modulus, "xyz"[dimension - 1]
    assert found[f"reaction_{up}.top"] == pytest.approx(stress * area, rel=1e-9)
    assert found[f"reaction_{up}.bottom"] == pytest.approx(-stress * area, rel=1e-9)
    assert found["max_von_mises.matrix"] == pytest.approx(stress * equivalent, rel=1e-9)
    assert found["mean_von_mises.matrix"] == pytest.approx(stress * equivalent, rel=1e-9)
    assert found["max_principal.matrix"] == pytest.approx(stress, rel=1e-6)
    energy = 0.5 * stress * STRAIN * area * size[-1]
    assert found["strain_energy"] == pytest.approx(energy, rel=1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_traction_stretches_as_the_displacement_that_it_causes(dimension: int) -> None:
    modulus = E / (1 - NU**2) if dimension == 2 else E
    pull = {"traction": [*[0.0] * (dimension - 1), STRAIN * modulus]}
    pulled, moved = numbers(case(dimension, **{"boundary.top": pull})), numbers(case(dimension))
    assert not [name for name in pulled if name.endswith(".top")]
    alike = {"strain_energy", "max_von_mises.matrix", f"reaction_{'xyz'[dimension - 1]}.bottom"}
    assert {n: pulled[n] for n in alike} == pytest.approx({n: moved[n] for n in alike}, rel=1e-9)


def test_a_clamped_box_is_stiffer_than_one_that_slides_and_in_balance() -> None:
    sizes = {"mesh.size": 2 * UM, "solver.degree": 2}
    slides = numbers(case(**sizes))
    clamped = numbers(case(**sizes, **{"boundary.bottom": {"clamped": True}}))
    assert clamped["reaction_y.top"] > 1.02 * slides["reaction_y.top"]
    for axis in "xy":  # nothing else pushes
        forces = [value for name, value in clamped.items() if name.startswith(f"reaction_{axis}.")]
        assert abs(sum(forces)) < 1e-9 * clamped["reaction_y.top"]


@pytest.mark.parametrize("axis", [0, 1])
def test_two_layers_share_load_and_energy_as_voigt_and_reuss_say(axis: int) -> None:
    """Without lateral contraction: along the layers and across them."""
    stiff, soft = E, 0.05 * E
    voigt_or_reuss = voigt_reuss([0.3, 0.7], [stiff, soft])[1 - axis]
    pulled = ("right", "top")[axis]
    displacement: list[Any] = ["free", "free"]
    displacement[axis] = STRAIN * SIZE[2][axis]
    found = numbers(
        case(
            **{
                "geometry.layers": {"matrix": 3 * UM, "coating": 7 * UM},
                "materials.matrix": {"youngs_modulus": stiff, "poisson_ratio": 0.0},
                "materials.coating": {"youngs_modulus": soft, "poisson_ratio": 0.0},
                "boundary": {
                    "left": {"sliding": True},
                    "bottom": {"sliding": True},
                    pulled: {"displacement": displacement},
                },
            }
        )
    )
    across = SIZE[2][1 - axis]
    force = found[f"reaction_{'xy'[axis]}.{pulled}"]
    assert force == pytest.approx(STRAIN * voigt_or_reuss * across, rel=1e-9)
    in_stiff = 0.3 * stiff / voigt_or_reuss if axis == 0 else 0.3 * voigt_or_reuss / stiff
    assert found["energy_share.matrix"] == pytest.approx(in_stiff, rel=1e-9)
    assert found["energy_share.coating"] == pytest.approx(1 - in_stiff, rel=1e-9)
    if axis == 1:  # the share of load is told along the thickness
        assert found["load_share.matrix"] == pytest.approx(0.3, rel=1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_nearly_incompressible_box_does_not_lock(dimension: int) -> None:
    """Taylor-Hood: exact where the strain is uniform, and none of the pressure is lost."""
    nu = 0.4999
    changes = {"solver.degree": 2, "materials.matrix.poisson_ratio": nu}
    result = fem_spe.run(case(dimension, **changes))
    assert result.failed_checks == []
    assert result.solution.solver["method"] == "direct-newton"
    modulus = E / (1 - nu**2) if dimension == 2 else E
    area = SIZE[dimension][0] * (1.0 if dimension == 2 else SIZE[3][1])
    force = result.quantities[f"reaction_{'xyz'[dimension - 1]}.top"].value
    assert force == pytest.approx(STRAIN * modulus * area, rel=1e-8)
    energy = 0.5 * force * STRAIN * SIZE[dimension][-1]
    assert result.quantities["strain_energy"].value == pytest.approx(energy, rel=1e-8)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_stress_across_the_plane_counts_where_the_pressure_is_an_unknown(
    dimension: int,
) -> None:
    nu = 0.4999
    found = numbers(case(dimension, **{"solver.degree": 2, "materials.matrix.poisson_ratio": nu}))
    stress = STRAIN * (E / (1 - nu**2) if dimension == 2 else E)
    strength = stress * ((1 - nu + nu**2) ** 0.5 if dimension == 2 else 1.0)
    for name in ("mean", "p99", "max"):
        assert found[f"{name}_von_mises.matrix"] == pytest.approx(strength, rel=1e-6)
    assert found["max_principal.matrix"] == pytest.approx(stress, rel=1e-6)


def test_a_confined_box_that_cannot_widen_carries_its_pressure() -> None:
    """Uniaxial strain: lambda + 2 mu, two thousand times the modulus at nu = 0.4999."""
    walls = {name: {"sliding": True} for name in ("left", "right", "bottom")}
    changes = {"solver.degree": 2, "materials.matrix.poisson_ratio": 0.4999}
    top = {"displacement": ["free", STRAIN * SIZE[2][1]]}
    found = numbers(case(**changes, boundary={**walls, "top": top}))
    m = lame(E, 0.4999)
    exact = (m.lam + 2 * m.mu) * STRAIN * SIZE[2][0]
    assert found["reaction_y.top"] == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize(
    ("nu", "degree", "plane", "warned"),
    [
        (0.46, 1, "strain", True),
        (0.44, 1, "strain", False),
        (0.46, 2, "strain", False),
        (0.46, 1, "stress", False),  # a film gives way across its plane
    ],
)
def test_linear_elements_that_lock_are_warned_of(
    told: pytest.LogCaptureFixture, nu: float, degree: int, plane: str, warned: bool
) -> None:
    changes = {
        "solver.degree": degree, "materials.matrix.poisson_ratio": nu, "elasticity.plane": plane
    }  # fmt: skip
    numbers(case(**changes))
    lines = [line for line in told.messages if "too stiff" in line]
    assert bool(lines) is warned
    assert all("matrix" in line and "degree = 2" in line for line in lines)


def test_stress_at_the_corners_of_a_clamped_face_does_not_count() -> None:
    """Where a free side meets it the stress is singular: the maximum would grow for ever."""
    free = {"boundary.bottom": {"clamped": True}, "solver.degree": 2}
    free["boundary.left"] = {"traction": [0.0, 0.0]}
    free["materials.matrix.poisson_ratio"] = 0.4
    found = [numbers(case(**free, **{"mesh.size": size * UM})) for size in (0.4, 0.2)]
    counted = [one["max_von_mises.matrix"] for one in found]
    assert counted[1] == pytest.approx(counted[0], rel=0.03)


def test_a_resolved_case_of_a_solid_is_a_case() -> None:
    """It names every default, that of the plane too."""
    again = fem_spe.parse(case(3).to_dict())
    assert numbers(again) == numbers(case(3))


def test_a_mesh_file_of_a_solid_knows_no_plane_stress(tmp_path: Path) -> None:
    """Its moduli would be those of a film: 45 % too soft in a confined block at nu = 0.4."""
    fem_spe.run(case(3), output=tmp_path / "r")
    file = {"kind": "mesh_file", "file": str(tmp_path / "r" / "mesh.msh")}
    changes = {"geometry": file, "mesh": {}}
    with pytest.raises(CaseError, match="three dimensions"):
        fem_spe.run(case(3, **changes, **{"elasticity.plane": "stress"}))

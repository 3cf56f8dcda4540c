"""Finite strain, from case to numbers: loads on faces, and balls in two and three dimensions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import basix
import numpy as np
import pytest
from mechanics import solved, value

import fem_spe as package
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.exact.hyperelasticity import uniaxial
from fem_spe.physics.elasticity import lame
from fem_spe.physics.hyperelasticity import quadrature_degree

UM = 1e-6
E, NU = 6e6, 0.4
BLOCK: dict[str, Any] = {
    "study": "indentation",
    "geometry": {"kind": "box", "size": ["20 um", "10 um"]},
    "mesh": {"size": "1.8 um"},
    "materials": {"matrix": {"youngs_modulus": E, "poisson_ratio": NU}},
    "balls": {"radius": "4 um"},
    "indentation": {"displacement": "2 um", "strain": "finite", "contact_size": "0.4 um"},
    "output": {"figures": False},
}
LOADED: dict[str, Any] = {
    "study": "elasticity",
    "geometry": {"kind": "box", "size": ["10 um", "10 um"]},
    "mesh": {"size": "2.5 um"},
    "materials": {"matrix": {"youngs_modulus": E, "poisson_ratio": NU}},
    "elasticity": {"strain": "finite"},
    "boundary": {
        "left": {"sliding": True},
        "bottom": {"sliding": True},
        "top": {"displacement": ["free", "-3 um"]},
    },
    "output": {"figures": False},
}
FIBRES: dict[str, Any] = {
    "geometry": {
        "kind": "fiber_section", "arrangement": "random", "size": ["20 um", "10 um"],
        "fiber_diameter": "2 um", "aspect": 1.0, "fiber_fraction": 0.2, "min_gap": "0.4 um",
        "seed": 1,
    },
    "mesh": {"size": "1.5 um", "interface_size": "0.6 um"},
    "materials.fiber": {"youngs_modulus": 100 * E, "poisson_ratio": 0.37},
}  # fmt: skip
SOLID: dict[str, Any] = {
    "geometry.size": ["10 um", "10 um", "8 um"],
    "mesh.size": "3 um",
    "balls": {"radius": "4 um", "positions": [["0 um", "0 um", "12 um"]]},
    "indentation.contact_size": "1.2 um",
    "indentation.displacement": "1 um",
}


NETWORK: dict[str, Any] = SOLID | {
    "geometry": {
        "kind": "fiber_network", "size": ["10 um", "10 um", "8 um"], "fiber_diameter": "3 um",
        "fiber_fraction": 0.15, "seed": 1,
    },
    "mesh": {"size": "2.5 um", "interface_size": "1.2 um"},
    "materials.fiber": {"youngs_modulus": 100 * E, "poisson_ratio": 0.37},
    "indentation.displacement": "2 um", "solver.degree": 1,
}  # fmt: skip
THROUGH: dict[str, Any] = SOLID | {  # farther than the surface bears
    "geometry.size": ["10 um", "10 um", "8 um"], "balls": {"radius": "3 um"},
    "indentation.displacement": "7.5 um", "indentation.contact_size": "1.5 um", "solver.degree": 1,
}  # fmt: skip


@pytest.mark.parametrize("structure", [FIBRES, NETWORK], ids=["section", "network"])
def test_small_strain_stands_beside_with_the_difference_as_a_number(
    structure: dict[str, Any],
) -> None:
    finite = solved(BLOCK, **structure)
    small = solved(BLOCK, **structure | {"indentation.strain": "small"})
    for region in ("matrix", "fiber"):
        squeezed, least = (
            value(finite, f"{n}.{region}") for n in ("squeezed_share", "least_volume_ratio")
        )
        assert 0.0 <= squeezed < 0.2
        assert (squeezed > 0.0) == (least < 0.5)
    assert 0.1 < value(finite, "least_volume_ratio.matrix") < 0.9
    names = ["contact_force", "contact_radius", "strain_energy"]
    for region in ("matrix", "fiber"):
        names += [f"{part}_von_mises.{region}" for part in ("mean", "p99", "p999", "max")]
    for name in names:
        ratio = value(finite, name) / value(small, name)
        told = value(finite, f"small_strain_difference.{name}")
        assert told == pytest.approx(ratio - 1.0, abs=1e-9)
    assert value(finite, "small_strain_difference.contact_force") > 0.05
    forces = finite.solution.tables["balls"]
    unit = "N" if structure is NETWORK else "N/m"
    assert forces[f"small-strain force [{unit}]"].sum() == pytest.approx(
        value(small, "contact_force")
    )
    assert finite.solution.tables["force"]["displacement [um]"][-1] == pytest.approx(2.0)
    assert value(finite, "reached_displacement") == pytest.approx(2 * UM)
    for share in ("load_share", "energy_share"):
        both = value(finite, f"{share}.matrix") + value(finite, f"{share}.fiber")
        assert both == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_force_is_the_slope_of_the_energy(dimension: int) -> None:
    """Balls without friction in an elastic body: dW/dd = F, at a displacement of R/4."""
    solid = SOLID if dimension == 3 else {}
    step = 0.01
    found = [
        solved(BLOCK, **(solid | {"indentation.displacement": f"{1 + s} um"}))
        for s in (-step, 0.0, step)
    ]
    energies = [value(result, "strain_energy") for result in found]
    slope = (energies[2] - energies[0]) / (2 * step * UM)
    assert slope == pytest.approx(value(found[1], "contact_force"), rel=2e-3)


def test_corners_amid_a_contact_touch_as_the_middles_of_edges_do() -> None:
    """Forces at corners of quadratic triangles have any sign: they must not come off the ball."""
    found = solved(BLOCK, **SOLID)
    u = found.fields["displacement"]
    x = u.function_space.tabulate_dof_coordinates()
    moved = (x + u.x.array.reshape(-1, 3))[x[:, 2] > (8 - 1e-6) * UM]
    amid = np.hypot(*moved[:, :2].T) < 0.8 * value(found, "contact_radius")
    gap = np.linalg.norm(moved[amid] - [0.0, 0.0, 11 * UM], axis=1) - 4 * UM
    assert len(gap) > 10
    assert np.abs(gap).max() < 1e-8 * UM


def test_a_frictionless_contact_forgets_its_way_and_meets_its_steps() -> None:
    one = solved(BLOCK)
    steps = solved(BLOCK, **{"indentation.steps": 5})
    assert value(one, "contact_force") == pytest.approx(value(steps, "contact_force"), rel=1e-8)
    curve = steps.solution.tables["force"]["displacement [um]"]
    for k in range(1, 6):
        assert np.min(np.abs(curve - 0.4 * k)) < 1e-9


def test_what_sticks_resists_more() -> None:
    free, bonded = solved(BLOCK), solved(BLOCK, **{"indentation.contact": "bonded"})
    assert value(free, "contact_force") < value(bonded, "contact_force")
    assert value(bonded, "contact_force") < 1.3 * value(free, "contact_force")


def test_shallow_balls_find_what_small_strain_finds() -> None:
    """The difference falls with the displacement."""
    name = "small_strain_difference.contact_force"
    differences = [
        abs(value(solved(BLOCK, **{"indentation.displacement": deep}), name))
        for deep in ("1.2 um", "0.4 um")
    ]
    assert differences[1] < 0.4 * differences[0] < 0.03


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", [basix.CellType.triangle, basix.CellType.tetrahedron])
def test_the_energy_has_a_lower_bound(cell: basix.CellType, degree: int) -> None:
    """A negative weight would let it fall where a cell is flat at the point."""
    dimension = 2 if cell is basix.CellType.triangle else 3
    points, weights = basix.make_quadrature(cell, quadrature_degree(degree, dimension))
    assert weights.min() > 0.0
    # squares of gradients of straight cells are integrated exactly
    a, b = points[:, 0] ** (degree - 1), points[:, 1] ** (degree - 1)
    exact = {(1, 2): 1 / 2, (1, 3): 1 / 6, (2, 2): 1 / 24, (2, 3): 1 / 120}[degree, dimension]
    assert weights @ (a * b) == pytest.approx(exact, rel=1e-12)


def test_a_ball_may_come_deeper_than_its_radius_without_steps_being_given() -> None:
    """At small strain that is refused: steps adapt at finite strain alone."""
    deep = {
        "balls": {"radius": "1 um"}, "indentation.displacement": "1.1 um", "solver.degree": 1,
        "geometry.size": ["10 um", "5 um"], "indentation.contact_size": "0.2 um",
    }  # fmt: skip
    with pytest.raises(CaseError, match="steps = 2"):
        package.run(package.parse(BLOCK, deep | {"indentation.strain": "small"}))
    found = solved(BLOCK, **deep)
    assert value(found, "reached_displacement") == pytest.approx(1.1 * UM)
    assert np.diff(found.solution.tables["force"]["displacement [um]"]).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_dead_load_stretches_as_the_closed_form_says(dimension: int) -> None:
    m = lame(E, NU)
    closed = uniaxial(0.7, m.lam, m.mu, plane=dimension == 2)
    push = {"traction": ["0 MPa"] * (dimension - 1) + [f"{closed.stress * 1e-6:.15g} MPa"]}
    faces = {"left": {"sliding": True}, "bottom": {"sliding": True}, "top": push}
    changes: dict[str, Any] = {"boundary": faces}
    if dimension == 3:
        faces["front"] = {"sliding": True}
        changes |= {"geometry.size": ["10 um"] * 3, "mesh.size": "4 um"}
    result = solved(LOADED, **changes)
    u = result.fields["displacement"].x.array.reshape(-1, dimension)
    assert u[:, -1].min() == pytest.approx(-0.3 * 10 * UM, rel=1e-8)
    assert u[:, 0].max() == pytest.approx((closed.lateral - 1.0) * 10 * UM, rel=1e-8)
    assert value(result, "max_von_mises.matrix") == pytest.approx(closed.von_mises, rel=1e-8)


def test_a_displaced_face_bears_what_the_closed_form_says() -> None:
    m = lame(E, NU)
    closed = uniaxial(0.7, m.lam, m.mu, plane=True)
    result = solved(LOADED)
    force = value(result, "reaction_y.top")
    assert force == pytest.approx(closed.stress * 10 * UM, rel=1e-8)
    small = E / (1 - NU**2) * -0.3 * 10 * UM
    told = value(result, "small_strain_difference.reaction_y.top")
    assert told == pytest.approx(force / small - 1.0, abs=1e-8)


def test_a_load_out_of_reach_keeps_the_last_good_step(
    fem_spe: Callable[..., Any], tmp_path: Path
) -> None:
    """A face that is pushed through the opposite one."""
    through = {"boundary.top.displacement": ["0 um", "-11 um"], "mesh.size": "5 um"}
    case = package.parse(LOADED, through)
    file = tmp_path / "through.toml"
    file.write_text(package.case.to_toml(case), encoding="utf-8")
    done = fem_spe("run", file, "-o", "out", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fem-spe:")]
    assert "of the load is reached" in line
    assert "the last good step is kept" in line
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["status"] == "failed"
    assert summary["error"] in line
    reached = summary["quantities"]["reached_load"]["value"]
    assert 0.2 < reached < 10 / 11
    table = np.genfromtxt(tmp_path / "out" / "tables" / "load.csv", delimiter=",", names=True)
    assert table["load"][-1] == pytest.approx(reached)
    # the small-strain answer beside it is that of the part of the load
    hooke = value(solved(LOADED, **through, **{"elasticity.strain": "small"}), "strain_energy")
    finite, told = (
        summary["quantities"][name]["value"]
        for name in ("strain_energy", "small_strain_difference.strain_energy")
    )
    assert told == pytest.approx(finite / (hooke * reached**2) - 1.0, abs=1e-8)
    assert list((tmp_path / "out" / "fields").glob("elasticity*"))


def test_balls_that_come_less_deep_keep_the_force_so_far(tmp_path: Path) -> None:
    deep = {"indentation.displacement": "9.9 um", "indentation.steps": 3, "solver.degree": 1}
    coarse = {"mesh.size": "2.5 um", "indentation.contact_size": "1 um", "balls.radius": "5 um"}
    with pytest.raises(ConvergenceError, match=r"um deep, not 9.9 um.* the last good step is kept"):
        package.run(package.parse(BLOCK, deep | coarse), output=tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    table = np.genfromtxt(tmp_path / "out" / "tables" / "force.csv", delimiter=",", names=True)
    reached = summary["quantities"]["reached_displacement"]["value"]
    assert table["displacement_um"][-1] == pytest.approx(reached / UM)
    assert np.all(np.diff(table["displacement_um"]) > 0)
    assert summary["quantities"]["contact_force"]["value"] == pytest.approx(table["force_Nm"][-1])


@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=pytest.mark.mpi)])
def test_a_ball_that_snaps_through_a_solid_keeps_the_last_good_step(
    fem_spe: Callable[..., Any], tmp_path: Path, ranks: int
) -> None:
    case = package.parse(BLOCK, THROUGH | {"output.figures": ranks == 1})
    file = tmp_path / "through.toml"
    file.write_text(package.case.to_toml(case), encoding="utf-8")
    done = fem_spe("run", file, "-o", "out", cwd=tmp_path, ranks=ranks)
    assert done.returncode == 3, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fem-spe:")]
    assert "um deep, not 7.5 um: " in line
    assert line.endswith("; the last good step is kept")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["status"] == "failed"
    assert summary["error"] in line
    deep = summary["quantities"]["reached_displacement"]["value"]
    # past 3.2 um there are two branches; round-off decides which one is met, to 3.8 or 4.6 um
    assert 3 * UM < deep < 5 * UM
    table = np.genfromtxt(tmp_path / "out" / "tables" / "force.csv", delimiter=",", names=True)
    assert table["displacement_um"][-1] == pytest.approx(deep / UM)
    # the force has had its largest value: what comes next is a snap, that no step leads through
    assert 0.0 < table["force_N"][-1] < table["force_N"].max()
    assert list((tmp_path / "out" / "fields").glob("*.vtu"))
    assert ranks > 1 or (tmp_path / "out" / "figures" / "von_mises.png").exists()


@pytest.mark.mpi
def test_two_ranks_find_the_same(python: Callable[..., Any], tmp_path: Path) -> None:
    code = (
        "import json, sys, fem_spe\n"
        "from mpi4py import MPI\n"
        "told = {}\n"
        "for name, case in json.load(open(sys.argv[1])).items():\n"
        "    result = fem_spe.run(fem_spe.parse(case))\n"
        "    told[name] = {n: q.value for n, q in result.quantities.items()}\n"
        "if MPI.COMM_WORLD.rank == 0: json.dump(told, open(sys.argv[2], 'w'))\n"
    )
    cases = {
        "solid": package.parse(BLOCK, SOLID),
        "section": package.parse(BLOCK, FIBRES),
        "bonded": package.parse(BLOCK, {"indentation.contact": "bonded"}),
        "loaded": package.parse(LOADED, {"boundary.top.displacement": ["2 um", "-2 um"]}),
    }
    plain = {name: case.to_dict() for name, case in cases.items()}
    (tmp_path / "cases.json").write_text(json.dumps(plain), encoding="utf-8")
    found = []
    for ranks in (1, 2):
        done = python(code, "cases.json", f"{ranks}.json", cwd=tmp_path, ranks=ranks, timeout=300)
        assert done.returncode == 0, done.stderr
        found.append(json.loads((tmp_path / f"{ranks}.json").read_text("utf-8")))
    one, two = found
    for name, numbers in one.items():
        for quantity, number in numbers.items():
            if quantity != "max_penetration":  # round-off
                least = 1e-7 if quantity.startswith("small_strain") else 0.0
                assert two[name][quantity] == pytest.approx(number, rel=1e-7, abs=least), (
                    name,
                    quantity,
                )


@pytest.mark.parametrize(
    ("base", "changes", "told"),
    [
        (LOADED, {"elasticity.plane": "stress"}, r'plane = "strain"'),
        (LOADED, {"elasticity.effective": True}, "unknown key 'effective'"),
        (LOADED, {"materials.matrix.poisson_ratio": 0.495}, "at most 0.49"),
        (LOADED, {"materials.matrix.yield_stress": "1 MPa"}, "yield_stress"),
        (BLOCK, {"elasticity.plane": "stress"}, r'plane = "strain"'),
        (BLOCK, {"elasticity.strain": "finite"}, r"give \[indentation\] strain"),
        (BLOCK, {"materials.matrix.poisson_ratio": 0.495}, "at most 0.49"),
        (BLOCK, {"balls.material": "lithium"}, "small strain alone"),
        (BLOCK, {"boundary": {"left": {"displacement": ["1 um", "free"]}}}, "held where they are"),
        (BLOCK, {"indentation.strain": "large"}, "'small' or 'finite'"),
    ],
)  # fmt: skip
def test_what_finite_strain_cannot_do_is_said_in_one_line(
    base: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(CaseError, match=told) as error:
        package.run(package.parse(base, changes))
    assert "\n" not in str(error.value)


def test_a_face_that_is_drawn_relieves_a_flat_ball_in_proportion() -> None:
    """Plane strain, at loads so small that Hooke's law holds, half of them and all."""
    pull, strain = 6e3, 1e-3  # Pa
    faces = {
        "left": {"sliding": True}, "bottom": {"sliding": True},
        "right": {"traction": [f"{pull * 1e-6} MPa", "0 MPa"]},
    }  # fmt: skip
    given = {
        "displacement": strain * 10 * UM, "contact_size": "4 um", "steps": 2, "strain": "finite"
    }  # fmt: skip
    changes = {"boundary": faces, "balls.radius": "1 m", "mesh.size": "4 um", "indentation": given}
    curve = solved(BLOCK, **changes).solution.tables["force"]
    stress = -E / (1 - NU**2) * strain + NU / (1 - NU) * pull
    half = int(np.argmin(np.abs(curve["displacement [um]"] - 5 * strain)))
    for row, part in ((half, 0.5), (-1, 1.0)):
        assert curve["force [N/m]"][row] == pytest.approx(-part * stress * 20 * UM, rel=2e-2)


def test_a_load_acts_before_a_ball_has_come_down_to_the_block() -> None:
    """The first steps balance the traction alone, which the ball's forces are no measure of."""
    drawn = {
        "boundary": {
            "left": {"sliding": True}, "bottom": {"sliding": True},
            "right": {"traction": ["0.06 MPa", "0 Pa"]},
        },
        "indentation.displacement": "0.05 um", "indentation.steps": 2,
    }  # fmt: skip
    result = solved(BLOCK, **drawn)
    wide = result.solution.fields["displacement"].x.array[::2].max()
    assert wide == pytest.approx(20 * UM * 0.06e6 * (1 - NU**2) / E, rel=0.02)


def test_the_largest_principal_stress_is_that_of_cauchy_with_its_mean() -> None:
    """Von Mises stresses do not see the mean stress."""
    m = lame(E, NU)
    closed = uniaxial(1.3, m.lam, m.mu, plane=True)
    result = solved(LOADED, **{"boundary.top.displacement": ["free", "3 um"]})
    cauchy = closed.stress / closed.lateral
    assert value(result, "max_principal.matrix") == pytest.approx(cauchy, rel=1e-6)


def test_the_share_of_the_load_is_that_of_the_section() -> None:
    """Layers on one another bear the same force: shares are those of their heights."""
    layers = {"matrix": 3 * UM, "coating": 7 * UM}
    changes = {
        "geometry.layers": layers,
        "materials.coating": {"youngs_modulus": 20 * E, "poisson_ratio": 0.3},
    }
    result = solved(LOADED, **changes)
    # layers widen unlike one another, but every section of the material bears the whole force
    assert value(result, "load_share.matrix") == pytest.approx(0.3, rel=2e-4)

"""Electrostatics: from case to numbers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe
from fem_spe.errors import CaseError, MeshError
from fem_spe.exact import electrostatics as exact

UM = 1e-6
LAYERS = {"matrix": 10 * UM, "coating": 20 * UM}
BOX: dict[str, Any] = {
    "study": "electrostatics",
    "geometry": {"kind": "box", "size": [20 * UM, 30 * UM], "layers": LAYERS},
    "mesh": {"size": 5 * UM},
    "materials": {"matrix": {"permittivity": 40}, "coating": {"permittivity": 4}},
    "output": {"figures": False},
}
SECTION: dict[str, Any] = {
    **BOX,
    "geometry": {
        "kind": "fiber_section", "arrangement": "aligned", "size": [20 * UM, 10 * UM],
        "count": [4, 2], "fiber_fraction": 0.2,
    },
    "mesh": {"size": 1.5 * UM, "interface_size": 0.6 * UM},
    "materials": {"matrix": {"conductivity": 0.2}, "fiber": "conductor"},
}  # fmt: skip
CONDUCTING = {"matrix": {"conductivity": 0.1}, "coating": {"conductivity": 0.4}}
BOTTOM = {"bottom": {"potential": 0.0}}


def run(base: dict[str, Any] = BOX, **tables: Any) -> Any:
    """The result of `base` with whole tables replaced; its checks are passed."""
    result = fem_spe.run(fem_spe.parse({**base, **tables}))
    assert result.failed_checks == []
    return result


# --- what is driven -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [(20 * UM, 30 * UM), (20 * UM, 10 * UM, 30 * UM)])
@pytest.mark.parametrize("low", [0.0, 100.0])
def test_two_layers_between_plates_are_a_capacitor(size: tuple[float, ...], low: float) -> None:
    plates = {"bottom": {"potential": low}, "top": {"potential": low + 2.0}}
    found = run(geometry={**BOX["geometry"], "size": size}, boundary=plates).quantities
    per_area = exact.layered_capacitor(list(LAYERS.values()), [40, 4])
    area = float(np.prod(size[:-1]))
    assert found["capacitance"].value == pytest.approx(per_area * area, rel=1e-9)
    assert found["capacitance"].unit == ("F/m" if len(size) == 2 else "F")
    assert found["charge.top"].value == pytest.approx(2 * per_area * area, rel=1e-9)
    assert found["energy"].value == pytest.approx(2 * per_area * area, rel=1e-9)
    # the displacement is one, so that the field is ten times as large in the coating
    assert found["max_field.coating"].value == pytest.approx(
        10 * found["max_field.matrix"].value, rel=1e-9
    )


def test_without_potentials_one_volt_lies_across_the_thickness() -> None:
    result = run()
    drop = result.quantities["charge.top"].value
    assert drop == result.quantities["capacitance"].value
    assert result.case.electrostatics.direction == "y"
    assert result.case.electrostatics.form == "dielectric"
    table = result.solution.tables["potential_profile"]
    assert table["max [V]"][-1] == pytest.approx(1.0, abs=0.05)
    side = run(electrostatics={"direction": "x"}).quantities["effective_permittivity"]
    assert side.value == pytest.approx((40 * 10 + 4 * 20) / 30, rel=1e-9)
    assert side.error < 1e-9


def test_a_permittivity_per_axis_holds_along_its_axis() -> None:
    plate = {"kind": "box", "size": [20 * UM, 30 * UM]}
    for axis, value in (("x", 7.0), ("y", 3.0)):
        found = run(
            geometry=plate,
            materials={"matrix": {"permittivity": [7, 3]}},
            electrostatics={"direction": axis},
        ).quantities["effective_permittivity"]
        assert found.value == pytest.approx(value, rel=1e-9)


def test_a_given_current_meets_the_resistance_of_the_layers() -> None:
    current = 30.0  # A/m^2
    boundary = {**BOTTOM, "top": {"current_density": f"{current} A/m^2"}}
    result = run(materials=CONDUCTING, boundary=boundary)
    found = result.quantities
    ohm = 10 * UM / 0.1 + 20 * UM / 0.4
    assert found["potential.top"].value == pytest.approx(current * ohm, rel=1e-9)
    assert found["current.bottom"].value == pytest.approx(-current * 20 * UM, rel=1e-9)
    assert found["power"].value == pytest.approx(current**2 * ohm * 20 * UM, rel=1e-9)
    assert "resistance" not in found
    density = result.solution.tables["current_density"]["current density [A/m^2]"]
    assert density == pytest.approx(-current, rel=1e-9)

    plates = {**BOTTOM, "top": {"potential": "10 mV"}}
    found = run(materials=CONDUCTING, boundary=plates).quantities
    assert found["resistance"].value == pytest.approx(ohm / (20 * UM), rel=1e-9)
    assert found["resistance"].unit == "ohm m"


def test_the_conductivity_is_that_of_the_temperature() -> None:
    materials = {name: {**value, "activation_energy": "0.1 eV"} for name, value in (
        CONDUCTING.items()
    )}  # fmt: skip
    cold, warm = (
        run(materials=materials, temperature=t).quantities["effective_conductivity"].value
        for t in ("25 degC", "60 degC")
    )
    factor = np.exp(0.1 / 8.617333e-5 * (1 / 298.15 - 1 / 333.15))
    assert warm / cold == pytest.approx(factor, rel=1e-6)


def test_the_form_follows_from_the_materials_unless_it_is_given() -> None:
    both = {name: {**m, "permittivity": 4.0} for name, m in CONDUCTING.items()}
    assert "capacitance" in run(materials=both).quantities
    conducting = run(materials=both, electrostatics={"form": "conduction"})
    assert "resistance" in conducting.quantities
    assert conducting.solution.solver["form"] == "conduction"


# --- conductors that float ----------------------------------------------------------------


def test_a_floating_plate_takes_the_potential_between_and_changes_nothing() -> None:
    plain = run().quantities["capacitance"].value
    result = run(boundary={"matrix-coating": {"floating": True}})
    assert result.quantities["capacitance"].value == pytest.approx(plain, rel=1e-9)
    between = 10 / 40 / (10 / 40 + 20 / 4)
    table = result.solution.tables["floating"]
    assert table["potential [V]"] == pytest.approx([between], rel=1e-9)
    assert table["y [um]"] == pytest.approx([10.0])
    assert result.checks["floating_charge"].value < 1e-10


def test_a_floating_layer_shortens_the_way() -> None:
    found = run(materials={**BOX["materials"], "coating": "conductor"}).quantities
    # the coating hangs on the top electrode
    assert found["capacitance"].value == pytest.approx(
        exact.layered_capacitor([10 * UM], [40]) * 20 * UM, rel=1e-9
    )
    assert "max_field.coating" not in found


def test_fibres_that_conduct_float_each_at_its_own_potential() -> None:
    result = run(SECTION)
    metal = result.quantities["effective_conductivity"].value / 0.2
    table = result.solution.tables["floating"]
    assert len(table["potential [V]"]) == 8
    # by symmetry each takes the potential of its height
    assert table["potential [V]"] == pytest.approx(table["y [um]"] / 10, abs=1e-4)
    # a hole whose border floats is the same conductor
    border = run(
        SECTION,
        materials={"matrix": {"conductivity": 0.2}, "fiber": "impermeable"},
        boundary={"matrix-fiber": {"floating": True}},
    ).quantities["effective_conductivity"]
    assert border.value / 0.2 == pytest.approx(metal, rel=1e-5)
    # and Keller's reciprocity with the same fibres as insulators
    insulating = run(
        SECTION, materials={"matrix": {"conductivity": 0.2}, "fiber": "impermeable"}
    ).quantities["effective_conductivity"]
    assert insulating.error is not None
    assert metal * insulating.value / 0.2 == pytest.approx(1.0, abs=1e-3)


def test_a_charge_on_a_curved_interface_is_all_of_it() -> None:
    materials = {"matrix": {"permittivity": 4.0}, "fiber": {"permittivity": 2.0}}
    boundary = {**BOTTOM, "matrix-fiber": {"surface_charge": "1e-5 C/m^2"}}
    found = run(SECTION, materials=materials, boundary=boundary).quantities
    radius = np.sqrt(0.2 * 20 * 10 / 8 / np.pi) * UM
    charge = 1e-5 * 8 * 2 * np.pi * radius
    assert found["charge.matrix-fiber"].value == pytest.approx(charge, rel=1e-4)
    assert found["charge.bottom"].value == pytest.approx(-charge, rel=1e-4)


@pytest.mark.parametrize("potential", [0.0, 5.0])
def test_a_charge_on_a_conductor_at_an_electrode_stays_there(potential: float) -> None:
    found = run(
        materials={**BOX["materials"], "coating": "conductor"},
        boundary={
            "top": {"potential": potential}, "matrix-coating": {"surface_charge": 1e-4},
        },
    ).quantities  # fmt: skip
    assert found["charge.top"].value == pytest.approx(-1e-4 * 20 * UM, rel=1e-9)
    assert found["max_field"].value < 1e-6


def test_conduction_through_a_section_is_the_diffusion_of_the_same_numbers() -> None:
    materials = {"matrix": {"conductivity": 0.2}, "fiber": {"conductivity": 0.01}}
    found = run(SECTION, materials=materials)
    diffused = run({**SECTION, "study": "diffusion"}, materials=materials).quantities
    value = found.quantities["effective_conductivity"].value
    relative = diffused["relative_diffusivity"].value
    assert value / 0.2 == pytest.approx(relative, rel=1e-8)
    assert found.quantities["fiber_fraction"].value == diffused["fiber_fraction"].value


def test_probes_and_mesh_studies_know_the_potential() -> None:
    result = run(
        SECTION,
        mesh={"size": 3 * UM, "interface_size": 1.5 * UM, "study": 3},
        probe={"middle": {"line": [[1 * UM, 5 * UM], [19 * UM, 5 * UM]], "points": 5}},
    )
    assert "potential [V]" in result.solution.tables["probe_middle"]
    assert result.quantities["effective_conductivity"].order > 3


# --- what is refused ----------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"boundary": {"top": {"potential": 1.0, "surface_charge": 1e-6}}},
        ["boundary.top", "potential and surface_charge"],
    ),
    (
        {"boundary": {"top": {"potential": 1.0, "current_density": 1.0}}},
        ["boundary.top", "potential and current_density"],
    ),
    ({"boundary": {"top": {"surface_charge": 1e-6}}}, ["no face has a potential", "direction"]),
    ({"boundary": BOTTOM}, ["nothing drives", "0 V", "surface_charge"]),
    (
        {"boundary": {"bottom": {"potential": 5.0}, "top": {"potential": "5000 mV"}}},
        ["nothing drives", "5 V"],
    ),
    ({"boundary": {"top": {"concentration": 1.0}}}, ["boundary.top", "concentration", "potential"]),
    ({"boundary": {"topp": {"potential": 1.0}}}, ["topp", "did you mean 'top'"]),
    ({"boundary": {"top": {"potential": "1 kg"}}}, ["1 kg", "mass", "10 mV"]),
    ({"boundary": {"top": {"floating": True}}}, ["boundary.top", "direction"]),
    (
        {"boundary": {**BOTTOM, "top": {"current_density": 1.0}}},
        ["boundary.top", "current_density", "'dielectric'", "surface_charge"],
    ),
    (
        {"boundary": BOTTOM, "electrostatics": {"direction": "y"}},
        ["[electrostatics] direction", "both drive"],
    ),
    ({"electrostatics": {"direction": "z"}}, ["direction = 'z'", "x and y"]),
    ({"electrostatics": {"form": "conduktion"}}, ["form", "conduction"]),
    ({"electrostatics": {"form": "conduction"}}, ["matrix", "conductivity", "'conduction'"]),
    (
        {"materials": {**CONDUCTING, "matrix": {"permittivity": 4}}},
        ["matrix", "no conductivity", "'conduction'"],
    ),
    (
        {"materials": {**BOX["materials"], "matrix": "impermeable"},
         "electrostatics": {"form": "dielectric"}},
        ["matrix", "permittivity", "conductor"],
    ),
    ({"materials": {**BOX["materials"], "matrix": {"permittivity": -1}}}, ["permittivity", "-1"]),
    (
        {"materials": {**BOX["materials"], "matrix": {"permittivity": [1, 2, 3]}}},
        ["matrix", "3 values per axis", "2 axes"],
    ),
    ({"materials": dict.fromkeys(LAYERS, "conductor")}, ["every region is a conductor"]),
    ({"materials": {**BOX["materials"], "coat": "conductor"}}, ["coat", "matrix, coating"]),
    ({"output": {"movie": "gif"}}, ["[output] movie", "time"]),
    ({"diffusion": {"direction": "y"}}, ["[diffusion]", "'electrostatics'"]),
    ({"study": "diffusion", "materials": dict.fromkeys(LAYERS, "conductor")}, ["conductor"]),
    (
        {"boundary": {**BOTTOM, "left": {"potential": 1.0}}},
        ["bottom (0 V)", "left (1 V)", "touch", "infinite"],
    ),
    (
        {"boundary": {**BOTTOM, "top": {"potential": 1.0}, "left": {"floating": True}}},
        ["joins bottom (0 V) and top (1 V)", "short circuit"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), REFUSED, ids=[" ".join(t) for _, t in REFUSED])
def test_an_ill_posed_case_is_refused_with_its_reason(
    change: dict[str, Any], told: list[str]
) -> None:
    with pytest.raises(CaseError) as error:
        run(**change)
    assert [part for part in told if part not in str(error.value)] == []


def test_a_charge_within_one_region_is_refused(tmp_path: Path) -> None:
    from fem_spe import meshing
    from fem_spe.geometry import Box

    file = tmp_path / "box.msh"
    plan = meshing.MeshPlan(Box(size=(2 * UM, 2 * UM)), meshing.Sizes(UM, UM))
    arrays = meshing.mesh_arrays(plan, file)
    import gmsh

    with meshing.session():
        gmsh.open(str(file))
        inner = arrays.cells[0, :2] + 1
        line = gmsh.model.addDiscreteEntity(1)
        gmsh.model.mesh.addElementsByType(line, 1, [], inner.tolist())
        gmsh.model.addPhysicalGroup(1, [line], name="wire")
        gmsh.write(str(file))
    with pytest.raises(MeshError, match=r"wire.*within one region"):
        run(
            geometry={"kind": "mesh_file", "file": str(file)},
            mesh={},
            materials={"matrix": {"permittivity": 4}},
            boundary={**BOTTOM, "wire": {"surface_charge": 1e-6}},
        )


def test_the_command_refuses_in_one_line_and_writes_nothing(tmp_path: Path, fem_spe: Any) -> None:
    text = fem_spe("new", "electrostatics", "-o", "case.toml", cwd=tmp_path)
    assert text.returncode == 0, text.stderr
    for words, told in (
        (["--set", "boundary.top.current_density=1"], "potential and current_density"),
        (["--set", "boundary.left.potential=5 mV"], "touch"),
        (["--set", "boundary.left.floating=true"], "short circuit"),  # found on the mesh
    ):
        done = fem_spe("run", "case.toml", "--quiet", "-o", "result", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["case.toml"]


def test_a_run_draws_the_potential_and_the_field(tmp_path: Path, fem_spe: Any) -> None:
    fem_spe("new", "electrostatics", "-o", "case.toml", cwd=tmp_path)
    words = ["--set", "mesh.interface_size=1.5 um", "--set", "boundary={}"]
    words += ["--set", "materials.fiber={ permittivity = 4 }"]
    done = fem_spe("run", "case.toml", "-o", "result", "--json", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert {"potential.png", "field.png"} <= {f.removeprefix("figures/") for f in summary["files"]}
    assert summary["quantities"]["capacitance"]["error"] > 0
    assert "um in fiber" in summary["quantities"]["max_field"]["description"]

"""Case files: what they may say, and what they hold then."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import fem_spe.comm  # noqa: F401 - before DOLFINx
from fem_spe.case import load, parse, to_toml
from fem_spe.case.load import load_geometry, toml_value
from fem_spe.case.resolved import with_mesh_defaults, with_solver_defaults
from fem_spe.case.templates import kinds, template
from fem_spe.errors import CaseError
from fem_spe.materials import Material

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.toml"))
GEOMETRIES = sorted((ROOT / "meshes").rglob("*.toml"))

ALIGNED = tomllib.loads(template("aligned"))
RANDOM = tomllib.loads(template("random"))
BOX = tomllib.loads(template("box"))


# --- what is right -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", kinds())
def test_every_template_is_a_case_and_survives_being_written_and_read(kind):
    case = parse(tomllib.loads(template(kind)))
    assert parse(tomllib.loads(to_toml(case))) == case


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.stem)
def test_every_case_of_the_papers_survives_being_written_and_read(file):
    case = load(file)
    assert parse(tomllib.loads(to_toml(case))) == case


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.stem)
def test_every_default_is_printed_and_a_printed_case_has_none_left_to_fill_in(file):
    case = with_mesh_defaults(load(file), (250e-6, 80e-6), 2.5e-6)
    printed = tomllib.loads(to_toml(case))
    assert printed["mesh"].keys() == {"size", "interface_size", "order"}
    assert printed["solver"].keys() == {"degree", "rtol"}
    if case.study == "diffusion":
        assert printed["diffusion"]["direction"] in ("y", "z")
    assert with_mesh_defaults(parse(printed), (250e-6, 80e-6), 2.5e-6) == case


@pytest.mark.parametrize("file", GEOMETRIES, ids=lambda f: f.stem)
def test_every_geometry_file_can_be_read_in_by_a_case(file):
    case = parse({**ALIGNED, "geometry": {"file": str(file)}, "materials": {"matrix": "llzto"}})
    assert case.geometry.kind == load_geometry(file)["kind"]


def test_a_value_of_full_precision_survives_being_written_and_read():
    case = parse(ALIGNED, {"geometry.size": [1e-4 / 3, math.pi * 1e-5], "temperature": 1e3 / 3})
    assert parse(tomllib.loads(to_toml(case))) == case
    assert case.geometry.size == (1e-4 / 3, math.pi * 1e-5)


def test_values_per_axis_survive_being_written_and_read():
    case = parse(ALIGNED, {"materials.matrix": {"diffusivity": ["1e-11 m^2/s", "3e-11 m^2/s"]}})
    assert case.materials["matrix"] == Material(diffusivity=(1e-11, 3e-11))
    assert parse(tomllib.loads(to_toml(case))) == case


def test_values_are_si():
    case = parse(ALIGNED)
    assert case.geometry.size == (100e-6, 50e-6)
    assert case.temperature == 298.15


def test_cell_sizes_default_to_a_twelfth_of_the_box_and_a_fifth_of_the_thinnest_radius():
    mesh = with_mesh_defaults(parse(ALIGNED), (100e-6, 48e-6), 2.5e-6).mesh
    assert (mesh.size, mesh.interface_size) == pytest.approx((4e-6, 0.5e-6))
    assert mesh.order == 2


def test_a_case_in_three_dimensions_is_driven_along_z_with_degree_one():
    case = with_solver_defaults(parse({**BOX, "boundary": {}}), 3)
    assert (case.diffusion.direction, case.solver.degree) == ("z", 1)


def test_a_case_is_frozen():
    with pytest.raises(ValidationError):
        parse(ALIGNED).title = "other"


def test_with_gives_another_case_and_leaves_the_first_as_it_was():
    case = parse(RANDOM)
    other = case.with_(**{"geometry.seed": 3, "geometry.fiber_diameter": "6 um"})
    assert (other.geometry.seed, case.geometry.seed) == (3, 1)
    assert other.with_(**{"geometry.seed": 1, "geometry.fiber_diameter": 5e-6}) == case


def test_with_refuses_what_a_file_may_not_say():
    with pytest.raises(CaseError, match="did you mean 'seed'"):
        parse(RANDOM).with_(**{"geometry.sed": 3})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.25", 0.25),
        ("true", True),
        ('"5 um"', "5 um"),
        ("5 um", "5 um"),
        ("aligned", "aligned"),
        ('["1 um", "2 um"]', ["1 um", "2 um"]),
        ("{ kappa = 2 }", {"kappa": 2}),
        ("2e-11 m^2/s", "2e-11 m^2/s"),
        ("", ""),
        ("3\nstudy = 4", "3\nstudy = 4"),
    ],
)
def test_a_set_value_is_toml_or_else_a_plain_string(text, value):
    assert toml_value(text) == value


# --- geometry in a file of its own -------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with sections/one.toml, and a case beside it that reads it in."""
    (tmp_path / "sections").mkdir()
    geometry = 'kind = "fiber_section"\narrangement = "aligned"\nsize = ["100 um", "50 um"]\n'
    geometry += 'fiber_diameter = "5 um"\nfiber_fraction = 0.2\n'
    (tmp_path / "sections" / "one.toml").write_text(geometry, "utf-8")
    text = 'study = "diffusion"\nmaterials = { matrix = "llzto" }\n[geometry]\n'
    text += 'file = "sections/one.toml"\nfiber_fraction = 0.3\n'
    (tmp_path / "case.toml").write_text(text, "utf-8")
    return tmp_path


def test_keys_beside_file_win_over_those_of_the_file(folder):
    geometry = load(folder / "case.toml").geometry
    assert (geometry.fiber_fraction, geometry.fiber_diameter) == (0.3, 5e-6)


def test_set_wins_over_both(folder):
    changes = {"geometry.fiber_fraction": 0.1, "geometry.fiber_diameter": "4 um"}
    geometry = load(folder / "case.toml", changes).geometry
    assert (geometry.fiber_fraction, geometry.fiber_diameter) == (0.1, 4e-6)


def test_set_can_name_another_geometry_file(folder):
    one = (folder / "sections" / "one.toml").read_text("utf-8")
    (folder / "sections" / "two.toml").write_text(one.replace('"5 um"', '"8 um"'), "utf-8")
    geometry = load(folder / "case.toml", {"geometry.file": "sections/two.toml"}).geometry
    assert (geometry.fiber_fraction, geometry.fiber_diameter) == (0.3, 8e-6)


def test_a_geometry_file_may_be_a_case_file(folder):
    text = (folder / "case.toml").read_text("utf-8").replace("sections/one", "case")
    (folder / "other.toml").write_text(text, "utf-8")
    assert load(folder / "other.toml").geometry == load(folder / "case.toml").geometry


def test_a_mesh_file_is_looked_for_beside_the_case(folder):
    (folder / "mesh.toml").write_text(template("mesh_file"), "utf-8")
    assert load(folder / "mesh.toml").geometry.file == str((folder / "mesh.msh").resolve())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('file = "sections/none.toml"', "sections/none.toml"),
        ('file = "case.toml"', "itself"),
        ('file = "sections"', "sections"),
    ],
)
def test_a_geometry_file_that_cannot_be_read_is_named(folder, text, told):
    case = folder / "case.toml"
    case.write_text(case.read_text("utf-8").replace('file = "sections/one.toml"', text), "utf-8")
    with pytest.raises(CaseError, match=told):
        load(case)


def test_a_geometry_file_without_a_table_is_refused(folder):
    (folder / "sections" / "one.toml").write_text("geometry = 3", "utf-8")
    with pytest.raises(CaseError, match="geometry = 3: must be a table"):
        load(folder / "case.toml")

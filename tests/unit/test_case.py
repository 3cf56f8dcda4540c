"""Case files: what they may say, and what a wrong one is answered with."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import fem_spe.comm  # noqa: F401 - before DOLFINx
from fem_spe.case import load, parse, schema, to_toml
from fem_spe.case.load import load_geometry, toml_value
from fem_spe.case.resolved import with_mesh_defaults, with_solver_defaults
from fem_spe.case.templates import kinds, template
from fem_spe.errors import CaseError
from fem_spe.materials import Material
from fem_spe.studies import lookup

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "workflows").rglob("*.toml"))
GEOMETRIES = sorted((ROOT / "meshes").rglob("*.toml"))
NAN, INF = math.nan, math.inf

ALIGNED = tomllib.loads(template("aligned"))
RANDOM = tomllib.loads(template("random"))
ALTERNATING = tomllib.loads(template("alternating"))
BOX = tomllib.loads(template("box"))
MESH_FILE = tomllib.loads(template("mesh_file"))
DRIVEN = {k: v for k, v in ALIGNED.items() if k != "diffusion"}  # free for [boundary.*]


def read_and_plan(base: dict[str, Any], changes: dict[str, Any]) -> None:
    case = parse(base, changes)
    regions = getattr(case.geometry, "regions", tuple(case.materials))
    lookup(case.study).plan(case, tuple(regions))


def refusal(base: dict[str, Any], changes: dict[str, Any]) -> str:
    """The one line that refuses `base` with `changes`, when it is read or planned."""
    with pytest.raises(CaseError) as caught:
        read_and_plan(base, changes)
    message = str(caught.value)
    assert "\n" not in message
    assert "pydantic" not in message
    return message


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


# --- what is wrong -----------------------------------------------------------------------

SECTION_KEYS = ["count", "fiber_diameter", "fiber_fraction"]


@pytest.mark.parametrize(
    ("base", "changes", "told"),
    [
        # keys
        (ALIGNED, {"geometry.fibre_fraction": 0.2}, ["'fibre_fraction'", "'fiber_fraction'"]),
        (ALIGNED, {"solver.degre": 2}, ["'degre'", "[solver]", "'degree'"]),
        (ALIGNED, {"materals": {}}, ["'materals'", "'materials'"]),
        (ALIGNED, {"materials.matrix.difusivity": 1}, ["[materials.matrix]", "'diffusivity'"]),
        (RANDOM, {"geometry.orientation.kapa": 2}, ["[geometry.orientation]", "'kappa'"]),
        (DRIVEN, {"boundary.top.concentrtion": 2}, ["[boundary.top]", "'concentration'"]),
        (BOX, {"geometry.fiber_fraction": 0.2}, ["'fiber_fraction'", "[geometry]", "layers"]),
        (ALIGNED, {"geometry.kind": "fibre_section"}, ["kind", "'fiber_section'", "'box'"]),
        (ALIGNED, {"geometry.arrangement": "alined"}, ["arrangement", "'aligned'"]),
        (ALIGNED, {"geometry": {"kind": "box"}}, ["[geometry] size", "missing"]),
        (ALIGNED, {"geometry": {}}, ["[geometry] kind", "missing"]),
        ({"study": "diffusion", "materials": {"matrix": "llzto"}}, {}, ["geometry", "missing"]),
        # tables where values belong, and the other way round
        (ALIGNED, {"geometry": 3}, ["geometry = 3", "table"]),
        (ALIGNED, {"mesh": "fine"}, ["mesh = 'fine'", "table"]),
        (ALIGNED, {"materials.matrix": 3}, ["[materials] matrix = 3", "table"]),
        (ALIGNED, {"materials": {}}, ["materials = {}"]),
        (ALIGNED, {"study.x": 1}, ["study.x", "not a table"]),
        (ALIGNED, {"geometry.size": "250 um"}, ["[geometry] size = '250 um'", "list"]),
        (ALIGNED, {"geometry.size": ["250 um"]}, ["[geometry] size = ['250 um']", "few"]),
        (ALIGNED, {"geometry.size": [1e-5, 1e-5, 1e-5]}, ["too many entries", "2 or fewer"]),
        (ALIGNED, {"geometry.size": ["1 um"] * 3}, ["[geometry] size", "many"]),
        (BOX, {"geometry.size": []}, ["[geometry] size = []", "few"]),
        (ALIGNED, {"mesh.size": ["1 um"]}, ["[mesh] size", "['1 um']", "'250 um'"]),
        # units
        (ALIGNED, {"geometry.size": ["250 kg", "80 um"]}, ["size[0]", "250 kg", "mass", "um"]),
        (ALIGNED, {"materials.matrix.diffusivity": "2e-7 cm2/s"}, ["diffusivity", "'cm^2/s'"]),
        (ALIGNED, {"temperature": "25"}, ["temperature", "'25' has no unit", "'25 degC'"]),
        (DRIVEN, {"boundary.top.flux": "1 mol/s"}, ["[boundary.top] flux", "mol/m^2/s"]),
        (
            ALIGNED,
            {"materials.matrix.diffusivity": ["2e-11 m^2/s", "3 kg"]},
            ["[materials.matrix] diffusivity", "'3 kg'", "mass"],
        ),
        # numbers
        (ALIGNED, {"geometry.size": ["250 um", "-80 um"]}, ["size[1]", "'-80 um'", "than 0"]),
        (ALIGNED, {"geometry.fiber_diameter": -5e-6}, ["fiber_diameter", "-5e-06", "than 0"]),
        (ALIGNED, {"mesh.size": 0}, ["[mesh] size = 0", "than 0"]),
        (ALIGNED, {"geometry.fiber_fraction": NAN}, ["fiber_fraction = nan", "finite"]),
        (ALIGNED, {"geometry.fiber_fraction": "nan"}, ["fiber_fraction = 'nan'", "finite"]),
        (ALIGNED, {"geometry.fiber_diameter": "nan um"}, ["fiber_diameter", "nan um", "finite"]),
        (ALIGNED, {"mesh.size": INF}, ["[mesh] size", "inf", "finite"]),
        (RANDOM, {"geometry.aspect": INF}, ["aspect = inf", "finite"]),
        (RANDOM, {"geometry.orientation.kappa": NAN}, ["kappa = nan", "finite"]),
        (ALIGNED, {"materials.matrix.partition": NAN}, ["partition = nan", "finite"]),
        (ALIGNED, {"solver.rtol": NAN}, ["rtol = nan", "finite"]),
        (ALIGNED, {"solver.rtol": 1.0}, ["rtol = 1.0", "less than 1"]),
        (ALIGNED, {"solver.degree": 3}, ["degree = 3", "1 or 2"]),
        (ALIGNED, {"temperature": "-300 degC"}, ["temperature", "-300 degC", "than 0 K"]),
        (ALIGNED, {"temperature": 25}, ["temperature", "without unit is in K", '"25 degC"']),
        (ALIGNED, {"geometry.fiber_fraction": "20 %"}, ["= '20 %'", "a number, without quotes"]),
        (RANDOM, {"geometry.seed": 1.5}, ["seed = 1.5", "whole number"]),
        (RANDOM, {"geometry.seed": -1}, ["seed = -1"]),
        (ALIGNED, {"geometry.count": [0, 3]}, ["count[0] = 0", "than 0"]),
        # structures that cannot be
        (ALIGNED, {"geometry.fiber_fraction": 0.95}, ["fiber_fraction", "0.95", "0.785"]),
        (RANDOM, {"geometry.fiber_fraction": 0.95}, ["fiber_fraction", "0.95", "0.62"]),
        (ALIGNED, {"geometry.fiber_fraction": 1.2}, ["fiber_fraction = 1.2", "less than 1"]),
        (ALIGNED, {"geometry.fiber_diameter": "90 um"}, ["fiber_diameter", "90 um", "100 x 50"]),
        (RANDOM, {"geometry.fiber_diameter": "40 um"}, ["64 um", "100 x 50", "smaller"]),
        (ALIGNED, {"geometry.count": [20, 10]}, [*SECTION_KEYS, "two of"]),
        (ALTERNATING, {"geometry.filler_diameter": "5 um"}, ["one of", "filler_fraction"]),
        (RANDOM, {"geometry.length": "8 um"}, ["one of", "aspect", "length"]),
        (BOX, {"geometry.layers.matrix": "15 um"}, ["layers", "35 um", "30 um"]),
        (ALIGNED, {"geometry.boundary": "inside"}, ["boundary = 'inside'", "'cut'", "'periodic'"]),
        # materials
        (ALIGNED, {"materials.matrix.diffusivity": 0}, ["diffusivity", "0", '"impermeable"']),
        (ALIGNED, {"materials.matrix.diffusivity": "0 m^2/s"}, ["0 m^2/s", '"impermeable"']),
        (ALIGNED, {"materials.matrix.diffusivity": ["1 m^2/s"]}, ["diffusivity", "2 or 3 axes"]),
        (ALIGNED, {"materials.matrix": "lltzo"}, ["[materials] matrix", "'lltzo'", "'llzto'"]),
        (ALIGNED, {"materials": {"fiber": "impermeable"}}, ["[materials] matrix", "missing"]),
        (ALIGNED, {"materials.fibre": "impermeable"}, ["[materials] fibre", "matrix, fiber"]),
        (ALIGNED, {"materials.matrix": "impermeable"}, ["every region is impermeable"]),
        # how it is driven
        (ALIGNED, {"study": "difusion"}, ["study = 'difusion'", "'diffusion'"]),
        (ALIGNED, {"diffusion.mode": "transient?"}, ["mode = 'transient?'", "'steady'"]),
        (ALIGNED, {"diffusion.direction": "up"}, ["direction = 'up'", "'x', 'y' or 'z'"]),
        (ALIGNED, {"boundary.top.concentration": 1.0}, ["direction", "[boundary.*]", "remove"]),
        (DRIVEN, {"boundary.top": {}}, ["[boundary.top]", "concentration", "flux"]),
        (DRIVEN, {"boundary.top": {"flux": 1, "concentration": 1}}, ["[boundary.top]", "one of"]),
        (DRIVEN, {"boundary.top.flux": 1e-4}, ["concentration", "[diffusion] direction"]),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) and len(v) == 1 else None,
)  # fmt: skip
def test_a_wrong_case_is_answered_with_the_key_the_value_and_what_would_work(base, changes, told):
    message = refusal(base, changes)
    assert [part for part in told if part not in message] == []


def test_of_several_faults_one_is_told_and_the_others_are_counted():
    message = refusal(ALIGNED, {"mesh.size": -1.0, "solver.rtol": 2.0, "temperature": "5 kg"})
    assert "(and 2 more)" in message


def test_one_fault_in_a_value_of_several_kinds_is_counted_once():
    assert "more)" not in refusal(BOX, {"geometry.size": ["1 um", "-1 um", "1 um"]})


def test_a_direction_across_a_plane_is_refused():
    from fem_spe.job import run

    changes = {"diffusion.direction": "z", "geometry.size": ["20 um", "10 um"], "mesh.size": 2e-6}
    with pytest.raises(CaseError, match=r"direction = 'z': .* x and y"):
        run(parse(ALIGNED, changes))


def test_a_boundary_that_the_structure_lacks_is_refused_with_those_it_has():
    from fem_spe.job import run

    changes = {"boundary.tpo.concentration": 1.0, "mesh.size": 2e-6}
    with pytest.raises(CaseError, match=r"boundary.tpo.*did you mean 'top'.*bottom"):
        run(parse(DRIVEN, {**changes, "geometry.size": ["20 um", "10 um"]}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('title = "a"\nstudy = diffusion', "line 2"),
        ("title = 'a'\ntitle = 'b'", "TOML"),
        ("\xff\xfe", "TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_answered_with_file_and_line(tmp_path, text, told):
    file = tmp_path / "case.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(CaseError) as caught:
        load(file)
    assert str(file) in str(caught.value)
    assert told in str(caught.value)


def test_a_fault_in_an_ion_is_told_with_its_number_and_the_nearest_key():
    case = tomllib.loads(template("nernst_planck"))
    cation, anion = case["species"]
    message = refusal(case, {"species": [cation, anion | {"difusivity": 1.0}]})
    assert "'difusivity' in [[species]] number 2: did you mean 'diffusivity'? known" in message
    message = refusal(case, {"species": [cation | {"charge": 1.5}, anion]})
    assert "[[species]] number 1: charge = 1.5: must be a whole number" in message


@pytest.mark.parametrize(
    ("table", "key", "told"),
    [
        ("geometry", "kind", r"\[geometry\] kind: is missing; give one of box, .*printed"),
        ("geometry", "arrangement", r"arrangement: is missing; give one of aligned, .*slice"),
        (None, "study", r'study: is missing; .* study = "diffusion"'),
    ],
)
def test_a_kind_that_is_missing_is_answered_with_those_there_are(table, key, told):
    case = {name: dict(v) if isinstance(v, dict) else v for name, v in ALIGNED.items()}
    del (case[table] if table else case)[key]
    with pytest.raises(CaseError, match=told):
        parse(case)


def test_a_mark_of_encoding_is_no_part_of_a_case_and_other_encodings_are_refused(tmp_path):
    file, text = tmp_path / "case.toml", f"# für\n{template('aligned')}"
    file.write_text(text, encoding="utf-8-sig")
    assert load(file).geometry == parse(ALIGNED).geometry
    file.write_text(f"# a comment\n{text}", encoding="latin-1")
    with pytest.raises(CaseError, match="line 2 is not UTF-8 text; save the file as UTF-8"):
        load(file)


def test_a_message_names_the_file(tmp_path):
    file = tmp_path / "case.toml"
    file.write_text("study = 3", "utf-8")
    with pytest.raises(CaseError, match=str(file)):
        load(file)


@pytest.mark.parametrize("path", ["none.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, path):
    with pytest.raises(CaseError, match=str(tmp_path / path)):
        load(tmp_path / path)


def test_an_unknown_template_is_answered_by_the_nearest():
    with pytest.raises(CaseError, match="did you mean 'aligned'"):
        template("alined")


# --- the JSON schema ---------------------------------------------------------------------

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
NOTES = {"$schema", "$defs", "title", "description", "examples", "default", "discriminator"}


def violations(value: Any, node: dict[str, Any], whole: dict[str, Any], at: str) -> Iterator[str]:
    """Where `value` breaks the JSON schema `node`; raises for a keyword not known here."""
    for word, rule in node.items():
        match word:
            case "$ref":
                yield from violations(value, whole["$defs"][rule.rpartition("/")[2]], whole, at)
            case "anyOf" | "oneOf":
                found = [list(violations(value, option, whole, at)) for option in rule]
                if all(found):
                    yield min(found, key=len)[0]
            case "type":
                truth = isinstance(value, bool) and rule != "boolean"
                if truth or not isinstance(value, TYPES[rule]):
                    yield f"{at}: {value!r} is no {rule}"
            case "const":
                if value != rule:
                    yield f"{at}: {value!r} is not {rule!r}"
            case "enum":
                if value not in rule:
                    yield f"{at}: {value!r} is not in {rule}"
            case "properties" if isinstance(value, dict):
                for key in value.keys() & rule.keys():
                    yield from violations(value[key], rule[key], whole, f"{at}.{key}")
            case "additionalProperties" if isinstance(value, dict):
                for key in value.keys() - node.get("properties", {}).keys():
                    if rule is False:
                        yield f"{at}: unknown key {key}"
                    elif rule is not True:
                        yield from violations(value[key], rule, whole, f"{at}.{key}")
            case "required" if isinstance(value, dict):
                yield from (f"{at}: no {key}" for key in rule if key not in value)
            case "prefixItems" if isinstance(value, list):
                for k, (item, one) in enumerate(zip(value, rule, strict=False)):
                    yield from violations(item, one, whole, f"{at}[{k}]")
            case "items" if isinstance(value, list):
                for k, item in enumerate(value):
                    yield from violations(item, rule, whole, f"{at}[{k}]")
            case "minItems" | "minProperties" if isinstance(value, (list, dict)):
                if len(value) < rule:
                    yield f"{at}: fewer than {rule}"
            case "maxItems" if isinstance(value, list):
                if len(value) > rule:
                    yield f"{at}: more than {rule}"
            case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
                pass  # on the SI value
            case _:
                assert word in NOTES | {
                    "properties", "additionalProperties", "required", "prefixItems", "items",
                    "minItems", "maxItems", "minProperties",
                }, word  # fmt: skip


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.stem)
def test_the_schema_accepts_the_cases_of_the_papers_as_written_and_resolved(file):
    whole = schema()
    written = tomllib.loads(file.read_text("utf-8"))
    assert list(violations(written, whole, whole, "case")) == []
    assert list(violations(tomllib.loads(to_toml(load(file))), whole, whole, "case")) == []


@pytest.mark.parametrize("kind", kinds())
def test_the_schema_accepts_every_template(kind):
    assert list(violations(tomllib.loads(template(kind)), schema(), schema(), "case")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"materals": 1},
        {"geometry.fibre_fraction": 0.2},
        {"mesh.size": True},
        {"geometry.arrangement": "alined"},
        {"geometry.size": ["1 um"]},
        {"solver.degree": 3},
    ],
    ids=lambda c: next(iter(c)),
)
def test_the_schema_refuses_what_the_program_refuses(changes):
    from fem_spe.case import overrides

    wrong = overrides.apply(ALIGNED, changes)
    assert refusal(ALIGNED, changes)
    assert len(list(violations(wrong, schema(), schema(), "case"))) >= 1

"""Wrong cases: each is answered in one line with the key, the value and what would work."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest

import fem_spe.comm  # noqa: F401 - before DOLFINx
from fem_spe.case import load, parse
from fem_spe.case.templates import template
from fem_spe.errors import CaseError
from fem_spe.studies import lookup

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

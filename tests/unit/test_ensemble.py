"""Sweeps: how they are written, what their folders are called, what table and picture hold."""

from __future__ import annotations

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fem_spe.comm  # noqa: F401  (before any other door to DOLFINx)
from fem_spe.ensemble.keys import Swept, combinations, folder_name, read_sweeps
from fem_spe.ensemble.members import Member, Outcome, from_error, is_finished, read_members
from fem_spe.ensemble.picture import draw_sweep, main_quantity, numbers
from fem_spe.ensemble.table import swept_keys, write_table
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.job import resolved

D = "relative_diffusivity"


# --- keys --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "key", "values"),
    [
        ("geometry.seed=1,2,3", "geometry.seed", (1, 2, 3)),
        (" geometry.seed = 1 , 2 ", "geometry.seed", (1, 2)),
        ("mesh.size=1 um,2 um", "mesh.size", ("1 um", "2 um")),
        ("a=[1, 2],[3, 4]", "a", ([1, 2], [3, 4])),
        ("a={ b = 1, c = [2, 3] },'x,y'", "a", ({"b": 1, "c": [2, 3]}, "x,y")),
        ('a="1 um",true,aligned', "a", ("1 um", True, "aligned")),
        ('a="[",1', "a", ("[", 1)),
        ("a=x=1,y", "a", ("x=1", "y")),
    ],
)
def test_values_are_toml_or_plain_strings_between_the_outer_commas(word, key, values):
    (swept,) = read_sweeps([word])
    assert swept.key == key
    assert swept.values == values


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["geometry.seed"], "key=a,b,c"),
        (["=1,2"], "key=a,b,c"),
        (["geometry..seed=1"], "key=a,b,c"),
        ([""], "key=a,b,c"),
        (["a="], "no values"),
        (["a= "], "no values"),
        (["a=1,"], "empty value"),
        (["a=1,,2"], "empty value"),
        (["a=[1,2"], "']' is missing"),
        (["a='1,2"], '"\'" is missing'),
        (["a=1]"], "']' closes nothing"),
        (["a=[1}"], "'}' closes nothing"),
        (["a=1,2,1"], "1 is given twice"),
        (["a=1", "a=2"], "a is swept already"),
        (["b=1"], "--set"),
    ],
)
def test_what_is_not_written_so_is_refused_with_the_word_itself(words, told):
    with pytest.raises(CaseError, match=re.escape(told)) as caught:
        read_sweeps(words, also_set=["b"])
    assert f"--sweep {words[-1]}:" in str(caught.value)


def test_combinations_are_the_product_and_the_last_key_varies_fastest():
    found = list(combinations([Swept("a", ("1", "2")), Swept("b", ("x", "y"))]))
    assert [tuple(texts.values()) for texts in found] == [
        ("1", "x"), ("1", "y"), ("2", "x"), ("2", "y"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ({"geometry.seed": "3", "geometry.fiber_fraction": "0.2"},
         "geometry.seed=3,geometry.fiber_fraction=0.2"),
        ({"mesh.size": "1 um"}, "mesh.size=1_um"),
        ({"mesh.size": '"1 µm"'}, "mesh.size=1_um"),
    ],
)  # fmt: skip
def test_folders_are_named_as_the_values_are_written(texts, name):
    assert folder_name(texts) == name


@given(st.lists(st.text(max_size=200), min_size=2, max_size=2, unique=True))
def test_any_folder_name_is_safe_short_and_the_same_again(values):
    names = [folder_name({"materials.a/b": value}) for value in values]
    assert names == [folder_name({"materials.a/b": value}) for value in values]
    assert names[0] != names[1]  # the key is not shown whole, so that each has its digest
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9._=,+~-]{1,120}", name)
        assert not name.startswith(".")


# --- members -----------------------------------------------------------------------------


def members_of(file, *words, **changes):
    return read_members(file, changes, read_sweeps(words))


def test_a_bad_value_is_the_fault_of_its_member_alone(small_case):
    good, bad = members_of(small_case, "geometry.fiber_fraction=0.2,0.95")
    assert good.case.geometry.fiber_fraction == 0.2
    assert isinstance(bad.case, CaseError)
    assert from_error(bad.case).status == "refused"
    assert from_error(bad.case).exit_code == 2


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("geometry.fiber_fractoin=0.1,0.2", "'fiber_fraction'"),
        ("materials.fibre=impermeable,llzto", "[materials] fibre"),
        ("geometry.fiber_fraction=2,3", "fiber_fraction = 2"),
    ],
)
def test_a_sweep_of_which_nothing_can_run_is_refused(small_case, word, told):
    with pytest.raises(CaseError, match=re.escape(told)):
        members_of(small_case, word)


def test_two_ways_to_write_one_value_are_refused(small_case):
    with pytest.raises(CaseError, match="the same"):
        members_of(small_case, "mesh.size=1 um,'1 um'")


def test_members_draw_only_where_the_case_says_so(small_case):
    text = small_case.read_text("utf-8")
    small_case.write_text(text.replace("figures = false", ""), "utf-8")
    (member,) = members_of(small_case, "geometry.fiber_fraction=0.2")
    assert member.case.output.figures is False
    small_case.write_text(text.replace("figures = false", "figures = true"), "utf-8")
    (member,) = members_of(small_case, "geometry.fiber_fraction=0.2")
    assert member.case.output.figures is True


def finish(member, folder):
    """What tells that a member is done, without running it."""
    from fem_spe.case import to_toml

    (folder / member.name).mkdir()
    (case,) = resolved(member.case)
    (folder / member.name / "case.toml").write_text(to_toml(case), "utf-8")
    (folder / member.name / "summary.json").write_text("{}", "utf-8")


def test_a_member_is_finished_when_its_summary_is_there_and_its_case_is_the_same(
    small_case, tmp_path
):
    (member,) = members_of(small_case, "geometry.fiber_fraction=0.2")
    assert not is_finished(member, tmp_path)
    finish(member, tmp_path)
    assert is_finished(member, tmp_path)
    (tmp_path / member.name / "summary.json").unlink()
    assert not is_finished(member, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('size = "1.5 um"', 'size = "1.4 um"', "mesh.size: 1.5 um there, 1.4 um now"),
        ('interface_size = "0.6 um"', "", "mesh.interface_size: 0.6 um there"),
        ('fiber = "impermeable"', 'fiber = "llzto"', "materials.fiber: impermeable there"),
    ],
    ids=["changed", "default now", "material"],
)
def test_a_changed_case_is_told_with_its_key(small_case, tmp_path, old, new, told):
    word = "geometry.fiber_fraction=0.2"
    finish(*members_of(small_case, word), tmp_path)
    text = small_case.read_text("utf-8").replace("2e-11 m^2/s", "2e-11 m^2/s")
    small_case.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(CaseError, match=re.escape(told)) as caught:
        is_finished(*members_of(small_case, word), tmp_path)
    assert "--force" in str(caught.value)


# --- table and picture -------------------------------------------------------------------


def quantity(value, unit=""):
    return {"value": value, "unit": unit, "description": "", "error": None, "singular": False}


@pytest.fixture
def small_sweep():
    """Four members: done, not a number, failed, waiting."""
    sweeps = read_sweeps(["mesh.size=1 um,2 um", "a=x,y"])
    members = [Member(folder_name(t), t, CaseError("unused")) for t in combinations(sweeps)]
    found = [
        Outcome("done", {D: quantity(0.5), "flux_in": quantity(1e-11, "mol/m/s")}),
        Outcome("done", {D: quantity(None)}),
        from_error(ConvergenceError('no, "never",\nsaid it')),
        Outcome(),
    ]
    outcomes = {m.name: outcome for m, outcome in zip(members, found, strict=True)}
    return sweeps, members, outcomes


def test_the_table_has_a_row_for_each_member_and_units_in_its_head(small_sweep, tmp_path):
    write_table(tmp_path, *small_sweep)
    with (tmp_path / "sweep.csv").open(encoding="utf-8", newline="") as lines:
        head, *rows = csv.reader(lines)
    assert head == ["mesh.size", "a", "status", D, "flux_in [mol/m/s]", "error", "folder"]
    assert rows == [
        ["1 um", "x", "done", "0.5", "1e-11", "", "mesh.size=1_um,a=x"],
        ["1 um", "y", "done", "nan", "", "", "mesh.size=1_um,a=y"],
        ["2 um", "x", "failed", "", "", 'no, "never", said it', "mesh.size=2_um,a=x"],
        ["2 um", "y", "waiting", "", "", "", "mesh.size=2_um,a=y"],
    ]
    assert swept_keys(tmp_path) == ["mesh.size", "a"]
    assert [file.name for file in tmp_path.iterdir()] == ["sweep.csv"]


@pytest.mark.parametrize("content", [None, b"", b"x,y\n1,2\n", b"\xff\xfe\x00"])
def test_a_table_of_somebody_else_is_not_taken_for_one(tmp_path, content):
    if content is not None:
        (tmp_path / "sweep.csv").write_bytes(content)
    assert swept_keys(tmp_path) is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a=1,2.5", ([1.0, 2.5], "")),
        ("a=1 um,-.5e1 um", ([1.0, -5.0], "um")),
        ("a=25 degC,30 degC", ([25.0, 30.0], "degC")),
        ("a=1 um,500 nm", None),
        ("a=1,aligned", None),
        ("a=true,false", None),
        ("a=[1],[2]", None),
    ],
)
def test_an_axis_has_numbers_where_all_values_have_one_unit(word, expected):
    assert numbers(*read_sweeps([word])) == expected


def test_the_main_quantity_is_relative_diffusivity_else_the_first():
    other = Outcome("done", {"flux_in": quantity(1.0)})
    assert main_quantity({"a": Outcome()}) is None
    assert main_quantity({"a": Outcome(), "b": other}) == "flux_in"
    assert main_quantity({"b": other, "c": Outcome("done", {D: quantity(1.0)})}) == D


def test_a_sweep_shows_the_first_quantity_that_changes():
    members = {
        str(k): Outcome("done", {"transference": quantity(1 / 3 + 1e-16 * k), "sigma": quantity(k)})
        for k in (1.0, 2.0)
    }
    assert main_quantity(members) == "sigma"


def test_the_picture_is_drawn_where_there_is_something_to_draw(small_sweep, tmp_path):
    sweeps, members, outcomes = small_sweep
    file = tmp_path / "sweep.png"
    assert draw_sweep(file, sweeps, members, dict.fromkeys(outcomes, Outcome())) is None
    assert not file.exists()
    assert draw_sweep(file, sweeps, members, outcomes) == file
    assert draw_sweep(tmp_path / "b.png", sweeps[::-1], members, outcomes)
    assert file.stat().st_size > 5000

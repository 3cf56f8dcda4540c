"""The result folder: whole or not at all, and nothing of the user's is touched."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fem_spe as package
from fem_spe.errors import CaseError
from fem_spe.report import overview, table
from fem_spe.results import (
    Check,
    Quantity,
    Result,
    Solution,
    alone_in,
    discard,
    open_folder,
    read_summary,
    read_table,
    write_summary,
    write_tables,
)


@pytest.fixture
def result():
    """A result without a mesh behind it; `checks` and `value` as asked for."""

    def build(checks: dict[str, Check], value: float = 0.25) -> Result:
        quantities = {"relative_diffusivity": Quantity(value, "", "D_eff / D_matrix", error=2e-4)}
        solution = Solution(quantities, checks, {}, {}, {"iterations": np.int64(3)}, 7)
        mesh = SimpleNamespace(comm=SimpleNamespace(size=1))
        domain: Any = SimpleNamespace(
            mesh=mesh, num_cells=5, num_vertices=6, min_quality=0.5, min_jacobian=0.9, regions={}
        )
        case: Any = SimpleNamespace(study="diffusion")
        return Result(case, domain, solution, {"mesh": 0.1})

    return build


def finish(folder: Path, value: float | None = 0.25, status: str = "done") -> Path:
    """A finished result of one number."""
    folder.mkdir(parents=True)
    quantity = {"value": value, "unit": "S/m", "error": None, "singular": False}
    summary = {"status": status, "quantities": {"effective_conductivity": quantity}, "checks": {}}
    (folder / "summary.json").write_text(json.dumps(summary), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("value", "passed"), [(0.0, True), (-1e-10, True), (2e-10, False), (math.nan, False)]
)
def test_a_check_is_passed_within_its_limit_and_never_by_what_is_no_number(value, passed):
    assert Check(value, 1e-10).passed is passed


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    folder = open_folder(tmp_path / "a" / "b", force=False)
    assert {p.name for p in folder.iterdir()} == {"fields", "figures", "tables", "log.txt"}


def test_what_the_user_keeps_in_the_folder_stays(tmp_path):
    folder = finish(tmp_path / "result")
    (folder / "notes.md").write_text("mine", "utf-8")
    (folder / "figures").mkdir()
    (folder / "figures" / "mine.png").write_text("mine", "utf-8")
    open_folder(folder, force=True)
    assert (folder / "notes.md").read_text("utf-8") == "mine"
    assert (folder / "figures" / "mine.png").read_text("utf-8") == "mine"


def test_a_finished_result_is_kept_unless_force_is_given(tmp_path):
    folder = finish(tmp_path / "result")
    with pytest.raises(CaseError, match="--force"):
        open_folder(folder, force=False)
    assert {p.name for p in folder.iterdir()} == {"summary.json"}
    open_folder(folder, force=True)
    assert not (folder / "summary.json").exists()


def test_a_folder_belongs_to_one_run_at_a_time(tmp_path, small_text):
    case = package.parse(tomllib.loads(small_text))
    with alone_in(tmp_path / "result"):
        (tmp_path / "result" / "log.txt").write_text("of the first", "utf-8")
        with pytest.raises(CaseError, match="another run is on its way"):
            package.run(case, output=tmp_path / "result", force=True)
        assert (tmp_path / "result" / "log.txt").read_text("utf-8") == "of the first"
    package.run(case, output=tmp_path / "result")
    assert (tmp_path / "result" / "summary.json").exists()


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/fem-spe"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, where):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(CaseError, match=rf"{where}.*-o"):
        open_folder(tmp_path / where, force=False)


def test_a_table_is_read_back_with_its_heads(tmp_path):
    folder = open_folder(tmp_path / "result", force=False)
    columns = {"x [um]": np.array([0.0, 1.5]), "c [mol/m^3]": np.array([1e-3, 1000.0])}
    write_tables(folder, {"profile": columns})
    read = read_table(folder / "tables" / "profile.csv")
    assert list(read) == list(columns)
    assert all(np.array_equal(read[k], columns[k]) for k in columns)


def test_a_table_of_one_row_is_read_back(tmp_path):
    folder = open_folder(tmp_path / "result", force=False)
    write_tables(folder, {"one": {"x [um]": np.array([2.0]), "y [um]": np.array([3.0])}})
    assert {k: list(v) for k, v in read_table(folder / "tables" / "one.csv").items()} == {
        "x [um]": [2.0],
        "y [um]": [3.0],
    }


def test_the_summary_is_written_in_one_go(tmp_path, result):
    write_summary(result({"flux_imbalance": Check(1e-14, 1e-10)}), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]
    summary = read_summary(tmp_path)
    assert (summary["status"], summary["error"]) == ("done", None)
    assert summary["solver"] == {"iterations": 3, "seconds": {"mesh": 0.1}}


def test_a_failed_check_fails_the_result_by_name(tmp_path, result):
    checks = {"flux_imbalance": Check(1e-3, 1e-10), "other": Check(0.0, 1.0)}
    write_summary(result(checks), tmp_path)
    summary = read_summary(tmp_path)
    assert summary["status"] == "failed"
    assert "flux_imbalance" in summary["error"]
    assert "other" not in summary["error"]


def test_what_is_no_number_is_null_so_that_any_reader_takes_the_summary(tmp_path, result):
    write_summary(result({"c": Check(math.inf, 1.0)}, value=math.nan), tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (tmp_path / "summary.json").read_text("utf-8")
    summary = json.loads(text, parse_constant=refuse)
    assert summary["quantities"]["relative_diffusivity"]["value"] is None
    assert summary["checks"]["c"] == {"value": None, "limit": 1.0, "passed": False}


@pytest.mark.parametrize("text", [None, "{", "\xff"])
def test_a_folder_without_a_summary_that_can_be_read_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "summary.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CaseError, match=str(tmp_path)):
        read_summary(tmp_path)


def test_the_report_has_a_column_for_each_result_and_a_row_for_each_quantity(tmp_path):
    one, two = finish(tmp_path / "one"), finish(tmp_path / "two", 0.5, "failed")
    head, _, row, states = table([one, two]).splitlines()
    assert head == "| quantity | unit | one | two |"
    assert row == "| effective_conductivity | S/m | 0.25 | 0.5 |"
    assert states == "| status | | done | failed |"


def test_the_report_shows_a_value_that_is_no_number(tmp_path):
    assert "| not a number |" in table([finish(tmp_path / "one", None)])


def test_the_report_tells_folders_of_one_name_apart(tmp_path):
    one, two = finish(tmp_path / "a" / "run"), finish(tmp_path / "b" / "run", 0.5)
    text = table([one, two])
    assert "0.25" in text
    assert "0.5" in text


def test_a_report_on_nothing_is_refused():
    with pytest.raises(CaseError, match="at least one"):
        table([])


def test_a_refused_run_leaves_no_folder_and_nothing_of_others_is_removed(tmp_path: Path) -> None:
    for folder, kept in ((tmp_path / "new", False), (tmp_path / "mine", True)):
        if kept:
            folder.mkdir()
            (folder / "notes.txt").write_text("mine", encoding="utf-8")
        open_folder(folder, force=False)
        discard(folder)
        assert folder.exists() is kept
    assert [f.name for f in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_the_overview_keeps_its_columns_whatever_the_names():
    units = {"a": "", "high_frequency_resistance_of_both": "ohm m^2"}
    quantities = {n: {"value": 1 / 3, "unit": u, "description": "what"} for n, u in units.items()}
    checks = {"imbalance": {"value": 1e-12, "limit": 1e-10, "passed": True}}
    *rows, check = overview({"quantities": quantities, "checks": checks}).splitlines()
    assert {row.index("0.333333") for row in rows} == {check.index("1.0e-12")}
    assert len({row.index("what") for row in rows}) == 1

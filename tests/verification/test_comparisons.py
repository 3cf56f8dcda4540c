"""Every comparison of `fem-spe verify` keeps to its limit."""

import pytest

from fem_spe.verify import COMPARISONS, Row


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparison_with_exact_answers_keeps_its_limits(name: str) -> None:
    rows = list(COMPARISONS[name]())
    assert rows
    assert [row for row in rows if not row.passed] == []


@pytest.mark.parametrize("error", [3e-5, float("nan")])
def test_a_comparison_beyond_its_limit_or_without_a_number_fails(error: float) -> None:
    assert not Row("made up", 1.0, 1.0, error, 2e-5, "").passed

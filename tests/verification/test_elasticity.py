"""Every comparison of elasticity and contact with an exact answer keeps to its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fem_spe.verify import Row, contact, elasticity, inclusions

COMPARISONS = [
    elasticity.patch,
    elasticity.elastic_orders,
    elasticity.thick_cylinder,
    elasticity.nearly_incompressible,
    inclusions.hole,
    inclusions.disc,
    elasticity.laminate,
    contact.line_contact,
]


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
def test_comparison_with_exact_answers_keeps_its_limits(
    compare: Callable[[], Iterator[Row]],
) -> None:
    rows = list(compare())
    assert rows
    assert [row for row in rows if not row.passed] == []

"""Order and error of a number from three meshes."""

import math

import pytest

from fem_spe.measure.richardson import estimate


@pytest.mark.parametrize("order", [1.0, 2.0, 3.9])
def test_a_power_of_the_size_is_found_with_its_limit_and_error(order: float) -> None:
    values = [5.0 + 0.3 * h**order for h in (0.4, 0.2, 0.1)]
    found = estimate(values)
    assert found.order == pytest.approx(order)
    assert found.limit == pytest.approx(5.0)
    assert found.error == pytest.approx(abs(values[-1] - 5.0))
    assert not found.singular


def test_only_the_last_three_meshes_count() -> None:
    assert estimate([99.0, 3.0, 2.0, 1.5]).limit == pytest.approx(1.0)


def test_a_number_without_an_order_has_its_largest_change_as_error() -> None:
    found = estimate([1.0, 1.02, 1.01])
    assert found.order is None
    assert found.error == pytest.approx(0.02)
    assert not found.singular


def test_a_number_that_keeps_growing_is_singular() -> None:
    # a stress at a corner: h^-0.45
    found = estimate([h**-0.45 for h in (0.4, 0.2, 0.1)])
    assert found.singular
    assert found.order is None


def test_a_number_that_is_exact_on_every_mesh_has_no_order() -> None:
    found = estimate([0.3, 0.3 + 1e-16, 0.3])
    assert found.order is None
    assert found.error <= 1e-15


def test_a_number_that_is_none_on_one_mesh_has_no_error() -> None:
    assert math.isnan(estimate([1.0, math.nan, 1.0]).error)

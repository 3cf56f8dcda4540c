"""The reaction of a porous electrode at its points, and sections through meshes."""

from __future__ import annotations

import numpy as np
import pytest

from fem_spe.exact import cathode as exact
from fem_spe.studies.ions.cathode_law import Law, Points, Uptake, potential, respond

MU = np.linspace(-3.0, 1.0, 7)
WEIGHTS = np.linspace(1.0, 2.0, 7)
FALLING = Law(2.0, 0.4, rest=5.0, slope=-8.0, vacancies=True)
STEP = Uptake(3.0, -3.0 * np.linspace(0.1, 0.95, 7), 0.02)


def summed(points: Points) -> tuple[float, float]:
    return float(WEIGHTS @ points.current), float(WEIGHTS @ points.slope)


@pytest.mark.parametrize("law", [Law(2.0, None), Law(2.0, 0.5, rest=130.0), FALLING])
@pytest.mark.parametrize("uptake", [None, STEP])
def test_the_potential_passes_the_current(law: Law, uptake: Uptake | None) -> None:
    uptake = uptake if law.vacancies else None
    taken = np.full(7, 0.3)
    for total in (-1e-6, -0.3, -20.0):
        found = potential(total, 0.0, lambda v: respond(law, v, MU, taken, uptake), summed)
        points = respond(law, found, MU, taken, uptake)
        assert summed(points)[0] == pytest.approx(total, rel=1e-11)
        if uptake is not None:
            stored = uptake.weight * points.taken + uptake.rest
            assert stored == pytest.approx(-uptake.per_current * points.current, abs=1e-12)
            assert points.taken.max() < 1.0


@pytest.mark.parametrize(("law", "uptake"), [(Law(2.0, 0.3), None), (FALLING, STEP)])
def test_the_slope_is_the_derivative(law: Law, uptake: Uptake | None) -> None:
    taken, step = np.full(7, 0.5), 1e-5
    low, here, high = (respond(law, v, MU, taken, uptake) for v in (-step, 0.0, step))
    assert here.slope == pytest.approx((high.current - low.current) / (2 * step), rel=1e-6)


def test_a_full_solid_takes_no_more_whatever_the_potential() -> None:
    points = respond(FALLING, -300.0, MU, np.full(7, 0.5), STEP)
    assert points.taken == pytest.approx(1.0)
    assert points.current == pytest.approx(STEP.lowest_current)


def test_closed_forms_keep_the_salt_and_end_where_they_should() -> None:
    film, thickness, porosity, factor = 75e-6, 200e-6, 0.3, 0.2
    z = np.linspace(0.0, film + thickness, 200_001)
    c = exact.even_uptake(z, 2e3, film, thickness, porosity, factor)
    share = np.where(z < film, 1.0, porosity)
    assert float(np.sum(c * share) / np.sum(share)) == pytest.approx(1.0, rel=1e-5)
    assert np.gradient(c, z)[0] == pytest.approx(-2e3, rel=1e-6)
    limit = exact.limiting_flux(3e-12, 1500.0, film, thickness, porosity, factor)
    ends = exact.even_uptake(z, limit / (2 * 3e-12 * 1500.0), film, thickness, porosity, factor)
    assert ends[-1] == pytest.approx(0.0, abs=1e-12)
    assert exact.even_crossing(0.0, thickness, porosity) == pytest.approx(1 - 1 / np.sqrt(3))
    one, other = (
        exact.even_uptake(z, 1e2, film, thickness, porosity, f) for f in (factor, 2 * factor)
    )
    above = np.flatnonzero(other > one)[0]
    crossing = exact.even_crossing(film, thickness, porosity)
    assert (z[above] - film) / thickness == pytest.approx(crossing, abs=1e-4)


def test_the_reaction_has_mean_one_and_its_spread() -> None:
    depth = (np.arange(10_000) + 0.5) / 10_000
    for nu in (0.1, 2.0, 30.0):
        values = exact.reaction(depth, nu)
        assert values.mean() == pytest.approx(1.0, rel=1e-4)
        assert values.std() == pytest.approx(exact.reaction_spread(nu), rel=1e-3)

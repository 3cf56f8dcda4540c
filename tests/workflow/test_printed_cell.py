"""Printed electrolytes against lithium: currents of folded electrodes, limits, wrong input."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe as package
from fem_spe.errors import CaseError
from fem_spe.results import read_summary
from fem_spe.studies.ions import electroneutral
from fem_spe.studies.ions.free_electrode import _root
from fem_spe.verify import printed_cell

ROOT = Path(__file__).parents[2]
COARSE = 22e-6
QUARTER = printed_cell.PILLAR | {"cell": "quarter"}
FILM = {"kind": "printed", "pattern": "flat", "base": "75 um", "pitch": "30 um"}
BOTH = {"current_density": 10.0, "kinetics": {"exchange_current": 1.815}}


@pytest.fixture(scope="module")
def pillar() -> Any:
    return printed_cell.run(QUARTER, COARSE)


def test_the_flat_film_is_its_closed_form() -> None:
    for row in printed_cell.flat_film():
        assert row.passed, row


def test_planar_cathodes_cross_where_their_parabolas_do() -> None:
    for row in printed_cell.crossing():
        assert row.passed, row


def test_the_potential_of_an_electrode_passes_the_current_for_any_law() -> None:
    for alpha in (0.2, 0.5, 0.7):
        for current in (-40.0, -1e-3, 0.0, 3.0, 1e4):
            v = _root(2.0, 0.7, current, alpha)
            passed = 2.0 * np.exp((1 - alpha) * v) - 0.7 * np.exp(-alpha * v)
            assert passed == pytest.approx(current, rel=1e-12, abs=1e-13)
    assert _root(2.0, 0.5, 1.5, None) == 1.0
    assert np.isnan(_root(np.inf, 1.0, 1.0, 0.5))


def test_the_current_is_that_of_the_footprint_and_of_one_potential(pillar: Any) -> None:
    assert pillar.failed_checks == []
    x, y, _ = pillar.domain.size
    found = {name: q.value for name, q in pillar.quantities.items()}
    assert found["current"] == pytest.approx(10.0 * x * y, rel=1e-9)
    assert found["interface_area_ratio"] == pytest.approx(1 + 4 * 100 * 150 / 300**2, rel=1e-6)
    # more area, less to drive the reaction; but never less than even current would want
    thermal = 8.314462618 * 303.15 / 96485.33212
    even = 2 * thermal * np.arcsinh(10.0 / found["interface_area_ratio"] / (2 * 1.815))
    flat = 2 * thermal * np.arcsinh(10.0 / (2 * 1.815))
    assert even < found["interface_overpotential.bottom"] < flat
    assert found["interface_overpotential.top"] == pytest.approx(flat, rel=1e-3)
    assert found["interface_share"] + found["bulk_share"] == pytest.approx(1.0)
    assert found["area_specific_resistance"] == pytest.approx(found["overpotential"] / 10, rel=1e-9)
    assert found["p01_current"] < 1 < found["p99_current"] <= found["p999_current"]


def test_a_given_potential_passes_what_a_given_current_found(pillar: Any) -> None:
    found = pillar.quantities["overpotential"].value
    electrode = {"electrochemical_potential": -found, "kinetics": BOTH["kinetics"]}
    fixed = printed_cell.run(QUARTER, COARSE, {"boundary.bottom": electrode})
    for name in ("current", "current_uniformity", "concentration_drop", "interface_share"):
        expected = pillar.quantities[name].value
        assert fixed.quantities[name].value == pytest.approx(expected, rel=1e-8), name


def test_two_free_electrodes_are_as_one_and_a_held_one(pillar: Any) -> None:
    free = printed_cell.run(QUARTER, COARSE, {"boundary.top": BOTH})
    assert free.failed_checks == []
    for name in ("overpotential", "current_uniformity", "interface_share"):
        expected = pillar.quantities[name].value
        assert free.quantities[name].value == pytest.approx(expected, rel=1e-8), name


def test_inexact_steps_find_what_a_factorisation_does(
    pillar: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(electroneutral, "DIRECT_LIMIT", 0)
    found = printed_cell.run(QUARTER, COARSE)
    assert found.solution.solver["method"] == "coupled-newton"
    assert found.failed_checks == []
    for name in ("overpotential", "current", "current_uniformity", "p99_current"):
        expected = pillar.quantities[name].value
        assert found.quantities[name].value == pytest.approx(expected, rel=1e-8), name


def test_lithium_that_is_cut_out_leaves_its_interface(pillar: Any) -> None:
    tree = printed_cell.case(QUARTER | {"lithium": 200e-6}, COARSE).to_dict()
    tree["materials"]["lithium"] = "impermeable"
    tree["boundary"]["electrolyte-lithium"] = tree["boundary"].pop("bottom")
    found = package.run(package.parse(tree))
    assert found.failed_checks == []
    for name, limit in (("current", 1e-9), ("interface_area_ratio", 1e-6), ("overpotential", 2e-3)):
        expected = pillar.quantities[name].value
        assert found.quantities[name].value == pytest.approx(expected, rel=limit), name


def test_a_transient_comes_to_the_steady_state(pillar: Any) -> None:
    later = {"nernst_planck.mode": "transient", "time": {"end": "10 h", "rtol": 1e-2}}
    found = printed_cell.run(QUARTER, COARSE, later)
    assert found.failed_checks == []
    for name in ("overpotential", "current_uniformity", "min_concentration"):
        expected = pillar.quantities[name].value
        assert found.quantities[name].value == pytest.approx(expected, rel=1e-3), name
    history = found.solution.tables["history"]["overpotential [V]"]
    assert 0.19 < history[0] < history[-1]


@pytest.mark.mpi
def test_two_ranks_find_what_one_does(fem_spe: Callable[..., Any], tmp_path: Path) -> None:
    found = {}
    for ranks in (1, 2):
        case = ROOT / "workflows" / "mu2024" / "fig6b_pillar.toml"
        words = ("mesh.size=30 um", "mesh.interface_size=15 um", "output.figures=false")
        coarse = [word for value in words for word in ("--set", value)]
        done = fem_spe("run", case, "-o", f"on{ranks}", *coarse, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        found[ranks] = read_summary(tmp_path / f"on{ranks}")["quantities"]
    for name in ("overpotential", "current_uniformity", "interface_share", "p999_current"):
        expected = found[1][name]["value"]
        assert found[2][name]["value"] == pytest.approx(expected, rel=1e-9), name


def test_limits_of_a_film_and_of_pillars(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "workflows" / "mu2024" / "polarisation.py"))
    film = 4 * 3.3e-12 * 1750 / 75e-6 * 96485.33212 / 10  # mA/cm2
    coarse = {"mesh.size": "30 um", "mesh.interface_size": "15 um"}
    assert script["limiting_currents"]("flat") == pytest.approx((film, film), rel=1e-4)
    plating, dissolving = script["limiting_currents"]("pillar", coarse)
    # the salt of the pillars is at the depleted side, or at the other
    assert film < plating < film * (1 + 2 / 9)
    assert film * (1 + 2 / 9) / (1 + 4 / 9) < dissolving < film
    plan = script["Plan"](("flat",), (1.0, round(1.01 * film, 3)), 2.5)
    found = script["curve"](tmp_path / "flat", "flat", 287.8, plan)
    assert list(found.values()) == [pytest.approx(218.16, abs=0.1), None]


@pytest.mark.parametrize(
    ("geometry", "changes", "message"),
    [
        (
            FILM,
            {"boundary.bottom.current_density": -40.0},
            "flux 0.000415 .* 1.35 of",
        ),
        (QUARTER | {"width": "400 um", "gap": None, "pitch": "300 um"}, {}, "not below pitch"),
        (QUARTER | {"facing": "cathode", "cathode": "100 um"}, {}, "stands 150 um deep in it"),
        (FILM, {"boundary.bottom": {"kinetics": BOTH["kinetics"]}}, "potential or its current"),
        (FILM, {"boundary.top": BOTH | {"current_density": 4.0}}, "do not add up to zero"),
    ],
)
def test_wrong_input_is_one_line(geometry: Any, changes: Any, message: str) -> None:
    given = {key: value for key, value in geometry.items() if value is not None}
    with pytest.raises(CaseError, match=message) as caught:
        printed_cell.run(given, COARSE, changes)
    assert "\n" not in str(caught.value)

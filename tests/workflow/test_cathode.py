"""Porous cathodes: closed forms, balances, discharges, restart, ranks, wrong input."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fem_spe as package
from fem_spe.checkpoint import Keeper
from fem_spe.errors import CaseError, InterruptedRunError
from fem_spe.exact import cathode as exact
from fem_spe.results import Result, read_summary
from fem_spe.studies.ions import electroneutral
from fem_spe.units import FARADAY
from fem_spe.verify import Row, cathode

ROOT = Path(__file__).parents[2]
UM = 1e-6
COARSE = 30 * UM
IN_TIME = {"nernst_planck.mode": "transient", "time": {"end": "300 h", "rtol": 1e-2}}
FILLING = cathode.REACTING | {"capacity": "100 mA*h/cm^3"}


# without them the second unknown is mu, with them it is what drives the anions
ANODE = {"boundary.bottom.kinetics": {"exchange_current": 1.815}}


@pytest.fixture(scope="module")
def pillar() -> Result:
    return cathode.run(cathode.INSIDE, COARSE, 0.5, cathode.REACTING, ANODE)


@pytest.fixture(scope="module")
def plain() -> Result:
    return cathode.run(cathode.INSIDE, COARSE, 0.5, cathode.REACTING)


def column(current: float, given: dict[str, Any], changes: dict[str, Any] | None = None) -> Result:
    """A flat cell on few cells."""
    return cathode.run(cathode.FLAT, 25 * UM, current, given, changes)


@pytest.mark.parametrize(
    "compare", [cathode.even_uptake, cathode.linear_kinetics, cathode.discharge]
)
def test_planar_cells_are_their_closed_forms(compare: Callable[[], Iterator[Row]]) -> None:
    for row in compare():
        assert row.passed, row


def test_the_current_passes_anode_interface_and_collector(pillar: Result) -> None:
    assert pillar.failed_checks == []
    assert {"current_imbalance", "interface_imbalance", "salt_lost"} <= pillar.checks.keys()
    x, y, _ = pillar.domain.size  # type: ignore[union-attr]
    assert pillar.quantities["current"].value == pytest.approx(0.5 * x * y, rel=1e-9)
    depth = pillar.solution.tables["depth"]
    # what the sections take up is all of the current, up to how few there are
    taken = np.nan_to_num(depth["reaction [A/m^3]"])
    z = depth["z [um]"] - 75.0
    open_area = np.where(z < 150.0, 1 - 1 / 9, 1.0)
    assert 200 * UM * np.mean((taken * open_area)[z > 0]) == pytest.approx(0.5, rel=5e-2)
    below = depth["z [um]"] < 75.0
    assert np.isnan(depth["concentration in the pores [mol/m^3]"][below]).all()
    assert np.isnan(depth["concentration in the print [mol/m^3]"][z > 150.0]).all()


def test_a_pillar_and_its_mirror_images_are_one(pillar: Result) -> None:
    quarter = cathode.case(cathode.INSIDE, COARSE, 0.5, cathode.REACTING, ANODE)
    whole = cathode.mirrored(quarter)
    for name in ("overpotential", "min_concentration", "reaction_uniformity"):
        expected = pillar.quantities[name].value
        assert whole.quantities[name].value == pytest.approx(expected, rel=1e-9), name


def test_inexact_steps_find_what_a_factorisation_does(
    plain: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(electroneutral, "DIRECT_LIMIT", 0)
    found = cathode.run(cathode.INSIDE, COARSE, 0.5, cathode.REACTING)
    assert found.solution.solver["method"] == "coupled-newton"
    assert found.failed_checks == []
    for name in ("overpotential", "min_concentration", "reaction_uniformity"):
        expected = plain.quantities[name].value
        assert found.quantities[name].value == pytest.approx(expected, rel=1e-8), name


def test_either_second_unknown_finds_the_same(pillar: Result, plain: Result) -> None:
    reaction = pillar.quantities["interface_overpotential.bottom"].value
    across = pillar.quantities["overpotential"].value - reaction
    assert plain.quantities["overpotential"].value == pytest.approx(across, rel=5e-3)
    expected = pillar.quantities["concentration_drop"].value
    assert plain.quantities["concentration_drop"].value == pytest.approx(expected, rel=2e-2)


def test_where_the_salt_runs_out_the_end_depends_little_on_the_mesh() -> None:
    used = [
        cathode.run(
            cathode.FLAT, size * UM, 4.0, FILLING | {"open_circuit": [3.6, 3.2]}, IN_TIME | ANODE
        ).quantities
        for size in (25, 12.5)
    ]
    coarse, fine = (found["utilisation"].value for found in used)
    assert coarse == pytest.approx(fine, rel=2e-2)
    assert fine < 0.9
    assert 0.0 < used[1]["min_concentration"].value < 5.0


def test_prints_on_both_sides_react_with_lithium_and_cathode() -> None:
    both = cathode.INSIDE | {"sides": 2}
    found = cathode.run(both, COARSE, 0.5, cathode.REACTING)
    assert found.failed_checks == []
    assert found.quantities["interface_area_ratio"].value == pytest.approx(1 + 60 / 90, rel=1e-6)


def test_a_plane_section_may_have_a_porous_phase() -> None:
    tree = cathode.case(cathode.FLAT, COARSE, 0.5, FILLING, ANODE).to_dict()
    tree |= {
        "geometry": {
            "kind": "fiber_section", "arrangement": "aligned", "size": ["40 um", "40 um"],
            "count": [2, 2], "fiber_fraction": 0.3,
        },
        "materials": {"matrix": {}, "fiber": {}},
        "mesh": {"size": "4 um"},
        "reaction": {"fiber": tree["reaction"]["cathode"]},
        "nernst_planck": {"mode": "transient"},
        "time": {"end": "1 h", "rtol": 1e-3},
    }  # fmt: skip
    found = package.run(package.parse(tree))
    assert found.failed_checks == []
    assert found.quantities["utilisation"].value == pytest.approx(
        0.5 * 3600 * 40 / (3.6e8 * 0.3 * 40**2 * UM), rel=1e-3
    )


def test_a_discharge_ends_for_the_reason_it_gives() -> None:
    even = {"capacity": "100 mA*h/cm^3"}
    ends = {
        "the cut-off is reached": column(0.4, FILLING | {"cutoff": "0.2 V"}, IN_TIME),
        "an ion is used up": column(4.0, even, IN_TIME),
        "the capacity is used up": column(0.4, even, IN_TIME),
    }
    for why, result in ends.items():
        found = result.quantities
        assert result.failed_checks == []
        assert found["discharge_time"].description.endswith(why)
        # the last fields are those of the last step, once
        (last,) = result.solution.frames
        assert last.time == found["discharge_time"].value
        assert np.array_equal(last.values["lithiation"], result.fields["lithiation"].x.array)
        inserted = found["inserted_charge"].value
        assert found["utilisation"].value == pytest.approx(inserted / (3.6e8 * 200 * UM), rel=1e-9)
    used = [result.quantities["utilisation"].value for result in ends.values()]
    assert used[1] < 0.7 < 0.99 < used[0] < 1.0
    assert used[2] == pytest.approx(1.0, abs=1e-9)
    assert "depletion_time" in ends["an ion is used up"].quantities
    voltage = ends["the cut-off is reached"].solution.tables["discharge"]["cell voltage [V]"]
    assert 3.2 < voltage[-1] < voltage[0] < 3.4


def test_an_open_circuit_that_falls_spreads_the_reaction() -> None:
    times = IN_TIME | {"time": {"end": "20 h", "rtol": 1e-3}}
    spread = [
        column(0.5, FILLING | {"open_circuit": given}, times).quantities
        for given in (3.4, ["3.6 V", "3.2 V"])
    ]
    one, falling = ({n: q.value for n, q in found.items()} for found in spread)
    assert falling["utilisation"] == pytest.approx(one["utilisation"], rel=1e-9)
    filled = [found["max_lithiation"] - found["min_lithiation"] for found in (one, falling)]
    assert filled[1] < 0.5 * filled[0]


def test_a_discharge_that_goes_on_ends_as_the_one_that_nothing_interrupted(tmp_path: Path) -> None:
    given = FILLING | {"open_circuit": ["3.6 V", "3.2 V"]}
    end = {"end": "40 h", "output": ["1 h"], "rtol": 1e-2}
    changes = IN_TIME | {"time": end, "output.checkpoint": "1 steps"}
    case = cathode.case(cathode.FLAT, 25 * UM, 0.4, given, changes)
    wanted = package.run(case)
    offer = Keeper.offer

    def stop(keeper: Keeper[Any], record: Any) -> None:
        offer(keeper, record)
        if record.state.index == 12:
            raise InterruptedRunError("ended by a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "offer", stop)
        with pytest.raises(InterruptedRunError):
            package.run(case, output=tmp_path)
    found = package.run(case, output=tmp_path, restart=True)
    for name, quantity in wanted.quantities.items():
        assert found.quantities[name].value == pytest.approx(quantity.value, rel=1e-10), name
    for head, values in wanted.solution.tables["discharge"].items():
        assert np.allclose(found.solution.tables["discharge"][head], values, rtol=1e-10), head
    early, late = (frame.values["lithiation"] for frame in found.solution.frames)
    assert 0.0 < early.max() < 0.3 < late.max() < 1.0


@pytest.mark.mpi
def test_two_ranks_find_what_one_does(fem_spe: Callable[..., Any], tmp_path: Path) -> None:
    found = {}
    words = (
        "mesh.size=40 um", "mesh.interface_size=30 um", "output.figures=false",
        'nernst_planck.mode="transient"', 'time={end="10 min", rtol=1e-2}',
        "reaction.cathode.open_circuit=['4.2 V', '3.6 V']",
    )  # fmt: skip
    coarse = [word for value in words for word in ("--set", value)]
    case = ROOT / "workflows" / "mu2024" / "fig7gh_pillar.toml"
    for ranks in (1, 2):
        done = fem_spe("run", case, "-o", f"on{ranks}", *coarse, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        found[ranks] = read_summary(tmp_path / f"on{ranks}")["quantities"]
    for name in ("overpotential", "utilisation", "min_lithiation", "reaction_uniformity"):
        expected = found[1][name]["value"]
        assert found[2][name]["value"] == pytest.approx(expected, rel=1e-8), name


def test_profiles_cross_once_and_for_good() -> None:
    script = runpy.run_path(str(ROOT / "workflows" / "mu2024" / "fig7gh.py"))

    def result(c: Any) -> Any:
        depth = np.linspace(5.0, 195.0, 39)
        table = {"z [um]": depth + 75.0, "concentration [mol/m^3]": c(depth)}
        return SimpleNamespace(solution=SimpleNamespace(tables={"depth": table}))

    steep, gentle = result(lambda z: 1800 - 6 * z), result(lambda z: 1500 - z)
    assert script["crossing_depth"](steep, gentle) == pytest.approx(60.0)
    assert np.isnan(script["crossing_depth"](gentle, steep))


EVEN = {"porosity": 0.3, "current_density": 0.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"geometry.cathode": "100 um"}, "100 um does not cover the print, which stands 150 um"),
        ({"reaction": {}}, r"\[reaction.cathode\] is missing"),
        ({"geometry.cathode": 0.0}, "has no such region; it has electrolyte; give .* thickness"),
        ({"materials.cathode": "impermeable"}, r"is impermeable; give \[materials\] cathode"),
        ({"reaction": {"cathod": EVEN}}, "no such region; did you mean 'cathode'"),
        ({"reaction": {"cathode": EVEN, "electrolyte": EVEN}}, "one porous electrode at most"),
        ({"reaction": {"electrolyte": EVEN}}, r"is its cathode; give \[reaction.cathode\]"),
        ({"reaction": {"cathode": {"rate": 1.0}}}, "for nernst_planck give porosity"),
        (
            {"reaction.cathode": EVEN | {"bruggeman": 2, "tortuosity": 2}},
            "give one of bruggeman and tortuosity",
        ),
        ({"reaction.cathode.kinetics": {"exchange_current": 1.0}}, "give specific_area too"),
        ({"reaction.cathode.open_circuit": "3.4 V"}, "no meaning where .* spread evenly"),
        ({"reaction.cathode.lithiation": 0.5}, "lithiation is a share of the capacity"),
        (
            {"reaction.cathode": EVEN | FILLING | {"open_circuit": [3.2, 3.6]}},
            "must not rise from empty to full, and does, from 3.2 V to 3.6 V",
        ),
        (
            {"reaction.cathode": EVEN | FILLING | {"open_circuit": [3.6, 3.2]}},
            "two values, and the electrode fills: there is no steady",
        ),
        ({"boundary.top.electrochemical_potential": 0.0}, r"one anode: .* \(given: bottom, top\)"),
        ({"nernst_planck.closure": "poisson"}, "do not go together"),
        ({"reaction.cathode.current_density": 1e3}, r"no steady state: flux .* \(of a flat cell"),
    ],
)
def test_wrong_input_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseError, match=message) as caught:
        package.run(cathode.case(cathode.INSIDE, COARSE, 0.5, None, changes))
    assert "\n" not in str(caught.value)


def test_a_flat_cell_is_refused_just_above_its_limit() -> None:
    flux = exact.limiting_flux(3.3e-12, 1750.0, 75e-6, 200e-6, 0.3, 0.3**1.5)
    limit = FARADAY * flux
    with pytest.raises(CaseError, match=r"no steady state: flux .* = 1.01 of the limiting flux"):
        column(1.01 * limit, {})
    found = column(0.99 * limit, {}).quantities
    assert 0.0 < found["min_concentration"].value < 0.02 * 1750

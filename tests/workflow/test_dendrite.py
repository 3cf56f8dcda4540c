"""Dendrites from case to checks: what a run conserves, where it stops, what it refuses."""

import copy
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import fem_spe as package
from fem_spe.case import to_toml
from fem_spe.case.templates import template
from fem_spe.errors import CaseError, ConvergenceError
from fem_spe.geometry import Box
from fem_spe.job import resolved
from fem_spe.materials.deposition import deposition
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.solve.bdf import Past, rate
from fem_spe.solve.march import march, start
from fem_spe.studies.dendrites.model import Model

BOX = {
    "study": "dendrite",
    "geometry": {"kind": "box", "size": ["4 um", "12 um"]},
    "mesh": {"size": "0.3 um"},
    "materials": {"matrix": {}},
    "dendrite": {"interface_width": "1.5 um", "charge": "0.2 mA*h/cm^2", "frames": 2},
    "output": {"figures": False},
}
FIBER = {
    **BOX,
    "geometry": {
        "kind": "fiber_section",
        "arrangement": "aligned",
        "size": ["8 um", "10 um"],
        "count": [1, 1],
        "fiber_fraction": 0.1,
    },
    "mesh": {"size": "0.5 um"},
    "materials": {"matrix": {}, "fiber": "impermeable"},
}


def with_(case, **changes):
    """A copy with other values; keys are `table__key`."""
    case = copy.deepcopy(case)
    for key, value in changes.items():
        table, _, name = key.partition("__")
        case.setdefault(table, {})[name] = value
    return case


def run(case, **changes):
    return package.run(package.parse(with_(case, **changes)))


def values(result):
    return {name: q.value for name, q in result.quantities.items()}


@pytest.fixture(scope="module")
def flat():
    return run(BOX)


def test_without_fibres_and_noise_the_front_stays_flat(flat):
    found = values(flat)
    assert flat.solution.tables["front"]["R_a [um]"].max() < 1e-3
    assert (found["front_coverage"], found["front_tips"]) == (1.0, 0.0)
    thickness = found["deposit_thickness"]
    assert thickness == pytest.approx(7200 / (96485.33212 * 7.64e4) * 1e6, rel=1e-5)
    # on two interface widths at the start; the driven profile is a little lopsided
    assert found["front_height"] == pytest.approx(3.0 + thickness, abs=0.02)


def test_lithium_and_charge_are_conserved_and_nothing_is_exhausted(flat):
    found = values(flat)
    assert flat.solution.solver["method"] == "monolithic"
    assert flat.failed_checks == []
    assert flat.checks["lithium_imbalance"].value <= 1e-9
    assert flat.checks["charge_imbalance"].value <= 1e-9
    assert found["min_concentration"] > 0
    assert found["min_occupancy"] >= 0.97


def test_the_charge_is_met_and_frames_lie_evenly_over_it(flat):
    assert values(flat)["deposited_charge"] == pytest.approx(7200, rel=1e-5)
    table = flat.solution.tables["front"]
    at = [int(np.argmin(np.abs(table["t [s]"] - f.time))) for f in flat.solution.frames]
    assert table["charge [mA h/cm^2]"][at] == pytest.approx([0.1, 0.2], rel=1e-5)
    assert set(flat.fields) == {"order_parameter", "concentration [mol/m^3]", "potential [V]"}
    along = flat.solution.tables["along_front"]
    assert along["y [um]"] == pytest.approx(values(flat)["front_height"], abs=2e-3)
    assert (along["concentration [mol/m^3]"] > 1e3).all()


def test_a_duration_ends_the_run_at_that_time():
    timed = {"interface_width": "1.5 um", "duration": "0.05 s", "frames": 2}
    result = run({**BOX, "dendrite": timed})
    assert values(result)["time"] == pytest.approx(0.05, rel=1e-12)
    assert [f.time for f in result.solution.frames] == pytest.approx([0.025, 0.05], rel=1e-12)


def test_both_methods_tell_the_same_of_a_front_that_meets_a_fibre():
    both = [run(FIBER, dendrite__method=m) for m in ("monolithic", "segregated")]
    one, other = (values(result) for result in both)
    assert one["roughness"] > 0.02
    assert other["roughness"] == pytest.approx(one["roughness"], rel=0.02)
    assert other["front_height"] == pytest.approx(one["front_height"], rel=1e-3)
    for result in both:
        assert result.failed_checks == []
        assert values(result)["min_occupancy"] >= 0.97


def test_steps_four_times_as_exact_tell_nearly_the_same():
    coarse, fine = (run(FIBER, dendrite__tolerance=t) for t in (5e-3, 1.25e-3))
    assert values(fine)["roughness"] == pytest.approx(values(coarse)["roughness"], rel=0.05)


@pytest.mark.parametrize("method", ["monolithic", "segregated"])
def test_an_exhausted_electrolyte_fails_few_solves(monkeypatch, method: str):
    tried, failed, advance = [], [], Model.advance

    def counted(self, time, rate, guess):
        tried.append(time)
        try:
            return advance(self, time, rate, guess)
        except ConvergenceError:
            failed.append(time)
            raise

    monkeypatch.setattr(Model, "advance", counted)
    poor = {"matrix": {"diffusivity": "6e-12 m^2/s"}, "fiber": "impermeable"}
    little = {"dendrite__method": method, "dendrite__charge": "0.05 mA*h/cm^2"}
    result = run({**FIBER, "materials": poor}, **little)
    assert len(tried) > 100
    assert len(failed) <= 0.1 * len(tried)
    assert values(result)["min_concentration"] > 0
    assert result.failed_checks == []


def test_a_front_that_stands_still_ends_the_run():
    def relax(time, rate, guess):
        return (1.0 - rate.rest) / (rate.weight + 1.0)

    walk = march(
        relax, start(np.zeros(1), 1e-3), marks=[2.0], progress=lambda _, x: float(x[0]),
        tolerance=1e-6, rtol=1e-3, norm=lambda e: float(np.abs(e).max()), culprit=lambda _: "x",
    )  # fmt: skip
    with pytest.raises(ConvergenceError, match="the front stands still at t = "):
        list(walk)


def test_a_layer_too_thin_to_last_ends_in_one_line():
    with pytest.raises(ConvergenceError, match=r"front is gone at t = .* thicker \[dendrite\] la"):
        run(BOX, dendrite__layer="0.1 um")


def test_the_short_circuit_ends_the_run_as_was_told_before(told):
    result = run(BOX, geometry__size=["2 um", "7 um"], dendrite__charge="3 mA*h/cm^2")
    found = values(result)
    assert found["short_circuit_time"] == found["time"]
    assert found["front_height"] == pytest.approx(7.0 - 1.5, abs=0.2)
    assert found["deposited_charge"] < 3.6e4
    assert "14.7 um thick, and 4 um are left" in told.text


def test_noise_roughens_and_its_seed_repeats_it():
    noisy = {"dendrite__noise": 0.02, "dendrite__charge": "0.05 mA*h/cm^2"}
    first, again, other = (run(BOX, **noisy, dendrite__seed=s) for s in (1, 1, 2))
    rough = [values(r)["roughness"] for r in (first, again, other)]
    assert rough[0] > 3e-3
    assert rough[1] == rough[0]
    assert rough[2] != rough[0]
    assert first.failed_checks == []


def test_the_width_is_chosen_by_the_narrowest_gap():
    case = package.parse(tomllib.loads(template("dendrite")))
    (whole,) = resolved(case)
    diameter = np.sqrt(0.15 * 16 * 12 / np.pi)
    assert whole.dendrite.interface_width == pytest.approx((6 - diameter) / 5 * 1e-6, rel=1e-6)
    assert whole.mesh.size == pytest.approx(whole.dendrite.interface_width / 6)
    assert whole.mesh.order == whole.solver.degree == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mesh__size": "0.6 um"}, r"\[mesh\] size = 0.6 um.* 3 cells .* size of 0.25 um"),
        ({"dendrite__overpotential": "0.1 V"}, r"overpotential.*dissolves.*-0.1 V"),
        ({"dendrite__duration": "1 s"}, r"\[dendrite\] give one of charge"),
        ({"dendrite__layer": "11 um"}, r"layer = 11 um leaves no electrolyte"),
        ({"geometry__size": ["4 um", "4 um", "4 um"]}, r"dendrites grow in 2-D"),
        ({"solver__degree": 2}, r"\[solver\] degree = 2"),
        ({"solver__rtol": 1e-6}, r"\[solver\] rtol = 1e-06 has no meaning for dendrites"),
        ({"boundary__top": {"potential": "0 V"}}, r"\[boundary.top\] potential has no meaning"),
        ({"materials__matrix": {"diffusivity": ["1e-11 m^2/s", "2e-11 m^2/s"]}}, "must be one"),
        ({"materials__matrix": "impermeable"}, "nowhere to grow"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(changes, message):
    with pytest.raises(CaseError, match=message) as caught:
        run(BOX, **changes)
    assert "\n" not in str(caught.value)


def test_fibres_that_close_the_cell_are_refused():
    closed = {"kind": "fiber_section", "arrangement": "parallel", "size": ["8 um", "10 um"],
              "rows": 1, "fiber_fraction": 0.1}  # fmt: skip
    with pytest.raises(CaseError, match="no path leads through"):
        package.run(package.parse({**FIBER, "geometry": closed}))


def test_a_thin_gap_is_warned_of(told):
    close = {**FIBER["geometry"], "size": ["8 um", "5 um"], "count": [2, 1]}
    resolved(package.parse({**FIBER, "geometry": close}))
    assert "the narrowest gap between fibres is 2.4 um, less than 5 of it" in told.text


@pytest.mark.mpi
@pytest.mark.parametrize(("method", "limit"), [("monolithic", 1e-10), ("segregated", 1e-8)])
def test_two_ranks_tell_what_one_does(fem_spe, tmp_path: Path, method: str, limit: float):
    case = package.parse(with_(FIBER, dendrite__method=method))
    (tmp_path / "case.toml").write_text(to_toml(case), encoding="utf-8")
    told = []
    for ranks in (1, 2):
        done = fem_spe("run", "case.toml", "-o", f"on{ranks}", cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        told.append(json.loads((tmp_path / f"on{ranks}" / "summary.json").read_text("utf-8")))
    one, two = ({k: q["value"] for k, q in t["quantities"].items()} for t in told)
    assert two == pytest.approx(one, rel=limit)


def test_no_number_is_no_small_error():
    box = MeshPlan(Box(size=(2e-6, 6e-6)), Sizes(0.5e-6, 0.5e-6, 1))
    model = Model(build(MPI.COMM_WORLD, box), deposition("A"), voltage=-0.2, temperature=298.0)
    change = np.zeros(len(model.start(2e-6)))
    model.part(change, 1)[0] = 0.5
    assert model.norm(change) == pytest.approx(0.05)
    model.part(change, 1)[1] = np.nan
    assert model.norm(change) == np.inf
    model.destroy()


@pytest.mark.parametrize("before", [1, 2, 3])
def test_noise_has_the_variance_that_is_told_whatever_the_steps(before: int):
    """noise^2 / (dt V) at a node, whatever the formula of the step makes of dt."""
    box = MeshPlan(Box(size=(12e-6, 12e-6)), Sizes(0.25e-6, 0.25e-6, 1))
    metal = deposition("A")
    model = Model(build(MPI.COMM_WORLD, box), metal, voltage=-0.2, temperature=298.0, noise=0.02)
    values, size = model.start(4e-6), 1e-3
    model.resume(before - 1, (before - 1) * size)
    past = Past(tuple(size * k for k in range(before)), (values,) * before)
    time = before * size
    model.advance(time, rate(time, past, min(2, before)), values)
    kicks = model._kick.x.array[: model.owned] * np.sqrt(size * model.volumes) / 0.02
    assert kicks.mean() == pytest.approx(0.0, abs=0.05)
    assert kicks.var() == pytest.approx(1.0, rel=0.08)  # of some 2700 numbers
    model.destroy()


def test_one_field_after_the_other_starts_from_a_potential_that_knows_the_fibre():
    """A drop that does not would empty the salt before the fibre in the first step."""
    result = run(
        FIBER, geometry__size=["6 um", "10 um"], mesh__size="0.3 um",
        dendrite__interface_width="0.9 um", dendrite__method="segregated",
        dendrite__charge="0.005 mA*h/cm^2",
    )  # fmt: skip
    assert values(result)["min_concentration"] > 999.0

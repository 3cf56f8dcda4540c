"""Diffusion in time, from case to folder."""

from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

import fem_spe
from fem_spe.errors import CaseError
from fem_spe.results import read_table

LENGTH, D = 1e-4, 1e-11
SLAB = {
    "study": "diffusion",
    "geometry": {"kind": "box", "size": [1e-5, LENGTH]},
    "mesh": {"size": LENGTH / 30},
    "materials": {"matrix": {"diffusivity": D}},
    "diffusion": {"mode": "transient"},
    "time": {"end": "400 s", "output": ["50 s", "200 s"], "rtol": 1e-4},
    "output": {"figures": False},
}


def test_fields_and_curves_hold_the_output_times(tmp_path: Path) -> None:
    result = fem_spe.run(fem_spe.parse(SLAB), output=tmp_path / "r")
    assert [frame.time for frame in result.solution.frames] == [50.0, 200.0, 400.0]
    reader = pv.get_reader(str(tmp_path / "r" / "fields" / "diffusion.pvd"))
    assert reader.time_values == [50.0, 200.0, 400.0]
    profiles = read_table(tmp_path / "r" / "tables" / "profiles.csv")
    assert list(profiles) == ["y [um]", *(f"mean at {t} s" for t in (50, 200, 400))]
    assert profiles["mean at 50 s"].sum() < profiles["mean at 400 s"].sum()


def test_breakthrough_of_a_slab_is_at_its_known_time() -> None:
    quantities = fem_spe.run(fem_spe.parse(SLAB)).quantities
    # the series of the outflow is half its steady value at D t / L^2 = 0.13879
    expected = 0.13879 * LENGTH**2 / D
    assert quantities["breakthrough_time"].value == pytest.approx(expected, rel=2e-3)


def test_regions_store_by_their_partition_and_start_from_their_own_value() -> None:
    case = fem_spe.parse(
        SLAB,
        {
            "geometry.layers": {"matrix": 0.5 * LENGTH, "coating": 0.5 * LENGTH},
            "materials.coating": {"diffusivity": D, "partition": 4.0},
            "diffusion.initial": {"matrix": 100.0, "coating": 400.0},
            "boundary.bottom.concentration": 100.0,
        },
    )
    quantities = fem_spe.run(case).quantities
    # 400 / 4 = 100 everywhere: in equilibrium, nothing moves
    assert quantities["mean_concentration"].value == pytest.approx(100.0, rel=1e-12)
    stored = 1e-5 * 0.5 * LENGTH * (100.0 + 400.0)
    assert quantities["stored_amount"].value == pytest.approx(stored, rel=1e-12)
    assert abs(quantities["flux_in"].value) < 1e-20


def test_an_empty_structure_fills_by_the_flux_given() -> None:
    changes = {
        "boundary.top.flux": 1e-4,
        "boundary.bottom.concentration": 0.0,
        "time": {"end": 1.0, "rtol": 1e-5},
    }
    quantities = fem_spe.run(fem_spe.parse(SLAB, changes)).quantities
    # long before breakthrough all that came in is stored
    assert quantities["stored_amount"].value == pytest.approx(1e-4 * 1e-5 * 1.0, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"time.output": ["500 s"]}, "500 s is beyond the end of 400 s"),
        ({"time": {"end": "1 min", "every": "1 s", "output": ["2 s"]}}, "one of output and every"),
        ({"diffusion.mode": "steady"}, r"\[time\] has no meaning"),
        ({"time.end": "3 um"}, "is a length, not a time"),
    ],
)
def test_wrong_times_are_refused(changes: dict, told: str) -> None:
    with pytest.raises(CaseError, match=told):
        fem_spe.parse(SLAB, changes)


def test_a_transient_needs_a_time_and_a_diffusivity() -> None:
    without = {k: v for k, v in SLAB.items() if k != "time"}
    with pytest.raises(CaseError, match="needs \\[time\\] end"):
        fem_spe.parse(without)
    with pytest.raises(CaseError, match="how much lithium a region stores"):
        fem_spe.run(fem_spe.parse(SLAB, {"materials.matrix": {"conductivity": 0.1}}))


def test_intervals_give_every_output_time_once() -> None:
    case = fem_spe.parse(SLAB, {"time": {"end": 1.0, "every": 0.3}})
    assert case.time is not None
    assert np.allclose(case.time.outputs, [0.3, 0.6, 0.9, 1.0])

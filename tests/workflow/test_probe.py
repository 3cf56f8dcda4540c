"""Probes: values at points, along lines, in regions and on faces that the case names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe
from fem_spe.case import to_toml
from fem_spe.errors import CaseError
from fem_spe.figures import draw
from fem_spe.results import read_table

UM = 1e-6
SLAB: dict[str, Any] = {
    "study": "diffusion",
    "geometry": {"kind": "box", "size": ["10 um", "20 um"]},
    "mesh": {"size": "3 um"},
    "materials": {"matrix": {"diffusivity": 1e-11}},
    "output": {"figures": False},
}
IN_TIME = {"diffusion.mode": "transient", "time": {"end": 40.0, "output": [2.0, 9.0]}}
LINE = {"line": [["5 um", "0 um"], ["5 um", "20 um"]], "points": 11}


def tables(case: fem_spe.Case) -> dict[str, dict[str, np.ndarray]]:
    return fem_spe.run(case).solution.tables


def test_a_linear_field_is_measured_exactly_whatever_the_probe() -> None:
    probes = {
        "across": LINE,
        "middle": {"point": ["5 um", "7 um"]},
        "whole": {"region": "matrix"},
        "side": {"face": "left"},
    }
    found = tables(fem_spe.parse(SLAB, {"probe": probes}))
    across = found["probe_across"]
    assert list(across) == ["distance [um]", "x [um]", "y [um]", "concentration"]
    assert across["distance [um]"] == pytest.approx(np.linspace(0, 20, 11))
    assert across["x [um]"] == pytest.approx(np.full(11, 5.0))
    assert across["concentration"] == pytest.approx(np.linspace(0, 1, 11), abs=1e-12)
    (value,) = found["probe_middle"]["concentration"]
    assert value == pytest.approx(7 / 20, rel=1e-12)
    for name in ("probe_whole", "probe_side"):
        heads = ["mean concentration", "min concentration", "max concentration"]
        assert list(found[name]) == heads
        values = np.concatenate(list(found[name].values()))
        assert values == pytest.approx([0.5, 0.0, 1.0], abs=1e-12)


def test_an_interface_inside_the_mesh_is_a_face_and_heads_carry_the_unit() -> None:
    case = fem_spe.parse(
        SLAB,
        {
            "geometry.layers": {"matrix": "5 um", "coating": "15 um"},
            "materials.coating": {"diffusivity": 3e-11},
            "boundary.bottom.concentration": 0.0,
            "boundary.top.concentration": 100.0,
            "probe.between.face": "matrix-coating",
            "probe.coating.region": "coating",
        },
    )
    found = tables(case)
    # both layers resist alike: half the difference falls off in each
    assert found["probe_between"]["mean concentration [mol/m^3]"] == pytest.approx([50.0])
    assert found["probe_coating"]["mean concentration [mol/m^3]"] == pytest.approx([75.0])


def test_a_line_in_three_dimensions() -> None:
    ends = [["1 um", "1 um", "0 um"], ["9 um", "4 um", "20 um"]]
    changes = {
        "geometry.size": ["10 um", "5 um", "20 um"],
        "mesh.size": "5 um",
        "probe.across": {"line": ends},
    }
    across = tables(fem_spe.parse(SLAB, changes))["probe_across"]
    assert list(across)[:4] == ["distance [um]", "x [um]", "y [um]", "z [um]"]
    assert across["concentration"] == pytest.approx(np.linspace(0, 1, 101), abs=1e-9)


def test_a_line_through_fibres_has_gaps_just_where_they_are(small_text: str) -> None:
    ends = [["0 um", "2.5 um"], ["20 um", "2.5 um"]]
    changes = {"probe.rows": {"line": ends, "points": 401}}
    found = tables(fem_spe.parse(tomllib.loads(small_text), changes))["probe_rows"]
    radius = np.sqrt(0.2 * 25 / np.pi)  # um, of a fibre in the middle of each cell of 5 um
    away = np.abs(found["x [um]"] % 5 - 2.5)
    gap = np.isnan(found["concentration"])
    sure = np.abs(away - radius) > 1e-3  # the curved cells follow the circle this closely
    assert sure.sum() > 390
    assert (gap == (away < radius))[sure].all()


@pytest.mark.parametrize("height", ["0 um", "1 um"])
def test_a_line_near_the_anode_passes_through_fibres_that_are_cut(
    small_text: str, height: str
) -> None:
    tree = tomllib.loads(small_text)
    tree["geometry"] = {
        "kind": "fiber_section", "arrangement": "random", "size": ["30 um", "20 um"],
        "fiber_diameter": "4 um", "fiber_fraction": 0.3, "aspect": 1.6, "boundary": "cut",
        "seed": 2,
    }  # fmt: skip
    tree["probe"] = {"anode": {"line": [["0 um", height], ["30 um", height]]}}
    found = tables(fem_spe.parse(tree))["probe_anode"]["concentration"]
    met = found[~np.isnan(found)]
    assert 30 < len(met) < 101
    limits = (0.0, 1e-12) if height == "0 um" else (0.0, 0.3)
    assert limits[0] - 1e-12 <= met.min() <= met.max() <= limits[1]


def test_over_time_a_row_for_each_step_and_a_curve_for_each_output_time(tmp_path: Path) -> None:
    probes = {
        "across": LINE,
        "middle": {"point": ["5 um", "10 um"]},
        "whole": {"region": "matrix"},
    }
    case = fem_spe.parse(SLAB, {**IN_TIME, "probe": probes})
    fem_spe.run(case, output=tmp_path / "r")
    kept = tmp_path / "r" / "tables"
    across, middle, whole, charging = (
        read_table(kept / f"{name}.csv")
        for name in ("probe_across", "probe_middle", "probe_whole", "charging")
    )
    times = ("2", "9", "40")
    assert list(across) == ["distance [um]", *(f"concentration at {t} s" for t in times)]
    assert list(middle) == ["t [s]", "concentration"]
    for table in (middle, whole):
        assert table["t [s]"] == pytest.approx(charging["t [s]"])
    assert whole["mean concentration"] == pytest.approx(charging["mean"], rel=1e-8)
    # the end of the last step is the last output time, the middle is the sixth sample
    assert middle["concentration"][-1] == pytest.approx(across["concentration at 40 s"][5])
    drawn = {f.name for f in draw(tmp_path / "r")}
    assert {f"probe_{name}.png" for name in probes} <= drawn


def test_one_and_two_ranks_measure_alike(tmp_path: Path, small_case: Path, python: Any) -> None:
    code = """
import sys
import fem_spe
case = fem_spe.load(sys.argv[1]).with_(probe={
    "near": {"line": [["0 um", "1 um"], ["20 um", "1 um"]]},
    "rows": {"line": [["0 um", "0 um"], ["20 um", "10 um"]], "points": 301},
    "one": {"point": ["10 um", "5 um"]},
    "fibers": {"face": "matrix-fiber"},
    "matrix": {"region": "matrix"},
})
fem_spe.run(case, output=sys.argv[2])
time = {"diffusion.mode": "transient", "time.end": 4.0, "time.output": [1.0], "time.rtol": 1e-3}
fem_spe.run(case.with_(**time), output=sys.argv[3])
"""
    for ranks in (1, 2):
        folders = [tmp_path / f"{kind}{ranks}" for kind in ("steady", "time")]
        done = python(code, small_case, *folders, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
    for kind in ("steady", "time"):
        for file in sorted((tmp_path / f"{kind}1" / "tables").glob("probe_*.csv")):
            one, two = read_table(file), read_table(tmp_path / f"{kind}2" / "tables" / file.name)
            assert list(one) == list(two)
            for head in one:  # files hold nine digits
                assert two[head] == pytest.approx(one[head], rel=2e-9, abs=1e-9, nan_ok=True)


test_one_and_two_ranks_measure_alike = pytest.mark.mpi(test_one_and_two_ranks_measure_alike)


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ({"region": "matrx"}, r"\[probe.p\] region = 'matrx'.* did you mean 'matrix'"),
        ({"region": "fiber"}, r"no such region; .*it has matrix"),  # a hole
        ({"face": "botom"}, r"\[probe.p\] face = 'botom'.* did you mean 'bottom'"),
        ({"point": ["30 um", "1 um"]}, r"\[probe.p\] \(30 um, 1 um\) lies outside the box"),
        ({"line": [["0 um", "1 um"], ["20 um", "1 mm"]]}, r"\(20 um, 1000 um\) lies outside"),
        ({"point": ["3 um", "1 um", "1 um"]}, "has 3 coordinates, but .* 2 dimensions"),
        ({"point": ["3 um", "1 um"], "face": "top"}, "give one of point, line, region and face"),
        ({"face": "top", "points": 3}, "points has a meaning for a line alone"),
        ({"point": ["3 um"]}, "too few entries"),
        ({"point": ["3 um", "1 s"]}, "is a time, not a length"),
        ({"pont": ["3 um", "1 um"]}, "did you mean 'point'"),
        ({"line": [["0 um", "1 um"], ["0 um", "1 um"]]}, "the same point"),
    ],
)
def test_a_probe_without_a_place_is_refused_before_meshing(
    small_text: str, probe: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fem_spe.job.running.placed", None)
    with pytest.raises(CaseError, match=told):
        fem_spe.run(fem_spe.parse(tomllib.loads(small_text), {"probe.p": probe}))


def test_a_point_in_a_hole_is_refused_with_the_nearest_region(small_text: str) -> None:
    case = fem_spe.parse(tomllib.loads(small_text), {"probe.p.point": ["2.5 um", "2.5 um"]})
    told = r"\[probe.p\] \(2.5 um, 2.5 um\) lies in a hole.* region is matrix, 1.2\d um away"
    with pytest.raises(CaseError, match=told):
        fem_spe.run(case)


def test_a_name_must_do_for_a_file() -> None:
    with pytest.raises(CaseError, match="'a/b' names a file too"):
        fem_spe.parse(SLAB, {"probe": {"a/b": {"face": "top"}}})


def test_the_resolved_case_names_the_samples_and_reads_back_alike() -> None:
    line = {"line": [["5 um", "0 um"], ["5 um", "20 um"]]}
    case = fem_spe.parse(SLAB, {"probe": {"across": line, "end": {"point": ["0 um", "0 um"]}}})
    text = to_toml(case)
    assert "points = 101" in text
    assert fem_spe.parse(tomllib.loads(text)) == case

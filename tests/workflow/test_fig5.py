"""Dendrite balls on RSE and ASE: the quick campaign, that it resumes, its tables and pictures."""

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fem_spe.geometry import ParallelSection, RandomSection

SCRIPT = Path(__file__).parents[2] / "workflows" / "gou2025" / "fig5fg.py"
MEMBERS = 12  # two meshes of ASE and three seeds; ASE with a smaller gap; three seeds not fused


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        names = runpy.run_path(str(SCRIPT))
        import fig5fg_campaign

        return vars(fig5fg_campaign) | names


def test_the_distance_to_a_junction_is_that_to_crossing_outlines(script):
    rods = RandomSection(
        size=(60e-6, 30e-6), fiber_diameter=1e-6, fiber_fraction=0.1, shape="rod",
        length=12e-6, fused=True, seed=1,
    ).build()  # fmt: skip
    at = rods.inclusions.x[0] * 1e6, rods.inclusions.y[0] * 1e6
    assert 0.49 < script["to_junction"](rods, *at) < 30  # a centre is half a diameter inside
    lines = ParallelSection(size=(60e-6, 30e-6), fiber_diameter=1e-6, fiber_fraction=0.1).build()
    assert script["to_junction"](lines, 30.0, 15.0) == np.inf


def test_every_choice_changes_something_and_has_a_folder_of_its_own(script):
    choices = script["CHOICES"]
    assert all(choice.ase or choice.rse for choice in choices)
    assert len({script["place"](choice) for choice in choices}) == len(choices)


@pytest.mark.slow
def test_the_quick_campaign_writes_tables_and_pictures_and_repeats_nothing(
    script, tmp_path, capsys, monkeypatch
):
    script["main"](tmp_path, script["QUICK"])
    told = capsys.readouterr().out
    members = sorted(tmp_path.rglob("summary.json"))
    assert len(members) == told.count(" done in ") == MEMBERS
    before = {file: file.stat().st_mtime_ns for file in members}

    text = (tmp_path / "fig5.md").read_text(encoding="utf-8")
    assert text.strip() in told
    assert "nan" not in text
    (row,) = re.findall(r"^\| ASE \| p99.9 \| (\S+) \| (\S+) \|", text, re.MULTILINE)
    coarse, fine = map(float, row)
    assert coarse == pytest.approx(fine, rel=0.03)  # unlike maxima, percentiles settle
    assert 30 < fine < 60
    assert re.search(r"^\| RSE \| maximum \|.*\| 71\.2 \|$", text, re.MULTILINE)
    assert re.search(r"^\| gap to the first fibre \| 0\.2 µm \|", text, re.MULTILINE)
    for name in ("fig5fg.png", "fig5_seeds.png"):
        picture = np.asarray(Image.open(tmp_path / name).convert("RGB"))
        assert picture.shape[1] > 1000
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200

    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path), "--quick"])
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    runpy.run_path(str(SCRIPT), run_name="__main__")
    again = capsys.readouterr().out
    assert again.count("done, kept") == MEMBERS
    assert " done in " not in again
    assert text.strip() in again
    assert {file: file.stat().st_mtime_ns for file in members} == before

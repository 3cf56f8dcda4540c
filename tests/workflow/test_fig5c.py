"""Lithium among random and aligned fibres: a tiny campaign, its table, its pictures, its resume."""

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "workflows" / "gou2025" / "fig5c.py"
MEMBERS = 12  # large: ASE and twice three seeds; small: one of each, on two meshes; another gap
TINY = {
    "geometry.size": ["16 um", "10 um"],
    "geometry.fiber_fraction": 0.1,
    "mesh.interface_size": "0.3 um",
    "dendrite.interface_width": "1.5 um",
    "dendrite.charge": "0.08 mA*h/cm^2",
    "dendrite.frames": 4,
}


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        names = runpy.run_path(str(SCRIPT))
        import fig5c_campaign

        return vars(fig5c_campaign) | names


@pytest.fixture(scope="module")
def tiny(script):
    aligned = {"geometry.count": [2, 1]}
    return script["Plan"](
        large={"ASE": aligned, "RSE": {}, "SCATTERED": {"geometry.min_gap": "1 um"}},
        seeds=3,
        replicas=1,
        deep={},  # which needs several sections
        cells=(0.5, 0.45),
        choices=(script["Choice"]("narrowest gap", "2 µm", None, {"geometry.min_gap": "2 um"}),),
        changes=TINY,
    )


def test_every_choice_changes_something_and_has_a_folder_of_its_own(script):
    choices = script["CHOICES"]
    assert all(choice.ase or choice.rse for choice in choices)
    assert len({script["place"](choice) for choice in choices}) == len(choices)
    assert {choice.what for choice in choices} >= {
        "fibre fraction", "narrowest gap", "overpotential",
    }  # fmt: skip


def test_a_curve_is_read_at_a_charge_and_averaged_over_it(script):
    # R_a = 2 q at uneven steps: 0.5 at q = 0.25, and 1 on average
    charge = np.array([0.0, 0.1, 0.6, 1.0])
    front = {script["CHARGE"]: charge, script["ROUGHNESS"]: 2 * charge}
    along = {"concentration [mol/m^3]": np.array([1.0, 3.0])}
    row = script["Grown"](Path(), front, along)
    assert row.end == 1.0
    assert row.at(0.25, script["ROUGHNESS"]) == pytest.approx(0.5)
    assert row.average(script["ROUGHNESS"]) == pytest.approx(1.0)
    assert row.unevenness() == pytest.approx(0.5)


@pytest.mark.slow
def test_the_campaign_writes_tables_and_pictures_and_repeats_nothing(
    script, tiny, tmp_path, capsys
):
    script["main"](tmp_path, tiny)
    told = capsys.readouterr().out
    members = sorted(tmp_path.rglob("summary.json"))
    assert len(members) == told.count(" done in ") == MEMBERS
    before = {file: file.stat().st_mtime_ns for file in members}

    text = (tmp_path / "fig5c.md").read_text(encoding="utf-8")
    assert text.strip() in told
    assert "nan" not in text
    assert "| paper | 0.33 | 0.75 |" in text
    (row,) = re.findall(r"^\| 0.08 \| (\S+) \| (\S+) \[.*? \| (\S+) \[", text, re.MULTILINE)
    ase, rse, ratio = map(float, row)
    assert ratio == pytest.approx(rse / ase, rel=0.02)
    for name in ("fig5c.png", "fig5c_fields.png"):
        picture = np.asarray(Image.open(tmp_path / name).convert("RGB"))
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500
    with Image.open(tmp_path / "fig5c.gif") as movie:
        assert movie.n_frames == TINY["dendrite.frames"]

    killed = members[-1].parent  # the summary is written last
    (killed / "summary.json").unlink()
    script["main"](tmp_path, tiny)
    again = capsys.readouterr().out
    assert again.count("done, kept") == MEMBERS - 1
    assert again.count(" done in ") == 1
    assert text.strip() in again
    kept = {file: at for file, at in before.items() if file.parent != killed}
    assert {file: file.stat().st_mtime_ns for file in kept} == kept

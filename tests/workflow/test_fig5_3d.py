"""A ball on RSE and ASE in space: its statistics, the quick campaign, that it resumes."""

import csv
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fem_spe

SCRIPT = Path(__file__).parents[2] / "workflows" / "gou2025" / "fig5fg_3d.py"
MEMBERS = 11  # three seeds of both, one of each on a finer mesh, three of RSE's own moduli


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        names = runpy.run_path(str(SCRIPT))
        import fig5fg_3d_campaign

        return vars(fig5fg_3d_campaign) | names


def rows(*values: float) -> list[SimpleNamespace]:
    return [SimpleNamespace(values={"x": value}) for value in values]


def test_ratios_of_geometric_means_have_welchs_interval(script):
    low, high = rows(*np.exp([0.0, 1.0, 2.0])), rows(*3 * np.exp([0.0, 1.0, 2.0]))
    found = script["ratio"](high, low, "x")
    # equal variances of 1: t(0.975, 4) = 2.776445, standard error sqrt(2 / 3)
    reach = np.exp(2.776445 * np.sqrt(2 / 3))
    assert found == pytest.approx((3.0, 3.0 / reach, 3.0 * reach), rel=1e-6)
    # Student's of one: t(0.975, 2) = 4.302653, standard error sqrt(1 / 3)
    reach = np.exp(4.302653 * np.sqrt(1 / 3))
    assert script["middle"](low, "x") == pytest.approx((np.e, np.e / reach, np.e * reach), rel=1e-6)


def test_only_an_interval_that_leaves_out_one_tells_both_apart(script):
    estimate = script["Estimate"]
    told = [script["larger"](estimate(*e)) for e in ((2, 1.1, 4), (0.5, 0.2, 0.9), (2, 0.9, 4))]
    assert told == ["RSE", "ASE", "not told apart"]


def test_pairs_are_all_of_one_of_each(script):
    assert script["more_often"](rows(1.0, 5.0), rows(0.5, 2.0, 3.0), "x") == 4 / 6


def test_fibres_are_counted_in_the_box_and_under_the_ball(script):
    case = fem_spe.load(script["FILES"]["ASE"], {"geometry.seed": 3})
    whole, near = script["fibres"](script["Done"](case, Path(), {}))
    assert whole == pytest.approx(0.2, abs=2e-3)  # as the case asks for
    # points at random in the half ball, and their distance to each axis
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(20_000, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    directions[:, 2] = -np.abs(directions[:, 2])
    away = 4.0 * rng.uniform(size=(20_000, 1)) ** (1 / 3)
    points = np.array([9.0, 9.0, 12.0]) + away * directions
    inside = np.zeros(len(points), dtype=bool)
    axes = case.geometry.build().segments()
    for start, end, radius in zip(1e6 * axes.start, 1e6 * axes.end, 1e6 * axes.radius, strict=True):
        along = end - start
        t = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
        inside |= np.linalg.norm(points - start - t[:, None] * along, axis=1) < radius
    assert near == pytest.approx(inside.mean(), abs=0.015)


def test_what_lies_under_the_ball_is_taken_out_of_the_ratio(script):
    """Numbers that are exact in the share, twice as large in one: the ratio is 2, not 2 e."""
    head, shares = script["NEAR"], (0.1, 0.2, 0.3, 0.4)

    def sample(factor: float, shift: float, noise: tuple[float, ...]) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(values={head: s + shift, "x": factor * np.exp(5 * (s + shift) + e)})
            for s, e in zip(shares, noise, strict=True)
        ]

    none = (0.0,) * 4
    exact = script["at_equal"](sample(2.0, 0.2, none), sample(1.0, 0.0, none), "x")
    assert exact == pytest.approx((2.0, 2.0, 2.0), rel=1e-6)
    # noise that is orthogonal to the fit: variance 8 e^2 / (8 - 3); the step has the variance
    # 2 / 4 + shift^2 / (2 * 0.05), the shares' squares about their means; t(0.975, 5) = 2.570582
    noise = (0.1, -0.1, -0.1, 0.1)
    found = script["at_equal"](sample(2.0, 0.2, noise), sample(1.0, 0.0, noise), "x")
    reach = 2.570582 * 0.1 * np.sqrt(8 / 5 * (0.5 + 0.2**2 / 0.1))
    assert found == pytest.approx((2.0, 2.0 * np.exp(-reach), 2.0 * np.exp(reach)), rel=1e-5)


@pytest.mark.slow
def test_the_quick_campaign_writes_table_picture_and_numbers_and_repeats_nothing(
    script, tmp_path, capsys
):
    script["main"](tmp_path, script["QUICK"])
    told = capsys.readouterr().out
    members = sorted(tmp_path.rglob("summary.json"))
    assert len(members) == told.count(" done in ") == MEMBERS

    text = (tmp_path / "fig5fg_3d.md").read_text(encoding="utf-8")
    assert text.strip() in told
    assert "nan" not in text
    assert re.search(r"^\| max fiber \[MPa\] \|.*\| 261\.7, 71\.2 \| 0\.27 \|$", text, re.MULTILINE)
    assert re.search(r"^\| RSE, seed 1 \| [+-]\d+\.\d% \|", text, re.MULTILINE)
    with (tmp_path / "fig5fg_3d.csv").open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == MEMBERS
    assert {line["structure"] for line in lines} == {"ASE", "RSE"}
    forces = [float(line["force [mN]"]) for line in lines if line["moduli"] == "own"]
    table = [float(line["force [mN]"]) for line in lines if line["structure"] == "RSE"][:3]
    assert all(soft < stiff for soft, stiff in zip(forces, table, strict=True))
    picture = np.asarray(Image.open(tmp_path / "fig5fg_3d.png").convert("RGB"))
    assert picture.shape[1] > 1000
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500

    script["main"](tmp_path, script["QUICK"])
    again = capsys.readouterr().out
    assert again.count("done, kept") == MEMBERS
    assert " done in " not in again
    assert text.strip() in again

"""The campaign over random sections: its statistics, that it resumes, its table and picture."""

import math
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fem_spe.ensemble.statistics import distance, mean, pearson, ratio, spearman, spread

SCRIPT = Path(__file__).parents[2] / "workflows" / "gou2025" / "seeds.py"
ONE_TO_TEN = np.arange(1.0, 11.0)


def test_the_interval_of_a_mean_is_students():
    # t(0.975, 9) = 2.262157, s = 3.027650
    assert mean(ONE_TO_TEN) == pytest.approx((5.5, 3.334149, 7.665851), abs=1e-6)
    # Student's own example: the additional sleep of ten patients, whose 95 % interval R prints
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert mean(sleep) == pytest.approx((1.58, 0.7001142, 2.4598858), abs=1e-6)


def test_the_interval_of_a_ratio_is_welchs():
    # exp of the two drugs in Student's sleep data: R's t.test gives -1.58 [-3.3654832, 0.2054832]
    first = np.exp([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.exp([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    assert np.log(ratio(first, second)) == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-6)


def test_the_interval_of_a_spread_holds_it_and_comes_out_the_same_again():
    values = np.random.default_rng(1).normal(0.0, 2.0, 400)
    found = spread(values)
    assert found.value == pytest.approx(values.std(ddof=1))
    # of normal values: s times 1 ± 1.96 / sqrt(2 n)
    width = 1.96 / math.sqrt(800)
    assert found.low / found.value == pytest.approx(1 - width, abs=0.02)
    assert found.high / found.value == pytest.approx(1 + width, abs=0.02)
    assert spread(values) == found
    assert spread([3.0, 3.0, 3.0]) == (0.0, 0.0, 0.0)


def test_the_interval_of_a_distance_covers_the_true_one():
    assert distance(ONE_TO_TEN, 5.5).value == 0.0
    assert distance(ONE_TO_TEN, 5.5 + 3.027650).value == pytest.approx(1.0, abs=1e-6)
    # about the mean itself it is the distance of the true mean, whose bounds are near t / sqrt(n)
    low, high = distance(ONE_TO_TEN, 5.5)[1:]
    assert (low, high) == pytest.approx((-1.96 / math.sqrt(10), 1.96 / math.sqrt(10)), abs=1e-3)
    rng = np.random.default_rng(2)
    found = [distance(rng.normal(0.0, 1.0, 12), 3.0) for _ in range(200)]
    assert 0.9 < np.mean([e.low < 3.0 < e.high for e in found]) < 0.99


def test_correlations_have_fishers_interval():
    # r = 0.5 at n = 28: tanh(artanh 0.5 ± 1.959964 / 5)
    x = np.random.default_rng(3).normal(size=28)
    x = (x - x.mean()) / x.std()
    y = np.random.default_rng(4).normal(size=28)
    y = y - y.mean() - x * (x @ (y - y.mean())) / 28
    y = 0.5 * x + math.sqrt(0.75) * y / y.std()
    assert pearson(x, y) == pytest.approx((0.5, 0.156028, 0.735818), abs=1e-6)
    assert pearson(x, 2 * x).low == pytest.approx(1.0)


def test_ranks_see_what_lines_do_not():
    x = np.arange(1.0, 13.0)
    found = spearman(x, np.exp(x))
    assert found.value == pytest.approx(1.0)
    assert 0.9 < found.low < found.value <= found.high  # twelve may agree by chance
    assert pearson(x, np.exp(x)).value < 0.8
    assert spearman(x, -(x**3)).value == pytest.approx(-1.0)
    # one exchange of neighbours among four: 1 - 6 * 2 / (4 * 15)
    assert spearman([1, 2, 3, 4], [1, 2, 4, 3]).value == pytest.approx(0.8)


@pytest.mark.parametrize("values", [[1.0], [1.0, math.nan, 2.0, 3.0]], ids=["few", "nan"])
def test_statistics_refuse_what_would_mean_nothing(values):
    with pytest.raises(ValueError, match=r"needs 2 or more|not finite"):
        mean(values)


def test_an_estimate_is_written_with_its_interval():
    assert f"{mean(ONE_TO_TEN):.2f}" == "5.50 [3.33, 7.67]"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        names = runpy.run_path(str(SCRIPT))
        import seeds_campaign

        return vars(seeds_campaign) | names


def test_the_medium_is_that_of_parallel_and_of_random_axes(script):
    exact = script["differential_ellipses"]
    medium = script["medium"]
    assert medium(3.0, 1.0, 0.2) == pytest.approx(exact(0.2, 3.0, across_long_axis=True))
    assert medium(3.0, 0.0, 0.2) == pytest.approx(exact(0.2, 3.0))
    assert medium(3.0, -1.0, 0.2) == pytest.approx(0.8 ** (4 / 3))
    assert medium(1.0, 0.7, 0.2) == pytest.approx(0.8**2)


@pytest.mark.slow
def test_the_campaign_writes_table_and_picture_and_repeats_nothing(
    script, tmp_path, capsys, monkeypatch
):
    script["main"](tmp_path, script["QUICK"])
    told = capsys.readouterr().out
    members = sorted(tmp_path.glob("*/*/summary.json"))
    assert len(members) == told.count(" done in ") == 20
    before = {file: file.stat().st_mtime_ns for file in members}

    table = (tmp_path / "seeds.md").read_text(encoding="utf-8")
    assert table.strip() in told
    (row,) = re.findall(r"\| ASE \| D_eff / D_matrix \| (\S+) ± (\S+) \| \+(\S+) ", table)
    value, error, deviations = map(float, row)
    assert value == pytest.approx(0.6667, abs=2 * error)
    assert error < 2e-3
    assert deviations > 3
    assert "| D_eff / D_matrix | S | 10, all shapes | -0." in table
    assert "nan" not in table
    picture = np.asarray(Image.open(tmp_path / "seeds.png").convert("RGB"))
    assert picture.shape[1] == pytest.approx(1340, abs=5)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500

    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path), "--quick"])
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    runpy.run_path(str(SCRIPT), run_name="__main__")
    again = capsys.readouterr().out
    assert again.count("done, kept") == 20
    assert " done in " not in again
    assert table.strip() in again
    assert {file: file.stat().st_mtime_ns for file in members} == before

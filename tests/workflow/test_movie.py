"""Movies of transients: one picture for each output time, on one scale of colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

import fem_spe
from fem_spe.errors import CaseError

SLAB: dict[str, Any] = {
    "title": "Slab",
    "study": "diffusion",
    "geometry": {"kind": "box", "size": ["10 um", "5 um"]},
    "mesh": {"size": "1 um"},
    "materials": {"matrix": {"diffusivity": 1e-11}},
    "diffusion": {"mode": "transient"},
    "time": {"end": 0.4, "every": 0.1, "rtol": 1e-3},
}


def test_a_gif_has_a_frame_for_each_output_time_on_one_scale(tmp_path: Path) -> None:
    fem_spe.run(fem_spe.parse(SLAB, {"output.movie": "gif"}), output=tmp_path / "r")
    with Image.open(tmp_path / "r" / "figures" / "concentration.gif") as movie:
        assert movie.n_frames == 4
        assert 600 < movie.width < 1000
        frames = []
        for k in range(movie.n_frames):
            movie.seek(k)
            frames.append(np.asarray(movie.convert("RGB")).astype(int))
    changed = np.abs(frames[0] - frames[-1]).max(axis=2) > 60
    assert changed[:, : movie.width // 2].mean() > 0.05  # the field
    assert changed[:, int(0.9 * movie.width) :].mean() < 1e-3  # the colour bar
    assert changed[: movie.height // 12].any()  # the time in the title


def test_an_mp4_is_of_the_same_pictures_and_listed_in_the_summary(tmp_path: Path) -> None:
    case = fem_spe.parse(SLAB, {"output.movie": "mp4"})
    fem_spe.run(case, output=tmp_path / "r")
    file = tmp_path / "r" / "figures" / "concentration.mp4"
    meta = next(imageio_ffmpeg.read_frames(str(file)))
    assert meta["codec"] == "h264"
    assert meta["size"][0] < 1000
    assert meta["duration"] == pytest.approx(4 * 0.5 + 1.5, abs=0.3)
    assert "figures/concentration.mp4" in (tmp_path / "r" / "summary.json").read_text("utf-8")


@pytest.mark.slow
def test_a_solid_moves_too(tmp_path: Path) -> None:
    changes = {
        "geometry.size": ["5 um", "5 um", "5 um"],
        "mesh.size": "2 um",
        "time.every": 0.2,
        "output.movie": "gif",
    }
    fem_spe.run(fem_spe.parse(SLAB, changes), output=tmp_path / "r")
    with Image.open(tmp_path / "r" / "figures" / "concentration.gif") as movie:
        assert movie.n_frames == 2
        assert movie.width < 1000


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"diffusion.mode": "steady"}, "time|transient"),
        ({"output.movie": "avi"}, "'gif' or 'mp4'"),
    ],
)
def test_a_movie_of_something_else_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(CaseError, match=told):
        fem_spe.parse(SLAB, {"output.movie": "gif", **changes})


def test_a_steady_state_has_no_movie() -> None:
    steady = {k: v for k, v in SLAB.items() if k not in ("diffusion", "time")}
    with pytest.raises(CaseError, match=r"\[output\] movie needs a transient"):
        fem_spe.parse(steady, {"output.movie": "gif"})

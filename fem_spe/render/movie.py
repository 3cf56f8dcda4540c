"""Pictures one after the other, as a GIF or an MP4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fem_spe.render.style import COLORMAP

_LENGTH = 5.0  # s that a movie takes, if its pictures then stay between
_SHORTEST, _LONGEST = 0.08, 0.5  # s
_LAST = 1.5  # s that the last picture stays
_SAMPLES = 8  # pictures that the colours of a GIF are chosen from
_MET = 128  # of its 256 colours are those in the pictures; the others are the colour map's


def join(pictures: Sequence[Path], file: Path) -> Path:
    """Write pictures of one size as the movie `file`, a .gif or an .mp4."""
    each = float(np.clip(_LENGTH / len(pictures), _SHORTEST, _LONGEST))
    (_gif if file.suffix == ".gif" else _mp4)(pictures, file, each)
    return file


def _gif(pictures: Sequence[Path], file: Path, each: float) -> None:
    import matplotlib as mpl
    from PIL import Image

    frames = [Image.open(picture).convert("RGB") for picture in pictures]
    # one palette for all: colours chosen for each picture alone would flicker
    chosen = frames[:: -max(1, len(frames) // _SAMPLES)]
    seen = np.concatenate([np.asarray(frame)[::3, ::3] for frame in chosen])
    # means: white stays white
    met = Image.fromarray(seen).quantize(_MET, kmeans=1).getpalette() or []
    scale = mpl.colormaps[COLORMAP](np.linspace(0.0, 1.0, 256 - _MET))[:, :3]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*met[: 3 * _MET], *(255 * scale).round().astype(int).ravel().tolist()])
    first, *rest = (f.quantize(palette=palette, dither=Image.Dither.NONE) for f in frames)
    times = [*[round(1000 * each)] * len(rest), round(1000 * _LAST)]
    first.save(file, save_all=True, append_images=rest, duration=times, loop=0, optimize=True)


def _mp4(pictures: Sequence[Path], file: Path, each: float) -> None:
    import imageio_ffmpeg
    from PIL import Image

    with Image.open(pictures[0]) as first:
        width, height = (n // 2 * 2 for n in first.size)  # the codec takes even numbers alone
    movie = imageio_ffmpeg.write_frames(
        str(file), (width, height), fps=1 / each, quality=8, macro_block_size=2,
        ffmpeg_log_level="error",
    )  # fmt: skip
    movie.send(None)
    for picture in [*pictures, *[pictures[-1]] * round(_LAST / each)]:
        with Image.open(picture) as frame:
            movie.send(np.asarray(frame.convert("RGB").crop((0, 0, width, height))).tobytes())
    movie.close()

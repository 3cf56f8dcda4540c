"""Which pillar is best in a porous cathode: height, width, gap (Mu 2024, Fig. 7g-h).

    python workflows/mu2024/which_cathode_pillar.py [FOLDER] [--quick]

Cells as in `fig7gh_discharge.py`, with a cathode of 200 um, discharged slowly and fast. Pillars
take room from the cathode and bring salt deep into it: what counts is the charge per footprint.
The best is the best of the map; how much its neighbours differ says how sharp it is. FOLDER gets
`which_cathode_pillar.md` and `.png`. --quick: two pillars.
"""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

from fig7gh_discharge import charge, discharge
from which_pillar_campaign import Pillar

from fem_spe.progress import show
from fem_spe.report import markdown
from fem_spe.results import Result

THICK = 200.0  # um, of the cathode
SLOW, FAST = 0.2, 0.8  # mA/cm2
HEIGHTS, WIDTHS, GAPS = (100.0, 150.0, 200.0), (50.0, 100.0), (50.0, 100.0, 200.0)
PAPER = Pillar(150.0, 100.0, 200.0)
Found = dict[float, Result]

HEAD = (
    "height / width / gap, µm | printed per footprint, µm | utilisation at "
    f"{SLOW:g}, {FAST:g} mA/cm² | charge, mA h/cm², at {SLOW:g} | at {FAST:g} | more than flat"
)


def main(folder: Path, pillars: Sequence[Pillar]) -> None:
    """Discharge all of them, tell and draw."""
    folder.mkdir(parents=True, exist_ok=True)
    show(enabled=False)
    flat = {i: discharge("flat", THICK, i) for i in (SLOW, FAST)}
    map_ = {}
    for k, pillar in enumerate(pillars):
        lengths = dict(zip(("height", "width", "gap"), pillar.lengths, strict=True))
        changes = {f"geometry.{name}": f"{value} um" for name, value in lengths.items()}
        map_[pillar] = {i: discharge("pillar", THICK, i, changes) for i in (SLOW, FAST)}
        print(f"[{k + 1}/{len(pillars)}] {row(pillar, map_[pillar], flat)}", flush=True)
    order = sorted(map_, key=lambda p: -charge(map_[p][FAST]))
    text = markdown(HEAD, [row(None, flat, flat), *(row(p, map_[p], flat) for p in order)])
    (folder / "which_cathode_pillar.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\n{picture(folder / 'which_cathode_pillar.png', map_, flat)}")


def row(pillar: Pillar | None, found: Found, flat: Found) -> str:
    """A line of the table; None is the flat film."""
    used = ", ".join(f"{r.quantities['utilisation'].value:.3f}" for r in found.values())
    name = "flat" if pillar is None else " / ".join(f"{x:.0f}" for x in pillar.lengths)
    volume = 0.0 if pillar is None else pillar.volume
    slow, fast = (charge(r) for r in found.values())
    more = 100.0 * (fast / charge(flat[FAST]) - 1.0)
    return f"{name} | {volume:.1f} | {used} | {slow:.2f} | {fast:.2f} | {more:+.1f} %"


def picture(file: Path, map_: dict[Pillar, Found], flat: Found) -> Path:
    """Charge over printed volume, slow and fast."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.8), layout="constrained", sharex=True)
    for axis, current in zip(axes, (SLOW, FAST), strict=True):
        for width, color in zip(sorted({p.width for p in map_}), ("C2", "C0", "C1"), strict=False):
            some = [p for p in map_ if p.width == width]
            axis.plot(
                [p.volume for p in some], [charge(map_[p][current]) for p in some], "o",
                color=color, label=f"{width:g} µm wide",
            )  # fmt: skip
        if PAPER in map_:
            axis.plot(
                PAPER.volume, charge(map_[PAPER][current]), "D", mfc="none", mec="#a50f15", ms=11,
                label="Mu 2024",
            )  # fmt: skip
        axis.axhline(charge(flat[current]), color="0.4", ls="--", label="flat film")
        axis.set(
            title=f"{current:g} mA/cm²", xlabel="printed per footprint (µm)",
            ylabel="charge taken up (mA h/cm²)",
        )  # fmt: skip
    axes[0].legend(frameon=False)
    figure.savefig(file, dpi=150)
    plt.close(figure)
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="results/mu2024_which_cathode_pillar")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    shapes = [Pillar(*lengths) for lengths in itertools.product(HEIGHTS, WIDTHS, GAPS)]
    main(Path(given.folder), [PAPER, Pillar(50.0, 100.0, 100.0)] if given.quick else shapes)

"""The pictures of lithium among fibres: growth and curves, fields before the front, a movie."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from fig5c_campaign import COVERAGE, PAPER, ROUGHNESS, Grown, Samples
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import NullFormatter

from fem_spe.render import join, read_grid, read_times, triangles
from fem_spe.render.style import COLORMAP, OUTLINE, style
from fem_spe.render.triangles import Triangles

BLUE, RED, GREEN = "#08519c", "#a50f15", "#238b45"
LITHIUM, ELECTROLYTE, FIBER = "#8d99a6", "#e3eef7", "#f4c886"
SHOWN = 4  # times in the strip
FIELDS = {"concentration [mol/m^3]": "concentration c (mol/m³)", "potential [V]": "potential P (V)"}


def middle(rows: Sequence[Grown]) -> Grown:
    """The seed whose last roughness is in the middle of all."""
    return sorted(rows, key=lambda row: row.front[ROUGHNESS][-1])[len(rows) // 2]


def named(large: Samples) -> list[tuple[str, Grown]]:
    """One section of each of the pair, with the name it is shown under."""
    rse = middle(large["RSE"])
    return [(f"RSE, seed {rse.folder.name.partition('=')[2]}", rse), ("ASE", large["ASE"][0])]


def all_named(large: Samples) -> list[tuple[str, Grown]]:
    """One section of each electrolyte, with the name it is shown under."""
    scattered = middle(large["SCATTERED"])
    seed = scattered.folder.name.partition("=")[2]
    return [*named(large), (f"scattered, seed {seed}", scattered)]


def picture(file: Path, large: Samples) -> Path:
    """Growth in one section of each; roughness, its ratio and coverage over the charge."""
    with style() as plt:
        figure = plt.figure(figsize=(8.0, 6.3), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=[3.8, 2.5])
        strip(upper.subplots(3, SHOWN, sharex=True, sharey=True), large)
        axes = lower.subplots(1, 3, width_ratios=[1.5, 1, 1])
        draw_curves(axes, large)
        for axis, letter in zip((upper.axes[0], *axes), "abcd", strict=True):
            axis.annotate(letter, (0, 1), (-24, 5), xycoords="axes fraction", fontsize=9,
                          textcoords="offset points", fontweight="bold")  # fmt: skip
        figure.savefig(file)
    return file


def deep_picture(file: Path, deep: Samples) -> Path:
    """The deposits at the end, several rows of fibres high, and roughness over the charge."""
    with style() as plt:
        figure = plt.figure(figsize=(8.0, 3.0), layout="constrained")
        axes = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1.9])
        for axis, (name, member) in zip(axes, all_named(deep), strict=False):
            draw_deposit(axis, triangles(read_grid(member.folder)))
            axis.set_title(f"{name}\n$R_a$ {member.front[ROUGHNESS][-1]:.2f} µm", loc="left")
            axis.set_xlabel("x (µm)")
        axes[0].set_ylabel("y (µm)")
        draw_over_charge(axes[-1], deep, ROUGHNESS)
        axes[-1].set(ylabel="$R_a$ (µm)", xlabel="charge (mA h/cm²)", ylim=(0, None))
        axes[-1].set_xlim(0, 1.001 * deep["ASE"][0].end)
        axes[-1].legend(loc="upper left")
        figure.savefig(file)
    return file


def strip(axes: Any, large: Samples) -> None:
    """The deposit at even parts of the charge: a row for each section."""
    for row, (name, member) in zip(axes, all_named(large), strict=True):
        times = read_times(member.folder)
        parts = np.arange(1, SHOWN + 1) * len(times) // SHOWN - 1
        for axis, k in zip(row, parts, strict=True):
            draw_deposit(axis, triangles(read_grid(member.folder, times[k])))
            rough = np.interp(times[k], member.front["t [s]"], member.front[ROUGHNESS])
            axis.set_title(f"$R_a$ {rough:.2f} µm", loc="right", fontsize=7, pad=3)
            charge = member.end * (k + 1) / len(times)
            axis.set_title(f"{charge:.3g} mA h/cm²", loc="left", fontsize=7, pad=3, color="0.35")
        row[0].set_ylabel(f"{name}\ny (µm)")
    for axis in axes[-1]:
        axis.set_xlabel("x (µm)")


def draw_deposit(axis: Any, field: Triangles) -> None:
    """Metal, electrolyte and fibres, with a diffuse front as it is."""
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("deposit", [ELECTROLYTE, LITHIUM])
    x, y = field.points.T
    axis.tripcolor(x, y, field.triangles, field.values["order_parameter"], cmap=colors,
                   norm=Normalize(0, 1), shading="gouraud", rasterized=True)  # fmt: skip
    draw_front(axis, field, "#20262d")
    frame(axis, field)


def draw_front(axis: Any, field: Triangles, color: str, width: float = 0.9) -> None:
    x, y = field.points.T
    phi = field.values["order_parameter"]
    axis.tricontour(x, y, field.triangles, phi, levels=[0.5], colors=color, linewidths=width)


def frame(axis: Any, field: Triangles) -> None:
    """Fibres as holes, and the cell's sides."""
    left, right, bottom, top = field.extent
    axis.set_facecolor(FIBER)
    axis.add_collection(LineCollection(field.points[field.outlines()[0]], colors=OUTLINE, lw=0.5))
    axis.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    for spine in axis.spines.values():
        spine.set_visible(True)


def draw_curves(axes: Any, large: Samples) -> None:
    """Roughness, ratio and coverage over the charge."""
    ase, rse, scattered = large["ASE"][0], large["RSE"], large["SCATTERED"]
    charge = np.linspace(0, ase.end, 401)
    rough, ratio, cover = axes
    for axis, head in ((rough, ROUGHNESS), (cover, COVERAGE)):
        draw_over_charge(axis, large, head)
    for name, color in (("ASE", BLUE), ("RSE", RED)):
        rough.axhline(PAPER[name], color=color, lw=0.8, ls="--")
        rough.annotate(f"paper, {name}", (0, PAPER[name]), (3, 2), fontsize=6.5, color=color,
                       textcoords="offset points", va="bottom")  # fmt: skip
    rough.legend(loc="upper left", bbox_to_anchor=(0.0, 0.85))
    rough.set(ylabel="$R_a$ (µm)")
    seen = charge > 0.05 * ase.end  # both are flat before
    many = np.array([row.at(charge, ROUGHNESS) for row in rse])[:, seen]
    over = many / ase.at(charge, ROUGHNESS)[seen]
    ratio.fill_between(charge[seen], over.min(axis=0), over.max(axis=0), color="0.85", lw=0)
    ratio.plot(charge[seen], over.mean(axis=0), color="0.15", lw=1.6, label="RSE / ASE")
    places = np.array([row.at(charge, ROUGHNESS) for row in scattered])[:, seen].mean(axis=0)
    quotient = many.mean(axis=0) / places
    ratio.plot(charge[seen], quotient, color=GREEN, lw=1.6, label="RSE / scattered")
    ratio.legend(loc="upper right", bbox_to_anchor=(1.02, 1.02))
    paper = PAPER["RSE"] / PAPER["ASE"]
    ratio.axhline(paper, color="0.4", lw=0.8, ls="--")
    ratio.annotate(f"paper, {paper:.2f}", (ase.end, paper), (-2, 2), fontsize=6.5, color="0.3",
                   textcoords="offset points", va="bottom", ha="right")  # fmt: skip
    ratio.axhline(1.0, color="0.7", lw=0.6)
    ratio.set(ylabel="ratio of $R_a$", yscale="log")
    ratio.set_yticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
    ratio.yaxis.set_minor_formatter(NullFormatter())
    cover.set(ylabel="coverage", ylim=(0, 1.03))
    for axis in axes:
        axis.set(xlabel="charge (mA h/cm²)", xlim=(0, 1.001 * ase.end))
    rough.set_ylim(bottom=0)


def draw_over_charge(axis: Any, samples: Samples, head: str) -> None:
    """A number of the front in all electrolytes; of random ones mean and range over the seeds."""
    ase = samples["ASE"][0]
    charge = np.linspace(0, ase.end, 401)
    for name, label, color in (("RSE", "RSE", RED), ("SCATTERED", "ASE, scattered", GREEN)):
        many = np.array([row.at(charge, head) for row in samples[name]])
        axis.fill_between(charge, many.min(axis=0), many.max(axis=0), color=color, alpha=0.15, lw=0)
        told = f"{label}, {len(many)} seeds"
        axis.plot(charge, many.mean(axis=0), color=color, lw=1.6, label=told)
    axis.plot(charge, ase.at(charge, head), color=BLUE, lw=1.6, label="ASE, on a lattice")


def fields(file: Path, large: Samples) -> Path:
    """Concentration and potential before the front at equal charge, as in Fig. 5d-e."""
    shown = [(name, triangles(read_grid(row.folder))) for name, row in named(large)]
    with style() as plt:
        figure = plt.figure(figsize=(8.0, 6.7), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=[5.2, 1.5])
        axes = upper.subplots(2, 2, sharex=True, sharey=True)
        for column, (head, label) in zip(axes.T, FIELDS.items(), strict=True):
            norm = scale(head, [field for _, field in shown])
            for axis, (name, field) in zip(column, shown, strict=True):
                draw_field(axis, field, head, norm)
                axis.set_title(name, loc="left")
            column[1].set_xlabel("x (µm)")
            colors = plt.cm.ScalarMappable(norm, COLORMAP)
            bar = upper.colorbar(colors, ax=column, location="top", aspect=35, pad=0.02)
            bar.set_label(label)
            bar.outline.set_linewidth(0.5)
        for axis in axes[:, 0]:
            axis.set_ylabel("y (µm)")
        along = lower.subplots()
        for (name, row), color in zip(named(large), (RED, BLUE), strict=True):
            c = row.along["concentration [mol/m^3]"]
            told = f"{name}, deviation / mean {row.unevenness():.2f}"
            along.plot(row.along["x [um]"], c * 1e-3, ".", ms=1.5, color=color, label=told)
        along.set(xlabel="x (µm)", ylabel="c along the front (mol/L)", ylim=(0, None))
        along.set_xlim(*shown[0][1].extent[:2])
        along.legend(ncols=2, markerscale=5, loc="lower right", bbox_to_anchor=(1, 0.97))
        figure.savefig(file)
    return file


def scale(head: str, shown: Sequence[Triangles]) -> Normalize:
    """One scale of colours for what lies before the front; of c it is logarithmic."""
    values = np.concatenate([f.values[head][f.values["order_parameter"] < 0.5] for f in shown])
    low, high = np.percentile(values, [0.1, 99.9])
    return (LogNorm if head.startswith("c") else Normalize)(float(low), float(high))


def draw_field(axis: Any, field: Triangles, head: str, norm: Normalize) -> None:
    """A field in the electrolyte; the metal is grey."""
    x, y = field.points.T
    values = np.maximum(field.values[head], 1e-3 * norm.vmax) if head[0] == "c" else (
        field.values[head]
    )  # fmt: skip
    axis.tripcolor(x, y, field.triangles, values, cmap=COLORMAP, norm=norm, shading="gouraud",
                   rasterized=True)  # fmt: skip
    phi = field.values["order_parameter"]
    axis.tricontourf(x, y, field.triangles, phi, levels=[0.5, 2.0], colors=[LITHIUM])
    draw_front(axis, field, "white", 1.0)
    frame(axis, field)


def movie(file: Path, large: Samples) -> Path:
    """The deposit in one section of each, from charge to charge."""
    pairs = named(large)
    times = [read_times(row.folder) for _, row in pairs]
    with TemporaryDirectory() as temporary, style() as plt:
        pictures = []
        for k, both in enumerate(zip(*times, strict=True)):
            figure, axes = plt.subplots(2, 1, figsize=(4.0, 4.6), layout="constrained", sharex=True)
            for axis, (name, row), time in zip(axes, pairs, both, strict=True):
                draw_deposit(axis, triangles(read_grid(row.folder, time)))
                charge = row.end * (k + 1) / len(both)
                axis.set_title(f"{name}, {charge:.3g} mA h/cm²", loc="left")
                axis.set_ylabel("y (µm)")
            axes[1].set_xlabel("x (µm)")
            pictures.append(Path(temporary) / f"{k}.png")
            figure.savefig(pictures[-1], dpi=100)
        return join(pictures, file)

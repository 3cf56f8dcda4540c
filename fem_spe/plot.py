"""Curves from the tables of result folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.style import COLORMAP, HOLE, style
from fem_spe.results import Table

# cells side by side, told apart by colour and dashes
_CELLS = (("#a50f15", "-"), ("#08519c", "--"), ("#238b45", "-."), ("#6a3d9a", ":"))
Within = Callable[[NDArray[np.float64]], NDArray[np.bool_]]  # which of places in a plane are in

_MANY = 8  # curves; more are told apart by a colour bar
# `mean c at 2 s [mol/m^3]`: which statistic, of what, when, in which unit
_HEAD = re.compile(r"(?:(mean|min|max) )?(.+?)(?: at ([-+.\de]+) s)?( \[.*\])?")


def draw_profile(table: Table, file: Path, label: str) -> Path:
    """Mean and, where the table has it, range of a field across the thickness."""
    position, mean, *ends = table
    with style() as plt:
        figure, axis = plt.subplots(figsize=(3.4, 2.5), layout="constrained")
        if ends:
            low, high = (table[end] for end in ends)
            told = {"color": "#9ecae1", "lw": 0, "label": "range in the slice"}
            axis.fill_between(table[position], low, high, **told)
        axis.plot(table[position], table[mean], color="#08519c", lw=1.2, label="mean")
        axis.set(xlabel=_head(position), ylabel=label)
        axis.margins(x=0)
        axis.legend(loc="upper left")
        figure.savefig(file)
    return file


def draw_anode_flux(table: Table, file: Path, within: Within | None = None) -> Path:
    """The normal flux density along the anode over its mean.

    Args:
        table: Positions and values; of a structure in 3-D two positions.
        file: Where to write the picture.
        within: Of places on a face of a structure in 3-D, shape (n, 2), um: which are no hole.
    """
    heads = list(table)
    with style() as plt:
        flat = len(heads) > 2
        size = (3.6, 2.8) if flat else (6.7, 2.2)
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        flux = table[heads[-1]]
        if not flat:
            axis.plot(table[heads[0]], flux, color="#08519c", lw=0.8)
            axis.axhline(1.0, color="0.6", lw=0.6)
            axis.set(xlabel=_head(heads[0]), ylabel="flux / mean flux")
            axis.set_ylim(bottom=min(0.0, float(flux.min())))
            axis.margins(x=0)
        else:
            parts = plt.matplotlib.tri.Triangulation(table[heads[0]], table[heads[1]])
            if within is not None:
                places = np.column_stack([parts.x, parts.y])[parts.triangles].mean(axis=1)
                parts.set_mask(~within(places))
            # where a hole meets the face the flux may have no limit: such points are beyond
            low, high = (float(end) for end in np.percentile(flux, (1, 99)))
            if high - low < 1e-3 * abs(high):  # even, but for round-off
                low, high = low - 0.1, high + 0.1
            drawn = axis.tripcolor(parts, flux, cmap=COLORMAP, vmin=low, vmax=high)
            axis.set(xlabel=_head(heads[0]), ylabel=_head(heads[1]), aspect="equal")
            axis.set_facecolor(HOLE)
            axis.margins(0)
            beyond = float(flux.min()) < low, float(flux.max()) > high
            ends = {(True, True): "both", (True, False): "min", (False, True): "max"}
            figure.colorbar(
                drawn, ax=axis, label="flux / mean flux", extend=ends.get(beyond, "neither")
            )
        axis.set_title("flux through the anode", loc="left")
        figure.savefig(file)
    return file


def draw_charging(table: Table, file: Path) -> Path:
    """Mean concentration and fluxes over time."""
    time, mean, _, flux_in, flux_out = table
    with style() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(6.7, 2.5), layout="constrained")
        left.plot(table[time], table[mean], color="#08519c", lw=1.2)
        left.set(xlabel="t (s)", ylabel=_head(mean).replace("mean", "mean concentration"))
        right.plot(table[time], table[flux_in], color="#a50f15", lw=1.2, label="in")
        right.plot(table[time], table[flux_out], color="#08519c", lw=1.2, label="out")
        # the first inflow into an empty structure is without bound: show what follows
        top = min(float(table[flux_in].max()), 5 * float(table[flux_out].max()))
        right.set(xlabel="t (s)", ylabel=_head(flux_in).replace("flux in", "flux"))
        right.set_ylim(0, 1.05 * top or None)
        right.legend()
        for axis in (left, right):
            axis.margins(x=0)
        figure.savefig(file)
    return file


def draw_profiles(table: Table, file: Path, label: str) -> Path:
    """Mean of a field across the thickness at the output times."""
    position, *curves = table
    with style() as plt:
        figure, axis = plt.subplots(figsize=(4.2, 2.6), layout="constrained")
        times = [name.removeprefix("mean at ").split(" s")[0] for name in curves]
        values = (table[name] for name in curves)
        _over_time(plt, axis, table[position], dict(zip(times, values, strict=True)))
        axis.set(xlabel=_head(position), ylabel=label)
        axis.margins(x=0)
        figure.savefig(file)
    return file


def draw_front(table: Table, file: Path) -> Path:
    """Roughness and coverage of a growing front, and what is left before it, over the charge."""
    charge = next(head for head in table if head.startswith("charge"))
    curves = (
        (("R_a [um]",), "$R_a$ (µm)"),
        (("coverage", "length / width"), "over the width"),
        (("min c [mol/m^3]", "max c [mol/m^3]"), "c (mol/m³)"),
        (("current density [A/m^2]",), "current density (A/m²)"),
    )
    with style() as plt:
        figure, axes = plt.subplots(2, 2, figsize=(6.7, 4.4), layout="constrained", sharex=True)
        for axis, (heads, label) in zip(axes.flat, curves, strict=True):
            for head, color in zip(heads, ("#08519c", "#a50f15"), strict=False):
                axis.plot(
                    table[charge], table[head], color=color, lw=1.2, label=head.partition(" [")[0]
                )
            axis.set(ylabel=label)
            axis.margins(x=0)
            if len(heads) > 1:
                axis.legend()
        axes[0, 0].set_ylim(bottom=0.0)
        axes[1, 0].set_yscale("log")
        for axis in axes[1]:
            axis.set(xlabel=_head(charge))
        figure.savefig(file)
    return file


def draw_probe(table: Table, file: Path, title: str, label: Callable[[str], str]) -> Path:
    """Values along a line, at one or more times, or over time; one panel for each field.

    Args:
        table: Of a probe, more than one row.
        file: Where to write the picture.
        title: Above it.
        label: Gives the label of an axis for a field's name with unit.
    """
    position, *others = table
    fields: dict[str, list[tuple[str | None, str | None, str]]] = {}
    for head in others:
        match = _HEAD.fullmatch(head)
        if match is not None and not re.fullmatch(r"[xyz] \[um\]", head):
            statistic, name, time, unit = match.groups()
            fields.setdefault(name + (unit or ""), []).append((statistic, time, head))
    with style() as plt:
        figure, axes = plt.subplots(
            len(fields), 1, figsize=(6.7, 2.3 * len(fields)), layout="constrained", squeeze=False,
            sharex=True,
        )  # fmt: skip
        for axis, (field, columns) in zip(axes[:, 0], fields.items(), strict=True):
            by_statistic = {statistic: head for statistic, _, head in columns}
            if "mean" in by_statistic:
                low, high = (table[by_statistic[s]] for s in ("min", "max"))
                axis.fill_between(table[position], low, high, color="#9ecae1", lw=0, label="range")
                mean = table[by_statistic["mean"]]
                axis.plot(table[position], mean, color="#08519c", lw=1.2, label="mean")
                axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
            elif columns[0][1] is not None:
                curves = {str(time): table[head] for _, time, head in columns}
                _over_time(plt, axis, table[position], curves)
            else:
                axis.plot(table[position], table[columns[0][2]], color="#08519c", lw=1.2)
            axis.set(ylabel=label(field), xlim=(table[position].min(), table[position].max()))
        axes[0, 0].set_title(title, loc="left")
        axes[-1, 0].set_xlabel(_head(position))
        figure.savefig(file)
    return file


def _over_time(
    plt: Any, axis: Any, position: NDArray[np.float64], curves: Mapping[str, Any]
) -> None:
    """One curve for each time (s), dark to light."""
    shades = plt.get_cmap(COLORMAP)
    times = [float(time) for time in curves]
    evenly = np.linspace(0.0, 0.85, len(curves))
    for k, (time, values) in enumerate(curves.items()):
        shade = evenly[k] if len(curves) <= _MANY else 0.85 * times[k] / times[-1]
        axis.plot(position, values, color=shades(shade), lw=1.2, label=f"{time} s")
    if len(curves) <= _MANY:
        axis.legend(title="t", loc="center left", bbox_to_anchor=(1.0, 0.5))
        return
    part = plt.matplotlib.colors.ListedColormap(shades(np.linspace(0.0, 0.85, 256)))
    scale = plt.cm.ScalarMappable(plt.Normalize(0.0, times[-1]), part)
    bar = axis.figure.colorbar(scale, ax=axis, fraction=0.05, pad=0.015)
    bar.set_label("t (s)")
    bar.outline.set_linewidth(0.5)


def draw_force(table: Table, file: Path) -> Path:
    """Force over displacement of the balls: of all together, and of each."""
    displacement, total, *each = table
    path = np.append(0.0, table[displacement])
    with style() as plt:
        figure, axis = plt.subplots(figsize=(4.2, 2.6), layout="constrained")
        shades = plt.get_cmap(COLORMAP)(np.linspace(0.15, 0.85, len(each)))
        if len(each) > 1:
            axis.plot(path, np.append(0.0, table[total]), "o-", color="0.2", ms=3, lw=1.2,
                      label="all balls")  # fmt: skip
        for k, (head, shade) in enumerate(zip(each, shades, strict=True)):
            # balls that bear the same lie on one another: each marker is smaller than the last
            size = 3 + 4 * (1 - k / len(each)) if len(each) > 1 else 3
            label = head.removeprefix("force on ").partition(" [")[0]
            axis.plot(path, np.append(0.0, table[head]), "o-", color=shade, ms=size, mew=0, lw=1.2,
                      label=label)  # fmt: skip
        axis.set(xlabel=_head(displacement), ylabel=_head(total))
        axis.set_xlim(0, 1.02 * path[-1])
        axis.set_ylim(bottom=min(0.0, *(float(values.min()) for values in table.values())))
        if 1 < len(each) <= _MANY:
            axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(file)
    return file


def draw_impedance(table: Table, file: Path, circuit: Table | None = None) -> Path:
    """Nyquist's plot of a spectrum times area: points, decades, and the fitted circuit."""
    with style() as plt:
        figure, axis = plt.subplots(figsize=(4.6, 2.6), layout="constrained")
        frequency, x, y = _nyquist(table)
        if circuit is not None:
            _, real, imaginary = _nyquist(circuit)
            axis.plot(real, imaginary, color="0.45", lw=1.0, label="fitted circuit")
        axis.plot(x, y, "o", color="#08519c", ms=2.2, label="computed")
        decades, top = np.log10(frequency), float(y.max())
        for mark in range(int(np.ceil(decades.min())), int(np.floor(decades.max())) + 1):
            k = int(np.argmin(np.abs(decades - mark)))
            if y[k] > 0.1 * top:
                axis.plot(x[k], y[k], "o", color="#08519c", ms=4)
                rising = y[k] < y[min(k + 1, len(y) - 1)]  # with frequency: right of a summit
                axis.annotate(
                    f"$10^{{{mark}}}$ Hz", (x[k], y[k]), (5 if rising else -4, 3),
                    textcoords="offset points", fontsize=6.5, ha="left" if rising else "right",
                )  # fmt: skip
        axis.set(xlabel="Re Z (Ω cm²)", ylabel="−Im Z (Ω cm²)", aspect="equal")
        axis.set_ylim(0, 1.5 * top or None)
        axis.margins(x=0.15)
        if circuit is not None:
            axis.legend(loc="upper right")
        figure.savefig(file)
    return file


def _nyquist(table: Table) -> tuple[Any, Any, Any]:
    """Hz, and both parts of Z times area in ohm cm^2."""
    frequency, real, minus_imaginary = table.values()
    return frequency, 1e4 * real, 1e4 * minus_imaginary


def draw_history(table: Table, file: Path) -> Path:
    """Overpotential and smallest concentration of a cell over time."""
    time, low, overpotential, _ = table
    over = " (mol/m³)" if low.endswith("[mol/m^3]") else " / bulk"
    with style() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(6.7, 2.4), layout="constrained")
        left.plot(table[time], 1e3 * table[overpotential], color="#a50f15", lw=1.2)
        left.set(xlabel="t (s)", ylabel="overpotential (mV)")
        right.plot(table[time], table[low], color="#08519c", lw=1.2)
        right.set(xlabel="t (s)", ylabel=f"smallest concentration{over}")
        for axis in (left, right):
            axis.margins(x=0)
            axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
        figure.savefig(file)
    return file


def draw_together(
    rows: Sequence[tuple[str, Mapping[str, Sequence[Table]]]], labels: Sequence[str], file: Path
) -> Path:
    """The same curves of several cells, one row of panels for each way of driving them.

    Args:
        rows: A title, and name of the cell -> its tables, each a position and a value that
            follow one another; one panel for each table.
        labels: Of the panels' values.
        file: Where to write the picture.
    """
    with style() as plt:
        figure, axes = plt.subplots(
            len(rows), len(labels), figsize=(3.5 * len(labels), 2.4 * len(rows)),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for row, (title, cells) in zip(axes, rows, strict=True):
            for number, (axis, label) in enumerate(zip(row, labels, strict=True)):
                for (name, tables), (color, dashes) in zip(cells.items(), _CELLS, strict=False):
                    position, value, *_ = tables[number]
                    table = tables[number]
                    axis.plot(table[position], table[value], dashes, color=color, lw=1.3,
                              label=name)  # fmt: skip
                axis.set(xlabel=position.replace("[um]", "(µm)"), ylabel=label)
                axis.margins(x=0)
            row[0].set_title(title, loc="left")
            row[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(file)
    return file


def draw_mesh_study(table: Table, file: Path) -> Path:
    """Relative errors on the meshes of a study, or of an adaptive run, over their cells."""
    cells, *others = table
    errors = [name for name in others if name.startswith("error of ") or name == "relative error"]
    with style() as plt:
        figure, axis = plt.subplots(figsize=(4.6, 2.7), layout="constrained")
        shown: list[NDArray[np.float64]] = []
        for name in errors:
            # quantities that are proportional to another one share its curve
            if any(np.allclose(table[name], other, rtol=1e-3) for other in shown):
                continue
            shown.append(table[name])
            label = name.removeprefix("error of ").replace("_", " ")
            axis.loglog(table[cells], table[name], "o-", ms=3, lw=1.2, label=label)
        every = np.concatenate([*shown, [1e-16]])
        low, high = np.log10(every[every > 1e-16].min(initial=1.0)), np.log10(every.max())
        axis.set(xlabel="cells", ylabel="relative error")
        axis.set_ylim(10 ** np.floor(low), 10 ** np.ceil(high))
        axis.set_xticks(table[cells], [f"{count:,.0f}" for count in table[cells]])
        axis.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        if not shown:
            axis.set_title("no quantity changes with the mesh", loc="left")
        if len(shown) > 1:
            axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(file)
    return file


def _head(name: str) -> str:
    name = name.replace("[um]", "(µm)").replace("[", "(").replace("]", ")")
    return name.replace("^2", "²").replace("^3", "³")

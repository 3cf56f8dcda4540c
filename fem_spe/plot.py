"""Curves from the tables of result folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fem_spe.render.style import COLORMAP, style
from fem_spe.results import Table


def draw_profile(table: Table, file: Path, label: str) -> Path:
    """Mean and range of a field across the thickness."""
    position, mean, low, high = table
    with style() as plt:
        figure, axis = plt.subplots(figsize=(3.4, 2.5), layout="constrained")
        axis.fill_between(
            table[position],
            table[low],
            table[high],
            color="#9ecae1",
            lw=0,
            label="range in the slice",
        )
        axis.plot(table[position], table[mean], color="#08519c", lw=1.2, label="mean")
        axis.set(xlabel=_head(position), ylabel=label)
        axis.margins(x=0)
        axis.legend(loc="upper left")
        figure.savefig(file)
    return file


def draw_anode_flux(table: Table, file: Path, face: str) -> Path:
    """The normal flux density along the anode over its mean."""
    heads = list(table)
    with style() as plt:
        figure, axis = plt.subplots(figsize=(6.7, 2.2), layout="constrained")
        flux = table[heads[-1]]
        if len(heads) == 2:
            axis.plot(table[heads[0]], flux, color="#08519c", lw=0.8)
            axis.axhline(1.0, color="0.6", lw=0.6)
            axis.set(xlabel=_head(heads[0]), ylabel="flux / mean flux")
            axis.set_ylim(bottom=min(0.0, float(flux.min())))
            axis.margins(x=0)
        else:
            drawn = axis.tripcolor(table[heads[0]], table[heads[1]], flux, cmap=COLORMAP)
            axis.set(xlabel=_head(heads[0]), ylabel=_head(heads[1]), aspect="equal")
            figure.colorbar(drawn, ax=axis, label="flux / mean flux")
        axis.set_title(f"flux through the {face}", loc="left")
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
        colors = plt.get_cmap(COLORMAP)(np.linspace(0.0, 0.85, len(curves)))
        for name, color in zip(curves, colors, strict=True):
            shown = name.removeprefix("mean at ").split(" [")[0]
            axis.plot(table[position], table[name], color=color, lw=1.2, label=shown)
        axis.set(xlabel=_head(position), ylabel=label)
        axis.margins(x=0)
        axis.legend(title="t", loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(file)
    return file


def _head(name: str) -> str:
    return name.replace("[um]", "(µm)").replace("[", "(").replace("]", ")")

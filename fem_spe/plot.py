"""Curves from the tables of result folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fem_spe.render.style import style

Table = Mapping[str, NDArray[np.float64]]


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
            drawn = axis.tripcolor(table[heads[0]], table[heads[1]], flux, cmap="viridis")
            axis.set(xlabel=_head(heads[0]), ylabel=_head(heads[1]), aspect="equal")
            figure.colorbar(drawn, ax=axis, label="flux / mean flux")
        axis.set_title(f"flux through the {face}", loc="left")
        figure.savefig(file)
    return file


def _head(name: str) -> str:
    return name.replace("[um]", "(µm)")

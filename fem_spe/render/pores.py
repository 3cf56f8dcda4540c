"""Pore sizes as curves, beside the measured ones of Gou 2025, Fig. 5b, where asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fem_spe.render.style import style
from fem_spe.results import Table

_METHODS = {"local thickness": "-", "intrusion": "--"}
_COLORS = ("#08519c", "#d94801", "#238b45", "#6a51a3")


def draw_pores(
    tables: Mapping[str, Table], file: Path, measured: Mapping[str, float] | None = None
) -> Path:
    """Volume of the pores over their diameter.

    Args:
        tables: `pore_sizes` of one or more results, by the name that the legend shows.
        file: The picture.
        measured: Name -> diameter, um, of peaks that are marked.
    """
    with style() as plt:
        figure, axis = plt.subplots(figsize=(3.6, 2.6), layout="constrained")
        for color, (name, table) in zip(_COLORS, tables.items(), strict=False):
            diameter = table["diameter [um]"]
            for method, line in _METHODS.items():
                label = f"{name}, {method}" if name else method
                density = table[f"{method} [1/um]"]
                axis.plot(diameter, density, line, color=color, lw=1.2, label=label)
        for name, peak in (measured or {}).items():
            axis.axvline(peak, color="0.5", lw=0.8, ls=":")
            axis.annotate(
                name, (peak, 1.0), (2, -2), xycoords=("data", "axes fraction"),
                textcoords="offset points", rotation=90, va="top", fontsize=6, color="0.4",
            )  # fmt: skip
        axis.set(xlabel="pore diameter (µm)", ylabel="share of the pore volume (1/µm)")
        axis.set_xlim(left=0.0)
        axis.set_ylim(bottom=0.0)
        axis.legend()
        figure.savefig(file)
    return file

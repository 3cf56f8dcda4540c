"""Percentiles of the stress under balls: what the last halving of the mesh changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it
from fem_spe.verify.row import Row

_SECTION = {"kind": "fiber_section", "size": ["20 um", "10 um"], "fiber_fraction": 0.2}
_STRUCTURES: dict[str, dict[str, Any]] = {
    "random discs": {
        "arrangement": "random", "fiber_diameter": "2 um", "aspect": 1.0, "min_gap": "0.4 um",
        "seed": 1,
    },
    "parallel fibres": {"arrangement": "parallel", "fiber_diameter": "1 um", "cover": "0.8 um"},
}  # fmt: skip


def percentiles() -> Iterator[Row]:
    """99 % of the volume have less: on three meshes of a composite of contrast 190."""
    from fem_spe.case import parse
    from fem_spe.job import run

    for name, structure in _STRUCTURES.items():
        case = parse(
            {
                "study": "indentation",
                "geometry": {**_SECTION, **structure},
                "mesh": {"size": "2 um", "interface_size": "0.8 um", "study": 3},
                "materials": {"matrix": "pegda-sn-litfsi", "fiber": "pan"},
                "balls": {"radius": "4 um"},
                "indentation": {"displacement": "1 um", "contact_size": "0.4 um"},
                "output": {"figures": False},
            }
        )
        table = run(case).solution.tables["mesh_study"]
        for region in ("matrix", "fiber"):
            *_, before, last = table[f"p99_von_mises.{region} [Pa]"]
            change = abs(float(before / last) - 1.0)
            row = f"{name}: p99 in {region}, last halving"
            yield Row(row, float(before), float(last), change, 2e-2, "asked")

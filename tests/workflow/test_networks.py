"""Fibre networks from the case to numbers and pictures: exact bounds, planes, the Gmsh script."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fem_spe
from fem_spe.case import parse
from fem_spe.errors import MeshError
from fem_spe.exact import conduction
from fem_spe.geometry import FiberNetwork
from fem_spe.meshing import Sizes
from fem_spe.meshing.implicit import implicit_mesh
from fem_spe.results import read_table

ROOT = Path(__file__).parents[2]
UM = 1e-6
MATRIX = {"diffusivity": "2e-11 m^2/s"}
PERIODIC = {name: {"periodic": True} for name in ("left", "front", "bottom")}
NETWORK: dict[str, Any] = {
    "study": "diffusion",
    "title": "A network",
    "geometry": {
        "kind": "fiber_network", "size": ["12 um", "12 um", "8 um"], "fiber_diameter": "2 um",
        "fiber_fraction": 0.2, "seed": 2,
    },
    "materials": {"matrix": MATRIX, "fiber": "impermeable"},
    "output": {"figures": False},
}  # fmt: skip
# one endless fibre in a cube that repeats
ARRAY = NETWORK | {
    "geometry": {
        "kind": "fiber_network", "size": ["10 um", "10 um", "10 um"], "fiber_diameter": "5.1 um",
        "fiber_fraction": 0.2, "kappa": 1e12, "boundary": "periodic", "seed": 11,
    },
    "boundary": PERIODIC,
}  # fmt: skip


def relative(case: dict[str, Any], **changes: Any) -> float:
    """D_eff / D_matrix of `case` with dotted keys in which __ stands for the dot."""
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    found = fem_spe.run(fem_spe.parse(case, dotted))
    assert found.failed_checks == []
    return found.quantities["relative_diffusivity"].value


@pytest.mark.parametrize("contrast", [0.0, 0.1, 10.0])
def test_along_parallel_fibers_the_effective_value_is_that_of_layers(contrast: float) -> None:
    fiber = {"diffusivity": contrast * 2e-11} if contrast else "impermeable"
    found = relative(
        ARRAY, diffusion__direction="x", materials__fiber=fiber, mesh__interface_size="1.25 um"
    )
    exact = conduction.wiener_bounds(0.2, contrast)[1]
    assert found == pytest.approx(exact, rel=2e-4)  # the fraction is fitted to 1e-4


@pytest.mark.parametrize("contrast", [0.0, 10.0])
def test_across_a_square_array_of_fibers_the_value_is_the_exact_one(contrast: float) -> None:
    fiber = {"diffusivity": contrast * 2e-11} if contrast else "impermeable"
    exact = conduction.square_array(0.2, contrast)
    off = [
        relative(
            ARRAY, diffusion__direction="z", materials__fiber=fiber, mesh__size=f"{h} um",
            mesh__interface_size=f"{h} um",
        ) / exact - 1
        for h in (1.25, 0.625)
    ]  # fmt: skip
    assert 0 < off[1] < 0.006
    assert off[1] < off[0] / 2.5  # towards second order


def test_a_network_of_crossing_fibers_lies_within_the_bounds() -> None:
    found = relative(NETWORK)
    upper = 0.8 / (1 + 0.2 / 2)  # Hashin & Shtrikman, J. Appl. Phys. 33 (1962) 3125: holes
    assert 0.6 < found < upper


def test_a_run_writes_the_fibers_and_draws_them(tmp_path: Path) -> None:
    case = fem_spe.parse(NETWORK, {"output.figures": True, "geometry.waviness": 0.1})
    result = fem_spe.run(case, output=tmp_path / "r")
    assert result.quantities["fiber_fraction"].value == pytest.approx(0.2, rel=2e-3)
    table = read_table(tmp_path / "r" / "tables" / "fibers.csv")
    assert set(table) == {"fiber", "x [um]", "y [um]", "z [um]", "radius [um]"}
    with Image.open(tmp_path / "r" / "figures" / "network.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 2000


def test_a_second_mesh_of_the_same_case_is_equal_bit_for_bit() -> None:
    spec = FiberNetwork(size=(12 * UM, 12 * UM, 8 * UM), fiber_diameter=2 * UM, fiber_fraction=0.2)
    first, again = (implicit_mesh(spec.build(), Sizes(1 * UM, 0.8 * UM)) for _ in range(2))
    for name in ("points", "cells", "cell_tags", "facets", "facet_tags"):
        assert np.array_equal(getattr(first, name), getattr(again, name))


def test_cells_larger_than_the_thinnest_fiber_are_refused() -> None:
    with pytest.raises(MeshError, match=r"more than half of the thinnest fiber.*interface_size ="):
        fem_spe.run(fem_spe.parse(NETWORK, {"mesh.interface_size": "1.2 um", "mesh.size": "2 um"}))


@pytest.mark.mpi
def test_two_ranks_give_the_numbers_of_one(fem_spe: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'study = "diffusion"\n[geometry]\nkind = "fiber_network"\nseed = 2\nfiber_fraction = 0.2\n'
        'size = ["12 um", "12 um", "8 um"]\nfiber_diameter = "2 um"\n'
        '[materials]\nmatrix = { diffusivity = "2e-11 m^2/s" }\nfiber = "impermeable"\n'
        "[output]\nfigures = false\n",
        encoding="utf-8",
    )
    found = []
    for ranks in (1, 2):
        done = fem_spe("run", "c.toml", "-o", f"r{ranks}", cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
        summary = json.loads((tmp_path / f"r{ranks}" / "summary.json").read_text("utf-8"))
        found.append({n: q["value"] for n, q in summary["quantities"].items()})
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        assert found[1][name] == pytest.approx(value, rel=1e-8), name


def test_a_plane_of_a_network_runs_as_a_section() -> None:
    case = fem_spe.load(ROOT / "workflows" / "gou2025" / "fig2b_3d_aligned_slice.toml")
    result = fem_spe.run(case.with_(**{"output.figures": False}))
    assert result.failed_checks == []
    assert result.domain is not None
    assert result.domain.dimension == 2
    assert 0.6 < result.quantities["relative_diffusivity"].value < 0.7


def test_the_script_adds_a_tab_that_a_case_can_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "network.msh"
    monkeypatch.setattr(sys, "argv", ["fiber_network.py", "-o", str(file)])
    runpy.run_path(str(ROOT / "meshes" / "fiber_network.py"))
    case = {
        "study": "diffusion",
        "geometry": {"kind": "mesh_file", "file": str(file)},
        "materials": {"matrix": MATRIX, "fiber": "impermeable"},
        "boundary": {"tab": {"concentration": 1000.0}, "bottom": {"concentration": 0.0}},
        "output": {"figures": False},
    }
    found = fem_spe.run(fem_spe.parse(case))
    assert found.failed_checks == []
    # less than through a whole top without fibres
    assert 0 < found.quantities["flux_in"].value < 2e-11 * 1000 / (10 * UM) * (20 * UM) ** 2


@pytest.mark.parametrize("along", [[], ["bottom"]])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_periodic_network_whose_holes_begin_at_its_sides(seed: int, along: list[str]) -> None:
    """Where a cell's image is a hole its side is interface, and electrodes go round all sides."""
    result = fem_spe.run(
        parse(
            {
                "study": "diffusion",
                "geometry": {
                    "kind": "fiber_network",
                    "size": ["20 um", "20 um", "10 um"],
                    "fiber_diameter": "2 um",
                    "fiber_fraction": 0.15,
                    "boundary": "periodic",
                    "seed": seed,
                },
                "mesh": {"size": "4 um", "interface_size": "0.9 um"},
                "materials": {"matrix": {"diffusivity": 2e-11}, "fiber": "impermeable"},
                "diffusion": {"direction": "z"},
                "boundary": {side: {"periodic": True} for side in ["left", "front", *along]},
                "output": {"figures": False},
            }
        )
    )
    assert result.failed_checks == []
    # between the bounds of Wiener, and close to those of Hashin and Shtrikman
    assert 0.7 < result.quantities["relative_diffusivity"].value < 0.85

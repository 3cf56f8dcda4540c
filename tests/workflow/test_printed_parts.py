"""Printed parts from the command line to pictures, and currents through them."""

from __future__ import annotations

import runpy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
from PIL import Image

import fem_spe as package
from fem_spe.results import read_summary

Done = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[2]
MESHES = ROOT / "meshes" / "mu2024"
ELECTROLYTE, CATHODE = 0.0315, 0.01  # S/m, of the template
CELLS = ("quarter", "unit")
SEPARATED = ("lithium", "electrolyte", "separator")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, fem_spe: Callable[..., Done]) -> Path:
    """The folder of the template and its result."""
    folder = tmp_path_factory.mktemp("printed")
    for words in (("new", "printed"), ("run", "printed.toml", "-o", "result")):
        done = fem_spe(*words, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def current(folder: Path, **changes: Any) -> float:
    """Current density through the top of the template with other values, A/m^2."""
    case = package.load(folder / "printed.toml", {"output.figures": False, **changes})
    found = package.run(case)
    assert found.failed_checks == []
    x, y, _ = found.domain.size
    return found.quantities["current.top"].value / (x * y)


def test_the_template_runs_and_draws_its_structure(template: Path) -> None:
    result = template / "result"
    assert read_summary(result)["status"] == "done"
    pixels = np.asarray(Image.open(result / "figures" / "structure.png").convert("RGB")).astype(int)
    red, green, blue = pixels.reshape(-1, 3).T
    assert np.mean((red > blue + 60) & (green > blue + 40)) > 0.01  # electrolyte
    assert np.mean((blue > red + 10) & (red < 120)) > 0.01  # cathode
    grey = (np.ptp(pixels, axis=2) < 12) & (np.abs(pixels[..., 0] - 160) < 60)
    assert np.mean(grey) > 0.01  # lithium


def test_a_flat_film_is_resistances_in_series_and_pillars_help_the_cathode(template: Path) -> None:
    flat = {
        "geometry": {
            "kind": "printed", "pattern": "flat", "base": "75 um", "pitch": "75 um",
            "lithium": "30 um", "cathode": "100 um",
        }
    }  # fmt: skip
    series = 0.01 / (75e-6 / ELECTROLYTE + 100e-6 / CATHODE)
    assert current(template, **flat) == pytest.approx(series, rel=1e-9)
    # in place of a conductor pillars can but hinder the current (Rayleigh): what they give the
    # anode is area alone
    assert 0.99 * series < current(template) < series
    # reaching into a cathode that conducts less they carry the current into it
    up = {"geometry.facing": "cathode", "geometry.cathode": "200 um", "geometry.lithium": "30 um"}
    thick = 0.01 / (75e-6 / ELECTROLYTE + 200e-6 / CATHODE)
    most = thick * 1.5
    assert 1.05 * thick < current(template, **up) < most


def test_lithium_that_is_not_meshed_gives_the_same_current(template: Path) -> None:
    meshed = current(template)
    sizes = {"mesh.size": "10 um", "mesh.interface_size": "10 um"}
    bare = package.load(template / "printed.toml").to_dict()
    del bare["materials"]["lithium"]
    bare["geometry"]["lithium"] = "0 um"
    bare["output"]["figures"] = False
    found = package.run(package.parse(bare, sizes))
    x, y, _ = found.domain.size
    assert found.quantities["current.top"].value / (x * y) == pytest.approx(meshed, rel=2e-3)


def test_cells_by_symmetry_carry_the_same(template: Path) -> None:
    sizes = {"mesh.size": "25 um", "mesh.interface_size": "20 um", "solver.degree": 2}
    up = {"geometry.facing": "cathode", "geometry.cathode": "200 um", "geometry.lithium": "50 um"}
    quarter, unit = (current(template, **sizes, **up, **{"geometry.cell": c}) for c in CELLS)
    assert quarter == pytest.approx(unit, rel=1e-3)


@pytest.mark.mpi
def test_two_ranks_find_the_same(template: Path, fem_spe: Callable[..., Done]) -> None:
    words = ("run", "printed.toml", "-o", "two", "--set", "output.figures=false")
    done = fem_spe(*words, cwd=template, ranks=2)
    assert done.returncode == 0, done.stderr
    one, two = (read_summary(template / name)["quantities"] for name in ("result", "two"))
    assert two["current.top"]["value"] == pytest.approx(one["current.top"]["value"], rel=1e-9)


def test_an_impermeable_electrode_leaves_its_interface(template: Path) -> None:
    geometry = package.load(template / "printed.toml").to_dict()["geometry"]
    case = {
        "study": "diffusion",
        "geometry": geometry,
        "materials": {
            "electrolyte": {"diffusivity": 1e-11}, "cathode": {"diffusivity": 1e-12},
            "lithium": "impermeable",
        },
        "boundary": {
            "electrolyte-lithium": {"concentration": 1000.0}, "top": {"concentration": 0.0},
        },
        "output": {"figures": False},
    }  # fmt: skip
    found = package.run(package.parse(case))
    assert found.failed_checks == []
    assert set(found.domain.regions) == {"electrolyte", "cathode"}


def test_a_geometry_file_is_meshed_alone(tmp_path: Path, fem_spe: Callable[..., Done]) -> None:
    done = fem_spe("mesh", MESHES / "double.toml", "-o", "double.vtu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "electrolyte-cathode" in done.stdout
    assert len(np.unique(meshio.read(tmp_path / "double.vtu").cell_data["region"][0])) == 3


def test_a_spiral_thicker_than_its_pitch_ends_in_one_line(
    tmp_path: Path, fem_spe: Callable[..., Done]
) -> None:
    words = ("--set", "geometry.width=320 um", "--set", "geometry.pitch=300 um")
    text = (MESHES / "spiral.toml").read_text(encoding="utf-8").replace('gap = "200 um"\n', "")
    (tmp_path / "case.toml").write_text(
        f'study = "diffusion"\nmaterials = {{ electrolyte = "llzto" }}\n[geometry]\n{text}', "utf-8"
    )
    done = fem_spe("run", "case.toml", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert "320 um is not below pitch = 300 um" in done.stderr
    assert "\n" not in done.stderr.strip()


def test_the_script_adds_a_part_of_ones_own_and_its_mesh_runs(
    python: Callable[..., Done], tmp_path: Path
) -> None:
    script = (ROOT / "meshes" / "printed_pillars.py").read_text(encoding="utf-8")
    done = python(script, "-o", "pillars.msh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "regions lithium, electrolyte, separator" in done.stdout
    case = {
        "study": "diffusion",
        "geometry": {"kind": "mesh_file", "file": str(tmp_path / "pillars.msh")},
        "materials": {name: {"diffusivity": 1e-11} for name in SEPARATED},
        "output": {"figures": False},
    }
    found = package.run(package.parse(case))
    assert found.quantities["effective_diffusivity"].value == pytest.approx(1e-11, rel=1e-9)
    assert found.domain.size[2] == pytest.approx(300e-6)


def test_the_montage_draws_a_part_beside_another(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "workflows" / "mu2024" / "fig2.py"))
    panels = dict(list(script["PANELS"].items())[:1])
    assert all((MESHES / f"{name}.toml").is_file() for name, _ in script["PANELS"].values())
    script["main"].__globals__["PANELS"] = panels
    script["main"](tmp_path / "fig2.png")
    picture = np.asarray(Image.open(tmp_path / "fig2.png").convert("RGB")).astype(int)
    assert np.mean(picture[..., 0] > picture[..., 2] + 60) > 0.02

"""The cases, geometry files and scripts that come with the project run."""

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista
from PIL import Image

import fem_spe
from fem_spe.case.load import load_geometry
from fem_spe.errors import CaseError
from fem_spe.figures import draw, panel
from fem_spe.render import on_face
from fem_spe.render.field import image
from fem_spe.results import read_summary

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "workflows").glob("*/*.toml"))
GEOMETRIES = sorted((ROOT / "meshes").glob("*/*.toml"))
COARSE = {"mesh.size": "4 um", "mesh.interface_size": "1 um"}
COARSE_NETWORK = {"mesh.size": "4 um", "mesh.interface_size": "2 um"}
NARROW = {"time.rtol": 1e-3, "geometry.size": ["3 um", "45 um"]}  # without structure: as wide
SHORT = {"dendrite.charge": "0.15 mA*h/cm^2"}
SHALLOW = {"indentation.displacement": "0.05 um", "indentation.steps": 1}
SMALL = """
title = "LASE, small"
study = "diffusion"
[geometry]
kind = "fiber_section"
arrangement = "alternating"
size = ["60 um", "30 um"]
count = [6, 3]
fiber_fraction = 0.1
filler_fraction = 0.1
[materials]
matrix = "pegda-sn-litfsi"
fiber = "impermeable"
filler = "llzto"
"""


@pytest.fixture(scope="module")
def small_result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "case.toml").write_text(SMALL, encoding="utf-8")
    fem_spe.run(fem_spe.load(folder / "case.toml"), output=folder / "result")
    return folder / "result"


def colors_inside(picture: Path) -> int:
    """Distinct colours in the middle of a picture: few where nothing was drawn."""
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    height, width, _ = pixels.shape
    inside = pixels[height // 3 : 2 * height // 3, width // 4 : 3 * width // 4]
    return len(np.unique(inside.reshape(-1, 3), axis=0))


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.stem)
def test_each_case_runs_on_a_coarse_mesh_and_passes_its_checks(case: Path) -> None:
    loaded = fem_spe.load(case, {"output.figures": False})
    result = fem_spe.run(loaded.with_(**quick(loaded)))
    assert result.failed_checks == []
    if loaded.study == "diffusion":
        assert 0.4 < result.quantities["relative_diffusivity"].value < 0.8


def quick(case: fem_spe.Case) -> dict[str, Any]:
    """What makes the case coarse, narrow, short or shallow."""
    if case.study == "diffusion":
        return COARSE_NETWORK if case.geometry.kind == "fiber_network" else COARSE
    if case.study == "nernst_planck" and case.time:
        return NARROW
    if case.study == "indentation":
        if case.balls is not None and not case.balls.rigid:
            return SHALLOW
        return {"solver.degree": 1} if len(case.geometry.size) == 3 else {}
    return SHORT if case.study == "dendrite" else {}


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda p: p.stem)
def test_each_geometry_file_belongs_to_a_case(geometry: Path) -> None:
    kind = load_geometry(geometry)["kind"]
    assert kind in ("fiber_section", "fiber_network", "printed")
    if (
        kind != "printed"
    ):  # which are variants of one: tests/workflow/test_printed_parts.py meshes each
        assert any(geometry.name in case.read_text(encoding="utf-8") for case in CASES)


def test_a_run_draws_its_pictures(small_result: Path) -> None:
    figures = {f.name: f for f in (small_result / "figures").glob("*.png")}
    assert set(figures) == {"concentration.png", "mesh.png", "profile.png", "anode_flux.png"}
    assert colors_inside(figures["concentration.png"]) > 500
    assert colors_inside(figures["mesh.png"]) > 20
    assert read_summary(small_result)["status"] == "done"


def test_pictures_show_path_lines_and_holes(small_result: Path) -> None:
    field = panel(small_result).field
    bare, lined = (image(field, "concentration", (0.0, 1.0), n).astype(int) for n in (0, 12))
    white = [(picture > 240).all(axis=2).mean() for picture in (bare, lined)]
    assert white[0] == 0
    assert white[1] > 0.005
    grey = (np.abs(bare - 0xD9).max(axis=2) < 3).mean()
    assert grey == pytest.approx(0.1, abs=0.01)  # the share of the impermeable fibres


def test_pictures_of_three_dimensions(tmp_path: Path) -> None:
    case = fem_spe.parse(
        {
            "title": "long " * 30,  # a title of any length keeps to its picture
            "study": "diffusion",
            "geometry": {"kind": "box", "size": [1e-5, 1e-5, 2e-5]},
            "mesh": {"size": 4e-6},
            "materials": {"matrix": {"diffusivity": 1e-11}},
            "output": {"figures": False},
        }
    )
    fem_spe.run(case, output=tmp_path / "box")
    drawn = draw(tmp_path / "box")
    assert [(np.asarray(Image.open(f))[:, [0, -1]] > 250).all() for f in drawn] == [True] * 3
    assert [f.name for f in drawn] == ["concentration.png", "profile.png", "anode_flux.png"]
    assert colors_inside(drawn[0]) > 200
    for part in (tmp_path / "box" / "fields").glob("*.vtu"):
        part.unlink()
    with pytest.raises(CaseError, match=r"fields/\*.pvd are missing or cannot be read"):
        draw(tmp_path / "box")


def test_a_face_in_three_dimensions_is_not_shown_where_it_has_holes() -> None:
    whole = pyvista.ImageData(dimensions=(5, 5, 3), spacing=(1e-6,) * 3).cast_to_unstructured_grid()
    x, y, _ = whole.cell_centers().points.T
    grid = whole.extract_cells(np.flatnonzero((x > 1e-6) | (y > 1e-6)))
    places = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [3.5, 3.5]])
    assert on_face(grid, 2, places).tolist() == [False, True, True, True]


def test_the_visualisation_script_draws_several_results(small_result: Path, tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "workflows" / "visualize_fields.py"))
    output = tmp_path / "both.png"
    assert script["main"]([str(small_result), str(small_result), "-o", str(output)]) == 0
    assert colors_inside(output) > 500
    assert (tmp_path / "both_anode_flux.png").exists()
    assert script["main"]([str(tmp_path)]) == 2
    potential = {
        "study": "electrostatics",
        "geometry": {"kind": "box", "size": [1e-5, 1e-5]},
        "mesh": {"size": 4e-6},
        "materials": {"matrix": {"permittivity": 40}},
        "output": {"figures": False},
    }
    fem_spe.run(fem_spe.parse(potential), output=tmp_path / "other")
    assert script["main"]([str(tmp_path / "other"), "-o", str(output)]) == 2


def test_the_comparison_fits_one_number_and_predicts_the_rest() -> None:
    sys.path.insert(0, str(ROOT / "workflows" / "gou2025"))
    try:
        table = runpy.run_path(str(ROOT / "workflows" / "gou2025" / "fig2b.py"))["table"]
    finally:
        sys.path.pop(0)
    relative = {"rse": 0.5, "ase": 0.665, "lase": 0.7}
    text = table(relative, dict.fromkeys(relative, 1.1), np.array([0.5, 0.5]), 2.0, 0.6)
    assert "σ_matrix = 2.000 mS/cm, to ASE alone" in text
    assert "| RSE | 0.500 ± 0.000 (2 seeds) | 1.100 | 1.00 | 1.06 | 1.000 |" in text
    assert "| LASE | 0.7000 | 1.100 | 1.40 | 1.46 | 1.400 | 1.377 | LLZTO 60%" in text

"""Structures without a mesh: measured, conducted through, written and read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

NETWORK = """
[geometry]
kind = "fiber_network"
size = ["12 um", "12 um", "6 um"]
fiber_diameter = "1.5 um"
fiber_count = 12
kappa = 2
seed = 4
"""
MEASURED = f'study = "structure"\n{NETWORK}[mesh]\nvoxel = "0.3 um"\n'
CONDUCTED = f"""study = "diffusion"
{NETWORK}
[materials]
matrix = {{ diffusivity = "2e-11 m^2/s" }}
fiber = "impermeable"
[output]
figures = false
"""
IMAGE = """study = "diffusion"
[geometry]
kind = "image"
file = "a.tif"
voxel_size = "0.1875 um"
[materials]
matrix = { diffusivity = "2e-11 m^2/s" }
fiber = "impermeable"
[output]
figures = false
"""


@pytest.fixture
def file(tmp_path):
    """`file(text)`: a case file of that text."""

    def write(text: str, name: str = "case.toml") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text("utf-8"))


def values(folder: Path) -> dict[str, float]:
    return {name: q["value"] for name, q in summary(folder)["quantities"].items()}


@pytest.mark.mpi
def test_a_structure_is_measured_alike_on_one_and_two_ranks(fem_spe, file, tmp_path):
    case = file(MEASURED)
    for ranks in (1, 2):
        drawn = f"output.figures={str(ranks == 1).lower()}"  # the other rank only waits for it
        words = ("-o", f"r{ranks}", "--set", drawn)
        done = fem_spe("run", case, *words, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
    one, two = tmp_path / "r1", tmp_path / "r2"
    assert values(one) == values(two)
    assert summary(two)["provenance"]["ranks"] == 2
    assert summary(one)["mesh"]["cells"] == 0
    assert summary(one)["mesh"]["min_quality"] is None
    assert (one / "figures" / "pore_sizes.png").stat().st_size > 5000
    found = values(one)
    assert found["matrix_fraction"] + found["fiber_fraction"] == pytest.approx(1.0)
    # tubes: surface over volume is 4 / d, less where they cross and cut a corner of the box
    tubes = 4.0 * found["fiber_fraction"] / 1.5e-6
    assert 0.8 * tubes < found["specific_surface"] < tubes
    assert 0 < found["order_parameter"] < found["order_parameter_plane"] < 1
    for axis in "xyz":
        assert 1.0 <= found[f"path_tortuosity_{axis}"] < 1.2
    assert 1e-6 < found["mean_intrusion_size"] <= found["mean_pore_size"] < 6e-6
    assert found["percolates_z.matrix"] == 1
    assert found["percolates_z.fiber"] in (0, 1)
    assert found["connected_share.matrix"] > 0.99


@pytest.mark.mpi
def test_the_voxel_path_is_alike_on_two_ranks_and_agrees_with_the_mesh(fem_spe, file, tmp_path):
    case, voxel = file(CONDUCTED), ["--set", "diffusion.method=voxel"]
    for name, ranks, sets in (
        ("fem", 1, ["--set", "mesh.interface_size=0.3 um", "--set", "mesh.size=0.9 um"]),
        ("one", 1, voxel),
        ("two", 2, voxel),
    ):
        done = fem_spe("run", case, *sets, "-o", name, cwd=tmp_path, ranks=ranks)
        assert done.returncode == 0, done.stderr
    assert values(tmp_path / "one") == values(tmp_path / "two")
    key = "relative_diffusivity"
    found = summary(tmp_path / "one")["quantities"][key]
    mesh = summary(tmp_path / "fem")["quantities"][key]["value"]
    assert abs(found["value"] - mesh) < found["error"] < 0.1
    assert "8 voxels per thinnest part" in found["description"]
    assert 'voxel = "0.1875 um"' in (tmp_path / "one" / "case.toml").read_text("utf-8")


def test_a_network_written_as_an_image_conducts_as_before(fem_spe, file, tmp_path):
    case = file(CONDUCTED)
    done = fem_spe("mesh", case, "-o", "a.tif", "--set", "mesh.voxel=0.1875 um", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "64 x 64 x 32 voxels of 0.1875 um" in done.stdout
    image = file(IMAGE, "image.toml")
    sizes = ["--set", "mesh.interface_size=0.25 um", "--set", "mesh.size=0.5 um"]
    for name, source in (("network", case), ("image", image)):
        done = fem_spe("run", source, *sizes, "-o", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    network, read = values(tmp_path / "network"), values(tmp_path / "image")
    assert read["relative_diffusivity"] == pytest.approx(network["relative_diffusivity"], rel=0.02)
    assert read["fiber_fraction"] == pytest.approx(network["fiber_fraction"], rel=0.02)
    # the same voxels, read from the file or made from the network
    voxel = ["--set", "diffusion.method=voxel"]
    for name, source in (("network", case), ("image", image)):
        fem_spe("run", source, *voxel, "-o", f"{name}_v", cwd=tmp_path)
    assert values(tmp_path / "network_v")["relative_diffusivity"] == pytest.approx(
        values(tmp_path / "image_v")["relative_diffusivity"], rel=1e-12
    )


def test_what_is_wrong_is_one_line_and_leaves_no_folder(fem_spe, file, tmp_path):
    labels = np.zeros((8, 8, 8), dtype=np.uint8)
    for name, values_ in (("one", labels), ("shut", labels.copy())):
        values_[:, :, 4] = name == "shut"
        np.save(tmp_path / f"{name}.npy", values_)
    for image, sets, words in (
        ("one.npy", [], "the image is all matrix"),
        ("shut.npy", ["diffusion.method=voxel"], "no path leads through"),
        ("none.npy", [], "there is no image"),
        ("shut.npy", ["mesh.voxel=1 um", "diffusion.method=voxel"], "voxel_size"),
        ("shut.npy", ["study=structure", "structure.pores=fibre"], "did you mean 'fiber'"),
    ):
        case = file(IMAGE.replace("a.tif", image))
        changes = [word for pair in sets for word in ("--set", pair)]
        done = fem_spe("run", case, *changes, "-o", "r", cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert words in last
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("kind", ["image", "structure"])
def test_the_templates_run(fem_spe, tmp_path, kind):
    assert fem_spe("new", kind, cwd=tmp_path).returncode == 0
    if kind == "image":
        import tifffile

        grey = np.full((16, 20, 24), 40, dtype=np.uint8)  # pages z, rows y, columns x
        grey[5:9, :, 8:16] = 200
        tifffile.imwrite(tmp_path / "image.tif", grey)
    sets = ["--set", "output.figures=false"]
    done = fem_spe("run", f"{kind}.toml", *sets, "-o", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if kind == "image":
        assert values(tmp_path / "r")["fiber_fraction"] == pytest.approx(4 * 8 / 16 / 24)

"""Mesh files: written and read back, with names from numbers, and refused with what would work."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gmsh
import meshio
import numpy as np
import pytest

import fem_spe
from fem_spe.domain import MeshArrays
from fem_spe.errors import CaseError, FemSpeError, MeshError
from fem_spe.geometry import AlignedSection, Box, MeshFile
from fem_spe.meshing import MeshPlan, Sizes, mesh_arrays

Done = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[2]
UM = 1e-6
MATERIALS = {"matrix": {"diffusivity": "2e-11 m^2/s"}, "fiber": {"diffusivity": "4e-13 m^2/s"}}
SECTION = {
    "kind": "fiber_section", "arrangement": "aligned", "size": ["20 um", "10 um"],
    "count": [4, 2], "fiber_fraction": 0.2,
}  # fmt: skip
SPEC = AlignedSection(size=(20 * UM, 10 * UM), count=(4, 2), fiber_fraction=0.2)


def run(geometry: dict[str, Any], **tables: Any) -> dict[str, Any]:
    """Quantities of a steady run."""
    case = {"study": "diffusion", "materials": MATERIALS, "output": {"figures": False}}
    result = fem_spe.run(fem_spe.parse({**case, "geometry": geometry, **tables}))
    return dict(result.quantities)


def relative(geometry: dict[str, Any], **tables: Any) -> float:
    return float(run(geometry, **tables)["relative_diffusivity"].value)


def read(file: Path, **more: Any) -> MeshArrays:
    return mesh_arrays(MeshPlan(MeshFile(file=str(file), **more), Sizes(0.0, 0.0)))


def section(order: int = 1) -> MeshArrays:
    return mesh_arrays(MeshPlan(SPEC.build(), Sizes(1.5 * UM, 0.5 * UM, order)))


def save(
    arrays: MeshArrays, file: Path, faces: bool = False, unit: float = 1.0, **more: Any
) -> None:
    """Write `arrays` by meshio, with numbers instead of names, lengths in `unit` (m)."""
    dimension = arrays.points.shape[1]
    kinds = {(2, 1): "triangle", (2, 2): "triangle6", (3, 1): "tetra", (3, 2): "tetra10"}
    edges = {(2, 1): "line", (2, 2): "line3", (3, 1): "triangle"}
    nodes = arrays.cells
    if nodes.shape[1] == 10:
        nodes = nodes[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]
    cells = [(kinds[dimension, arrays.order], nodes)]
    tags = [arrays.cell_tags]
    if faces:
        cells.append((edges[dimension, arrays.order], arrays.facets))
        tags.append(arrays.facet_tags)
    points = np.zeros((len(arrays.points), 3))
    points[:, :dimension] = arrays.points / unit
    key = "nastran:ref" if file.suffix in (".nas", ".bdf") else "region"
    meshio.write(file, meshio.Mesh(points, cells, cell_data={key: tags}), **more)


@pytest.mark.parametrize("boundary", ["cut", "periodic"])
def test_a_mesh_written_as_msh_gives_the_same_numbers_as_the_case_itself(
    fem_spe: Callable[..., Done], tmp_path: Path, boundary: str
) -> None:
    (tmp_path / "case.toml").write_text(
        f"""
study = "diffusion"
[geometry]
kind = "fiber_section"
arrangement = "random"
size = ["30 um", "20 um"]
fiber_diameter = "4 um"
fiber_fraction = 0.3
aspect = 2
boundary = "{boundary}"
[mesh]
size = "2 um"
[materials]
matrix = {{ diffusivity = "2e-11 m^2/s" }}
fiber = {{ diffusivity = "4e-13 m^2/s" }}
""",
        encoding="utf-8",
    )
    done = fem_spe("mesh", "case.toml", "-o", "section.msh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    import fem_spe as package

    case = package.load(tmp_path / "case.toml", {"output.figures": False})
    direct = package.run(case).quantities
    again = run({"kind": "mesh_file", "file": str(tmp_path / "section.msh")})
    assert set(again) == set(direct)
    for name, quantity in direct.items():
        assert again[name].value == pytest.approx(quantity.value, rel=1e-9), name


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("suffix", [".nas", ".bdf", ".vtu", ".xdmf"])
def test_a_mesh_with_numbers_only_is_named_by_the_case_and_its_sides_are_found(
    tmp_path: Path, suffix: str, order: int
) -> None:
    file, arrays = tmp_path / f"section{suffix}", section(order)
    save(arrays, file)
    named = {"matrix": arrays.regions["matrix"], "fiber": arrays.regions["fiber"]}
    back = read(file, regions=named)
    assert back.order == order
    assert len(back.cells) == len(arrays.cells)
    assert set(back.faces) == {"left", "right", "bottom", "top", "matrix-fiber"}
    for name in back.faces:
        number, wanted = (int(np.sum(a.facet_tags == a.faces[name])) for a in (back, arrays))
        assert number == wanted, name
    found = relative({"kind": "mesh_file", "file": str(file), "regions": named})
    direct = relative(SECTION, mesh={"size": 1.5 * UM, "interface_size": 0.5 * UM, "order": order})
    assert found == pytest.approx(direct, rel=1e-6)  # NASTRAN has ten digits


@pytest.mark.parametrize("order", [1, 2])
def test_tetrahedra_from_nastran_are_named_and_the_slabs_are_exact(
    tmp_path: Path, order: int
) -> None:
    box = Box(size=(4 * UM, 3 * UM, 5 * UM), layers={"matrix": 2 * UM, "filler": 3 * UM})
    arrays = mesh_arrays(MeshPlan(box, Sizes(1.5 * UM, 1.5 * UM, order)))
    file = tmp_path / "slabs.nas"
    save(arrays, file)
    geometry = {
        "kind": "mesh_file", "file": str(file), "regions": {"matrix": 1, "filler": 2}
    }  # fmt: skip
    materials = {"matrix": {"diffusivity": 1e-11}, "filler": {"diffusivity": 4e-11}}
    back = read(file, regions=geometry["regions"])
    assert back.order == order
    assert set(back.faces) == {
        "left", "right", "front", "back", "bottom", "top", "matrix-filler"
    }  # fmt: skip
    value = relative(geometry, materials=materials)
    assert value == pytest.approx(5.0 / (2.0 + 3.0 / 4.0), rel=1e-6)


def test_lengths_of_a_file_are_scaled(tmp_path: Path) -> None:
    file, arrays = tmp_path / "microns.nas", section()
    save(arrays, file, unit=UM)
    back = read(file, regions={"matrix": 1, "fiber": 2}, scale=UM)
    assert np.ptp(back.points, axis=0) == pytest.approx([20 * UM, 10 * UM])


def test_faces_of_a_file_keep_the_names_given_and_an_impermeable_region_is_left_out(
    tmp_path: Path,
) -> None:
    file, arrays = tmp_path / "section.vtu", section()
    save(arrays, file, faces=True)
    geometry = {
        "kind": "mesh_file", "file": str(file), "regions": {"matrix": 1, "fiber": 2},
        "faces": {"anode": arrays.faces["bottom"]},
    }  # fmt: skip
    back = read(file, regions=geometry["regions"], faces=geometry["faces"])
    assert np.sum(back.facet_tags == back.faces["anode"]) == np.sum(
        arrays.facet_tags == arrays.faces["bottom"]
    )
    assert "bottom" not in back.faces
    with pytest.raises(MeshError, match="no face 'bottom'; it has: anode, left"):
        relative(geometry)
    del geometry["faces"]
    materials = {**MATERIALS, "fiber": "impermeable"}
    found = relative(geometry, materials=materials)
    sizes = {"size": 1.5 * UM, "interface_size": 0.5 * UM, "order": 1}
    direct = relative(SECTION, materials=materials, mesh=sizes)
    assert found == pytest.approx(direct, rel=1e-2)


@pytest.mark.parametrize("suffix", [".vtu", ".xdmf"])
def test_written_meshes_are_read_by_meshio_with_their_regions(
    fem_spe: Callable[..., Done], tmp_path: Path, small_case: Path, suffix: str
) -> None:
    text = small_case.read_text(encoding="utf-8").replace(
        '"impermeable"', "{ diffusivity = 1e-12 }"
    )
    small_case.write_text(text, encoding="utf-8")
    file = tmp_path / f"mesh{suffix}"
    done = fem_spe("mesh", small_case, "-o", file, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    mesh = meshio.read(file)
    assert [block.type for block in mesh.cells] == ["triangle6"]
    assert set(np.unique(mesh.cell_data["region"][0])) == {1, 2}
    assert np.ptp(mesh.points, axis=0) == pytest.approx([20 * UM, 10 * UM, 0.0])


def test_a_named_region_without_material_and_a_missing_face_are_answered_by_those_that_exist(
    tmp_path: Path,
) -> None:
    file = tmp_path / "section.msh"
    mesh_arrays(MeshPlan(SPEC.build(), Sizes(1.5 * UM, 0.5 * UM)), file)
    geometry = {"kind": "mesh_file", "file": str(file)}
    with pytest.raises(CaseError, match="fiber is missing"):
        run(geometry, materials={"matrix": MATERIALS["matrix"]})
    fixed = {"lid": {"concentration": 1.0}, "bottom": {"concentration": 0.0}}
    with pytest.raises(MeshError, match=r"no face 'lid'; it has: bottom, left, matrix-fiber"):
        run(geometry, boundary=fixed)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, r"regions is missing.*it has the regions \[1, 2\]"),
        ({"regions": {"matrix": 1}}, r"regions \[2\] too; name them"),
        ({"regions": {"matrix": 1, "fiber": 7}}, r"no region 7 for 'fiber'; it has \[1, 2\]"),
        (
            {"regions": {"matrix": 1, "fiber": 2}, "faces": {"anode": 9}},
            r"no face 9 for 'anode'; it has \[\]",
        ),
    ],
)
def test_numbers_that_do_not_fit_are_answered_by_those_that_exist(
    tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    file = tmp_path / "section.nas"
    save(section(), file)
    with pytest.raises(MeshError, match=words):
        read(file, **more)


def test_the_numbered_groups_of_a_gmsh_file_take_the_names_of_the_case(tmp_path: Path) -> None:
    file = tmp_path / "square.msh"
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        square = gmsh.model.occ.addRectangle(0, 0, 0, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [square], tag=5)
        gmsh.model.mesh.generate(2)
        gmsh.write(str(file))
    finally:
        gmsh.finalize()
    assert set(read(file, regions={"matrix": 5}).regions) == {"matrix"}
    assert set(read(file).regions) == {"5"}
    with pytest.raises(MeshError, match=r"no region 6 for 'matrix'; it has \[5\]"):
        read(file, regions={"matrix": 6})


def _missing(file: Path) -> None:
    """Nothing there."""


def _text(file: Path) -> None:
    file.write_text("this is not a mesh\n", encoding="utf-8")


def _plain(file: Path, groups: int = 0, kind: str = "triangle", tilt: float = 0.0) -> None:
    """A square that belongs to as many groups as asked."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.SaveAll", 1)
        square = gmsh.model.occ.addRectangle(0, 0, 0, 1, 1)
        other = gmsh.model.occ.addRectangle(2, 0, 0, 1, 1)
        gmsh.model.occ.rotate([(2, square), (2, other)], 0, 0, 0, 1, 0, 0, tilt)
        gmsh.model.occ.synchronize()
        parts = [[], [[square]], [[square], [square, other]], [[square, other]]][groups]
        for k, part in enumerate(parts):
            gmsh.model.addPhysicalGroup(2, part, name=f"part{k}")
        if kind == "quad":
            gmsh.option.setNumber("Mesh.RecombineAll", 1)
        gmsh.model.mesh.generate(1 if kind == "line" else 2)
        gmsh.write(str(file))
    finally:
        gmsh.finalize()


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("none.msh", _missing, "there is no mesh file"),
        ("text.msh", _text, "not a mesh|neither triangles"),
        ("text.nas", _text, "meshio cannot read it"),
        ("text.vtu", _text, "meshio cannot read it"),
        ("mesh.unheard", _text, "meshio cannot read it"),
        ("plain.msh", _plain, "no named region"),
        ("part.msh", lambda f: _plain(f, 1), "belongs to no region"),
        (
            "both.msh",
            lambda f: _plain(f, 2),
            "belongs to more than one region: 'part0' and 'part1'",
        ),
        ("lines.msh", lambda f: _plain(f, 0, "line"), "neither triangles nor tetrahedra"),
        ("upright.msh", lambda f: _plain(f, 3, tilt=1.5), "x-y plane"),
    ],
)
def test_what_is_no_usable_mesh_is_refused_in_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], None], words: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(FemSpeError, match=words) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert not gmsh.isInitialized()


def test_cells_that_are_no_simplices_are_refused_not_left_out(tmp_path: Path) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0]], float)
    cells = [("triangle", [[0, 1, 2], [0, 2, 3]]), ("quad", [[1, 4, 5, 2]])]
    tags = {"nastran:ref": [np.array([1, 1]), np.array([1])]}
    meshio.write(tmp_path / "mixed.nas", meshio.Mesh(points, cells, cell_data=tags))
    with pytest.raises(MeshError, match="quad cells beside the simplices"):
        read(tmp_path / "mixed.nas", regions={"matrix": 1})


def test_a_face_of_a_region_that_is_left_out_has_no_facets(tmp_path: Path) -> None:
    """Both ends of the bottom edge are nodes of the matrix, but its cell is not."""
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 0]], float)
    cells = [("triangle", [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]]), ("line", [[0, 1]])]
    tags = {"region": [np.array([2, 1, 1, 1]), np.array([3])]}
    meshio.write(tmp_path / "square.vtu", meshio.Mesh(points, cells, cell_data=tags))
    geometry = {
        "kind": "mesh_file", "file": str(tmp_path / "square.vtu"),
        "regions": {"matrix": 1, "fiber": 2}, "faces": {"bottom": 3},
    }  # fmt: skip
    assert relative(geometry) > 0
    with pytest.raises(FemSpeError, match="bottom"):
        relative(geometry, materials={**MATERIALS, "fiber": "impermeable"})


def test_folded_curved_cells_of_a_file_are_refused(tmp_path: Path) -> None:
    arrays = mesh_arrays(MeshPlan(Box(size=(1.0, 1.0)), Sizes(0.3, 0.3, 2)))
    middle = arrays.cells[len(arrays.cells) // 2, 3]
    arrays.points[middle] += 0.4
    save(arrays, tmp_path / "folded.vtu")
    with pytest.raises(MeshError, match="fold"):
        read(tmp_path / "folded.vtu", regions={"matrix": 1})


def test_the_script_adds_a_part_of_ones_own_and_its_mesh_runs(
    python: Callable[..., Done], tmp_path: Path
) -> None:
    script = (ROOT / "meshes" / "fiber_section.py").read_text(encoding="utf-8")
    done = python(script, "-o", "section.msh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "regions matrix, fiber, crystal" in done.stdout
    geometry = {"kind": "mesh_file", "file": str(tmp_path / "section.msh")}
    values = [
        relative(geometry, materials={**MATERIALS, "fiber": "impermeable", "crystal": crystal})
        for crystal in (
            "impermeable",
            {"diffusivity": "2e-11 m^2/s"},
            {"diffusivity": "1e-9 m^2/s"},
        )
    ]
    assert values[0] < values[1] < values[2]
    found = run(geometry, materials={**MATERIALS, "crystal": {"diffusivity": 1e-11}})
    hexagon = 1.5 * np.sqrt(3) * 3**2 / (40 * 20)
    assert found["crystal_fraction"].value == pytest.approx(hexagon, rel=1e-9)

"""Meshes made finer: by a study, by where the error comes from; and periodic faces."""

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fem_spe
from fem_spe.errors import CaseError, ConvergenceError, MeshError
from fem_spe.exact import conduction
from fem_spe.results import read_summary, read_table

CELL = 1e-5
ARRAY: dict[str, Any] = {
    "study": "diffusion",
    "geometry": {
        "kind": "fiber_section", "arrangement": "aligned", "size": [CELL, CELL],
        "count": [1, 1], "fiber_fraction": 0.3,
    },
    "mesh": {"size": 0.2 * CELL, "interface_size": 0.2 * CELL},
    "materials": {"matrix": {"diffusivity": 2e-11}, "fiber": "impermeable"},
    "output": {"figures": False},
}  # fmt: skip
EXACT = conduction.square_array(0.3)
PERIODIC = {"left": {"periodic": True}, "top": {"periodic": True}}


def test_a_mesh_study_adds_order_and_error_and_a_table(tmp_path: Path) -> None:
    case = fem_spe.parse(ARRAY, {"mesh.study": 3, "output.figures": True})
    result = fem_spe.run(case, output=tmp_path / "r")
    cells = result.solution.tables["mesh_study"]["cells"]
    assert list(cells / cells[0]) == [1, 4, 16]
    assert cells[-1] == result.domain.num_cells
    found = read_summary(tmp_path / "r")["quantities"]["relative_diffusivity"]
    assert found["order"] > 3
    assert found["error"] == pytest.approx(abs(found["value"] - EXACT), rel=0.5)
    assert "error of flux_uniformity" in read_table(tmp_path / "r" / "tables" / "mesh_study.csv")
    assert (tmp_path / "r" / "figures" / "mesh_study.png").stat().st_size > 5000


def test_the_true_value_lies_within_the_error_of_any_run() -> None:
    for size in (0.2, 0.1, 0.05):
        sizes = {"mesh": {"size": size * CELL, "interface_size": size * CELL}}
        found = fem_spe.run(fem_spe.parse(ARRAY | sizes)).quantities["relative_diffusivity"]
        assert found.error is not None
        assert found.value - found.error < EXACT < found.value


def test_adaptive_meshes_reach_the_error_asked_for() -> None:
    result = fem_spe.run(fem_spe.parse(ARRAY, {"mesh.adapt": 1e-6}))
    assert result.quantities["relative_diffusivity"].value == pytest.approx(EXACT, rel=1e-6)
    errors = result.solution.tables["adapt"]["relative error"]
    assert errors[0] > 1e-4
    assert errors[-1] <= 1e-6
    told = result.solution.cell_errors
    assert told is not None
    assert told.shares.min() >= 0
    assert told.shares.sum() == pytest.approx(told.total)


def test_cells_are_small_in_the_gaps() -> None:
    case = fem_spe.parse(ARRAY, {"geometry.fiber_fraction": 0.75, "mesh.adapt": 1e-6})
    domain = fem_spe.run(case).domain
    corners = domain.mesh.geometry.x[domain.mesh.geometry.dofmaps[0][:, :3], :2]
    edges = corners[:, 1:] - corners[:, :1]
    area, place = np.abs(np.linalg.det(edges)) / 2, corners.mean(axis=1) / CELL
    # the flux goes along y: through the gap half way up, not along the one below
    gap = (np.abs(place[:, 1] - 0.5) < 0.1) & (np.minimum(place[:, 0], 1 - place[:, 0]) < 0.02)
    corner = np.maximum(np.abs(place[:, 0] - 0.5), np.abs(place[:, 1] - 0.5)) > 0.45
    assert np.median(area[gap]) < np.median(area[corner & ~gap]) / 4


def test_the_field_of_a_periodic_cell_rises_by_one_along_the_drive_only() -> None:
    case = fem_spe.parse(ARRAY, {"boundary": PERIODIC})
    result = fem_spe.run(case)
    assert result.quantities["relative_diffusivity"].value == pytest.approx(EXACT, rel=2e-3)
    u = result.fields["concentration"]
    x = u.function_space.tabulate_dof_coordinates() / CELL
    for axis, rise in ((0, 0.0), (1, 1.0)):
        ends = [np.flatnonzero(np.abs(x[:, axis] - side) < 1e-9) for side in (0, 1)]
        low, high = (some[np.argsort(x[some, 1 - axis])] for some in ends)
        assert len(low) > 5
        assert np.allclose(u.x.array[high] - u.x.array[low], rise, atol=1e-12)
    assert np.ptp(u.x.array) > 1.0  # it is no straight line


def test_periodic_sides_go_with_driven_faces_and_in_time() -> None:
    faces = {
        "left": {"periodic": True},
        "bottom": {"concentration": 0.0},
        "top": {"concentration": 1000.0},
    }
    steady = fem_spe.run(fem_spe.parse(ARRAY, {"boundary": faces})).quantities
    changes = {
        "boundary": faces,
        "diffusion.mode": "transient",
        "time": {"end": 100.0, "rtol": 1e-3},
    }
    run = fem_spe.run(fem_spe.parse(ARRAY, changes))
    u = run.fields["concentration"]
    x = u.function_space.tabulate_dof_coordinates() / CELL
    left, right = (np.flatnonzero(np.abs(x[:, 0] - side) < 1e-9) for side in (0, 1))
    left, right = left[np.argsort(x[left, 1])], right[np.argsort(x[right, 1])]
    assert np.array_equal(u.x.array[left], u.x.array[right])
    late = run.quantities
    assert steady["flux_in"].value == pytest.approx(2e-11 * 1000 * EXACT, rel=2e-3)
    assert late["flux_out"].value == pytest.approx(steady["flux_out"].value, rel=1e-4)


def test_a_box_is_periodic_in_three_dimensions() -> None:
    box = {
        "geometry": {"kind": "box", "size": [CELL, CELL, CELL]},
        "materials": {"matrix": {"diffusivity": [1e-11, 2e-11, 3e-11]}},
        "mesh": {"size": 0.3 * CELL},
        "boundary": {name: {"periodic": True} for name in ("left", "front", "top")},
    }
    found = fem_spe.run(fem_spe.parse(ARRAY | box)).quantities
    assert found["effective_diffusivity"].value == pytest.approx(3e-11, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mesh.study": 2}, "greater than or equal to 3"),
        ({"mesh.study": 3, "mesh.adapt": 1e-3}, "one of study and adapt"),
        ({"mesh.adapt": 2}, "less than 1"),
        ({"boundary.left": {"periodic": True, "flux": 1.0}}, "takes one of them"),
        ({"boundary.left": {"periodic": False}}, "periodic"),
        (
            {"boundary.left.periodic": True, "boundary.right.flux": 1.0},
            r"boundary.right\]: periodic with left",
        ),
        ({"boundary.matrix-fiber.periodic": True}, "only faces of the box can be periodic"),
        (
            {"boundary": PERIODIC, "diffusion.mode": "transient", "time": {"end": 1.0}},
            "leads across periodic faces",
        ),
        ({"boundary": PERIODIC, "mesh.adapt": 1e-3}, "adapt needs bounds of the error"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(CaseError, match=told):
        fem_spe.run(fem_spe.parse(ARRAY, changes))


def test_adapt_in_three_dimensions_is_refused_before_anything_is_solved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fem_spe.doubt.with_solver_defaults", lambda *_: pytest.fail("solved"))
    cube = {"kind": "box", "size": ["10 um", "10 um", "10 um"]}
    case = {"study": "diffusion", "geometry": cube, "mesh": {"size": "5 um", "adapt": 1e-3}}
    with pytest.raises(CaseError, match="adapt needs bounds of the error"):
        fem_spe.run(fem_spe.parse(case | {"materials": {"matrix": {"diffusivity": 1e-11}}}))


def test_faces_that_do_not_match_are_refused(tmp_path: Path) -> None:
    # a mesh file, whose sides nobody matched
    fem_spe.run(fem_spe.parse(SKEW), output=tmp_path / "r")
    case = fem_spe.parse(
        {
            **SKEW,
            "geometry": {"kind": "mesh_file", "file": str(tmp_path / "r" / "mesh.msh")},
            "mesh": {},
            "boundary": {"left": {"periodic": True}},
        }
    )
    with pytest.raises(MeshError, match=r"left/right do not match: \d+ of their nodes"):
        fem_spe.run(case)


SKEW: dict[str, Any] = {
    **ARRAY,
    "geometry": {
        "kind": "fiber_section", "arrangement": "random", "size": [2 * CELL, CELL],
        "fiber_diameter": 0.3 * CELL, "fiber_fraction": 0.2, "seed": 4, "aspect": 1.5,
        "boundary": "inside",
    },
    "mesh": {},
}  # fmt: skip


def test_an_error_that_stays_too_large_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_spe.doubt._MOST_MESHES", 2)
    with pytest.raises(
        ConvergenceError, match=r"after 2 meshes, with \d+ cells; give .* adapt above"
    ):
        fem_spe.run(fem_spe.parse(ARRAY, {"mesh.adapt": 1e-7}))


def test_more_cells_than_the_machine_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fem_spe.meshing.sizes._memory", lambda: 1e6)
    with pytest.raises(MeshError, match=r"adapt would make about .* cells"):
        fem_spe.run(fem_spe.parse(ARRAY, {"mesh.adapt": 1e-7}))


def test_meshes_that_nobody_uses_are_freed() -> None:
    kind = type(fem_spe.run(fem_spe.parse(ARRAY)).domain.mesh)
    others = [thing for thing in gc.get_objects() if isinstance(thing, kind)]  # of other tests
    for _ in range(3):
        result = fem_spe.run(fem_spe.parse(ARRAY))
    known = {id(thing) for thing in others}
    alive = [t for t in gc.get_objects() if isinstance(t, kind) and id(t) not in known]
    # each holds MPI communicators, of which a long sweep would run out
    assert len(alive) <= 2
    assert any(mesh is result.domain.mesh for mesh in alive)

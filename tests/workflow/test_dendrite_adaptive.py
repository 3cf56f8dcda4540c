"""A mesh that follows the front: nothing is lost on the way, and the deposit is the same."""

from __future__ import annotations

import copy
import gc
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

import fem_spe as package
from fem_spe.case import to_toml
from fem_spe.checkpoint import Keeper
from fem_spe.checkpoint.file import read_head, state_file
from fem_spe.errors import CaseError, InterruptedRunError
from fem_spe.exact.phase_field import profile
from fem_spe.geometry import Box
from fem_spe.job import resolved
from fem_spe.materials.deposition import deposition
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.results import Result
from fem_spe.studies.dendrites.band import Band
from fem_spe.studies.dendrites.model import Model

FIXED: dict[str, Any] = {
    "study": "dendrite",
    "geometry": {
        "kind": "fiber_section", "arrangement": "aligned", "size": ["6 um", "14 um"],
        "count": [1, 2], "fiber_fraction": 0.1,
    },
    "mesh": {"size": "0.22 um"},
    "materials": {"matrix": {}, "fiber": "impermeable"},
    "dendrite": {
        "interface_width": "0.9 um", "charge": "0.5 mA*h/cm^2", "frames": 2,
        "method": "segregated",
    },
    "output": {"figures": False, "checkpoint": "1 steps"},
}  # fmt: skip
MOVED = FIXED | {"mesh": {"size": "0.22 um", "adapt": "front", "interface_size": "0.4 um"}}


def case(given: dict[str, Any] = MOVED, **changes: Any) -> package.Case:
    return package.parse(copy.deepcopy(given), changes)


def values(result: Result) -> dict[str, float]:
    return {name: q.value for name, q in result.quantities.items()}


@pytest.fixture(scope="module")
def moved() -> Result:
    return package.run(case())


def test_lithium_and_charge_are_kept_through_every_mesh(moved):
    meshes = moved.solution.tables["meshes"]
    assert len(meshes["step"]) == moved.solution.solver["meshes"] >= 4
    assert len(set(meshes["cells"])) >= 3
    assert moved.checks["lithium_imbalance"].value <= 1e-8
    assert moved.checks["charge_imbalance"].value <= 1e-8
    at_once = package.run(case(**{"dendrite.method": "monolithic", "dendrite.charge": 7200.0}))
    assert at_once.solution.solver["meshes"] >= 2
    assert at_once.solution.solver["method"] == "monolithic"
    assert at_once.checks["lithium_imbalance"].value <= 1e-9
    assert at_once.checks["charge_imbalance"].value <= 1e-9


def test_the_deposit_is_that_of_small_cells_everywhere(moved):
    wanted = package.run(case(FIXED))
    assert moved.solution.num_dofs < 0.7 * wanted.solution.num_dofs
    one, other = values(moved), values(wanted)
    assert other["roughness"] > 0.1
    assert one["roughness"] == pytest.approx(other["roughness"], rel=0.02)
    assert one["front_height"] == pytest.approx(other["front_height"], rel=2e-3)
    assert one["time"] == pytest.approx(other["time"], rel=1e-2)


def test_fields_of_all_times_are_on_one_fine_mesh(moved):
    front, domain = moved.solution.tables["front"], moved.domain
    functions = list(moved.fields.values())
    assert all(f.function_space.mesh is domain.mesh for f in functions)
    assert domain.num_cells > 1.3 * moved.solution.tables["meshes"]["cells"].max()
    points = functions[0].function_space.tabulate_dof_coordinates()
    assert len(moved.solution.frames) == 2
    for frame in moved.solution.frames:
        row = int(np.argmin(np.abs(front["t [s]"] - frame.time)))
        phi = frame.values["order_parameter"]
        # the highest point that is half metal lies about where the front was then
        top = 1e6 * points[phi > 0.5, 1].max()
        assert top == pytest.approx(front["highest [um]"][row], abs=0.3)
        assert -1e-3 < phi.min() < 0.01
        assert 0.99 < phi.max() < 1.001


def test_sizes_are_written_out_and_what_is_given_wins():
    (whole,) = resolved(case())
    assert (whole.mesh.adapt, whole.mesh.size) == ("front", pytest.approx(0.22e-6))
    assert whole.mesh.interface_size == pytest.approx(0.4e-6)
    assert whole.mesh.coarsest == pytest.approx(1.5e-6)  # a quarter of the box, not 8 x 0.22
    (given,) = resolved(case(**{"mesh.coarsest": "1 um"}))
    assert given.mesh.coarsest == pytest.approx(1e-6)
    assert 'adapt = "front"' in to_toml(whole)


def ended(given: package.Case, folder: Path, after: int) -> None:
    """Run it into `folder` until a signal would end it after so many steps."""
    offer = Keeper.offer

    def end(keeper: Keeper[Any], record: Any) -> None:
        offer(keeper, record)
        if record.state.index == after:
            raise InterruptedRunError("ended by a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "offer", end)
        with pytest.raises(InterruptedRunError):
            package.run(given, output=folder)


@pytest.mark.parametrize("beside", [0, 1])
def test_a_run_goes_on_from_its_mesh_also_where_that_is_to_move(moved, tmp_path, beside):
    starts = moved.solution.tables["meshes"]["step"]
    # a mesh is made after the step that is named
    ended(case(), tmp_path, int(starts[1]) + beside)
    found = package.run(case(), output=tmp_path, restart=True)
    for name, value in values(moved).items():
        assert values(found)[name] == pytest.approx(value, rel=1e-8), name
    assert (found.solution.tables["meshes"]["step"] == starts).all()
    for own, other in zip(found.solution.frames, moved.solution.frames, strict=True):
        for name, field in other.values.items():
            assert own.values[name] == pytest.approx(field, rel=1e-6, abs=1e-9)


@pytest.mark.mpi
def test_two_ranks_go_on_from_one_and_tell_what_one_does(moved, fem_spe, tmp_path):
    starts = moved.solution.tables["meshes"]["step"]
    (tmp_path / "case.toml").write_text(to_toml(case()), encoding="utf-8")
    ended(case(), tmp_path / "two", int(starts[2]) + 1)  # one more is made on two ranks
    assert len(read_head(state_file(tmp_path / "two", 0))["told"]["meshes"]) == 3
    done = fem_spe("run", "case.toml", "-o", "two", "--restart", cwd=tmp_path, ranks=2)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "two" / "summary.json").read_text("utf-8"))
    assert {n: q["value"] for n, q in told["quantities"].items()} == pytest.approx(
        values(moved), rel=1e-8
    )
    assert told["solver"]["meshes"] == len(starts)
    assert told["mesh"]["cells"] == moved.domain.num_cells


def test_meshes_of_before_are_let_go_and_no_mesh_loses_anything():
    width = 1.2e-6
    box = MeshPlan(Box(size=(3e-6, 8e-6)), Sizes(1.5e-6, 1.5e-6, 1))
    band = Band(build(MPI.COMM_WORLD, box), 0.3e-6, width)
    make = partial(Model, metal=deposition("A").with_width(width), voltage=-0.2, temperature=298.0)
    model = make(band.begin(lambda x: profile(x[-1] - 2e-6, width)))
    values = (model.start(2e-6),)
    wanted = [model.total(values[0], k) for k in (3, 4)]
    counts = []
    for height in np.linspace(2e-6, 6e-6, 6):
        model.phi.interpolate(lambda x, h=height: profile(x[1] - h, width))
        before = model
        model, values = band.move(before, make, values)
        before.destroy()
        assert [model.total(values[0], k) for k in (3, 4)] == pytest.approx(wanted, rel=1e-13)
        counts.append(sum(isinstance(thing, Model) for thing in gc.get_objects()))
    model.destroy()
    # MPI holds meshes for about two hundred
    assert counts[-1] == counts[2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mesh.adapt": 0.01}, r"\[mesh\] adapt = 0.01 .*dendrites.* give \"front\""),
        ({"mesh.adapt": "tip"}, r"\[mesh\] adapt = 'tip'"),
        ({"mesh.adapt": "front", "mesh.study": 3}, "give one of study and adapt"),
        ({"mesh.coarsest": "0.2 um"}, r"coarsest = 0.2 um is below size = 0.22 um"),
        ({"mesh.coarsest": "4 um"}, r"coarsest = 4 um: .*could hide.* 1.8 um or less"),
        ({"mesh.size": "0.5 um", "mesh.interface_size": "0.5 um"}, r"\[mesh\] size = 0.5 um"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(changes, message):
    with pytest.raises(CaseError, match=message) as caught:
        package.run(case(**changes))
    assert "\n" not in str(caught.value)


def test_other_studies_have_no_front():
    wrong = {
        "study": "diffusion", "geometry": {"kind": "box", "size": ["1 um", "1 um"]},
        "materials": {"matrix": {"diffusivity": 1e-11}},
    }  # fmt: skip
    with pytest.raises(CaseError, match=r'\[mesh\] adapt = "front".*"dendrite" alone.*diffusion'):
        package.parse(wrong | {"mesh": {"adapt": "front"}})
    with pytest.raises(CaseError, match=r'coarsest goes with adapt = "front"'):
        package.parse(wrong | {"mesh": {"coarsest": "1 um"}})

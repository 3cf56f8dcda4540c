"""From Python: pictures without a folder, studies and fields of one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fem_spe
from fem_spe import Plan, Quantity, Result, Solution, Study, register
from fem_spe.errors import CaseError, FemSpeError
from fem_spe.figures import draw, field_label
from fem_spe.studies import registry

# after fem_spe, which loads DOLFINx's libraries
from dolfinx import fem  # isort: skip


@pytest.fixture
def own_study(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Register the study `mine` with fields on the spaces given, for one test."""
    monkeypatch.setattr(registry, "_STUDIES", dict(registry._STUDIES))

    def build(**elements: tuple) -> None:
        def solve(case, domain, clock) -> Solution:
            fields = {}
            for name, element in elements.items():
                space = fem.functionspace(domain.mesh, element)
                fields[f"{name} [um]"] = fem.Function(space)
                if len(element) == 2:
                    fields[f"{name} [um]"].interpolate(lambda x: 1e6 * x[0])
            seen = Quantity(float(case.options.get("seen", 0.0)), "", "what the case says")
            return Solution({"seen": seen}, {}, fields, {}, {}, 1)

        register(Study("mine", lambda case, regions: Plan(), solve))

    return build


def small(text: str, **changes: object) -> fem_spe.Case:
    return fem_spe.parse(tomllib.loads(text), changes)


@pytest.fixture(scope="module")
def result(small_text: str) -> Result:
    return fem_spe.run(small(small_text))


def test_a_picture_needs_no_folder(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    picture = result.figure()
    assert result.folder is None
    assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 500
    assert list(tmp_path.iterdir()) == []
    picture.save(tmp_path / "c.png")
    assert picture._repr_png_() is not None  # what Jupyter shows


def test_another_picture_is_named_as_its_file(result: Result) -> None:
    with pytest.raises(CaseError, match=r"no picture 'mash'; did you mean 'mesh'\? there are conc"):
        result.figure("mash")


def test_a_result_made_by_hand_cannot_be_drawn(result: Result) -> None:
    bare = Result(result.case, result.domain, result.solution)
    with pytest.raises(CaseError, match="only those of"):
        bare.figure()


def test_every_scalar_field_of_a_study_is_drawn(small_text, own_study, tmp_path: Path) -> None:
    own_study(depth=("Lagrange", 2), shift=("Lagrange", 2, (2,)), step=("DG", 0))
    case = small(small_text, study="mine", options={"seen": 3})
    found = fem_spe.run(case, output=tmp_path / "r")
    assert found.quantities["seen"].value == 3.0
    assert fem_spe.load(tmp_path / "r" / "case.toml").options == {"seen": 3}
    drawn = [f.name for f in draw(tmp_path / "r")]
    assert drawn == ["depth.png", "step.png", "mesh.png"]


def test_fields_of_different_elements_are_refused(small_text, own_study, tmp_path: Path) -> None:
    own_study(depth=("Lagrange", 2), other=("Lagrange", 1))
    with pytest.raises(FemSpeError, match=r"depth \[um\], other \[um\] cannot be written together"):
        fem_spe.run(small(small_text, study="mine"), output=tmp_path / "r")


def test_options_are_for_studies_of_ones_own(small_text: str) -> None:
    with pytest.raises(CaseError, match=r"\[options\] has no meaning for study = 'diffusion'"):
        fem_spe.run(small(small_text, options={"seen": 3}))
    with pytest.raises(CaseError, match="unknown key 'mine' at the top of the case"):
        small(small_text, study="mine", mine={"seen": 3})
    with pytest.raises(CaseError, match="study = 'diffusoin': did you mean 'diffusion'"):
        fem_spe.run(small(small_text, study="diffusoin"))


def test_labels_say_what_is_drawn_and_in_which_unit() -> None:
    assert field_label("von_mises [MPa]", {"study": "elasticity"}) == "von mises (MPa)"
    assert field_label("phase", {"study": "mine"}) == "phase"
    driven = {"study": "diffusion", "diffusion": {"direction": "y"}}
    assert field_label("concentration", driven) == "Li⁺ concentration c / Δc"

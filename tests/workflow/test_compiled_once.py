"""Other numbers in a case compile nothing anew: kernels are handed theirs as constants."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
from dolfinx import jit

import fem_spe
from fem_spe.case.load import parse
from fem_spe.case.templates import template

OTHER = {
    "aligned": {"geometry.fiber_fraction": 0.17, "materials.matrix.diffusivity": "3e-11 m^2/s"},
    "nernst_planck": {"temperature": "41 degC", "boundary.top.electrochemical_potential": "7 mV"},
    "elasticity": {"materials.matrix.youngs_modulus": "9 MPa"},
    "electrostatics": {"geometry.fiber_fraction": 0.17},
}


@pytest.mark.parametrize("kind", OTHER)
def test_a_second_case_compiles_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number written into a form costs a user a second for each case, and these tests minutes."""
    compiled: set[str] = set()
    original = jit.ffcx_jit

    def watched(*given: Any, **options: Any) -> Any:
        found = original(*given, **options)
        compiled.add(found[1].__name__)
        return found

    monkeypatch.setattr(jit, "ffcx_jit", watched)
    case = tomllib.loads(template(kind))
    coarse = {"mesh.size": "3 um", "output.figures": False}
    fem_spe.run(parse(case, coarse))
    first = set(compiled)
    fem_spe.run(parse(case, coarse | OTHER[kind]))
    assert first
    assert compiled == first

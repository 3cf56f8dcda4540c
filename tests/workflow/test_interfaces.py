"""Fluxes that are given on an interface within the mesh, and around a hole."""

from typing import Any

import pytest

import fem_spe

ARRAY: dict[str, Any] = {
    "study": "diffusion",
    "geometry": {
        "kind": "fiber_section", "arrangement": "aligned", "size": ["20 um", "10 um"],
        "count": [4, 2], "fiber_fraction": 0.2,
    },
    "mesh": {"size": "1.5 um", "interface_size": "0.6 um"},
    "boundary": {"bottom": {"concentration": 0.0}, "matrix-fiber": {"flux": 1e-4}},
    "output": {"figures": False},
}  # fmt: skip


@pytest.mark.parametrize("fiber", ["impermeable", {"diffusivity": 1e-12}])
def test_a_flux_on_an_interface_enters_once_and_leaves_by_the_anode(fiber: Any) -> None:
    case = fem_spe.parse({**ARRAY, "materials": {"matrix": {"diffusivity": 2e-11}, "fiber": fiber}})
    result = fem_spe.run(case)
    # eight circles of a fraction of 0.2
    circumference = 8 * 2 * (0.2 * 20e-6 * 10e-6 / 8 * 3.141592653589793) ** 0.5
    assert result.failed_checks == []
    for name in ("flux_in", "flux_out"):
        assert result.quantities[name].value == pytest.approx(1e-4 * circumference, rel=1e-4)


def test_a_traction_on_an_interface_is_carried_by_the_support() -> None:
    case = fem_spe.parse(
        {
            "study": "elasticity",
            "geometry": {
                "kind": "box", "size": ["10 um", "10 um"],
                "layers": {"matrix": "4 um", "coating": "6 um"},
            },
            "mesh": {"size": "2 um"},
            "materials": {
                name: {"youngs_modulus": 1e6, "poisson_ratio": 0.3}
                for name in ("matrix", "coating")
            },
            "boundary": {
                "bottom": {"clamped": True}, "matrix-coating": {"traction": [0.0, 1e3]},
            },
            "output": {"figures": False},
        }
    )  # fmt: skip
    result = fem_spe.run(case)
    assert result.failed_checks == []
    # per metre of depth; nothing was applied while only outer facets counted
    assert result.quantities["reaction_y.bottom"].value == pytest.approx(-1e3 * 10e-6, rel=1e-9)

"""What the tests of elasticity and of balls share: materials, and runs that must pass."""

from __future__ import annotations

from typing import Any

import fem_spe

LITHIUM: dict[str, Any] = {
    "youngs_modulus": 7.8e9, "poisson_ratio": 0.38, "yield_stress": 0.8e6,
    "hardening_modulus": 50e6,
}  # fmt: skip
GEL = {"youngs_modulus": 6e6, "poisson_ratio": 0.4}
STIFF = {"youngs_modulus": 6e9, "poisson_ratio": 0.3}


def solved(tree: dict[str, Any], **changes: Any) -> fem_spe.Result:
    """A run with `changes`, without a check that failed."""
    result = fem_spe.run(fem_spe.parse(tree, changes))
    assert result.failed_checks == []
    return result


def value(result: fem_spe.Result, name: str) -> float:
    """A number of a result."""
    return result.quantities[name].value

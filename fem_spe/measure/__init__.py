"""From solutions to numbers: fluxes by residual, effective properties, paths."""

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

"""Solvers; PETSc is imported here alone. A failure is an exception with its reason."""

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

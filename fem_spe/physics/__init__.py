"""Weak forms as plain functions that read like the mathematics."""

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

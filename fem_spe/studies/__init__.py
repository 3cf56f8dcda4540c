"""The studies, one file each, found by their name in the case."""

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
from fem_spe.studies import diffusion
from fem_spe.studies.registry import Plan, Study, lookup, names, register

register(diffusion.STUDY)

__all__ = ["Plan", "Study", "lookup", "names", "register"]

"""The studies, one file each, found by their name in the case."""

from fem_spe.studies.registry import Plan, Study, find, names, register

__all__ = ["Plan", "Study", "find", "names", "register"]

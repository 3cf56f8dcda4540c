"""The studies, one file each, found by their name in the case."""

from fem_spe import comm as _comm  # noqa: F401 - what DOLFINx needs before it

# isort: split
from fem_spe.studies import (
    dendrite,
    diffusion,
    elasticity,
    electrostatics,
    indentation,
    nernst_planck,
    structure,
)
from fem_spe.studies.registry import Plan, Study, lookup, names, register

for _study in (
    structure.STUDY,
    diffusion.STUDY,
    electrostatics.STUDY,
    nernst_planck.STUDY,
    elasticity.STUDY,
    indentation.STUDY,
    dendrite.STUDY,
):
    register(_study)

__all__ = ["Plan", "Study", "lookup", "names", "register"]

"""Sweeps: one case with other values for some keys, as one table and one picture."""

from fem_spe.ensemble.keys import Swept, read_sweeps
from fem_spe.ensemble.members import Member, Outcome
from fem_spe.ensemble.run import sweep

__all__ = ["Member", "Outcome", "Swept", "read_sweeps", "sweep"]

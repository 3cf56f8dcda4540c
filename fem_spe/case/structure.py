"""The table of structure: what is measured of the pores."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fem_spe.case.table import Table


class Structure(Table):
    """What is measured without any physics."""

    pores: str = "matrix"
    """The region whose pore sizes and paths are measured."""
    sizes: Annotated[int, Field(ge=4, le=500)] = 30
    """Most sizes that pores are told apart by; no two are nearer than a voxel in diameter."""

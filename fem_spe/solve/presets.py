"""How systems are solved: PETSc's options by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from petsc4py import PETSc

_LEVELS = {
    "ksp_type": "cg",
    "pc_type": "mg",
    "pc_mg_levels": "2",
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_ksp_max_it": "3",
    "mg_coarse_ksp_type": "preonly",
    "mg_coarse_pc_type": "gamg",
    "mg_coarse_pc_gamg_threshold": "0.01",
    "mg_coarse_mg_levels_ksp_type": "chebyshev",
    "mg_coarse_mg_levels_ksp_max_it": "3",
    "mg_coarse_mg_levels_pc_type": "jacobi",
}
PRESETS: dict[str, dict[str, str]] = {
    "direct": {
        "ksp_type": "preonly",
        "pc_type": "cholesky",
        "pc_factor_mat_solver_type": "mumps",
        "mat_mumps_icntl_14": "100",  # % of room to spare: its estimate may be short on two ranks
    },
    "multigrid": {
        "ksp_type": "cg",
        "pc_type": "gamg",
        "pc_gamg_threshold": "0",
        "mg_levels_ksp_type": "chebyshev",
        "mg_levels_ksp_max_it": "2",
        "mg_levels_pc_type": "jacobi",
    },
    "jacobi": {"ksp_type": "cg", "pc_type": "jacobi"},
    # for displacements, with rigid motions as the near-nullspace
    "elastic": {
        "ksp_type": "cg",
        "pc_type": "gamg",
        "pc_gamg_threshold": "0.01",
        "mg_levels_ksp_type": "chebyshev",
        "mg_levels_ksp_max_it": "3",
        "mg_levels_pc_type": "jacobi",
    },
    # quadratic displacements over linear ones on the same mesh, see `multigrid`
    "two-level": {**_LEVELS, "mg_levels_pc_type": "pbjacobi"},
    # the same where stiff bodies hang on soft ones and their seam is solved apart, see `seam`: the
    # coarse level is dear to miss and cheap to meet
    "tied-levels": {
        **_LEVELS,
        "mg_levels_ksp_type": "richardson",
        "mg_levels_ksp_max_it": "1",
        "mg_levels_pc_type": "sor",
        "mg_coarse_ksp_type": "richardson",
        "mg_coarse_ksp_max_it": "3",
        "mg_coarse_ksp_norm_type": "none",
        "mg_coarse_mg_levels_pc_type": "sor",
    },
    # the tangents of Newton's method are not symmetric
    "direct-newton": {"ksp_type": "preonly", "pc_type": "lu", "pc_factor_mat_solver_type": "mumps"},
    "multigrid-newton": {"ksp_type": "gmres", "ksp_gmres_restart": "100", "pc_type": "gamg"},
    # unknowns in blocks that one differential operator moves, each node's block inverted: to
    # multigrid a system of such is a scalar equation
    "coupled-newton": {
        "ksp_type": "gmres",
        "ksp_gmres_restart": "100",
        "pc_type": "gamg",
        "pc_gamg_threshold": "0.01",
        "pc_gamg_esteig_ksp_type": "gmres",
        "mg_levels_ksp_type": "chebyshev",
        "mg_levels_ksp_max_it": "2",
        "mg_levels_pc_type": "pbjacobi",
    },
}
FACTORISE = ("direct", "direct-newton")
# relative to each right-hand side: Newton's next step mends what is left
INEXACT = {"coupled-newton": 1e-3}


@contextmanager
def preset(method: str, name: str) -> Iterator[None]:
    """PETSc's options as the preset has them; what the user gave wins, and stays.

    The levels of multigrid read theirs when they are set up.
    """
    prefix = f"{name}_"
    options = PETSc.Options()
    ours = {k: v for k, v in PRESETS[method].items() if not options.hasName(prefix + k)}
    for key, value in ours.items():
        options.setValue(prefix + key, value)
    try:
        yield
    finally:
        for key in ours:
            options.delValue(prefix + key)

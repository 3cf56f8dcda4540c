"""Seconds per time step of a deposit among fibres, one field after the other.

    mpirun -n 2 python benchmarks/growth.py [COLUMNS ROWS [STEPS]]    (fibres; default: both sizes)

3 x 2 fibres are 30 thousand unknowns, 10 x 8 are 400 thousand. Asked, on 2 ranks: at most 0.3 and
1.5 s per accepted step. Run it on an idle machine, with OMP_NUM_THREADS=1. Matrices that serve
once more are counted too, though they cost nothing; of preconditioners only those that are made.
"""

import sys
import time

from mpi4py import MPI
from petsc4py import PETSc

from fem_spe.domain import Domain
from fem_spe.geometry import AlignedSection
from fem_spe.materials.deposition import deposition
from fem_spe.meshing import MeshPlan, Sizes, build
from fem_spe.solve.march import march, start
from fem_spe.studies.dendrites.model import Model

UM = 1e-6
WIDTH, CELL, FRACTION = 0.9 * UM, 0.19 * UM, 0.15
VOLTAGE, TOLERANCE = -0.2, 5e-3
BEFORE, STEPS = 12, 15  # steps that find their length, and steps that are timed
LIMITS = {(3, 2): 0.3, (10, 8): 1.5}  # s per step
STAGES = {
    "residuals": "SNESFunctionEval",
    "matrices": "SNESJacobianEval",
    "preconditioners": "PCSetUp",
    "Krylov": "KSPSolve",
}


def cell(columns: int, rows: int) -> Domain:
    """Aligned fibres, 8 um from one to the next."""
    section = AlignedSection(
        arrangement="aligned", lattice="square", size=(8 * columns * UM, 8 * rows * UM),
        count=(columns, rows), fiber_fraction=FRACTION,
    ).build()  # fmt: skip
    return build(
        MPI.COMM_WORLD,
        MeshPlan(section, Sizes(CELL, CELL, 1), holes=frozenset(["fiber"]), across="thickness"),
    )


def spent() -> dict[str, tuple[float, int]]:
    """Seconds in each stage so far, on this rank, and calls."""
    told = {name: PETSc.Log.Event(event).getPerfInfo() for name, event in STAGES.items()}
    return {name: (info["time"], info["count"]) for name, info in told.items()}


def main(columns: int, rows: int, steps: int) -> bool:
    """Time a size; true where it meets its limit. Collective."""
    comm = MPI.COMM_WORLD
    metal = deposition("A").with_width(WIDTH)
    model = Model(
        cell(columns, rows), metal, voltage=VOLTAGE, temperature=298.0, method="segregated"
    )
    values = model.start(2.0 * WIDTH)
    deposit = model.total(values, 4)
    walk = march(
        model.advance, start(values, 1e-3), marks=[1e9], tolerance=1.0, rtol=TOLERANCE,
        progress=lambda _, v: model.charge(v, deposit), norm=model.norm, culprit=model.culprit,
    )  # fmt: skip
    for _ in range(BEFORE):
        step, _ = next(walk)
        model.accepted(step.time)
    before, rejected = spent(), 0
    comm.barrier()
    began = time.perf_counter()
    for _ in range(steps):
        step, _ = next(walk)
        model.accepted(step.time)
        rejected += step.rejected
    comm.barrier()
    whole = time.perf_counter() - began
    limit = LIMITS.get((columns, rows))
    each, solves = whole / steps, steps + rejected
    if comm.rank == 0:
        beside = "" if limit is None else f" (limit {limit} s)"
        print(
            f"{model.num_dofs:,} unknowns, {comm.size} ranks: {each:.3f} s per step{beside}, "
            f"{whole / solves:.3f} s per solve; {steps} steps, {rejected} rejected, "
            f"to t = {step.time:.3g} s",
            flush=True,
        )
        for name, (seconds, calls) in spent().items():
            share = 100 * (seconds - before[name][0]) / whole
            print(
                f"  {name:16} {share:3.0f} %, {(calls - before[name][1]) / solves:4.1f} per solve"
            )
    model.destroy()
    return limit is None or each <= limit


if __name__ == "__main__":
    PETSc.Log.begin()
    given = [int(word) for word in sys.argv[1:]]
    sizes = [(given[0], given[1])] if given else list(LIMITS)
    fast = [main(*size, given[2] if len(given) > 2 else STEPS) for size in sizes]
    sys.exit(0 if all(fast) else 1)

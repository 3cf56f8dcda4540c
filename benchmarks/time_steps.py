"""How many time steps a charging curve takes, adaptive and fixed.

    python benchmarks/time_steps.py

A slab, at first empty, is charged by a step at one face. Asked: profile, mean and outflow
at D t / L^2 = 0.01, 0.03, 0.1, 0.3 and 1 (before breakthrough, during, and steady), within
1e-4 of their steady sizes. The first rows are of time alone (the slab is exact in space),
the last is a run of the program against the series.
"""

import sys

from fem_spe.verify.transients import modal_charging, time_steps


def main() -> int:
    print(f"{'steps':42} {'number':>7} {'largest error':>14}")
    for rtol in (1e-3, 5e-4, 1.7e-4, 1e-4, 1e-5, 1e-6):
        count, error = modal_charging(rtol=rtol)
        print(f"{f'adaptive, rtol = {rtol:g}':42} {count:7d} {error:14.1e}")
    for highest in (2, 4):
        for fixed in (100, 300, 1000, 3000, 5000):
            count, error = modal_charging(rtol=1.0, fixed=fixed, highest=highest)
            print(f"{f'fixed, order up to {highest}':42} {count:7d} {error:14.1e}")
    rows = list(time_steps())
    steps, error = rows[0].value, rows[1].value
    print(f"{'fem-spe run, rtol = 0.00017':42} {steps:7.0f} {error:14.1e}")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

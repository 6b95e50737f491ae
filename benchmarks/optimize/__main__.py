"""`python -m benchmarks.optimize [SUBJECT …]`."""

import sys

from benchmarks.optimize import figures

if __name__ == "__main__":
    for figure, measured, bar in figures(*sys.argv[1:]):
        print(f"{figure:<70} {measured:<44} bar: {bar}", flush=True)

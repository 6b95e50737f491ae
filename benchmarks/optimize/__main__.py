"""`python -m benchmarks.optimize [--profile NAME] [SUBJECT …]`."""

import argparse

from benchmarks.optimize import figures
from benchmarks.optimize.subjects import SUBJECTS
from edgeloop.benchmarking.profiles import PROFILES

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimize")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="of the contest")
    given = parser.parse_args()
    if unknown := set(given.subjects) - SUBJECTS.keys():
        parser.error(f"no subject {', '.join(sorted(unknown))}")
    for figure, measured, bar in figures(*given.subjects, profile=given.profile):
        print(f"{figure:<70} {measured:<44} bar: {bar}", flush=True)

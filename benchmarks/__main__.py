"""`make bench`: every figure beside its bar. `python -m benchmarks NAME …` runs some."""

import importlib
import sys

FIGURES = ("startup", "run", "dvc", "signs", "pictures", "data", "faults", "training", "scenarios", "optimize", "drops")


def main(names: list[str]) -> None:
    """Runs the named figures, all by default, and prints one line a figure."""
    for name in names or FIGURES:
        for figure, measured, bar in importlib.import_module(f"benchmarks.{name}").figures():
            print(f"{figure:<58} {measured:<34} bar: {bar}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

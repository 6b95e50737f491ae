"""`python -m benchmarks.training FIGURE [NAME [BATCH]]`, or one of the processes of a figure."""

import json
import sys
from types import ModuleType

from benchmarks.training import epochs, memory, speed, sweep

FIGURES: dict[str, ModuleType] = {"memory": memory, "epochs": epochs, "speed": speed, "sweep": sweep}


def main(arguments: list[str]) -> None:
    """One figure for people, or what a process of its own measures."""
    match arguments:
        case ["child", name, *rest] if name in FIGURES:
            print(json.dumps(FIGURES[name].measured(*rest)))
        case [name, *rest] if name in FIGURES:
            for line in FIGURES[name].table(*rest):
                print(line, flush=True)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

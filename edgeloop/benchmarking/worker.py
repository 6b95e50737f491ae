"""The process on the device: `python -m edgeloop.benchmarking.worker [--threads N]`, JSON lines on stdin and stdout.

It ends when stdin ends, so it does not outlive whoever started it. Whatever a library prints goes to stderr: stdout
carries answers only. The number of threads goes into the environment before any library is imported, because that is
when most of them read it.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import TextIO

MODULE = "edgeloop.benchmarking.worker"

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def arguments(threads: int) -> list[str]:
    """What a transport has to start for a model that computes on `threads` threads."""
    return [MODULE, "--threads", str(threads)]


def main(argv: list[str]) -> None:
    """Answers until stdin ends."""
    if len(argv) == 2 and argv[0] == "--threads" and argv[1].isdecimal():
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, argv[1]))
    elif argv:
        sys.exit(f"usage: python -m {MODULE} [--threads N]")
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, tempfile.TemporaryDirectory() as work:
        os.dup2(2, 1)
        _serve(sys.stdin, answers, work=Path(work))


def _serve(questions: TextIO, answers: TextIO, *, work: Path) -> None:
    from edgeloop.benchmarking.resident import Resident

    resident = Resident(work)
    try:
        for line in questions:
            answers.write(resident.reply(line) + "\n")
            answers.flush()
    finally:
        resident.close()


if __name__ == "__main__":
    main(sys.argv[1:])

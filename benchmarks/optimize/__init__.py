"""The fastest correct file, against what else can be had: one thread, batch 1, in turns in one run.

* `subjects`: four trained models.
* `choice`: what the library makes, measures and selects of each.
* `rivals`: what others make of it by their defaults.
* `contest`: both, timed and judged together; `lines` tells it.
* `alone`: `edgeloop optimize` of the trained folder.

`python -m benchmarks.optimize [--profile NAME] [SUBJECT …]` runs some; docs/optimize.md holds the last figures. Where
two files are a few percent apart the profile `standard` tells them apart better than `quick`: each starts thrice.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.optimize.subjects import SUBJECTS, Made, Subject, made
from edgeloop.benchmarking import ProfileName

Figure = tuple[str, str, str]

LARGE = "resnet"
"""The subject of the figures about int8 over fp32 and about the time that optimizing takes."""

LONGEST_S = 180


def figures(*chosen: str, profile: ProfileName = "quick") -> Iterator[Figure]:
    """Figure, measured, bar; `chosen`: subjects, all by default; `profile`: of the contest."""
    for name in chosen or SUBJECTS:
        with tempfile.TemporaryDirectory() as scratch:
            yield from of_subject(name, Path(scratch), profile=profile)


def of_subject(name: str, folder: Path, *, profile: ProfileName) -> Iterator[Figure]:
    """One subject: as it was trained, what was chosen, and the contest."""
    from benchmarks.optimize import lines
    from benchmarks.optimize.choice import choose
    from benchmarks.optimize.contest import compete, enter

    subject = SUBJECTS[name]
    trained = made(subject)
    choice = choose(subject, trained, folder / "choice")
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in choice.seconds.items())
    told = f"{sum(choice.seconds.values()):.0f} s ({steps})"
    yield f"{subject.name}: convert to select, all of val", told, "none"
    enter(trained, choice, folder / "contest")
    results = compete(trained, choice, folder / "contest", profile=profile)
    yield from lines.told(subject, results)
    if name == LARGE:
        yield from lines.over_float(subject, results)
        yield _alone(subject, trained, folder / "alone")


def _alone(subject: Subject, trained: Made, folder: Path) -> Figure:
    from benchmarks.optimize.alone import optimized

    timed = optimized(subject, trained, folder)
    found = timed.found
    return (
        f"{subject.name}: edgeloop optimize",
        f"{timed.seconds:.0f} s, {found.variant} on {found.target}",
        (f"≤ {LONGEST_S} s on 2 cores"),
    )

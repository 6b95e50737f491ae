"""A released detector of traffic signs on scenes that nobody has seen, as many of every condition.

The scenes are drawn from another seed than those that the model was made with, in the same size, until each condition
has its number; they are drawn, asked about and forgotten in batches. Asked is the file that the bundle names as its
winner, in the runtime that was measured with it.

    python -m benchmarks fresh                       of artifacts/register/bundle
    python -m benchmarks.fresh [BUNDLE] [--seed N] [--pictures N] [--json]
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edgeloop import plugins
from edgeloop.contract import Contract
from edgeloop.data.dataset import Sample
from edgeloop.data.scenes.looks import CONDITIONS, condition_of
from edgeloop.data.scenes.options import SceneOptions
from edgeloop.data.scenes.png import png
from edgeloop.data.scenes.scene import Scene, draw_scene
from edgeloop.errors import EdgeloopError, InputFault
from edgeloop.evaluation.answering import Ask, answering
from edgeloop.lineage import verification
from edgeloop.models import ModelCard
from edgeloop.tasks import Floats, Task
from edgeloop.tasks.detection import boxes_of

BUNDLE = Path("artifacts/register/bundle")
SEED = 20_261
PICTURES = 100
BAR = 0.85
BATCH = 32
"""Scenes that are in memory at once."""


class Score(Contract):
    """The signs of one class, or the scenes of one condition."""

    name: str
    count: int
    map50: float | None


class Fresh(Contract):
    """What a detector reaches on fresh scenes; each mAP is at an overlap of one half."""

    variant: str
    runtime: str
    seed: int
    scenes: int
    map50: float
    classes: tuple[Score, ...]
    conditions: tuple[Score, ...]
    bar: float = BAR

    @property
    def passed(self) -> bool:
        """Every class and every condition reaches the bar."""
        return all(score.map50 is not None and score.map50 >= self.bar for score in (*self.classes, *self.conditions))


def figures(bundle: Path = BUNDLE, *, seed: int = SEED, pictures: int = PICTURES) -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    try:
        found = fresh(bundle, seed=seed, pictures=pictures)
    except InputFault as fault:
        yield "mAP@0.5 on fresh scenes", f"not evaluated: {fault.where} {fault.what}", f"≥ {BAR}"
        return
    yield from rows_of(found)


def rows_of(found: Fresh) -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    yield f"{found.variant}: mAP@0.5 on {found.scenes} fresh scenes", f"{found.map50:.3f}", f"≥ {found.bar}"
    for kind, unit, scores in (("class", "signs", found.classes), ("condition", "scenes", found.conditions)):
        for score in scores:
            value = "not defined" if score.map50 is None else f"{score.map50:.3f}"
            yield f"mAP@0.5 of {kind} {score.name}, {score.count} {unit}", value, f"≥ {found.bar}"


def fresh(bundle: Path, *, seed: int = SEED, pictures: int = PICTURES) -> Fresh:
    """Asks the winner of a bundle about fresh scenes.

    Args:
        bundle: A bundle's folder.
        seed: Of the scenes.
        pictures: Of each condition.

    Raises:
        InputFault: There is no bundle, its model learned from something else, or the seed is that of its data.
        ModelFault: The bundle is not whole.
        DeviceFault: Its runtime is not installed here.
    """
    if not bundle.is_dir():
        raise InputFault("is no folder", where=str(bundle), fix="run the scenario traffic-signs first")
    opened = verification.opened(bundle)
    made = opened.manifest.subject.params["prepare_data"]
    if made["source"] != "traffic_signs":
        raise InputFault("is no detector of traffic signs", where=str(bundle), fix="run the scenario traffic-signs")
    options = SceneOptions.model_validate(made["options"])
    if options.seed == seed:
        raise InputFault(f"was made with scenes of the seed {seed}", where=str(bundle), fix="give another --seed")
    winner, card = opened.manifest.winner, opened.card
    task: Task = plugins.load("tasks", card.task)
    placed = opened.variant(winner.variant)
    with answering(placed, winner.runtime, threads=winner.threads, task=task, card=card) as ask:
        answers, truths, conditions = asked(
            ask, card=card, numbers=numbers_of(seed, pictures), seed=seed, side_px=options.size_pixels
        )
    whole = task.metrics(answers, truths, card)
    return Fresh(
        variant=winner.variant,
        runtime=winner.runtime,
        seed=seed,
        scenes=len(truths),
        map50=whole["map50"],
        classes=tuple(Score(name=r["class"], count=r["support"], map50=r["ap50"]) for r in whole["per_class"]),
        conditions=by_condition(answers, truths, conditions, task=task, card=card),
    )


def numbers_of(seed: int, pictures: int) -> list[int]:
    """The first scenes of a seed that show every condition so many times, in their order."""
    left, numbers, number = Counter(dict.fromkeys(CONDITIONS, pictures)), [], 0
    while left.total():
        condition = condition_of(seed, number)
        if left[condition]:
            left[condition] -= 1
            numbers.append(number)
        number += 1
    return numbers


def asked(
    ask: Ask, *, card: ModelCard, numbers: Sequence[int], seed: int, side_px: int
) -> tuple[Floats, list[Floats], list[str]]:
    """Answers, truths and conditions of the scenes with these numbers."""
    answers, truths, conditions = [], [], []
    for start in range(0, len(numbers), BATCH):
        drawn = [draw_scene(seed, number, side_px=side_px) for number in numbers[start : start + BATCH]]
        inputs = [card.preprocessing.apply(png(scene.pixels), where=f"scene {scene.number}") for scene in drawn]
        answers.append(ask(np.stack(inputs)))
        truths += [boxes_of(_indexed(scene), (side_px, side_px), card) for scene in drawn]
        conditions += [scene.condition for scene in drawn]
    return np.concatenate(answers), truths, conditions


def by_condition(
    answers: Floats, truths: Sequence[Floats], conditions: Sequence[str], *, task: Task, card: ModelCard
) -> tuple[Score, ...]:
    """The mAP of the scenes of each condition."""
    scores = []
    for condition in CONDITIONS:
        places = [place for place, of_scene in enumerate(conditions) if of_scene == condition]
        metrics = task.metrics(answers[places], [truths[place] for place in places], card) if places else {}
        scores.append(Score(name=condition, count=len(places), map50=metrics.get("map50")))
    return tuple(scores)


def _indexed(scene: Scene) -> Sample:
    """As the index of a dataset has it."""
    boxes = [[sign.label, sign.left, sign.top, sign.width, sign.height] for sign in scene.signs]
    name = f"scene {scene.number}"
    return Sample(name, name, None, "fresh", None, boxes=json.dumps(boxes))


def main(arguments: Sequence[str]) -> int:
    """Prints the figures, or JSON; 1 where a class or condition misses the bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fresh", description=__doc__)
    parser.add_argument("bundle", type=Path, nargs="?", default=BUNDLE)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of each condition")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        found = fresh(given.bundle, seed=given.seed, pictures=given.pictures)
    except EdgeloopError as error:
        print(error.line(), file=sys.stderr)
        return error.exit_code
    if given.json:
        print(json.dumps({**found.values(), "passed": found.passed}, indent=2))
    else:
        for figure, measured, bar in rows_of(found):
            print(f"{figure:<58} {measured:<34} bar: {bar}")
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

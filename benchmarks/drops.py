"""What int8 files lose against the float files that they are made of, on samples that chose nothing or only judged.

Three scenarios with three seeds each (of the split, the weights and the order of training): trained, converted and
quantized by the library's calls under the scenario's own limits, then asked about all of val and test. The detector is
asked about fresh scenes, and MobileNetV3-Small, which plain int8 hurts, about val and test of the digits. Where
`quantize` refused its file, the float file is what is delivered, and nothing is lost.

`python -m benchmarks.drops [NAME …]`. Models are kept where those of `benchmarks.optimize` are.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import fresh
from benchmarks.optimize.subjects import DIGITS, ROOT, SUBJECTS, Course, Made, Subject, made
from edgeloop import params as parameters
from edgeloop import plugins
from edgeloop.batches import batches
from edgeloop.conversion import ConvertParams, convert
from edgeloop.data.dataset import Dataset
from edgeloop.data.preprocessing import ImageInput
from edgeloop.evaluation.answering import answering
from edgeloop.models import ModelCard
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeParams
from edgeloop.tasks import Floats, Task
from edgeloop.training import TrainParams
from edgeloop.variants import PlacedVariant, placed_variants

Figure = tuple[str, str, str]

SCENARIOS = ("digits", "traffic-signs-crops", "vibration")
SEEDS = (0, 1, 2)
DETECTOR, VICTIM = "yolo_tiny", "mobilenet_v3_small"
SCHEMES = ("onnxruntime_static", "nncf")
RUNTIMES = {"onnx": "onnxruntime", "openvino": "openvino"}

MOST_POINTS, FEWEST_SAMPLES = 0.5, 3
MOST_MAP_POINTS, MOST_VICTIM_POINTS = 1.0, 1.5
FRESH_SEED, FRESH_PICTURES = 77_001, 170
"""Scenes of each of the six conditions: 1,020 in all."""

RECOVERED = Subject(
    "mobilenet_v3_small",
    "MobileNetV3-Small of half the width",
    (
        Course(
            TrainParams(
                model="mobilenet_v3_small",
                model_options={"width": 0.5},
                image=ImageInput(height=32, width=32, mode="L"),
                epochs=20,
                learning_rate=3e-3,
                augment_shift=2,
            ),
            DIGITS,
        ),
    ),
)


@dataclass(frozen=True)
class Loss:
    """Right answers of the float file and of the delivered file, on the same samples."""

    samples: int
    before: int
    after: int
    refused: str = ""
    """Why the float file was delivered."""

    @property
    def points(self) -> float:
        """What was lost, in percent of the samples; negative where more is right than before."""
        return 100 * (self.before - self.after) / self.samples


def figures(*chosen: str) -> Iterator[Figure]:
    """Figure, measured, bar; `chosen`: scenarios, `yolo_tiny` or `mobilenet_v3_small`, all by default."""
    for name in chosen or (*SCENARIOS, DETECTOR, VICTIM):
        if name == DETECTOR:
            yield from _of_detector()
        elif name == VICTIM:
            for variant, loss in losses_of(RECOVERED, QuantizeParams(schemes=SCHEMES)).items():
                yield f"{RECOVERED.name}: {variant}, val + test", told([loss]), f"≤ {MOST_VICTIM_POINTS} points"
        else:
            yield from _of_scenario(name)


def _of_scenario(name: str) -> Iterator[Figure]:
    pooled: dict[str, list[Loss]] = {}
    for seed in SEEDS:
        params = parameters.load(
            ROOT / "params.yaml",
            scenario=ROOT / "scenarios" / f"{name}.yaml",
            overrides=[f"prepare_data.seed={seed}", f"train.seed={seed}"],
        )
        subject = Subject(f"{name}-seed-{seed}", name, (Course(params.train, params.prepare_data),))
        section = params.quantize.model_copy(update={"schemes": SCHEMES})
        for variant, loss in losses_of(subject, section).items():
            pooled.setdefault(variant, []).append(loss)
    for variant, losses in pooled.items():
        bar = f"≤ {MOST_POINTS} points, or fewer than {FEWEST_SAMPLES} samples"
        yield f"{name}: {variant}, val + test of {len(losses)} seeds", told(losses), bar


def losses_of(subject: Subject, section: QuantizeParams) -> dict[str, Loss]:
    """By variant: what its file, or the float file in its place, loses on val and test together."""
    trained = made(subject)
    with tempfile.TemporaryDirectory() as scratch:
        placed = _quantized(trained, section, Path(scratch))
        float_right = _right(placed["onnx-fp32"], trained)
        int8 = {name: one for name, one in placed.items() if one.variant.precision == "int8"}
        return {name: _loss(one, float_right, trained) for name, one in int8.items()}


def _quantized(trained: Made, section: QuantizeParams, folder: Path) -> dict[str, PlacedVariant]:
    data = {"dataset": trained.dataset, "validation": trained.validation}
    convert(ConvertParams(), model=trained.model, converted=folder / "converted", **data)
    quantize(section, converted=folder / "converted", quantized=folder / "quantized", **data)
    return placed_variants([folder / "converted", folder / "quantized"])


def _loss(found: PlacedVariant, before: Sequence[bool], trained: Made) -> Loss:
    if not found.variant.accepted:
        failed = ", ".join(check.name for check in found.variant.checks if check.status != "pass")
        return Loss(len(before), sum(before), sum(before), refused=failed)
    return Loss(len(before), sum(before), sum(_right(found, trained)))


def _right(placed: PlacedVariant, trained: Made) -> list[bool]:
    """Of every sample of val and test, whether the file names its class."""
    card, dataset = ModelCard.of(trained.model), Dataset(trained.dataset, trained.validation)
    task: Task = plugins.load("tasks", card.task)
    samples = [*dataset.split("val"), *dataset.split("test")]
    truths = task.truths(dataset, samples, card)
    with answering(placed, RUNTIMES[placed.variant.format], threads=1, task=task, card=card) as ask:
        answers = np.concatenate([ask(inputs) for _, inputs in batches(dataset, samples, card.preprocessing)])
    return [int(answer.argmax()) == truth for answer, truth in zip(answers, truths, strict=True)]


def told(losses: Sequence[Loss]) -> str:
    """`0.12 points (2 of 1,623 samples)`, and where the float file was kept."""
    samples, lost = sum(loss.samples for loss in losses), sum(loss.before - loss.after for loss in losses)
    kept = sorted({loss.refused for loss in losses if loss.refused})
    refused = f"; float kept {sum(bool(loss.refused) for loss in losses)} times ({'; '.join(kept)})" if kept else ""
    return f"{100 * lost / samples:.2f} points ({lost} of {samples:,} samples){refused}"


def _of_detector() -> Iterator[Figure]:
    subject = SUBJECTS[DETECTOR]
    trained = made(subject)
    section = parameters.load(ROOT / "params.yaml", scenario=ROOT / "scenarios" / "traffic-signs.yaml").quantize
    with tempfile.TemporaryDirectory() as scratch:
        placed = _quantized(trained, section.model_copy(update={"schemes": SCHEMES}), Path(scratch))
        names = ["onnx-fp32", *(name for name, one in placed.items() if one.variant.precision == "int8")]
        scores = _fresh_scores([placed[name] for name in names], trained)
    for name, score in zip(names[1:], scores[1:], strict=True):
        points = 100 * (scores[0] - score)
        state = "" if placed[name].variant.accepted else "; refused, float kept"
        measured = f"{points:.2f} points ({scores[0]:.4f} to {score:.4f}{state})"
        yield f"{subject.name}: {name}, {6 * FRESH_PICTURES:,} fresh scenes", measured, f"≤ {MOST_MAP_POINTS} points"


def _fresh_scores(files: Sequence[PlacedVariant], trained: Made) -> list[float]:
    """The mAP@0.5 of each file on the same fresh scenes."""
    card = ModelCard.of(trained.model)
    task: Task = plugins.load("tasks", card.task)
    side_px = int(SUBJECTS[DETECTOR].courses[0].data.options["size_pixels"])
    with ExitStack() as stack:
        asks = [
            stack.enter_context(answering(one, RUNTIMES[one.variant.format], threads=1, task=task, card=card))
            for one in files
        ]

        def ask(inputs: Floats) -> Floats:
            return np.stack([one(inputs) for one in asks], axis=1)

        numbers = fresh.numbers_of(FRESH_SEED, FRESH_PICTURES)
        answers, truths, _ = fresh.asked(ask, card=card, numbers=numbers, seed=FRESH_SEED, side_px=side_px)
    return [float(task.metrics(answers[:, place], truths, card)["map50"]) for place in range(len(files))]


if __name__ == "__main__":
    for figure, measured, bar in figures(*sys.argv[1:]):
        print(f"{figure:<70} {measured:<50} bar: {bar}", flush=True)

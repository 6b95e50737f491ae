"""What is optimized: four models, trained by the library itself and kept for the next time.

A model is that of its seed, code, threads and CPU. It lies below `$EDGELOOP_BENCH_CACHE`, else below
`edgeloop/benchmarks` of the user's cache, under a digest of its parameters; whoever changes how the library trains
empties that folder.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeloop import params as parameters
from edgeloop.canonical import digest_of
from edgeloop.data.preparation import PrepareDataParams, SplitShares, prepare
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.data.validation import ValidateDataParams, validate
from edgeloop.files import copy_file, whole_folder
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train

ROOT = Path(__file__).parents[2]
VARIABLE = "EDGELOOP_BENCH_CACHE"
DETECTOR = parameters.load(ROOT / "params.yaml", scenario=ROOT / "scenarios" / "traffic-signs.yaml")

DIGITS = PrepareDataParams(source="digits", split=SplitShares(train=0.6, test=0.1, val=0.3))
CROPS = PrepareDataParams(
    source="traffic_signs_crops",
    options={"count": 3000, "size_pixels": 320, "seed": 1},
    split=SplitShares(train=0.8, test=0.05, val=0.15),
)
"""Each with some 500 to 750 samples in val: a limit of half a point is three or four of them."""


@dataclass(frozen=True)
class Course:
    """A training: section `train`, and of which data."""

    params: TrainParams
    data: PrepareDataParams


@dataclass(frozen=True)
class Subject:
    """A model and how it is made.

    Args:
        slug: Of its folder.
        name: For people.
        courses: Each but the first begun with the weights of the one before; all are judged on the first one's data.
        max_drop: Of the task's metric, what an int8 file may lose.
        least: Of the metric on val, what a sensible model reaches.
    """

    slug: str
    name: str
    courses: tuple[Course, ...]
    max_drop: float = 0.005
    least: float = 0.95


@dataclass(frozen=True)
class Made:
    """Where a subject lies."""

    model: Path
    dataset: Path
    validation: Path


def _course(data: PrepareDataParams, model: str, side: int, **others: Any) -> Course:
    """On two threads in bfloat16, at `side` pixels, unless said otherwise."""
    image = ImageInput(height=side, width=side, mode=others.pop("mode", "RGB"))
    given = {"model": model, "image": image, "precision": "bf16", "threads": 2, **others}
    return Course(TrainParams.model_validate(given), data)


_MLP = _course(DIGITS, "mlp", 28, mode="L", precision="fp32", threads=1, epochs=30, learning_rate=2e-3, augment_shift=2)
_MOBILENET = _course(
    CROPS, "mobilenet_v2", 96, model_options={"width": 0.35},
    epochs=6, learning_rate=4e-3, warm_up=0.1, augment_shift=6,
)  # fmt: skip
_RESNET = (
    _course(
        CROPS, "resnet", 64, model_options={"depth": 18},
        epochs=10, learning_rate=2e-3, warm_up=0.1, augment_shift=4,
    ),
    _course(
        CROPS, "resnet", 128, model_options={"depth": 18},
        epochs=1, learning_rate=1e-3, warm_up=0.15, augment_shift=8, batch_size=32,
    ),
    _course(
        CROPS, "resnet", 224, model_options={"depth": 18},
        epochs=1, learning_rate=1e-3, warm_up=0.15, augment_shift=14, batch_size=32,
    ),
)  # fmt: skip
"""A picture of 224 pixels costs twelve of 64, so most is learned on small ones; a step between costs less than missing
it, since weights that know signs of one size know little of those 3.5 times as large."""

SUBJECTS: dict[str, Subject] = {
    subject.slug: subject
    for subject in (
        Subject("mlp", "MLP 784-300-100-10, digits", (_MLP,)),
        Subject("mobilenet_v2", "MobileNetV2-0.35 96x96, crops", (_MOBILENET,), least=0.9),
        Subject("resnet", "ResNet-18 224x224, crops", _RESNET),
        Subject(
            "yolo_tiny", "YOLO-tiny 320x320, traffic signs", (Course(DETECTOR.train, DETECTOR.prepare_data),),
            max_drop=0.01, least=0.9,
        ),
    )
}  # fmt: skip


def made(subject: Subject, cache: Path | None = None) -> Made:
    """A subject with its data, from the cache or made now, which takes minutes."""
    folder = cache or cache_folder()
    data = _data(subject.courses[0].data, folder)
    key = _key([[course.params.values(), course.data.values()] for course in subject.courses])
    model = folder / f"{subject.slug}-{key}"
    if not (model / WEIGHTS_FILE).is_file():
        _trained(subject, model)
    return Made(model, data / "dataset", data / "validation")


def _trained(subject: Subject, model: Path) -> None:
    """Every course, each in a folder of its own so that one that was finished is not begun again; the last: `model`."""
    begun: Path | None = None
    for number, course in enumerate(subject.courses, start=1):
        target = model if number == len(subject.courses) else model.with_name(f"{model.name}-course-{number}")
        if not (target / WEIGHTS_FILE).is_file():
            data = _data(course.data, model.parent)
            first = None if begun is None else str(_resized(begun, course.params.image))
            train(
                course.params.model_copy(update={"init_from": first}),
                dataset=data / "dataset", validation=data / "validation", model=target,
                history=model.parent / "history" / target.name, tracker=untracked_run,
            )  # fmt: skip
        begun = target


def cache_folder() -> Path:
    """Where subjects are kept."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "edgeloop" / "benchmarks"


def _data(params: PrepareDataParams, folder: Path) -> Path:
    place = folder / f"{params.source}-{_key(params.values())}"
    if not place.is_dir():
        with whole_folder(place) as partial:
            dataset, profile = partial / "dataset", partial / "profile.json"
            prepare(params, dataset=dataset, profile=profile)
            validate(
                ValidateDataParams(on_fault="quarantine"),
                dataset=dataset, profile=profile, validation=partial / "validation", report=partial / "data.html",
            )  # fmt: skip
    return place


def _resized(model: Path, image: ImageInput) -> Path:
    """The weights beside a card for pictures of another size, which a network that ends in a mean takes as well."""
    card = ModelCard.of(model)
    assert isinstance(card.preprocessing, Preprocessing)
    with whole_folder(model.with_name(f"{model.name}-resized")) as folder:
        copy_file(model / WEIGHTS_FILE, folder / WEIGHTS_FILE)
        taken = card.preprocessing.model_copy(update={"image": image})
        card.model_copy(update={"preprocessing": taken}).write(folder / CARD_FILE)
    return model.with_name(f"{model.name}-resized") / WEIGHTS_FILE


def _key(values: Any) -> str:
    return digest_of(values).removeprefix("sha256:")[:12]

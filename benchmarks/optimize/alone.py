"""`edgeloop optimize` of the trained folder, with pictures in folders, as a user of the command has them."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.optimize.choice import runtimes_here
from benchmarks.optimize.subjects import Made, Subject
from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams
from edgeloop.models import ModelCard
from edgeloop.own_files.optimization import Material, Optimized, Wish, optimize
from edgeloop.own_files.targets import available_targets


@dataclass(frozen=True)
class Timed:
    """What was found, and the wall seconds from the call to the written folder."""

    found: Optimized
    seconds: float


def optimized(subject: Subject, made: Made, folder: Path) -> Timed:
    """Of a classifier, with what its training has not learned from: val and test.

    Args:
        subject: Whose limit holds, as it does in `choice`.
        made: Whose weights and pictures are used.
        folder: Of this run alone.
    """
    pictures = _as_folders(made, folder / "pictures")
    wish = Wish(targets=available_targets(runtimes_here()), max_accuracy_drop=2 * subject.max_drop)
    data = PrepareDataParams(source="image_folder", path=pictures, min_class_samples=3)
    began_s = time.monotonic()
    found = optimize(made.model, wish, material=Material(data, ModelCard.of(made.model)), output=folder / "optimized")
    return Timed(found, time.monotonic() - began_s)


def _as_folders(made: Made, folder: Path) -> Path:
    dataset = Dataset(made.dataset, made.validation)
    shutil.rmtree(folder, ignore_errors=True)
    for split in ("val", "test"):
        for number, sample in enumerate(dataset.split(split)):
            target = folder / str(sample.label) / f"{split}-{number:05}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(dataset.content(sample))
    return folder

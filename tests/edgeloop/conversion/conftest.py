"""A small real problem: noisy 8 x 8 pictures of three shapes, and a network that was trained to tell them apart."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.dataset import SPLITS, DatasetCard, Sample, samples_digest, write_index
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard

CLASSES = ("bar", "blob", "cross")
PER_CLASS = {"train": 40, "val": 15, "test": 5}


@dataclass(frozen=True)
class Folders:
    """What the steps before convert leave."""

    dataset: Path
    validation: Path
    model: Path


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("steps")
    found = Folders(root / "dataset", root / "validation", root / "model")
    write_dataset(found.dataset, found.validation)
    write_model(found)
    return found


def picture(label: str, rng: np.random.Generator) -> bytes:
    pixels = rng.normal(60, 15, size=(8, 8))
    row, column = rng.integers(1, 5, size=2)
    if label in ("bar", "cross"):
        pixels[row, :] += 120
    if label == "cross":
        pixels[:, column] += 120
    if label == "blob":
        pixels[row : row + 3, column : column + 3] += 120
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def write_dataset(dataset: Path, validation: Path, per_class: dict[str, int] = PER_CLASS) -> None:
    rng = np.random.default_rng(7)
    samples: list[Sample] = []
    (dataset / "images").mkdir(parents=True)
    for split in SPLITS:
        for label in CLASSES:
            for number in range(per_class[split]):
                content = picture(label, rng)
                uri = f"images/{split}-{label}-{number:03d}.png"
                (dataset / uri).write_bytes(content)
                samples.append(Sample(f"{split}-{label}-{number:03d}", uri, sha256_of_bytes(content), split, label))
    write_both(dataset, validation, samples)


def write_both(dataset: Path, validation: Path, samples: list[Sample]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = sorted(samples, key=lambda sample: sample.id)
    write_index(rows, dataset)
    validation.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table({"id": [s.id for s in rows]}), validation / "accepted.parquet")
    in_splits = {split: [s for s in rows if s.split == split] for split in SPLITS}
    DatasetCard(
        source="shapes",
        name="shapes",
        classes=CLASSES,
        counts={split: len(found) for split, found in in_splits.items()},
        digests={split: samples_digest(found) for split, found in in_splits.items()},
        unreadable=0,
    ).write(dataset / "dataset.json")


def write_model(folders: Folders) -> None:
    """Trains for a second; the accuracy on val is above 0.9."""
    import torch
    from safetensors.torch import save_file

    from edgeloop import plugins
    from edgeloop.data.dataset import Dataset

    card = ModelCard(
        task="classification",
        architecture="cnn",
        options={"width": 8, "dropout": 0.0},
        classes=CLASSES,
        preprocessing=Preprocessing(image=ImageInput(height=8, width=8, mode="L"), mean=(0.3,), std=(0.25,)),
        parameters=1,
    )
    dataset = Dataset(folders.dataset, folders.validation)
    samples = dataset.split("train")
    inputs = torch.from_numpy(np.stack([card.preprocessing.apply(c) for c in dataset.contents(samples)]))
    targets = torch.tensor([dataset.class_index(sample) for sample in samples])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = plugins.load("models", "cnn").build(card.preprocessing.shape, len(CLASSES), dict(card.options))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), targets).backward()
        optimiser.step()
    folders.model.mkdir()
    card.write(folders.model / CARD_FILE)
    save_file(network.state_dict(), folders.model / WEIGHTS_FILE)

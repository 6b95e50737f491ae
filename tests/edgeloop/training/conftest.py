"""Small real datasets in the format of `edgeloop.data.dataset`."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.dataset import DatasetCard, Sample, write_index

Labelled = list[tuple[str, str | None, np.ndarray]]
"""Split, label, and the picture as uint8, H, W."""


def png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="png")
    return content.getvalue()


@pytest.fixture
def write_dataset(tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Writes a dataset and a validation that accepts all of it; returns the arguments of `train`."""

    def write(pictures: Labelled, *, classes: tuple[str, ...]) -> dict[str, Path]:
        dataset, validation = tmp_path / "dataset", tmp_path / "validation"
        (dataset / "shards").mkdir(parents=True)
        validation.mkdir()
        rows = []
        with zipfile.ZipFile(dataset / "shards/0.zip", "w") as shard:
            for number, (split, label, pixels) in enumerate(pictures):
                content, name = png(pixels), f"{number:05d}.png"
                shard.writestr(name, content)
                uri = f"zip://{name}::shards/0.zip"
                rows.append(Sample(f"{number:05d}", uri, sha256_of_bytes(content), split, label))
        write_index(rows, dataset)
        parquet.write_table(pa.table({"id": [row.id for row in rows]}), validation / "accepted.parquet")
        card = DatasetCard(source="test", name="test", classes=classes, counts={}, digests={}, unreadable=0)
        card.write(dataset / "dataset.json")
        return {"dataset": dataset, "validation": validation}

    return write


@pytest.fixture
def bars() -> Labelled:
    """Horizontal, vertical and no bars under noise: 8 x 8 pixels, three classes, easy to learn."""
    rng = np.random.default_rng(0)
    pictures: Labelled = []
    for split, count in (("train", 90), ("val", 30)):
        for number in range(count):
            pixels = rng.integers(0, 60, size=(8, 8), dtype=np.uint8)
            label = ("across", "down", "empty")[number % 3]
            place = 2 + int(rng.integers(0, 4))
            if label == "across":
                pixels[place, :] = 255
            if label == "down":
                pixels[:, place] = 255
            pictures.append((split, label, pixels))
    return pictures


@pytest.fixture
def bars_dataset(bars: Labelled, write_dataset: Callable[..., dict[str, Path]]) -> dict[str, Path]:
    return write_dataset(bars, classes=("across", "down", "empty"))

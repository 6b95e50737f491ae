"""Small real datasets in the format of `edgeloop.data.dataset`."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import partial
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


def written(
    folder: Path, pictures: Labelled, *, classes: tuple[str, ...], metadata: str | None = None
) -> dict[str, Path]:
    """Writes a dataset and a validation that accepts all of it; returns the arguments of `train`."""
    dataset, validation = folder / "dataset", folder / "validation"
    (dataset / "shards").mkdir(parents=True)
    validation.mkdir()
    rows = []
    with zipfile.ZipFile(dataset / "shards/0.zip", "w") as shard:
        for number, (split, label, pixels) in enumerate(pictures):
            content, name = png(pixels), f"{number:05d}.png"
            shard.writestr(name, content)
            uri = f"zip://{name}::shards/0.zip"
            light = json.dumps({metadata: ("night" if number % 10 == 0 else "day")}) if metadata else None
            rows.append(Sample(f"{number:05d}", uri, sha256_of_bytes(content), split, label, metadata=light))
    write_index(rows, dataset)
    parquet.write_table(pa.table({"id": [row.id for row in rows]}), validation / "accepted.parquet")
    card = DatasetCard(source="test", name="test", classes=classes, counts={}, digests={}, unreadable=0)
    card.write(dataset / "dataset.json")
    return {"dataset": dataset, "validation": validation}


def drawn_bars() -> Labelled:
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
def write_dataset(tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Writes a dataset into the test's folder, see `written`."""
    return partial(written, tmp_path)


@pytest.fixture
def bars() -> Labelled:
    return drawn_bars()


@pytest.fixture
def bars_dataset(bars: Labelled, write_dataset: Callable[..., dict[str, Path]]) -> dict[str, Path]:
    return write_dataset(bars, classes=("across", "down", "empty"))


@pytest.fixture(scope="session")
def lit_bars(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bars, a tenth of them by night, for all who only read them."""
    folder = tmp_path_factory.mktemp("bars")
    return written(folder, drawn_bars(), classes=("across", "down", "empty"), metadata="condition")

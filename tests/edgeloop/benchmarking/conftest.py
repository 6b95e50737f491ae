"""A small project: twelve pictures, a float and a smaller variant in the fake runtime's format, a scripted device."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from edgeloop import plugins
from edgeloop.benchmarking import BenchmarkParams, BenchmarkReport, Target
from edgeloop.benchmarking.measurement import benchmark
from edgeloop.canonical import sha256_of_bytes, sha256_of_file
from edgeloop.data.dataset import DatasetCard, Sample, write_index
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.variants import VARIANTS_FILE, Check, Tool, Variant, VariantSet

CLASSES = ("a", "b", "c")
PREPROCESSING = Preprocessing(image=ImageInput(height=4, width=4), mean=(0.5,), std=(0.5,))


@dataclass(frozen=True)
class Project:
    folder: Path

    def device(self, name: str, address: str, **fields: object) -> Target:
        """Declares a fake device and names a target on it."""
        text = {"name": name, "class": "board", "transport": "fake", "address": address, **fields}
        (self.folder / "devices").mkdir(exist_ok=True)
        (self.folder / "devices" / f"{name}.yaml").write_text(json.dumps(text))
        return Target(device=name, runtime="fake")

    def measured(self, *targets: Target, sleep: Callable[[float], None] = lambda _: None) -> BenchmarkReport:
        return benchmark(
            BenchmarkParams(targets=targets),
            converted=self.folder / "converted",
            quantized=self.folder / "quantized",
            dataset=self.folder / "dataset",
            validation=self.folder / "validation",
            benchmark=self.folder / "benchmark",
            devices=self.folder / "devices",
            sleep=sleep,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_set(tmp_path / "converted", "fp32", {"seed": 0})
    write_set(tmp_path / "quantized", "int8", {"seed": 0, "noise": 0.001})
    write_dataset(tmp_path, model=tmp_path / "converted/fake-fp32.json")
    return Project(tmp_path)


def write_set(folder: Path, precision: str, model: dict[str, object], checks: tuple[Check, ...] = ()) -> None:
    folder.mkdir()
    card = ModelCard(
        task="classification", architecture="cnn", classes=CLASSES, preprocessing=PREPROCESSING, parameters=1
    )
    card.write(folder / CARD_FILE)
    path = folder / f"fake-{precision}.json"
    path.write_text(json.dumps({"outputs": {"logits": len(CLASSES)}, **model}))
    variant = Variant(
        name=f"fake-{precision}", format="fake", precision=precision, file=path.name, sha256=sha256_of_file(path),
        size_bytes=path.stat().st_size, made_by=Tool(name="hand", version="1"), checks=checks,
    )  # fmt: skip
    VariantSet(variants=(variant,)).write(folder / VARIANTS_FILE)


def write_dataset(folder: Path, *, model: Path) -> None:
    """Twelve samples of val, each labelled with what the model answers; the last one is not accepted."""
    dataset, validation = folder / "dataset", folder / "validation"
    dataset.mkdir()
    validation.mkdir()
    session = plugins.load("runtimes", "fake").open(model, threads=1)
    rows = []
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (4, 4), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        content = buffer.getvalue()
        (dataset / f"{number:02}.png").write_bytes(content)
        label = CLASSES[int(session.run(PREPROCESSING.apply(content)[None])["logits"].argmax())]
        rows.append(Sample(f"{number:02}", f"{number:02}.png", sha256_of_bytes(content), "val", label))
    write_index(rows, dataset)
    parquet.write_table(pa.table({"id": [f"{n:02}" for n in range(11)]}), validation / "accepted.parquet")
    card = DatasetCard(source="hand", name="hand", classes=CLASSES, counts={"val": 12}, digests={}, unreadable=0)
    card.write(dataset / "dataset.json")

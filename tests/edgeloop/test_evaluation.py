"""evaluate, with the fake runtime; twelve pictures, each labelled with what the model answers but for three."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from edgeloop import plugins
from edgeloop.benchmarking import Target
from edgeloop.canonical import sha256_of_bytes, sha256_of_file
from edgeloop.data.dataset import DatasetCard, Sample, write_index
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DataFault, DeviceFault, InputFault, ModelFault
from edgeloop.evaluation import (
    EvaluateParams,
    Evaluation,
    Part,
    evaluate,
    gap_checks,
    min_metric_check,
    numbers_of,
    parts_of,
)
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.runtimes import RuntimeState
from edgeloop.selection import Selection, SelectLimits
from edgeloop.variants import VARIANTS_FILE, Tool, Variant, VariantSet

CLASSES = ("a", "b", "c")
PREPROCESSING = Preprocessing(image=ImageInput(height=4, width=4), mean=(0.5,), std=(0.5,))
Evaluated = Callable[..., Evaluation]


def write_set(folder: Path, *variants: Variant) -> None:
    folder.mkdir(exist_ok=True)
    VariantSet(variants=variants).write(folder / VARIANTS_FILE)
    ModelCard(
        task="classification", architecture="cnn", classes=CLASSES, preprocessing=PREPROCESSING, parameters=1
    ).write(folder / CARD_FILE)


def write_model(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "m.json"
    path.write_text(json.dumps({"outputs": {"logits": len(CLASSES)}}))
    variant = Variant(
        name="fake-fp32", format="fake", precision="fp32", file=path.name, sha256=sha256_of_file(path),
        size_bytes=path.stat().st_size, made_by=Tool(name="hand", version="1"),
    )  # fmt: skip
    write_set(folder, variant)
    return path


def write_dataset(folder: Path, model: Path) -> None:
    """Twelve samples of test, the first three with a wrong label, the last one not accepted; one of val."""
    for name in ("dataset", "validation"):
        (folder / name).mkdir()
    session = plugins.load("runtimes", "fake").open(model, threads=1)
    rows = []
    for number in range(13):
        buffer = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (4, 4), dtype=np.uint8)
        Image.fromarray(pixels).save(buffer, "PNG")
        content = buffer.getvalue()
        answer = int(session.run(PREPROCESSING.apply(content)[None])["logits"].argmax())
        label = CLASSES[(answer + (number < 3)) % 3]
        name = f"{number:02}"
        (folder / f"dataset/{name}.png").write_bytes(content)
        split = "val" if number == 12 else "test"
        rows.append(Sample(name, f"{name}.png", sha256_of_bytes(content), split, label))
    write_index(rows, folder / "dataset")
    accepted = [row.id for row in rows if row.id != "11"]
    parquet.write_table(pa.table({"id": accepted}), folder / "validation/accepted.parquet")
    card = DatasetCard(source="hand", name="hand", classes=CLASSES, counts={"test": 12}, digests={}, unreadable=0)
    card.write(folder / "dataset/dataset.json")


def write_selection(folder: Path, **fields: Any) -> None:
    values: dict[str, Any] = {
        "winner": "fake-fp32@local-fake-1t", "variant": "fake-fp32", "target": Target(runtime="fake"),
        "prefer": "latency", "limits": SelectLimits(), "reason": "", "candidates": (),
    }  # fmt: skip
    Selection(**{**values, **fields}).write(folder / "selection.json")


@pytest.fixture
def evaluated(tmp_path: Path) -> Evaluated:
    write_dataset(tmp_path, write_model(tmp_path / "converted"))
    write_set(tmp_path / "quantized")
    write_selection(tmp_path)

    def run(min_metric: float = 0.5) -> Evaluation:
        paths = {name: tmp_path / name for name in ("converted", "quantized", "dataset", "validation", "evaluation")}
        return evaluate(EvaluateParams(min_metric=min_metric), selection=tmp_path / "selection.json", **paths)

    return run


def test_it_judges_the_accepted_samples_of_test(evaluated: Evaluated) -> None:
    outcome = evaluated()
    assert outcome.samples == 11
    assert outcome.metrics["accuracy"] == pytest.approx(8 / 11)


def test_it_names_what_was_judged(evaluated: Evaluated) -> None:
    outcome = evaluated()
    named = (outcome.candidate, outcome.variant, outcome.runtime, outcome.classes, outcome.metric)
    assert named == ("fake-fp32@local-fake-1t", "fake-fp32", "fake", CLASSES, "accuracy")


@pytest.mark.parametrize(("limit", "status"), [(8 / 11, "pass"), (0.73, "fail")])
def test_the_limit_is_a_value_and_stops_nothing(evaluated: Evaluated, limit: float, status: str) -> None:
    assert [(check.name, check.status) for check in evaluated(limit).checks] == [("min_metric", status)]


def test_the_evaluation_is_the_one_that_was_written(evaluated: Evaluated, tmp_path: Path) -> None:
    outcome = evaluated()
    assert Evaluation.read(tmp_path / "evaluation/evaluation.json") == outcome


def test_metrics_hold_numbers_only(evaluated: Evaluated, tmp_path: Path) -> None:
    evaluated()
    numbers = json.loads((tmp_path / "evaluation/metrics.json").read_text())
    assert {"accuracy", "ece"} <= set(numbers)
    assert all(isinstance(value, int | float) for value in numbers.values())


def test_each_sample_is_a_line_of_actual_and_predicted(evaluated: Evaluated, tmp_path: Path) -> None:
    evaluated()
    with (tmp_path / "evaluation/confusion.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["actual"] == line["predicted"] for line in lines] == [False] * 3 + [True] * 8


def test_there_are_pictures(evaluated: Evaluated, tmp_path: Path) -> None:
    evaluated()
    assert (tmp_path / "evaluation/confusion.png").read_bytes().startswith(b"\x89PNG")


def test_twice_gives_the_same_bytes(evaluated: Evaluated, tmp_path: Path) -> None:
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / "evaluation").iterdir()}

    evaluated()
    first = contents()
    evaluated()
    assert contents() == first


def test_no_winner_is_refused(evaluated: Evaluated, tmp_path: Path) -> None:
    write_selection(tmp_path, winner=None, variant=None, target=None)
    with pytest.raises(InputFault, match="has no winner"):
        evaluated()


def test_a_winner_that_no_set_holds_is_refused(evaluated: Evaluated, tmp_path: Path) -> None:
    write_selection(tmp_path, variant="onnx-int8")
    with pytest.raises(ModelFault, match="chose onnx-int8, which no variant set holds"):
        evaluated()


def test_a_changed_model_file_is_refused(evaluated: Evaluated, tmp_path: Path) -> None:
    with (tmp_path / "converted/m.json").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelFault, match="not the file that was recorded"):
        evaluated()
    assert not (tmp_path / "evaluation").exists()


def test_no_sample_of_test_is_refused(evaluated: Evaluated, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"id": ["12"]}), tmp_path / "validation/accepted.parquet")
    with pytest.raises(DataFault, match="no accepted sample in test"):
        evaluated()


def test_a_runtime_that_is_not_here_is_refused(evaluated: Evaluated, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = plugins.load("runtimes", "fake")
    absent = RuntimeState(name="fake", available=False, reason="run: pip install fake")
    monkeypatch.setattr(type(fake), "state", lambda _: absent)
    with pytest.raises(DeviceFault, match="is not available here: run: pip install fake"):
        evaluated()


def test_a_metric_at_the_limit_passes() -> None:
    assert min_metric_check(0.95, 0.95).status == "pass"


def test_numbers_are_neither_flags_nor_tables() -> None:
    assert numbers_of({"a": 1.5, "b": 2, "c": True, "d": [1], "e": None, "f": "x"}) == {"a": 1.5, "b": 2}


def sample(number: int, metadata: str | None, group: str | None = None) -> Sample:
    return Sample(str(number), "uri", None, "test", "a", group=group, metadata=metadata)


def test_the_metric_is_taken_of_every_value_of_a_column_and_of_the_groups() -> None:
    samples = [
        sample(0, '{"condition": "fog"}', "one"),
        sample(1, '{"condition": "day"}', "two"),
        sample(2, None, "one"),
    ]
    parts = parts_of(("condition", "group", "none"), samples=samples, judged=lambda places: float(sum(places)))
    assert [(part.column, part.value, part.samples, part.metric) for part in parts] == [
        ("condition", "day", 1, 1.0), ("condition", "fog", 1, 0.0), ("group", "one", 2, 2.0), ("group", "two", 1, 1.0),
    ]  # fmt: skip


def test_the_gap_between_best_and_worst_may_be_a_limit() -> None:
    values = (("fog", 0.5), ("day", 0.9), ("rain", None))
    parts = [Part(column="condition", value=value, samples=1, metric=metric) for value, metric in values]
    (check,) = gap_checks(parts, 0.3)
    assert (check.name, check.status, check.value) == ("gap_condition", "fail", pytest.approx(0.4))
    assert check.reason.startswith("condition fog lies 0.4000 below")
    assert gap_checks(parts, None) == ()

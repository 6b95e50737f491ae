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
from edgeloop.evaluation import EvaluateParams, Evaluation, evaluate, numbers_of, sweep
from edgeloop.evaluation.sweep import CLEAN
from edgeloop.examples import EXAMPLES_FILE, Examples
from edgeloop.models import CARD_FILE, ModelCard
from edgeloop.runtimes import RuntimeState
from edgeloop.selection import Selection, SelectLimits
from edgeloop.variants import VARIANTS_FILE, Check, Tool, Variant, VariantSet

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
    path = model_file(folder)
    write_set(folder, variant_of(path, "fake-fp32", "fp32"))
    return path


def model_file(folder: Path, **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "m.json"
    path.write_text(json.dumps({"outputs": {"logits": len(CLASSES)}, **more}))
    return path


def variant_of(path: Path, name: str, precision: Any, **fields: Any) -> Variant:
    return Variant(
        name=name, format="fake", precision=precision, file=path.name, sha256=sha256_of_file(path),
        size_bytes=path.stat().st_size, made_by=Tool(name="hand", version="1"), **fields,
    )  # fmt: skip


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
def evaluated(drawn: Evaluated, monkeypatch: pytest.MonkeyPatch) -> Evaluated:
    """Without the pictures, which take ten times as long as all else."""
    monkeypatch.setattr(type(plugins.load("tasks", "classification")), "draw", lambda *_: [])
    return drawn


@pytest.fixture
def drawn(tmp_path: Path) -> Evaluated:
    write_dataset(tmp_path, write_model(tmp_path / "converted"))
    write_set(tmp_path / "quantized")
    write_selection(tmp_path)

    def run(min_metric: float = 0.5, **fields: Any) -> Evaluation:
        paths = {name: tmp_path / name for name in ("converted", "quantized", "dataset", "validation", "evaluation")}
        return evaluate(EvaluateParams(min_metric=min_metric, **fields), selection=tmp_path / "selection.json", **paths)

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


def test_there_are_pictures(drawn: Evaluated, tmp_path: Path) -> None:
    drawn()
    for name in ("confusion", "reliability", "precision_recall"):
        assert (tmp_path / f"evaluation/{name}.png").read_bytes().startswith(b"\x89PNG")


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


def test_numbers_are_neither_flags_nor_tables() -> None:
    assert numbers_of({"a": 1.5, "b": 2, "c": True, "d": [1], "e": None, "f": "x"}) == {"a": 1.5, "b": 2}


def test_the_worst_samples_are_shown_with_what_the_model_says_and_where_it_looks(
    evaluated: Evaluated, tmp_path: Path
) -> None:
    evaluated()
    shown = Examples.read(tmp_path / "evaluation" / EXAMPLES_FILE)
    assert {example.id for example in shown.examples[:3]} == {"00", "01", "02"}
    assert all("taken for" in example.told for example in shown.examples[:3])
    assert all(len(example.importance) == 4 for example in shown.examples)


def test_the_sweep_asks_every_variant_about_the_same_samples_in_every_strength(
    evaluated: Evaluated, tmp_path: Path
) -> None:
    path = model_file(tmp_path / "quantized")
    write_set(tmp_path / "quantized", variant_of(path, "fake-int8", "int8", made_from="fake-fp32"))
    found = evaluated(corruptions={"samples": 5}).corruptions
    assert found is not None and (found.samples, found.reference) == (5, "fake-fp32")
    cells = {(cell.variant, cell.corruption, cell.strength): cell for cell in found.cells}
    assert len(cells) == 2 * (1 + 4 * 3)
    assert all(cell.metric is not None for cell in cells.values())
    assert all(cell.drop == 0 for key, cell in cells.items() if key[0] == "fake-int8")  # the same answers
    assert cells["fake-fp32", CLEAN, 0].drop is None


def test_the_clean_cell_of_all_samples_is_the_metric_itself(evaluated: Evaluated) -> None:
    outcome = evaluated()
    assert outcome.corruptions is not None
    assert outcome.corruptions.cells[0].metric == outcome.metrics["accuracy"]


def test_how_many_samples_are_asked_about_at_once_changes_nothing(
    evaluated: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluated().corruptions
    monkeypatch.setattr(sweep, "CHUNK_BYTES", 1)
    assert evaluated().corruptions == first


def test_a_variant_that_quantize_refused_and_a_copy_of_the_winner_are_not_asked(
    evaluated: Evaluated, tmp_path: Path
) -> None:
    path = model_file(tmp_path / "quantized")
    refused = Check(name="accuracy_drop", status="fail", value=0.2, limit=0.01)
    copy = variant_of(path, "copy-fp32", "fp32", made_from="fake-fp32")
    write_set(tmp_path / "quantized", copy, variant_of(path, "fake-int8", "int8", checks=(refused,)))
    found = evaluated().corruptions
    assert found is not None and list(found.variants) == ["fake-fp32"]
    assert found.left_out == {"copy-fp32": "computes what fake-fp32 computes"}


def test_a_variant_that_nothing_here_runs_is_left_out_with_the_reason(evaluated: Evaluated, tmp_path: Path) -> None:
    path = model_file(tmp_path / "quantized")
    write_set(tmp_path / "quantized", variant_of(path, "odd-int8", "int8").model_copy(update={"format": "odd"}))
    found = evaluated().corruptions
    assert found is not None and found.left_out == {"odd-int8": "no installed runtime loads odd"}


def test_no_sweep_where_none_is_wanted(evaluated: Evaluated) -> None:
    assert evaluated(corruptions={"samples": 0}).corruptions is None


def test_no_judgement_hangs_on_the_sweep(evaluated: Evaluated) -> None:
    assert evaluated().checks == evaluated(corruptions={"samples": 0}).checks


def test_classes_are_held_to_their_own_limit(evaluated: Evaluated) -> None:
    checks = {check.name: check.status for check in evaluated(min_class_metric=0.1, min_samples=1).checks}
    assert checks == {"min_metric": "pass", "min_class_metric": "pass"}
    assert evaluated(min_class_metric=0.1, min_samples=12).checks[-1].status == "not evaluated"

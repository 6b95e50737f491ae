"""The worst samples of each kind, with an answerer that is a plain function."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeloop import plugins
from edgeloop.benchmarking.staging import Samples
from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.inputs import AnyPreprocessing, RowPreprocessing, WindowInput, WindowPreprocessing
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.data.windows import window_bytes
from edgeloop.evaluation.worst import Judged
from edgeloop.models import ModelCard
from edgeloop.tasks.detection.suppression import MOST_BOXES

WINDOW = WindowPreprocessing(window=WindowInput(), channels=2, length=64, mean=(0.0, 0.0), std=(1.0, 1.0))
PICTURE = Preprocessing(image=ImageInput(height=32, width=32, mode="RGB"), mean=(0.0,) * 3, std=(1.0,) * 3)


def samples_in(folder: Path, contents: list[bytes], preprocessing: AnyPreprocessing) -> Samples:
    rows = []
    for number, content in enumerate(contents):
        (folder / f"{number}").write_bytes(content)
        rows.append(Sample(f"s{number}", f"{number}", sha256_of_bytes(content), "test", "a"))
    return Samples(Dataset(folder), tuple(rows), preprocessing)


def card_of(task: str, preprocessing: AnyPreprocessing, **fields) -> ModelCard:
    return ModelCard(
        task=task, architecture="yolo_tiny", classes=("a", "b"), preprocessing=preprocessing, parameters=1, **fields
    )


def late_peak(inputs: np.ndarray) -> np.ndarray:
    """Says b where something stands out in the last quarter of the first channel."""
    peak = inputs[:, 0, 48:].max(axis=1)
    return np.stack([np.zeros_like(peak), peak], axis=1)


def test_a_window_shows_which_stretch_its_answer_hangs_on(tmp_path):
    readings = np.zeros((8, 64, 2), dtype=np.float32)
    readings[3, 60, 0] = 5  # the only one that is taken for b
    samples = samples_in(tmp_path, [window_bytes(one) for one in readings], WINDOW)
    answers = late_peak(samples.inputs(samples.samples))
    task, card = plugins.load("tasks", "classification"), card_of("classification", WINDOW)
    shown = Judged(samples, answers, [0] * 8, late_peak, task, card).worst()
    first = shown.windows[0]
    assert (first.id, first.told, first.points, first.axis) == ("s3", "a, taken for b (0.99)", 64, "reading")
    assert np.argmax(first.importance) in (29, 30, 31) and not np.any(first.importance[:28])
    assert not shown.examples and shown.worst_by == "log-loss of the actual class"


def test_a_picture_of_a_detector_shows_boxes_and_no_importance(tmp_path):
    content = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), dtype=np.uint8)).save(content, "PNG")
    samples = samples_in(tmp_path, [content.getvalue()] * 3, PICTURE)
    truth = np.array([[4, 4, 20, 20, 0]], dtype=np.float32)
    answers = np.tile(np.array([0, 0, 0, 0, 0, -1], dtype=np.float32), (3, MOST_BOXES, 1))
    answers[0, 0] = [4, 4, 20, 20, 0.9, 0]
    answers[1, 0] = [4, 4, 20, 20, 0.9, 1]
    task, card = plugins.load("tasks", "detection"), card_of("detection", PICTURE)
    shown = Judged(samples, answers, [truth] * 3, pytest.fail, task, card).worst()
    assert [(one.id, [mark.kind for mark in one.marks]) for one in shown.examples] == [
        ("s1", ["wrong", "true"]), ("s2", ["missed"]), ("s0", ["right", "true"]),
    ]  # fmt: skip
    assert not any(one.importance for one in shown.examples)


def test_rows_of_a_table_are_not_shown(tmp_path):
    row = RowPreprocessing(columns=("x",), mean=(0.0,), std=(1.0,))
    task, card = plugins.load("tasks", "classification"), card_of("classification", row)
    shown = Judged(samples_in(tmp_path, [], row), np.zeros((0, 2), np.float32), [], pytest.fail, task, card).worst()
    assert not shown.examples and not shown.windows

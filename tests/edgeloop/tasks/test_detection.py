import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edgeloop import plugins
from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import ModelCard
from edgeloop.tasks.detection import plugin
from edgeloop.tasks.detection.alignment import complete_iou
from edgeloop.tasks.detection.counting import pairs_of
from edgeloop.tasks.detection.overlap import overlaps
from edgeloop.tasks.detection.suppression import MOST_BOXES, suppressed

CLASSES = ("ant", "bee", "cat")
SIDE = 96


def card(**fields: Any) -> ModelCard:
    image = Preprocessing(image=ImageInput(height=SIDE, width=SIDE, mode="RGB"), mean=(0.5,) * 3, std=(0.5,) * 3)
    return ModelCard(
        task="detection", architecture="yolo_tiny", classes=CLASSES, preprocessing=image, parameters=1, **fields
    )


def padded(rows: np.ndarray) -> np.ndarray:
    answer = np.zeros((MOST_BOXES, 6), dtype=np.float32)
    answer[:, 5] = -1
    answer[: len(rows)] = rows[np.argsort(-rows[:, 4], kind="stable")]
    return answer


def scattered(seed: int, *, pictures: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Objects, and boxes that are near some of them, of the wrong class, twice, or nowhere; many scores are equal."""
    rng = np.random.default_rng(seed)
    answers, truths = [], []
    for _ in range(pictures):
        corners = rng.uniform(0, SIDE - 30, size=(int(rng.integers(0, 6)), 2))
        boxes = np.concatenate([corners, corners + rng.uniform(5, 30, size=corners.shape)], axis=1)
        truth = np.concatenate([boxes, rng.integers(0, 3, size=(len(boxes), 1))], axis=1).astype(np.float32)
        near = truth[rng.integers(0, max(1, len(truth)), size=12 if len(truth) else 0)]
        moved = near[:, :4] + rng.normal(scale=2, size=(len(near), 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)  # pycocotools ignores boxes that are inside out
        labels = np.where(rng.random(len(near)) < 0.8, near[:, 4], rng.integers(0, 3, size=len(near)))
        scores = np.round(rng.random(len(near)), 1) * 0.9 + 0.05
        answers.append(padded(np.column_stack([moved, scores, labels]).reshape(-1, 6).astype(np.float32)))
        truths.append(truth)
    return np.stack(answers), truths


def judged_by_coco(answers: np.ndarray, truths: list[np.ndarray]) -> Any:
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    from pycocotools.cocoeval import COCOeval

    def described(row: np.ndarray) -> list[float]:
        left, top, right, bottom = (float(value) for value in row[:4])
        return [left, top, right - left, bottom - top]

    objects = [(n, row) for n, truth in enumerate(truths, start=1) for row in truth]
    coco = tools.COCO()
    coco.dataset = {
        "images": [{"id": n} for n in range(1, len(truths) + 1)],
        "categories": [{"id": k} for k in range(3)],
        "annotations": [
            {"id": i, "image_id": n, "category_id": int(row[4]), "bbox": described(row), "iscrowd": 0,
             "area": float((row[2] - row[0]) * (row[3] - row[1]))}
            for i, (n, row) in enumerate(objects, start=1)
        ],
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        found = coco.loadRes([
            {"image_id": n, "category_id": int(row[5]), "bbox": described(row), "score": float(row[4])}
            for n, answer in enumerate(answers, start=1) for row in answer if row[5] >= 0
        ])  # fmt: skip
        judge = COCOeval(coco, found, "bbox")
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, :, 0, -1]


@pytest.mark.parametrize("seed", range(5))
def test_the_measure_agrees_with_pycocotools(seed):
    answers, truths = scattered(seed, pictures=40)
    metrics, theirs = plugin.metrics(answers, truths, card()), judged_by_coco(answers, truths)
    assert metrics["map50"] == pytest.approx(theirs[0].mean(), abs=1e-6)
    assert metrics["map50_95"] == pytest.approx(theirs.mean(), abs=1e-6)
    for k, row in enumerate(metrics["per_class"]):
        assert row["ap50"] == pytest.approx(theirs[0, :, k].mean(), abs=1e-6)
        assert row["ap50_95"] == pytest.approx(theirs[:, :, k].mean(), abs=1e-6)
        assert metrics["curves"][k] == pytest.approx(theirs[0, :, k].tolist(), abs=1e-6)


def test_a_class_without_an_object_has_no_average_precision_and_is_not_in_the_mean():
    truths = [np.array([[0, 0, 10, 10, 0]], dtype=np.float32)]
    answers = padded(np.array([[0, 0, 10, 10, 0.9, 0]], dtype=np.float32))[None]
    metrics = plugin.metrics(answers, truths, card())
    assert metrics["map50"] == 1.0
    assert [row["ap50"] for row in metrics["per_class"]] == [1.0, None, None]


def test_pictures_without_objects_are_judged():
    nothing = padded(np.zeros((0, 6), dtype=np.float32))[None]
    assert plugin.metrics(nothing, [np.zeros((0, 5), dtype=np.float32)], card())["map50"] == 0.0


def test_what_is_missed_mistaken_and_invented_is_counted():
    truth = np.array([[0, 0, 10, 10, 0], [20, 20, 30, 30, 1], [50, 50, 60, 60, 2]], dtype=np.float32)
    answer = padded(np.array([[0, 0, 10, 10, 0.9, 0], [20, 20, 30, 30, 0.8, 2], [80, 80, 90, 90, 0.7, 1]], np.float32))
    assert sorted(pairs_of([answer], [truth], threshold=0.5)) == [(-1, 1), (0, 0), (1, 2), (2, -1)]


def test_the_threshold_on_the_card_is_where_precision_and_recall_are_best():
    truths = [np.array([[0, 0, 10, 10, k]], dtype=np.float32) for k in range(3)]
    boxes = [[[0, 0, 10, 10, 0.7, k], [40, 40, 60, 60, 0.4, k]] for k in range(3)]
    answers = np.stack([padded(np.array(rows, dtype=np.float32)) for rows in boxes])
    found = plugin.limits(answers, truths, card())["score_threshold"]
    assert 0.4 < found <= 0.7


def test_a_box_that_overlaps_with_a_better_one_of_its_class_is_left_out():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9.5], [50, 50, 60, 60]], dtype=np.float32)
    logits = np.array([[3, -9], [2, -9], [-9, 1], [0, -9]], dtype=np.float32)
    told = [row for row in suppressed(boxes, logits) if row[4] > 0.1]
    assert [(row[3], row[5]) for row in told] == [(10.0, 0.0), (9.5, 1.0), (60.0, 0.0)]


def test_a_number_that_is_none_is_refused_and_not_hidden():
    answer = suppressed(np.zeros((3, 4), dtype=np.float32), np.array([[np.nan]] * 3, dtype=np.float32))
    with pytest.raises(ModelFault, match="not finite for 1 of 1"):
        plugin.metrics(answer[None], [np.zeros((0, 5), dtype=np.float32)], card())


def test_boxes_without_area_overlap_with_nothing():
    line = np.array([[5, 5, 5, 9]], dtype=np.float32)
    assert overlaps(line, line).item() == 0


def test_equal_boxes_have_a_complete_overlap_and_apart_ones_a_negative_one():
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    assert complete_iou(box, box).item() == pytest.approx(1)
    assert complete_iou(box, box + 50).item() < 0


def test_a_moved_box_is_cut_at_the_edge_and_left_out_when_it_is_gone():
    truth = np.array([[10, 10, 20, 20, 1], [0, 50, 10, 60, 2]], dtype=np.float32)
    moved = plugin.moved(truth, down=0, right=-8, shape=(3, SIDE, SIDE))
    assert moved.tolist() == [[2, 10, 12, 20, 1]]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Twenty drawn scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    params = PrepareDataParams(source="traffic_signs", options={"count": 20, "size_pixels": 160}, min_class_samples=3)
    prepare(params, dataset=folder / "dataset", profile=folder / "profile")
    return {"dataset": folder / "dataset"}


def opened(scenes: dict[str, Path]) -> tuple[Dataset, ModelCard]:
    dataset = Dataset(scenes["dataset"])
    return dataset, card().model_copy(update={"classes": dataset.card.classes})


def test_boxes_are_those_of_the_scene_in_pixels_of_the_input(scenes):
    dataset, model = opened(scenes)
    sample = replace(dataset.samples[0], boxes='[["' + dataset.card.classes[1] + '", 16, 32, 80, 40]]')
    (truth,) = plugin.truths(dataset, [sample], model)
    assert truth.tolist() == [pytest.approx([16 * 0.6, 32 * 0.6, 96 * 0.6, 72 * 0.6, 1])]


@pytest.mark.parametrize(
    ("boxes", "complaint"),
    [(None, "no list of boxes"), ('[["#7", 0, 0, 1, 1]]', "shows '#7'"), ('[["light", 0, 0, 0, 1]]', "without area")],
)
def test_a_picture_with_unusable_boxes_is_named(scenes, boxes, complaint):
    dataset, model = opened(scenes)
    sample = replace(dataset.samples[0], boxes=boxes)
    with pytest.raises(DataFault, match=f"{sample.id} .*{complaint}"):
        plugin.truths(dataset, [sample], model)


def test_a_few_steps_on_a_few_scenes_bring_the_loss_down(scenes):
    from edgeloop.data.inputs import PictureReader
    from edgeloop.training.batches import decoded, normalised
    from edgeloop.training.determinism import deterministic

    dataset, model = opened(scenes)
    samples, truths = dataset.samples[:4], plugin.truths(dataset, dataset.samples[:4], model)
    reader = PictureReader(model.preprocessing.image)
    inputs = normalised(torch.from_numpy(decoded(dataset, samples, reader=reader)), model.preprocessing)
    losses = []
    with deterministic(seed=0, threads=1):
        network = plugins.load("models", "yolo_tiny").build((3, SIDE, SIDE), len(model.classes), {"width": 0.125})
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
        for _ in range(10):
            loss = plugin.loss(dict(enumerate(network(inputs))), inputs, truths, model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_marks_say_what_is_right_what_is_wrong_and_what_was_not_found():
    truth = np.array([[0, 0, 48, 48, 0], [48, 48, 96, 96, 2]], dtype=np.float32)
    answer = padded(np.array([[0, 0, 48, 48, 0.9, 0], [0, 60, 20, 80, 0.8, 1]], dtype=np.float32))
    marks = plugin.marks(answer, truth, card())
    told = [("right", "ant 0.90"), ("wrong", "bee 0.80"), ("true", "ant"), ("missed", "cat")]
    assert [(m.kind, m.text) for m in marks] == told
    assert (marks[3].left, marks[3].top, marks[3].width) == (0.5, 0.5, 0.5)


def test_a_box_of_another_class_says_what_is_there():
    truth = np.array([[0, 0, 48, 48, 0]], dtype=np.float32)
    marks = plugin.marks(padded(np.array([[0, 0, 48, 48, 0.9, 1]], dtype=np.float32)), truth, card())
    assert [(m.kind, m.text) for m in marks] == [("wrong", "bee 0.90, is ant"), ("true", "ant")]


def test_boxes_that_are_wrong_and_objects_that_were_missed_are_counted():
    truth = np.array([[0, 0, 48, 48, 0], [48, 48, 96, 96, 2]], dtype=np.float32)
    answers = np.stack([
        padded(np.array([[0, 0, 48, 48, 0.9, 0], [0, 60, 20, 80, 0.8, 1]], dtype=np.float32)),
        padded(np.array([[0, 0, 48, 48, 0.9, 0], [48, 48, 96, 96, 0.9, 2]], dtype=np.float32)),
    ])  # fmt: skip
    assert plugin.wrongness(answers, [truth, truth], card()).tolist() == [2, 0]
    assert plugin.told(answers[0], truth, card()) == "1 of 2 objects right, 1 box wrong"
    assert plugin.told(answers[1], truth, card()) == "2 of 2 objects right"


def test_a_class_counts_the_pictures_that_show_it():
    answers, truths = scattered(0, pictures=20)
    rows = plugin.metrics(answers, truths, card())["per_class"]
    assert [row["pictures"] for row in rows] == [sum((t[:, 4] == k).any() for t in truths) for k in range(3)]


def test_an_answer_says_in_words_what_is_found_and_where_in_shares_of_the_picture():
    rows = [[0, 0, 48, 24, 0.9, 1], [48, 48, 96, 96, 0.8, 1], [0, 0, 9, 9, 0.1, 0]]
    (answer,) = plugin.decode(padded(np.array(rows, dtype=np.float32))[None], card())
    assert answer["found"] == "2 bee"
    assert answer["boxes"][0] == {
        "label": "bee", "score": pytest.approx(0.9), "left": 0.0, "top": 0.0, "width": 0.5, "height": 0.25,
    }  # fmt: skip
    assert plugin.decode(padded(np.zeros((0, 6), dtype=np.float32))[None], card())[0]["found"] == "nothing"

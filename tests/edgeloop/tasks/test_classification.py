import numpy as np
import pytest

from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import ModelFault
from edgeloop.models import ModelCard
from edgeloop.tasks.classification import BINS, plugin

CLASSES = ("ant", "bee", "cat")


def card(*classes: str, **fields: object) -> ModelCard:
    preprocessing = Preprocessing(image=ImageInput(), mean=(0.5,), std=(0.5,))
    return ModelCard(
        task="classification", architecture="cnn", classes=classes, preprocessing=preprocessing, parameters=1, **fields
    )


def logits(shares: list[list[float]]) -> np.ndarray:
    return np.log(np.array(shares)).astype(np.float32)


def test_the_table_and_the_matrix_count_what_was_answered():
    # answers: ant, ant, bee, bee; bee is never actual, cat is never answered
    outputs = logits([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    metrics = plugin.metrics(outputs, np.array([0, 2, 0, 2]), card(*CLASSES))
    assert metrics["accuracy"] == 0.25
    assert metrics["confusion"] == [[1, 1, 0], [0, 0, 0], [1, 1, 0]]
    ant, bee, cat = metrics["per_class"]
    assert ant == {"class": "ant", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert bee == {"class": "bee", "precision": 0.0, "recall": None, "f1": 0.0, "support": 0}
    assert cat == {"class": "cat", "precision": None, "recall": 0.0, "f1": 0.0, "support": 2}


def test_macro_f1_is_the_mean_over_the_classes_that_occur():
    outputs = logits([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    assert plugin.metrics(outputs, np.array([0, 2]), card(*CLASSES))["macro_f1"] == 1.0


def test_metrics_agree_with_scikit_learn():
    from sklearn.metrics import f1_score, log_loss

    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, size=200)
    outputs = (rng.normal(size=(200, 3)) + np.eye(3)[targets]).astype(np.float32)
    shares = np.exp(outputs.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    metrics = plugin.metrics(outputs, targets, card(*CLASSES))
    assert metrics["log_loss"] == pytest.approx(log_loss(targets, shares, labels=[0, 1, 2]))
    assert metrics["macro_f1"] == pytest.approx(f1_score(targets, shares.argmax(axis=1), average="macro"))


def test_the_calibration_error_is_the_gap_weighted_by_the_bins():
    # four answers at confidence 0.9, one wrong: accuracy 0.75; one at 0.5, right
    outputs = logits([[0.9, 0.06, 0.04]] * 4 + [[0.5, 0.3, 0.2]])
    metrics = plugin.metrics(outputs, np.array([0, 0, 0, 1, 0]), card(*CLASSES))
    assert metrics["ece"] == pytest.approx((4 * abs(0.75 - 0.9) + 1 * abs(1.0 - 0.5)) / 5, abs=1e-6)


def test_a_confidence_of_one_is_in_the_last_bin():
    metrics = plugin.metrics(np.array([[200.0, 0.0]], dtype=np.float32), np.array([0]), card("a", "b"))
    assert len(metrics["bins"]) == BINS
    assert metrics["bins"][-1]["count"] == 1


def test_an_empty_bin_has_no_accuracy():
    metrics = plugin.metrics(logits([[0.9, 0.06, 0.04]]), np.array([0]), card(*CLASSES))
    assert metrics["bins"][0] == {"lower": 0.0, "upper": 1 / BINS, "count": 0, "confidence": None, "accuracy": None}


def test_huge_logits_stay_finite():
    outputs = np.array([[3e38, -3e38, 0.0]], dtype=np.float32)
    assert np.isfinite(plugin.metrics(outputs, np.array([1]), card(*CLASSES))["log_loss"])


@pytest.mark.parametrize(
    ("outputs", "targets", "complaint"),
    [
        (np.zeros((2, 4), dtype=np.float32), np.zeros(2, dtype=np.int64), r"shape \(2, 4\), not \(2, 3\)"),
        (np.full((2, 3), np.nan, dtype=np.float32), np.zeros(2, dtype=np.int64), "not finite for 2 of 2"),
        (np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype=np.int64), "no sample"),
    ],
)
def test_outputs_that_cannot_be_judged_are_refused(outputs, targets, complaint):
    with pytest.raises(ModelFault, match=complaint):
        plugin.metrics(outputs, targets, card(*CLASSES))


def test_an_answer_names_the_three_likeliest_labels_in_order():
    (answer,) = plugin.decode(logits([[0.1, 0.2, 0.6, 0.1]]), card("a", "b", "c", "d"))
    assert answer["label"] == "c"
    assert answer["probability"] == pytest.approx(0.6)
    assert [place["label"] for place in answer["top"]] == ["c", "b", "a"]


def test_two_classes_have_a_top_of_two():
    assert len(plugin.decode(logits([[0.3, 0.7]]), card("a", "b"))[0]["top"]) == 2


@pytest.mark.parametrize("names", [(r"$\foo$", "日本", "x" * 80), tuple(f"class {k}" for k in range(60))])
def test_any_name_and_any_number_of_classes_can_be_drawn(names, tmp_path, capfd):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, len(names), size=100)
    metrics = plugin.metrics(rng.normal(size=(100, len(names))).astype(np.float32), targets, card(*names))
    paths = plugin.draw(metrics, tmp_path)
    assert [path.name for path in paths] == ["confusion.png", "reliability.png", "precision_recall.png"]
    assert capfd.readouterr() == ("", "")


def test_balanced_weights_make_a_rare_class_count_as_much_as_a_common_one():
    import torch

    truths = [0, 0, 0, 1]
    balanced = card("a", "b", task_options={"class_weights": "balanced"}, constants=plugin.scale(truths))
    outputs = {"logits": torch.tensor([[2.0, 0.0]] * 4)}
    one, other = (plugin.loss({"logits": outputs["logits"][:1]}, None, [k], balanced) for k in (0, 1))
    assert plugin.loss(outputs, None, truths, balanced).item() == pytest.approx((one.item() + other.item()) / 2)


def raw(rows) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_curves_are_each_class_against_all_others():
    truths = [0, 0, 1, 2]
    metrics = plugin.metrics(raw([[9, 0, 0], [5, 6, 0], [0, 9, 0], [0, 0, 9]]), truths, card("a", "b", "c"))
    means = [np.mean(curve) for curve in metrics["curves"]]
    assert means == pytest.approx([1, 1, 1])
    assert len(metrics["curves"][0]) == 101


def test_a_class_without_samples_has_no_curve_and_very_many_classes_have_none():
    assert plugin.metrics(raw([[1, 0], [2, 1]]), [0, 0], card("a", "b"))["curves"][1] == []
    many = [f"c{k}" for k in range(61)]
    assert plugin.metrics(raw(np.eye(61)), list(range(61)), card(*many))["curves"] == []


def test_the_worst_is_what_is_surest_and_wrong():
    answers = raw([[9, 0], [0.1, 0], [0, 0.1], [0, 9]])
    assert plugin.wrongness(answers, [0] * 4, card("a", "b")).argsort().tolist() == [0, 1, 2, 3]


def test_certainty_is_of_what_was_said():
    answers = raw([[2, 0], [0, 2]])
    sure = plugin.certainty(answers, answers[0], card("a", "b"))
    assert sure == pytest.approx([0.8808, 0.1192], abs=1e-4)
    assert plugin.told(answers[0], 1, card("a", "b")) == "b, taken for a (0.88)"
    assert plugin.told(answers[0], 0, card("a", "b")) == "a, right (0.88)"

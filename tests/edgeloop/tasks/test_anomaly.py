import numpy as np
import pytest

from edgeloop.data.dataset import Dataset, DatasetCard, Sample
from edgeloop.data.inputs import WindowInput, WindowPreprocessing
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import ModelCard
from edgeloop.tasks.anomaly import NAMES, plugin


def card(**fields: object) -> ModelCard:
    window = WindowPreprocessing(window=WindowInput(), channels=1, length=2, mean=(0.0,), std=(1.0,))
    options = plugin.options(normal="ok").values()
    return ModelCard(
        task="anomaly", architecture="autoencoder", classes=NAMES, preprocessing=window, parameters=1,
        task_options=options, **fields,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_the_areas_agree_with_scikit_learn(seed):
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    truths = rng.random(200) < 0.3
    scores = np.round(rng.random(200) + 0.3 * truths, 2).astype(np.float32)  # many are equal
    metrics = plugin.metrics(scores, truths.tolist(), card())
    assert metrics["auc"] == pytest.approx(roc_auc_score(truths, scores))
    assert metrics["pauc"] == pytest.approx(roc_auc_score(truths, scores, max_fpr=0.1))


def test_the_threshold_lets_the_stated_share_of_normal_samples_of_val_through():
    scores = np.arange(100, dtype=np.float32)
    threshold = plugin.limits(scores, [False] * 100, card())["score_threshold"]
    assert np.mean(scores > threshold) == pytest.approx(0.05)


def test_anomalies_are_not_learned_from():
    assert [plugin.learns_from(truth) for truth in (False, True)] == [True, False]


def test_the_score_is_the_mean_square_of_what_is_rebuilt_wrongly():
    inputs = np.array([[[1.0, 2.0]], [[0.0, 0.0]]], dtype=np.float32)
    outputs = {"rebuilt": np.array([[[1.0, 2.0]], [[3.0, 1.0]]], dtype=np.float32)}
    assert plugin.answers(outputs, lambda: inputs, card()).tolist() == [0.0, 5.0]


def test_an_answer_says_which_side_of_the_threshold_it_is_on():
    answers = plugin.decode(np.array([1.0, 3.0], dtype=np.float32), card(constants={"score_threshold": 2.0}))
    assert [answer["label"] for answer in answers] == ["normal", "anomalous"]


def test_one_kind_of_samples_has_no_curve():
    with pytest.raises(DataFault, match="normal and anomalous"):
        plugin.metrics(np.ones(2, dtype=np.float32), [True, True], card())


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ModelFault, match="not finite for 1 of 2"):
        plugin.metrics(np.array([np.nan, 1], dtype=np.float32), [True, False], card())


def test_val_needs_both():
    with pytest.raises(DataFault, match="val needs normal and anomalous"):
        plugin.require_learnable([False], [False], card=card(), where="here")


def test_a_normal_class_that_does_not_exist_is_named(tmp_path):
    described = DatasetCard(source="s", name="n", classes=("fine", "worn"), counts={}, digests={}, unreadable=0)
    described.write(tmp_path / "dataset.json")
    with pytest.raises(DataFault, match=r"no class is 'ok'; set train\.task_options\.normal to one of: fine, worn"):
        plugin.truths(Dataset(tmp_path), [Sample("1", "u", None, "val", "fine")], card())

import numpy as np
import pytest

from edgeloop.data.dataset import Dataset, Sample
from edgeloop.data.inputs import RowPreprocessing
from edgeloop.errors import DataFault, ModelFault
from edgeloop.models import ModelCard
from edgeloop.tasks.regression import plugin


def card(truths: list[float], **options: float) -> ModelCard:
    row = RowPreprocessing(columns=("a",), mean=(0.0,), std=(1.0,))
    return ModelCard(
        task="regression", architecture="mlp", classes=plugin.names((), options), preprocessing=row, parameters=1,
        constants=plugin.scale(truths), task_options=options,
    )  # fmt: skip


def answer(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_the_quantiles_follow_from_the_coverage():
    assert plugin.names((), {"coverage": 0.8}) == ("q0.1", "q0.5", "q0.9")


def test_the_numbers_are_those_of_a_hand_calculation():
    truths = [0.0, 2.0, 4.0]
    metrics = plugin.metrics(answer((0, 1, 2), (1, 2, 3), (0, 1, 2)), truths, card(truths, coverage=0.8))
    assert metrics["mae"] == pytest.approx((1 + 0 + 3) / 3)
    assert metrics["skill"] == pytest.approx(1 - (4 / 3) / (4 / 3))
    assert metrics["coverage"] == pytest.approx(2 / 3)
    assert metrics["width"] == pytest.approx(2)


def test_the_pinball_loss_agrees_with_scikit_learn():
    from sklearn.metrics import mean_pinball_loss

    rng = np.random.default_rng(0)
    truths = rng.normal(size=50).tolist()
    answers = np.sort(rng.normal(size=(50, 3)), axis=1).astype(np.float32)
    expected = np.mean([mean_pinball_loss(truths, answers[:, k], alpha=q) for k, q in enumerate((0.05, 0.5, 0.95))])
    assert plugin.metrics(answers, truths, card(truths))["pinball"] == pytest.approx(expected, rel=1e-6)


def test_what_is_learned_in_deviations_is_answered_in_the_unit_of_the_target():
    truths = [100.0, 200.0, 300.0]
    model = card(truths)
    outputs = {"logits": np.array([[1.0, 0.0, -1.0]], dtype=np.float32)}
    lower, median, upper = plugin.answers(outputs, lambda: None, model)[0]
    assert median == 200
    assert upper - lower == pytest.approx(2 * np.std(truths))


def test_learning_finds_the_quantiles_of_noise():
    import torch

    truths = np.random.default_rng(0).normal(loc=5, scale=2, size=2000).tolist()
    model = card(truths, coverage=0.8)
    quantiles = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([quantiles], lr=0.05)
    for _ in range(150):
        loss = plugin.loss({"logits": quantiles.expand(2000, 3)}, None, truths, model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    answers = plugin.answers({"logits": quantiles.detach().expand(2000, 3).numpy()}, lambda: None, model)
    assert plugin.metrics(answers, truths, model)["coverage"] == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("metadata", [None, "{}", '{"target": "x"}', '{"target": "nan"}'])
def test_a_sample_without_a_number_is_named(metadata, tmp_path):
    sample = Sample("row 7", "u", None, "train", None, metadata=metadata)
    with pytest.raises(DataFault, match="sample row 7 has the target"):
        plugin.truths(Dataset(tmp_path), [sample], card([0.0, 1.0]))


def test_one_target_for_all_is_refused():
    with pytest.raises(DataFault, match="all targets of train are the same"):
        plugin.require_learnable([1.0, 1.0], [2.0], card=card([0.0, 1.0]), where="here")


def test_an_answer_that_is_no_number_is_refused():
    with pytest.raises(ModelFault, match="not finite for 1 of 1"):
        plugin.metrics(answer((0, np.nan, 1)), [0.0], card([0.0, 1.0]))


def test_the_interval_is_widened_until_it_holds_the_stated_share_of_val():
    truths = np.random.default_rng(0).normal(size=199).tolist()
    model = card(truths, coverage=0.8)
    outputs = {"logits": np.zeros((199, 3), dtype=np.float32)}
    answers = plugin.answers(outputs, lambda: None, model)
    model = model.model_copy(update={"constants": {**model.constants, **plugin.limits(answers, truths, model)}})
    metrics = plugin.metrics(plugin.answers(outputs, lambda: None, model), truths, model)
    assert metrics["coverage"] == pytest.approx(0.8, abs=0.01)


def test_a_parents_scale_stays_for_its_weights_rest_on_it():
    found = plugin.scale([1.0, 3.0], parent={"mean": 7.0, "std": 9.0, "median": 0.0})
    assert found == {"mean": 7.0, "std": 9.0, "median": 2.0}

import numpy as np
import pytest
import torch
from torch import nn

from edgeloop import plugins
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import ParamsFault
from edgeloop.models import ModelCard
from edgeloop.training import TrainParams, loop
from edgeloop.training.batches import Split
from edgeloop.training.determinism import deterministic
from edgeloop.training.guards import Divergence
from edgeloop.training.loop import Fit, Material, fit
from edgeloop.training.schedule import learning_rate

PARAMS = TrainParams(image=ImageInput(height=2, width=2), augment_shift=0, batch_size=4, epochs=5)


def material() -> Material:
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, size=(12, 1, 2, 2), dtype=np.uint8))
    pictures = Split(pixels, tuple(k % 2 for k in range(12)))
    preprocessing = Preprocessing(image=PARAMS.image, mean=(0.5,), std=(0.3,))
    card = ModelCard(
        task="classification", architecture="mlp", classes=("a", "b"), preprocessing=preprocessing, parameters=10
    )
    return Material(pictures, pictures, card)


def linear(scale: float = 1.0) -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        network[1].weight.mul_(scale)
    return network


def fitted(network: nn.Module, params: TrainParams = PARAMS) -> Fit:
    task = plugins.load("tasks", "classification")
    return fit(network, task, params=params, material=material(), on_epoch=lambda epoch: None)


def test_a_loss_that_is_not_finite_stops_the_training_and_says_what_to_lower():
    with pytest.raises(ParamsFault, match=r"diverged.*epoch 1, step 1; lower train\.learning_rate"):
        fitted(linear(scale=1e39))


def test_a_loss_far_above_where_it_began_stops_the_training_too():
    wild = PARAMS.model_copy(update={"epochs": 9, "learning_rate": 900.0, "schedule": "constant", "clip_norm": None})
    with pytest.raises(
        Divergence, match=r"the mean loss of epoch \d is .* it began with .*; lower train\.learning_rate"
    ):
        fitted(linear(), wild)


def test_the_best_epoch_has_the_highest_metric_then_the_lowest_loss_then_comes_first():
    outcome = fitted(linear())
    ranks = [(epoch.val_metric, -epoch.val_loss) for epoch in outcome.epochs]
    assert outcome.best.epoch.number == 1 + ranks.index(max(ranks))


def test_the_kept_weights_are_those_of_the_best_epoch_not_of_the_last():
    with deterministic(seed=1, threads=1):
        network = linear()
        outcome = fitted(
            network, PARAMS.model_copy(update={"epochs": 30, "learning_rate": 1.0, "schedule": "constant"})
        )
    assert outcome.best.epoch.number < 30
    assert not torch.equal(outcome.best.weights["1.weight"], network.state_dict()["1.weight"])


def test_the_cosine_falls_from_the_peak():
    rates = [epoch.learning_rate for epoch in fitted(linear()).epochs]
    assert rates[0] == PARAMS.learning_rate
    assert rates == sorted(rates, reverse=True)


def test_the_constant_schedule_stays_at_the_peak():
    outcome = fitted(linear(), PARAMS.model_copy(update={"schedule": "constant"}))
    assert {epoch.learning_rate for epoch in outcome.epochs} == {PARAMS.learning_rate}


def test_an_epoch_of_three_passes_has_three_times_the_steps_and_one_judgement():
    outcome = fitted(linear(), PARAMS.model_copy(update={"passes": 3}))
    assert (outcome.steps, len(outcome.epochs)) == (5 * 9, 5)


def test_every_sample_is_learned_from_in_every_pass(monkeypatch):
    seen: list[int] = []
    monkeypatch.setattr(loop, "_step", lambda _loop, batches, **_place: seen.extend(np.concatenate(batches)) or 0.0)
    fitted(linear(), PARAMS.model_copy(update={"passes": 2, "epochs": 1}))
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12))
    assert seen[:12] != seen[12:]


def test_steps_are_counted():
    assert fitted(linear()).steps == 5 * 3


def test_two_batches_in_one_step_learn_as_one_batch_of_both():
    states = []
    for batch_size, accumulate in ((6, 1), (3, 2)):
        with deterministic(seed=1, threads=1):
            network = linear()
            fitted(network, PARAMS.model_copy(update={"batch_size": batch_size, "accumulate": accumulate}))
        states.append(network.state_dict()["1.weight"])
    assert torch.allclose(*states, atol=1e-6)


def test_the_rate_rises_before_it_falls():
    rates = [learning_rate(PARAMS.model_copy(update={"warm_up": 0.2}), step=step, steps=20) for step in range(20)]
    assert rates[:5] == sorted(rates[:5])
    assert rates[4] == max(rates) == PARAMS.learning_rate
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_the_average_is_kept_and_not_the_weights_that_learn():
    with deterministic(seed=1, threads=1):
        network = linear()
        outcome = fitted(network, PARAMS.model_copy(update={"ema": 0.9, "epochs": 1}))
    assert not torch.equal(outcome.best.weights["1.weight"], network.state_dict()["1.weight"])


def test_no_better_epoch_for_a_while_ends_the_training():
    outcome = fitted(linear(), PARAMS.model_copy(update={"patience": 3, "epochs": 500, "learning_rate": 1e-9}))
    assert len(outcome.epochs) == outcome.best.epoch.number + 3
    assert outcome.steps == 3 * len(outcome.epochs)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_and_is_judged_in_fp32(precision):
    """A copy is not validated, so that fp16, which is for GPUs, is tried without one."""
    states = []
    for each in (precision, "fp32"):
        with deterministic(seed=1, threads=1):
            outcome = fitted(linear(), PARAMS.model_copy(update={"precision": each}))
        states.append(outcome.best.weights["1.weight"])
    assert states[0].dtype == torch.float32
    assert not torch.equal(*states)
    assert torch.allclose(*states, atol=0.05)


def test_a_long_gradient_is_cut_in_fp16_as_well():
    changes = {"precision": "fp16", "clip_norm": 1e-12}
    with deterministic(seed=1, threads=1):
        network = linear()
        before = network[1].weight.clone()
        fitted(network, PARAMS.model_copy(update={**changes, "weight_decay": 0.0, "epochs": 1}))
    assert torch.allclose(network[1].weight, before, atol=1e-5)


def test_a_long_gradient_is_cut():
    with deterministic(seed=1, threads=1):
        free, cut = linear(), linear()
        fitted(cut, PARAMS.model_copy(update={"clip_norm": 1e-12}))
        fitted(free)
    assert not torch.equal(free[1].weight, cut[1].weight)

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeloop.optimization.awareness import (  # noqa: E402
    STEPS,
    AwareNetwork,
    rounded_activation,
    rounded_weight,
    watch,
)
from edgeloop.parity import sqnr_db  # noqa: E402

INPUTS = np.random.default_rng(0).standard_normal((16, 3, 6, 6), dtype=np.float32)


class Residual(nn.Module):
    """A layer with batch norm and ReLU, one that is added to its input, and a row of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8))
        self.last = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 4))

    def forward(self, x):
        x = self.first(x)
        return self.last(x + self.second(x))


def network() -> nn.Module:
    torch.manual_seed(0)
    made = Residual()
    made(torch.from_numpy(INPUTS))  # moves the statistics of batch norm
    return made.eval()


def aware() -> AwareNetwork:
    made = AwareNetwork(network(), shape=(3, 6, 6))
    made.observe([INPUTS[:8], INPUTS[8:]])
    return made


def test_a_weight_has_the_steps_of_its_channel() -> None:
    weight = torch.tensor([[1.0, 0.3, -0.001], [100.0, 30.0, 0.0]])
    rounded = rounded_weight(weight)
    steps = weight.abs().amax(dim=1, keepdim=True) / STEPS
    assert torch.equal(rounded, (weight / steps).round() * steps)


def test_a_channel_of_zeros_stays() -> None:
    assert torch.equal(rounded_weight(torch.zeros(2, 3)), torch.zeros(2, 3))


def test_the_gradient_passes_what_is_rounded_and_stops_at_what_is_cut_off() -> None:
    values = torch.tensor([0.3, -0.7, 5.0], requires_grad=True)
    rounded_activation(values, 1.0).sum().backward()
    assert values.grad is not None and values.grad.tolist() == [1, 1, 0]


def test_rounding_weights_commutes_with_the_factors_of_batch_norm() -> None:
    weight, factors = torch.randn(5, 3, 3, 3), torch.tensor([0.1, -2.0, 3.0, 100.0, 1.0]).reshape(5, 1, 1, 1)
    torch.testing.assert_close(rounded_weight(weight * factors), rounded_weight(weight) * factors)


def test_the_answers_are_near_those_of_float() -> None:
    with torch.no_grad():
        expected, found = (run(torch.from_numpy(INPUTS)).numpy() for run in (network(), aware()))
    noise_db = sqnr_db(expected, found)
    assert noise_db is not None and 20 < noise_db < 60


def test_what_an_engine_computes_in_one_go_is_rounded_once() -> None:
    """Input, first layer, second layer, sum, pooling, outputs."""
    made = aware()
    assert len(made._largest) == 6
    assert not [name for name in made._largest if name == "conv2d" or "flatten" in name or "dropout" in name]


def test_the_outputs_lie_on_steps() -> None:
    made = aware()
    answers = made(torch.from_numpy(INPUTS)).detach()
    step = made._largest["linear"] / STEPS
    torch.testing.assert_close(answers / step, (answers / step).round(), atol=1e-3, rtol=0)


def test_every_weight_and_bias_learns_and_statistics_stay() -> None:
    made = aware()
    before = {name: values.clone() for name, values in made.module.named_buffers()}
    made(torch.from_numpy(INPUTS)).square().sum().backward()
    assert all(values.grad is not None and values.grad.abs().sum() > 0 for values in made.module.parameters())
    assert all(torch.equal(values, before[name]) for name, values in made.module.named_buffers())


def test_the_weights_keep_their_names() -> None:
    assert {*aware().module.state_dict()} == {*network().state_dict()}


def test_watching_changes_nothing() -> None:
    module, seen = aware().module, []
    watch(module, [INPUTS], lambda node, values: seen.append(node.name) or values)
    assert "linear" in seen

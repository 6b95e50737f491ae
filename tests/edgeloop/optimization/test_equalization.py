import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeloop.optimization.awareness import AwareNetwork, watch  # noqa: E402
from edgeloop.optimization.equalization import equalize  # noqa: E402

INPUTS = np.random.default_rng(0).standard_normal((16, 3, 6, 6), dtype=np.float32)
FACTOR = 500
CHANNEL = 2


def depthwise() -> nn.Sequential:
    """Layer and batch norm, a depthwise one, a row."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 2),
    )  # fmt: skip


def made_of(network: nn.Module) -> torch.fx.GraphModule:
    return AwareNetwork(network.eval(), shape=(3, 6, 6)).module


def answers(module: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return module(torch.from_numpy(INPUTS))


def widths(module: torch.fx.GraphModule) -> dict[str, torch.Tensor]:
    """The largest activation of every channel behind a ReLU."""
    found = {}

    def seen(node, values):
        if "relu" in node.name:
            found[node.name] = values.abs().transpose(0, 1).flatten(1).amax(dim=1)
        return values

    watch(module, [INPUTS], seen)
    return found


@pytest.fixture
def module() -> torch.fx.GraphModule:
    """One channel of the first two layers is wide, which the next ones undo."""
    torch.manual_seed(0)
    network = depthwise()
    with torch.no_grad():
        for values in (network[1].weight, network[1].bias, network[3].bias):
            values[CHANNEL] *= FACTOR
        network[7].weight[:, CHANNEL] /= FACTOR
    return made_of(network)


def test_the_answers_stay(module: torch.fx.GraphModule) -> None:
    before = answers(module)
    equalize(module, [INPUTS])
    torch.testing.assert_close(answers(module), before, rtol=1e-4, atol=1e-5)


def test_a_wide_channel_is_as_wide_as_others(module: torch.fx.GraphModule) -> None:
    before = widths(module)
    equalize(module, [INPUTS])
    after = widths(module)
    for name in ("relu", "relu_1"):
        assert before[name][CHANNEL] > 100 * before[name].median()
        assert after[name][CHANNEL] < 10 * after[name].median()


def test_what_goes_two_ways_is_left() -> None:
    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.three = (nn.Conv2d(3, 3, 1) for _ in range(3))

        def forward(self, x):
            x = self.one(x)
            return self.two(x) + self.three(x)

    module = made_of(Forked())
    before = {name: values.clone() for name, values in module.state_dict().items()}
    equalize(module, [INPUTS])
    assert all(torch.equal(values, before[name]) for name, values in module.state_dict().items())


@pytest.mark.parametrize("between", [nn.Hardswish(), nn.ReLU6(), nn.Sigmoid()])
def test_what_does_not_commute_with_a_factor_is_left(between: nn.Module) -> None:
    module = made_of(nn.Sequential(nn.Conv2d(3, 3, 1), between, nn.Conv2d(3, 3, 1)))
    before = {name: values.clone() for name, values in module.state_dict().items()}
    equalize(module, [INPUTS])
    assert all(torch.equal(values, before[name]) for name, values in module.state_dict().items())


def test_a_channel_that_is_always_zero_is_left_finite() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    with torch.no_grad():
        network[0].weight[1], network[0].bias[1] = 0, 0
        network[2].weight[:, 2] = 0
    module = made_of(network)
    before = answers(module)
    equalize(module, [INPUTS])
    torch.testing.assert_close(answers(module), before, rtol=1e-4, atol=1e-5)

"""What every architecture must do."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from edgeloop import plugins
from edgeloop.errors import ParamsFault


@pytest.fixture(params=plugins.names("models"))
def architecture(request: pytest.FixtureRequest) -> Any:
    return plugins.load("models", request.param)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 33, 17), (1, 1, 1)])
def test_pictures_become_one_row_of_logits_each(architecture, shape):
    network = architecture.build(shape, 5, {}).eval()
    assert network(torch.zeros(2, *shape)).shape == (2, 5)


def test_the_seed_decides_the_weights(architecture):
    states = []
    for seed in (0, 0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            states.append(torch.cat([p.flatten() for p in architecture.build((1, 8, 8), 3, {}).parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_an_unknown_option_is_refused(architecture):
    with pytest.raises(ParamsFault, match="no_such_option"):
        architecture.build((1, 8, 8), 3, {"no_such_option": 1})


def test_options_can_be_checked_without_building(architecture):
    with pytest.raises(ValidationError, match="no_such_option"):
        architecture.options.model_validate({"no_such_option": 1})


def test_every_weight_gets_a_gradient(architecture):
    network = architecture.build((1, 8, 8), 3, {}).train()
    network(torch.rand(4, 1, 8, 8)).square().sum().backward()
    assert all(p.grad is not None for p in network.parameters() if p.requires_grad)

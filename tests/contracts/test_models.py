"""What every architecture must do."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from edgeloop import plugins
from edgeloop.errors import ParamsFault
from edgeloop.models import PICTURE, ROW, WINDOW

OUTPUTS = 5


@dataclass(frozen=True)
class Case:
    """How an architecture is built here: small, on the smallest sample that it takes."""

    shape: tuple[int, ...] = (1, 1, 1)
    options: dict[str, Any] = field(default_factory=dict)
    wider: tuple[int, ...] = (3, 33, 17)
    """Another sample that it takes."""


CASES = {
    "alexnet": Case((1, 63, 63), {"width": 0.05}, (3, 64, 130)),
    "cnn_1d": Case((2, 512), {"width": 4}, (3, 700)),
    "custom": Case(options={"path": "their_networks:Linear", "bias": False}),
    "ds_cnn": Case((1, 10, 4), {"width": 8}, (3, 49, 11)),
    "mobilenet_v2": Case((1, 32, 32), {"width": 0.1}, (3, 33, 64)),
    "mobilenet_v3_small": Case((1, 32, 32), {"width": 0.1}, (3, 33, 64)),
    "resnet": Case((1, 4, 4), {}, (3, 33, 17)),
    "yolo_tiny": Case((1, 32, 32), {"width": 0.05, "depth": 0.5}, (3, 64, 32)),
}

SMALLEST = {
    "alexnet": "at least 63 x 63 pixels",
    "cnn_1d": "at least 512 readings",
    "ds_cnn": "at least 10 x 4 pixels",
    "mobilenet_v2": "at least 32 x 32 pixels",
    "mobilenet_v3_small": "at least 32 x 32 pixels",
    "resnet": "at least 4 x 4 pixels",
    "yolo_tiny": "at least 32 x 32 pixels",
}

THEIRS = """
from math import prod
from torch import nn

class Linear(nn.Sequential):
    def __init__(self, input_shape, outputs, bias=True):
        super().__init__(nn.Flatten(), nn.Linear(prod(input_shape), outputs, bias=bias))
"""


@pytest.fixture(scope="module", autouse=True)
def _package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Somebody else's package, for the architecture that is one of their classes."""
    folder: Path = tmp_path_factory.mktemp("package")
    (folder / "their_networks.py").write_text(THEIRS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture(params=plugins.names("models"))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def architecture(name: str) -> Any:
    return plugins.load("models", name)


@pytest.fixture
def case(name: str) -> Case:
    return CASES.get(name, Case())


def built(architecture: Any, case: Case, shape: tuple[int, ...] | None = None) -> torch.nn.Module:
    """From a seed, so that no run differs from another."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return architecture.build(shape or case.shape, OUTPUTS, case.options)


def samples(count: int, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1))


def tensors(given: Any) -> tuple[torch.Tensor, ...]:
    return given if isinstance(given, tuple) else (given,)


def expected_shapes(architecture: Any, count: int, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    if architecture.answers == "heads":
        return [(count, 4 + OUTPUTS, shape[1] // s, shape[2] // s) for s in architecture.strides]
    return [(count, OUTPUTS)] if architecture.answers == "row" else [(count, *shape)]


@pytest.mark.parametrize("count", [1, 3])
def test_the_answer_has_the_promised_shape(architecture, case, count):
    for shape in (case.shape, case.wider):
        given = tensors(built(architecture, case, shape).eval()(samples(count, shape)))
        assert [tuple(tensor.shape) for tensor in given] == expected_shapes(architecture, count, shape)


def test_every_output_has_a_name_of_its_own(architecture, case):
    given = tensors(built(architecture, case).eval()(samples(1, case.shape)))
    assert len(set(architecture.output_names)) == len(architecture.output_names) == len(given)


def test_a_sample_is_answered_alone_as_among_others(architecture, case):
    network, several = built(architecture, case).eval(), samples(3, case.shape)
    for together, alone in zip(tensors(network(several)), tensors(network(several[1:2])), strict=True):
        torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-5)


def test_the_seed_decides_the_weights(architecture, case):
    states = []
    for seed in (0, 0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = architecture.build(case.shape, OUTPUTS, case.options)
            states.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_weights_and_answers_begin_finite(architecture, case):
    network = built(architecture, case).eval()
    assert all(torch.isfinite(p).all() for p in network.parameters())
    assert all(torch.isfinite(tensor).all() for tensor in tensors(network(samples(2, case.shape))))


def test_every_weight_gets_a_gradient(architecture, case):
    network = built(architecture, case, case.wider).train()
    answers = tensors(network(samples(4, case.wider)))
    sum(tensor.square().sum() for tensor in answers).backward()
    assert [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None] == []


def test_the_weights_come_back_into_another_network(architecture, case):
    first, second = built(architecture, case), architecture.build(case.shape, OUTPUTS, case.options)
    second.load_state_dict(first.state_dict())
    given = samples(2, case.shape)
    for one, other in zip(tensors(first.eval()(given)), tensors(second.eval()(given)), strict=True):
        assert torch.equal(one, other)


def test_no_buffer_has_more_than_four_axes(architecture, case):
    assert all(tensor.ndim <= 4 for tensor in built(architecture, case).state_dict().values())


def test_axes_that_it_does_not_take_are_refused(architecture, case):
    others = [axes for axes in (PICTURE, WINDOW, ROW) if axes not in architecture.inputs]
    for axes in [*others, (), ("N", *PICTURE)]:
        with pytest.raises(ParamsFault, match="takes samples of shape"):
            architecture.build((64,) * len(axes), OUTPUTS, case.options)


def test_it_says_which_axes_it_takes(architecture, case):
    assert architecture.inputs and set(architecture.inputs) <= {PICTURE, WINDOW, ROW}
    assert len(case.shape) in {len(axes) for axes in architecture.inputs}


@pytest.mark.parametrize("name", sorted(SMALLEST))
def test_a_sample_that_is_too_small_is_refused_with_the_least_size(architecture, case, name):
    sides = math.prod(case.shape[:1]), *(side - 1 for side in case.shape[1:])
    with pytest.raises(ParamsFault, match=SMALLEST[name]):
        architecture.build(sides, OUTPUTS, case.options)


def test_an_unknown_option_is_refused(architecture, case):
    with pytest.raises(ParamsFault, match="no_such_option"):
        architecture.build(case.shape, OUTPUTS, {**case.options, "no_such_option": 1})


def test_options_can_be_checked_without_building(architecture, case):
    architecture.options.model_validate(case.options)
    if architecture.options.model_config["extra"] == "allow":
        pytest.skip("its further options are checked by the class that it builds")
    with pytest.raises(ValidationError, match="no_such_option"):
        architecture.options.model_validate({**case.options, "no_such_option": 1})


@pytest.mark.slow
def test_it_can_be_exported_for_batches_of_any_size(architecture, case):
    network = built(architecture, case).eval()
    batch = {0: torch.export.Dim("N", min=1)}
    exported = torch.export.export(network, (samples(2, case.shape),), dynamic_shapes=(batch,)).module()
    for count in (1, 5):
        given = samples(count, case.shape)
        for one, other in zip(tensors(exported(given)), tensors(network(given)), strict=True):
            torch.testing.assert_close(one, other)

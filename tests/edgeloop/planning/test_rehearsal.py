import pytest
import torch
from torch import nn

from edgeloop.errors import ModelFault
from edgeloop.planning import Workload
from edgeloop.planning.arithmetic import peak_bytes
from edgeloop.planning.rehearsal import built, rehearse

MLP = Workload(model="mlp", input_shape=(1, 28, 28), classes=10)
CNN = Workload(model="cnn", input_shape=(3, 32, 32), classes=10)

THEIRS = """
from torch import nn

class InPlace(nn.Sequential):
    def __init__(self, input_shape, outputs, inplace=True):
        layers = [nn.Linear(input_shape[0], 8), nn.ReLU(inplace=inplace), nn.Linear(8, 8), nn.ReLU(inplace=inplace)]
        super().__init__(*layers, nn.Linear(8, outputs))

class Frozen(nn.Sequential):
    def __init__(self, input_shape, outputs):
        super().__init__(nn.Linear(input_shape[0], 8), nn.Linear(8, outputs))
        self[0].requires_grad_(False)

class Uneven(nn.Linear):
    def __init__(self, input_shape, outputs):
        super().__init__(input_shape[0], outputs)

    def forward(self, x):
        return super().forward(x + 1 if len(x) > 3 else x)
"""


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """Makes the workload of a class above."""
    (tmp_path / "rehearsed_networks.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, **options):
        path = f"rehearsed_networks:{name}"
        return Workload(model="custom", options={"path": path, **options}, input_shape=(4,), classes=3)

    return make


def test_nothing_of_the_network_is_allocated():
    assert all(parameter.is_meta for parameter in built(MLP, device="meta").parameters())


def test_parameters_gradients_and_states_are_those_of_the_layers():
    layers = rehearse(MLP).layers
    assert sum(layer.parameters for layer in layers) == 266_610
    assert sum(layer.parameter_bytes for layer in layers) == 4 * 266_610
    assert sum(layer.gradient_bytes for layer in layers) == 4 * 266_610
    assert sum(layer.optimizer_bytes for layer in layers) == 8 * 266_610


def test_sgd_keeps_one_value_a_parameter():
    layers = rehearse(MLP.model_copy(update={"optimizer": "sgd"})).layers
    assert sum(layer.optimizer_bytes for layer in layers) == 4 * 266_610


def test_what_a_multilayer_perceptron_keeps_is_its_input_and_its_hidden_layers():
    kept = [layer.activation_bytes for layer in rehearse(MLP).layers if layer.kind != "Sequential"]
    assert sum(kept) == 4 * (784 + 300 + 100)


def test_operations_are_two_a_multiplication_and_twice_as_many_back():
    products = 784 * 300 + 300 * 100 + 100 * 10
    layers = rehearse(MLP).layers
    assert sum(layer.forward_flops for layer in layers) == 2 * products
    assert sum(layer.backward_flops for layer in layers) == 4 * products - 2 * 784 * 300  # the input has no gradient


def test_alexnet_takes_its_714_million_products():
    layers = rehearse(Workload(model="alexnet", input_shape=(3, 224, 224), classes=1000)).layers
    assert sum(layer.forward_flops for layer in layers) == pytest.approx(2 * 714e6, rel=0.001)
    assert sum(layer.parameters for layer in layers) == 61_100_840


@pytest.mark.parametrize(("precision", "size"), [("fp64", 8), ("fp32", 4), ("bf16", 2), ("fp16", 2)])
def test_every_precision_has_its_bytes(precision, size):
    layers = rehearse(MLP.model_copy(update={"precision": precision})).layers
    assert sum(layer.parameter_bytes for layer in layers) == size * 266_610


def test_a_storage_that_an_operator_overwrites_counts_once(theirs):
    in_place, apart = (rehearse(theirs("InPlace", inplace=inplace)) for inplace in (True, False))
    assert sum(layer.activation_bytes for layer in in_place.layers if layer.kind != "InPlace") == 4 * (4 + 8 + 8)
    assert peak_bytes(in_place.training, batch=1000) <= peak_bytes(apart.training, batch=1000)


def test_frozen_weights_have_neither_gradient_nor_state(theirs):
    first = rehearse(theirs("Frozen")).layers[0]
    assert (first.parameter_bytes, first.gradient_bytes, first.optimizer_bytes) == (4 * 40, 0, 0)
    assert first.backward_flops == 0


def test_a_network_that_treats_batches_differently_is_refused(theirs):
    with pytest.raises(ModelFault, match="operators for a batch of"):
        rehearse(theirs("Uneven"))


def test_the_peak_holds_weights_gradients_states_and_what_is_kept():
    found, batch = rehearse(CNN), 64
    held = sum(layer.parameter_bytes + layer.optimizer_bytes for layer in found.layers)
    kept = sum(layer.activation_bytes for layer in found.layers)
    assert held + batch * kept <= peak_bytes(found.training, batch=batch) <= 2 * (held + batch * kept)


def test_inference_needs_less_than_training():
    found = rehearse(CNN)
    assert peak_bytes(found.inference, batch=64) < peak_bytes(found.training, batch=64) / 2


def test_the_line_between_two_batches_holds_for_a_third(monkeypatch):
    here = rehearse(CNN)
    monkeypatch.setattr("edgeloop.planning.rehearsal.BATCHES", (8, 32))
    there = rehearse(CNN)
    for batch in (8, 32, 100):
        assert peak_bytes(here.training, batch=batch) == peak_bytes(there.training, batch=batch)


def test_a_gpu_has_no_blocked_copies():
    on_gpu = rehearse(CNN.model_copy(update={"device": "cuda"}))
    assert peak_bytes(on_gpu.inference, batch=64) < peak_bytes(rehearse(CNN).inference, batch=64)


def test_a_gpu_s_optimiser_makes_one_temporary_value_of_every_parameter_at_once():
    on_gpu = Workload(model="mlp", options={"hidden": "64-64-64-64"}, input_shape=(64,), classes=64, device="cuda")
    found = {device: rehearse(on_gpu.model_copy(update={"device": device})) for device in ("cuda", "cpu")}
    held = sum(4 * layer.parameter_bytes for layer in found["cuda"].layers)  # with gradients and two moments
    assert 1.25 * held <= peak_bytes(found["cuda"].training, batch=1) < 1.3 * held
    assert peak_bytes(found["cpu"].training, batch=1) < 1.2 * held


def test_rehearsing_leaves_torch_s_generator_as_it_was():
    before = torch.get_rng_state()
    rehearse(CNN)
    assert torch.equal(before, torch.get_rng_state())


def test_hooks_do_not_stay():
    network = built(MLP, device="meta")
    assert isinstance(network, nn.Module) and not network._forward_hooks

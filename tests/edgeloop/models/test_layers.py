"""What architectures share, and how some of them begin."""

import pytest
import torch
from torch import nn

from edgeloop import plugins
from edgeloop.errors import ParamsFault
from edgeloop.models import added, he_initialised, scaled, widths_of


@pytest.mark.parametrize(
    ("channels", "width", "expected"), [(32, 1.0, 32), (32, 0.35, 16), (24, 0.35, 8), (16, 0.35, 8), (8, 0.01, 8)]
)
def test_scaled_channels_are_multiples_of_eight(channels, width, expected):
    assert scaled(channels, width) == expected


def test_scaling_never_loses_more_than_a_tenth():
    assert all(scaled(c, w / 20) >= 0.9 * c * w / 20 for c in range(8, 1300, 8) for w in range(1, 41))


def test_a_shortcut_is_the_input_unless_another_is_given():
    x = torch.tensor([1.0, -2.0])
    assert torch.equal(added(nn.ReLU())(x), torch.tensor([2.0, -2.0]))
    assert torch.equal(added(nn.ReLU(), nn.ReLU())(x), torch.tensor([2.0, 0.0]))


@pytest.mark.parametrize("groups", [1, 64])
def test_convolutions_begin_after_he(groups):
    torch.manual_seed(0)
    layer = he_initialised(nn.Sequential(nn.Conv2d(64, 256, kernel_size=3, groups=groups)))[0]
    assert layer.weight.std().item() == pytest.approx((2 / (256 / groups * 9)) ** 0.5, rel=0.05)
    assert not layer.bias.any()


def test_the_widths_of_layers_are_written_as_in_papers():
    assert widths_of("300-100") == (300, 100)


@pytest.mark.parametrize("text", ["", "300-", "-300", "300,100", "0", "300-0", "1e3", "300--100", "1000000", True])
def test_other_widths_are_refused(text):
    with pytest.raises(ParamsFault, match="hidden"):
        plugins.load("models", "mlp").build((4,), 2, {"hidden": text})


def test_a_single_width_may_be_a_number():
    assert plugins.load("models", "mlp").build((4,), 2, {"hidden": 7})[1].out_features == 7


@pytest.mark.parametrize("shape", [(640,), (2, 50), (1, 8, 8)])
def test_an_autoencoder_gives_back_the_shape_of_its_sample(shape):
    network = plugins.load("models", "autoencoder").build(shape, 0, {"hidden": "4"}).eval()
    assert network(torch.zeros(2, *shape)).shape == (2, *shape)


@pytest.mark.parametrize(("height", "width"), [(49, 10), (48, 11), (10, 4), (11, 5)])
def test_ds_cnn_halves_both_sides_rounded_up(height, width):
    network = plugins.load("models", "ds_cnn").build((1, height, width), 2, {"width": 1})
    assert network[:2](torch.zeros(1, 1, height, width)).shape[2:] == (-(-height // 2), -(-width // 2))


def test_alexnet_ends_in_six_cells_a_side_or_fewer():
    alexnet = plugins.load("models", "alexnet")
    cells = {}
    for side in (63, 95, 224, 256, 500):
        with torch.device("meta"):
            network = alexnet.build((3, side, side), 2, {"width": 0.05})
        first = next(layer for layer in network if isinstance(layer, nn.Linear))
        cells[side] = (first.in_features / 16) ** 0.5
    assert cells == {63: 1, 95: 2, 224: 6, 256: 6, 500: 6}


def test_alexnet_begins_after_he():
    torch.manual_seed(0)
    network = plugins.load("models", "alexnet").build((3, 63, 63), 9, {"width": 0.25})
    layers = [layer for layer in network if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == 8
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx((2 / layer.weight[0].numel()) ** 0.5, rel=0.1)
        assert not layer.bias.any()


@pytest.mark.parametrize(("options", "least"), [({"stride": 4, "blocks": 2}, 32), ({"stride": 1, "blocks": 0}, 2)])
def test_the_options_of_cnn_1d_decide_its_shortest_window(options, least):
    cnn_1d = plugins.load("models", "cnn_1d")
    assert cnn_1d.build((1, least), 2, options).eval()(torch.zeros(1, 1, least)).shape == (1, 2)
    with pytest.raises(ParamsFault, match=f"at least {least} readings"):
        cnn_1d.build((1, least - 1), 2, options)

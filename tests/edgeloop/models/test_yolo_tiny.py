import numpy as np
import pytest
import torch

from edgeloop.errors import ParamsFault
from edgeloop.models.yolo_tiny import STRIDES, plugin
from edgeloop.models.yolo_tiny.network import OPPONENT, Elan, PyramidPooling

SMALL = {"width": 0.05}
CLASSES = 3


def heads(batch: int = 2, height: int = 32, width: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((batch, 4 + CLASSES, height // s, width // s), dtype=np.float32) for s in STRIDES]


def test_a_cell_of_zeros_is_a_box_two_strides_wide_around_its_centre():
    silent = [np.zeros_like(head) for head in heads(1)]
    boxes, _ = plugin.decode(silent, np)
    assert boxes[0, 0].tolist() == [-4, -4, 12, 12]
    assert boxes[0, 9].tolist() == [4, 4, 20, 20]  # second row, second column of eight


def test_the_cells_of_all_heads_stand_one_behind_another():
    boxes, logits = plugin.decode(heads(), np)
    assert boxes.shape == (2, 4 * 8 + 2 * 4 + 1 * 2, 4)
    assert logits.shape == (2, 42, CLASSES)


def test_a_box_and_its_logits_come_from_the_same_cell():
    given = heads(1)
    given[1][0, :, 1, 2] = [0, 1, 2, 3, 7, 8, 9]
    boxes, logits = plugin.decode(given, np)
    row = 4 * 8 + 1 * 4 + 2
    x, y = 2.5 * 16, 1.5 * 16
    expected = [x - 16, y - 16 * np.e, x + 16 * np.e**2, y + 16 * np.e**3]
    np.testing.assert_allclose(boxes[0, row], expected, rtol=1e-6)
    assert logits[0, row].tolist() == [7, 8, 9]


def test_numpy_and_torch_decode_the_same():
    given = heads()
    in_torch = plugin.decode([torch.tensor(head) for head in given], torch)
    for ours, theirs in zip(plugin.decode(given, np), in_torch, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5)
        assert ours.dtype == np.float32
        assert theirs.dtype == torch.float32


def test_no_box_is_inside_out_or_infinite():
    wild = [head * 1e6 for head in heads()]
    boxes, _ = plugin.decode(wild, np)
    assert np.isfinite(boxes).all()
    assert (boxes[..., :2] <= boxes[..., 2:]).all()


def test_a_loss_on_the_boxes_reaches_the_heads():
    given = [torch.tensor(head, requires_grad=True) for head in heads()]
    plugin.decode(given, torch)[0].sum().backward()
    assert all(head.grad[:, :4].abs().min() > 0 for head in given)


def test_a_head_too_few_is_an_error():
    with pytest.raises(ValueError, match="argument"):
        plugin.decode(heads()[:2], np)


def test_the_network_ends_with_the_convolutions_of_its_heads():
    (output,) = list(torch.fx.symbolic_trace(plugin.build((3, 32, 32), CLASSES, SMALL)).graph.nodes)[-1:]
    assert [str(node) for node in output.args[0]] == ["heads_0", "heads_1", "heads_2"]


def test_every_class_begins_unlikely_in_every_cell():
    torch.manual_seed(0)
    network = plugin.build((3, 32, 32), CLASSES, SMALL).train()
    scores = torch.cat([head[:, 4:].sigmoid().flatten() for head in network(torch.randn(4, 3, 32, 32))])
    assert 0.005 < scores.min() <= scores.max() < 0.02


@pytest.mark.parametrize(("side", "nearest"), [(33, 32), (60, 64), (40, 32)])
def test_a_side_that_is_no_multiple_of_32_is_refused_with_the_nearest(side, nearest):
    with pytest.raises(ParamsFault, match=f"multiples of 32 .* {nearest} x 64"):
        plugin.build((3, side, 64), CLASSES, SMALL)


def test_depth_sets_the_links_of_a_block():
    with torch.device("meta"):
        chains = {depth: len(Elan(8, 8, 8, depth=depth).chain) for depth in (0.5, 1.0, 2.0)}
    assert chains == {0.5: 1, 1.0: 2, 2.0: 4}


def test_pooling_again_and_again_is_pooling_by_5_9_and_13():
    from torch.nn.functional import max_pool2d

    block, x = PyramidPooling(4, 4), torch.randn(1, 4, 16, 16)
    once = block.pool(x)
    assert torch.equal(block.pool(once), max_pool2d(x, 9, stride=1, padding=4))
    assert torch.equal(block.pool(block.pool(once)), max_pool2d(x, 13, stride=1, padding=6))


def test_opponent_colours_are_fixed_and_grey_has_none():
    network = plugin.build((3, 32, 32), CLASSES, {**SMALL, "opponent_colours": True})
    assert not network.colours.weight.requires_grad
    brightness, red_green, yellow_blue = network.colours(torch.full((1, 3, 1, 1), 0.5)).flatten().tolist()
    assert (brightness, red_green, yellow_blue) == pytest.approx((0.5, 0, 0))
    assert torch.allclose(network.colours.weight.reshape(3, 3), torch.tensor(OPPONENT))


def test_opponent_colours_of_grey_pictures_are_refused():
    with pytest.raises(ParamsFault, match="needs red, green and blue"):
        plugin.build((1, 32, 32), CLASSES, {**SMALL, "opponent_colours": True})

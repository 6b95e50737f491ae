import pytest
import torch

from edgeloop.planning.workspace import workspace_bytes

VALUE_BYTES = 4


def tensor(*shape):
    return torch.empty(shape, device="meta")


def size(channels, side):
    return VALUE_BYTES * channels * side**2


def back(image, gradient, *, stride, groups=1, for_input=True):
    weight = tensor(gradient.shape[1], image.shape[1] // groups, 1, 1)
    given = (
        gradient,
        image,
        weight,
        None,
        [stride] * 2,
        [0, 0],
        [1, 1],
        False,
        [0, 0],
        groups,
        [for_input, True, False],
    )
    return workspace_bytes("aten::convolution_backward", given, None) - VALUE_BYTES * weight.numel()


def forward(image, answer):
    weight = tensor(answer.shape[1], image.shape[1], 1, 1)
    return workspace_bytes("aten::convolution", (image, weight), answer) - VALUE_BYTES * weight.numel()


def test_forward_the_copies_of_input_and_answer_stand_beside_the_tensors():
    assert forward(tensor(1, 64, 8, 8), tensor(1, 16, 8, 8)) == size(64, 8)  # the answer is not there yet
    assert forward(tensor(1, 16, 8, 8), tensor(1, 64, 8, 8)) == size(64, 8)


def test_channels_are_filled_up_to_blocks():
    assert forward(tensor(1, 16, 8, 8), tensor(1, 24, 8, 8)) == size(32, 8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_few_channels_is_read_as_it_lies(channels):
    assert forward(tensor(1, channels, 32, 32), tensor(1, 16, 8, 8)) == size(16, 8)


def test_back_the_gradient_of_the_weights_needs_both_copies():
    assert back(tensor(1, 16, 8, 8), tensor(1, 64, 8, 8), stride=1) == size(16, 8) + size(64, 8)


def test_back_from_a_stride_the_gradient_of_the_input_is_held_three_times():
    assert back(tensor(1, 64, 8, 8), tensor(1, 16, 4, 4), stride=2) == 2 * size(64, 8)  # one of them is what is made


def test_a_stride_of_groups_is_as_any_other():
    assert back(tensor(1, 64, 8, 8), tensor(1, 64, 4, 4), stride=2, groups=64) == size(64, 8) + size(64, 4)


def test_the_first_layer_makes_no_gradient_of_its_input():
    assert back(tensor(1, 64, 8, 8), tensor(1, 16, 4, 4), stride=2, for_input=False) == size(64, 8) + size(16, 4)


def test_other_operators_take_nothing():
    assert workspace_bytes("aten::relu", (tensor(1, 16, 8, 8),), tensor(1, 16, 8, 8)) == 0

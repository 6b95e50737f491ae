from pathlib import Path

import pytest
import torch

from edgeloop import plugins
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import InputFault, ModelFault, PluginFault
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, load_network, read_weights, write_weights

CARD = ModelCard(
    task="classification",
    architecture="cnn",
    options={"width": 4},
    classes=("a", "b"),
    preprocessing=Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.2,)),
    parameters=1,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    CARD.write(tmp_path / CARD_FILE)
    write_weights(tmp_path / WEIGHTS_FILE, plugins.load("models", "cnn").build((1, 8, 8), 2, {"width": 4}).state_dict())
    return tmp_path


def test_a_network_comes_back_as_it_was_written_and_in_evaluation_mode(folder):
    network = load_network(folder)
    assert not network.training
    written = read_weights(folder / WEIGHTS_FILE)
    assert all(torch.equal(written[name], tensor) for name, tensor in network.state_dict().items())


def test_loading_leaves_the_random_generator_alone(folder):
    state = torch.get_rng_state()
    load_network(folder)
    assert torch.equal(torch.get_rng_state(), state)


def test_weights_may_lie_elsewhere(folder, tmp_path):
    moved = (folder / WEIGHTS_FILE).rename(tmp_path / "other.safetensors")
    assert load_network(folder, moved)


def test_equal_tensors_give_equal_bytes_whatever_their_order(folder, tmp_path):
    state = read_weights(folder / WEIGHTS_FILE)
    write_weights(tmp_path / "again", dict(reversed(state.items())))
    assert (tmp_path / "again").read_bytes() == (folder / WEIGHTS_FILE).read_bytes()


def test_others_may_read_the_weights(folder):
    assert (folder / WEIGHTS_FILE).stat().st_mode == (folder / CARD_FILE).stat().st_mode


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x80\x02ctorch\n", b"\xff" * 64])
def test_a_foreign_file_is_refused_in_one_line(folder, content):
    (folder / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(ModelFault, match="is not a whole safetensors file") as caught:
        load_network(folder)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(folder):
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelFault, match="is not a whole safetensors file"):
        load_network(folder)


def test_weights_of_another_width_are_refused_and_the_tensor_is_named(folder):
    other = plugins.load("models", "cnn").build((1, 8, 8), 2, {"width": 8})
    write_weights(folder / WEIGHTS_FILE, other.state_dict())
    with pytest.raises(ModelFault, match=r"0\.weight is torch\.float32 \(8, 1, 3, 3\), not"):
        load_network(folder)


def test_weights_of_another_type_are_refused(folder):
    state = read_weights(folder / WEIGHTS_FILE)
    halved = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    write_weights(folder / WEIGHTS_FILE, halved)
    with pytest.raises(ModelFault, match=r"torch\.float16"):
        load_network(folder)


def test_a_missing_tensor_is_named(folder):
    state = read_weights(folder / WEIGHTS_FILE)
    state.pop("0.weight")
    write_weights(folder / WEIGHTS_FILE, state)
    with pytest.raises(ModelFault, match=r"0\.weight is missing"):
        load_network(folder)


def test_a_card_with_an_unknown_option_is_the_models_fault(folder):
    CARD.model_copy(update={"options": {"widht": 4}}).write(folder / CARD_FILE)
    with pytest.raises(ModelFault, match="did you mean width"):
        load_network(folder)


def test_an_unknown_architecture_is_named_with_the_nearest(folder):
    CARD.model_copy(update={"architecture": "cmn"}).write(folder / CARD_FILE)
    with pytest.raises(PluginFault, match="did you mean cnn"):
        load_network(folder)


def test_a_missing_file_is_the_users_fault(folder):
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(InputFault, match="does not exist"):
        load_network(folder)

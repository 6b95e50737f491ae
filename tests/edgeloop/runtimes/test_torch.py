import sys
from pathlib import Path

import numpy as np
import pytest

from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DeviceFault, ModelFault, PluginFault
from edgeloop.models import CARD_FILE, ModelCard, write_weights
from edgeloop.models.cnn import plugin as cnn
from edgeloop.runtimes.torch import plugin as runtime

CARD = ModelCard(
    task="classification",
    architecture="cnn",
    options={"width": 4},
    classes=("a", "b", "c"),
    preprocessing=Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.5,)),
    parameters=1,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    CARD.write(tmp_path / CARD_FILE)
    write_weights(tmp_path / "model.safetensors", cnn.build((1, 8, 8), 3, {"width": 4}).state_dict())
    return tmp_path / "model.safetensors"


def test_a_session_computes_with_its_own_number_of_threads(path: Path) -> None:
    import torch

    one, two = runtime.open(path, threads=1), runtime.open(path, threads=2)
    inputs = np.zeros((1, 1, 8, 8), dtype=np.float32)
    one.run(inputs)
    first = torch.get_num_threads()
    two.run(inputs)
    assert (first, torch.get_num_threads()) == (1, 2)


def test_the_network_is_in_evaluation_mode(tmp_path: Path) -> None:
    options = {"width": 4, "dropout": 0.9}
    CARD.model_copy(update={"options": options}).write(tmp_path / CARD_FILE)
    write_weights(tmp_path / "m.safetensors", cnn.build((1, 8, 8), 3, options).state_dict())
    session = runtime.open(tmp_path / "m.safetensors", threads=1)
    inputs = np.ones((4, 1, 8, 8), dtype=np.float32)
    assert np.array_equal(session.run(inputs)["logits"], session.run(inputs)["logits"])


def test_weights_of_another_network_are_a_model_fault(path: Path) -> None:
    CARD.model_copy(update={"options": {"width": 8}}).write(path.with_name(CARD_FILE))
    with pytest.raises(ModelFault, match=r"model\.safetensors"):
        runtime.open(path, threads=1)


def test_an_architecture_that_is_not_installed_is_named(path: Path) -> None:
    CARD.model_copy(update={"architecture": "cnm"}).write(path.with_name(CARD_FILE))
    with pytest.raises(PluginFault, match="did you mean cnn"):
        runtime.open(path, threads=1)


def test_a_card_that_names_more_outputs_than_there_are_is_refused(path: Path) -> None:
    CARD.model_copy(update={"output_names": ("a", "b")}).write(path.with_name(CARD_FILE))
    session = runtime.open(path, threads=1)
    with pytest.raises(ModelFault, match="gives 1 outputs, not 2"):
        session.run(np.zeros((1, 1, 8, 8), dtype=np.float32))


def test_without_torch_the_state_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    state = runtime.state()
    assert not state.available
    assert "pip install 'edgeloop[torch]'" in state.reason


def test_without_torch_opening_is_a_device_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DeviceFault, match="pip install"):
        runtime.open(path, threads=1)

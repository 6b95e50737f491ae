from pathlib import Path

import pytest
import torch

from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import ModelFault, ParamsFault
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, load_network, write_weights
from edgeloop.models.custom import plugin

SHAPE = (1, 4, 4)
THEIRS = """
import torch
from math import prod
from torch import nn

class Net(nn.Sequential):
    def __init__(self, input_shape, outputs, width=8):
        super().__init__(nn.Flatten(), nn.Linear(prod(input_shape), width), nn.Dropout(), nn.Linear(width, outputs))

class Anything(Net):
    def __init__(self, input_shape, outputs, **options):
        super().__init__(input_shape, outputs)

class Broken(Net):
    def __init__(self, input_shape, outputs):
        raise RuntimeError("no such thing")

class Unfit(Net):
    def forward(self, x):
        return x @ x.reshape(7, -1)

class Wide(Net):
    def forward(self, x):
        return torch.cat((super().forward(x),) * 2, dim=1)

class Forgetful(Net):
    def forward(self, x):
        return super().forward(x)[0]

class Double(Net):
    def forward(self, x):
        return super().forward(x), super().forward(x)

class Plain:
    pass

def made(input_shape, outputs):
    return Net(input_shape, outputs)
"""


@pytest.fixture(autouse=True)
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "theirs"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(THEIRS)
    (package / "sick.py").write_text("raise RuntimeError('sick')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("theirs", "theirs.nets", "theirs.sick"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)


def build(name: str, **options: object) -> torch.nn.Module:
    return plugin.build(SHAPE, 3, {"path": f"theirs.nets:{name}", **options})


def test_a_class_is_found_by_its_path_and_built_with_its_options():
    assert build("Net", width=5)[1].out_features == 5


def test_a_class_may_take_any_option():
    assert build("Anything", width=5, depth=2)[1].out_features == 8


@pytest.mark.parametrize("path", ["theirs.nets", "theirs.nets:", ":Net", "theirs/nets:Net", "../nets:Net", "a:b.c"])
def test_a_path_of_another_form_is_refused(path):
    with pytest.raises(ParamsFault, match="path"):
        plugin.build(SHAPE, 3, {"path": path})


def test_no_path_is_refused():
    with pytest.raises(ParamsFault, match="path: Field required"):
        plugin.build(SHAPE, 3, {})


@pytest.mark.parametrize("path", ["nowhere:Net", "theirs.nets:Not", "theirs.sick:Net"])
def test_what_cannot_be_imported_is_refused_in_one_line(path):
    with pytest.raises(ParamsFault, match="cannot be imported") as caught:
        plugin.build(SHAPE, 3, {"path": path})
    assert path in caught.value.line()


@pytest.mark.parametrize("path", ["theirs.nets:Plain", "theirs.nets:made", "subprocess:Popen", "os:system"])
def test_what_is_no_module_is_never_called(path):
    with pytest.raises(ParamsFault, match=r"no subclass of torch\.nn\.Module"):
        plugin.build(SHAPE, 3, {"path": path, "args": "false"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Broken", "cannot be built .no such thing"),
        ("Unfit", "cannot run on samples of shape"),
        ("Wide", r"answers 2 samples with \(2, 6\), not \(2, 3\)"),
        ("Forgetful", r"answers 2 samples with \(3,\), not \(2, 3\)"),
        ("Double", "answers 2 samples with tuple, not"),
    ],
)
def test_a_class_that_does_not_fit_is_refused(name, message):
    with pytest.raises(ParamsFault, match=message):
        build(name)


def test_an_option_that_the_class_does_not_take_is_named():
    with pytest.raises(ParamsFault, match="widht"):
        build("Net", widht=5)


def test_the_check_leaves_the_mode_and_the_random_generator_alone():
    torch.manual_seed(0)
    build("Net")
    after = torch.get_rng_state()
    torch.manual_seed(0)
    from theirs.nets import Net

    Net(SHAPE, 3)
    assert torch.equal(torch.get_rng_state(), after)
    assert build("Net").training


def test_a_saved_model_comes_back(tmp_path):
    network = build("Net", width=5)
    _card(tmp_path, path="theirs.nets:Net", width=5)
    write_weights(tmp_path / WEIGHTS_FILE, network.state_dict())
    assert torch.equal(load_network(tmp_path)(torch.ones(1, *SHAPE)), network.eval()(torch.ones(1, *SHAPE)))


def test_a_saved_model_without_its_package_is_refused(tmp_path):
    _card(tmp_path, path="nowhere:Net")
    with pytest.raises(ModelFault, match="cannot be imported"):
        load_network(tmp_path)


def _card(folder: Path, **options: str | int) -> None:
    picture = Preprocessing(image=ImageInput(height=4, width=4), mean=(0.5,), std=(0.2,))
    card = ModelCard(
        task="classification",
        architecture="custom",
        options=options,
        classes=("a", "b", "c"),
        preprocessing=picture,
        parameters=1,
    )
    card.write(folder / CARD_FILE)

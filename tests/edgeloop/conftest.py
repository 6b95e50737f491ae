"""The converted model of `conversion/`, made once for all rooms that need one."""

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest


def _shapes() -> Any:
    """The module that makes the dataset and the model; tests are no packages, so that it is found by its path."""
    path = Path(__file__).parent / "conversion" / "conftest.py"
    spec = spec_from_file_location("shapes", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["shapes"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def shapes() -> Any:
    return _shapes()


@pytest.fixture(scope="session")
def made(shapes: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folders `dataset`, `validation`, `model` and, beside them, `converted`."""
    from edgeloop.conversion import ConvertParams, convert

    root = tmp_path_factory.mktemp("steps")
    folders = shapes.Folders(root / "dataset", root / "validation", root / "model")
    shapes.write_dataset(folders.dataset, folders.validation)
    shapes.write_model(folders)
    convert(
        ConvertParams(),
        model=folders.model,
        dataset=folders.dataset,
        validation=folders.validation,
        converted=root / "converted",
    )
    return folders


DETERMINED = """
import torch
from torch import nn

class Net(nn.Sequential):
    def __init__(self, input_shape, outputs):
        super().__init__(nn.Flatten(), nn.Linear(64, outputs * 9))

    def forward(self, x):
        return torch.linalg.det(super().forward(x).unflatten(1, (-1, 3, 3)))
"""


@pytest.fixture
def unknown_to_openvino(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Of a trained folder of three classes another one, whose network has ONNX's Det: OpenVINO has no rule for it."""
    import torch
    from safetensors.torch import save_file

    from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard

    (tmp_path / "determined.py").write_text(DETERMINED)
    monkeypatch.syspath_prepend(tmp_path)

    def made(trained: Path) -> Path:
        model = tmp_path / "undetermined"
        model.mkdir()
        update = {"architecture": "custom", "options": {"path": "determined:Net"}}
        ModelCard.of(trained).model_copy(update=update).write(model / CARD_FILE)
        torch.manual_seed(0)
        save_file({"1.weight": torch.randn(27, 64), "1.bias": torch.randn(27)}, model / WEIGHTS_FILE)
        return model

    return made

"""A file that `litert_torch.convert` made of the network below; that package cannot be installed beside the others."""

import sys
from pathlib import Path

import numpy as np
import pytest

from edgeloop.errors import DeviceFault, ModelFault
from edgeloop.runtimes.litert import plugin as runtime

MODEL = Path(__file__).parents[2] / "contracts" / "models" / "litert.tflite"


@pytest.mark.parametrize("count", [1, 5])
def test_it_answers_as_the_network_that_the_file_was_made_of(count: int) -> None:
    pytest.importorskip("ai_edge_litert")
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).eval()  # fmt: skip
    inputs = np.random.default_rng(0).standard_normal((count, 1, 8, 8), dtype=np.float32)
    (found,) = runtime.open(MODEL, threads=1).run(inputs).values()
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(torch.from_numpy(inputs)).numpy(), rtol=1e-4, atol=1e-5)


def test_without_litert_the_state_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert "pip install 'edgeloop[litert]'" in runtime.state().reason


def test_without_litert_opening_is_a_device_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(DeviceFault, match="pip install"):
        runtime.open(MODEL, threads=1)


def test_what_does_not_begin_as_a_model_is_never_given_to_the_library(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    (tmp_path / "m.tflite").write_bytes(b"\x1c\0\0\0TFL2" + MODEL.read_bytes()[8:])
    with pytest.raises(ModelFault, match="does not begin as one"):
        runtime.open(tmp_path / "m.tflite", threads=1)

"""A detector's boxes are made of its heads outside of every file, so that no int8 scale holds pixels and scores."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeloop import plugins
from edgeloop.conversion import ConvertParams
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, write_weights
from edgeloop.optimization.recipes import Recipe

pytestmark = pytest.mark.slow  # the export of sixty convolutions

OPTIONS = {"width": 0.05}
INPUTS = np.random.default_rng(0).uniform(size=(4, 3, 32, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ONNX file of a small detector."""
    import torch

    folder = tmp_path_factory.mktemp("detector")
    architecture = plugins.load("models", "yolo_tiny")
    image = ImageInput(height=32, width=32, mode="RGB")
    ModelCard(
        task="detection", architecture="yolo_tiny", options=OPTIONS, classes=("a", "b", "c"), parameters=1,
        preprocessing=Preprocessing(image=image, mean=(0.5,) * 3, std=(0.5,) * 3),
        output_names=architecture.output_names,
    ).write(folder / CARD_FILE)  # fmt: skip
    torch.manual_seed(0)
    write_weights(folder / WEIGHTS_FILE, architecture.build((3, 32, 32), 3, OPTIONS).state_dict())
    path = folder / "onnx-fp32.onnx"
    plugins.load("conversion", "onnx").convert(folder, folder / WEIGHTS_FILE, target=path, params=ConvertParams())
    return path


def test_the_file_ends_with_the_convolutions_of_its_heads(detector: Path) -> None:
    graph = onnx.load(detector).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    assert [makers[output.name] for output in graph.output] == ["Conv", "Conv", "Conv"]


@pytest.mark.parametrize("name", ["onnxruntime_static", "onnxruntime_symmetric"])
def test_every_head_has_a_scale_of_its_own(detector: Path, tmp_path: Path, name: str) -> None:
    scheme = plugins.load("quantization", name)
    scheme.quantize(detector, [INPUTS], target=tmp_path / "m.onnx", recipe=Recipe())
    graph = onnx.load(tmp_path / "m.onnx").graph
    makers = {output: node for node in graph.node for output in node.output}
    last = [makers[output.name] for output in graph.output]
    assert {node.op_type for node in last} == {"DequantizeLinear"}
    assert len({node.input[1] for node in last}) == 3


def test_int8_scores_are_as_many_and_in_the_order_of_float_scores(detector: Path, tmp_path: Path) -> None:
    """Boxes and scores in one scale would leave a single score."""
    architecture = plugins.load("models", "yolo_tiny")
    scheme = plugins.load("quantization", "onnxruntime_static")
    scheme.quantize(detector, [INPUTS], target=tmp_path / "m.onnx", recipe=Recipe())
    runtime = plugins.load("runtimes", "onnxruntime")
    scores = [
        architecture.decode(list(runtime.open(path, threads=1).run(INPUTS).values()), np)[1].ravel()
        for path in (detector, tmp_path / "m.onnx")
    ]
    assert len(np.unique(scores[1])) > 50
    assert np.corrcoef(*scores)[0, 1] > 0.95


def test_training_with_roundings_sees_the_raw_heads_each_with_a_step_of_its_own() -> None:
    import torch

    from edgeloop.optimization.awareness import AwareNetwork, operator

    torch.manual_seed(0)
    network = plugins.load("models", "yolo_tiny").build((3, 32, 32), 3, OPTIONS).eval()
    aware = AwareNetwork(network, shape=(3, 32, 32))
    aware.observe([INPUTS])
    heads = aware.module.graph.output_node().args[0]
    assert [operator(head) for head in heads] == ["conv2d", "conv2d", "conv2d"]
    found = aware(torch.from_numpy(INPUTS))
    assert [len(values.unique()) <= 255 for values in found] == [True, True, True]

import pytest

from edgeloop.tensorrt_engines.building import built, deserialized
from edgeloop.tensorrt_engines.inspection import placement_of
from edgeloop.tensorrt_engines.installation import installed
from edgeloop.tensorrt_engines.options import EngineOptions

KEYS = {10: "Format/Datatype", 11: "DataType"}


def layer(branch: int, name: str, kind: str, words: str) -> dict:
    return {"Name": name, "LayerType": kind, "Inputs": [{"Name": "x", KEYS[branch]: words}], "Outputs": []}


@pytest.fixture(params=[10, 11])
def place(request, tensorrt_played, floats, source):
    script = tensorrt_played(request.param)

    def placed(layers: list) -> object:
        script.layers = layers
        here = installed()
        content = built(floats.SerializeToString(), EngineOptions(), where=source, here=here)
        return placement_of(here.module, deserialized(content, where=source, here=here))

    return request.param, placed


def test_precisions_are_counted_and_float_layers_of_a_quantized_engine_named(place) -> None:
    branch, placed = place
    found = placed(
        [
            layer(branch, "conv1", "CaskConvolution", "Thirty-two wide channel vectorized row major Int8 format"),
            layer(branch, "fc", "CaskGemmMatrixMultiply", "Row major linear FP32"),
            layer(branch, "copy", "Reformat", "Row major linear FP32"),
        ]
    )
    assert found.providers == {"tensorrt": 3}
    assert found.precisions == {"float32": 2, "int8": 1}
    assert found.fell_back == ("fc: float32",)


def test_in_a_float_engine_nothing_fell_back(place) -> None:
    branch, placed = place
    assert placed([layer(branch, "conv1", "CaskConvolution", "Row major linear FP32")]).fell_back == ()


def test_an_engine_that_tells_names_alone_tells_no_precision(place) -> None:
    _, placed = place
    assert placed(["conv1", "fc"]).precisions == {"unknown": 2}

"""Every runtime keeps the promises of `edgeloop.runtimes`."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.conversion import ConvertParams
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import DeviceFault, InputFault, ModelFault
from edgeloop.models import CARD_FILE, ModelCard, write_weights
from edgeloop.runtimes import Placed, Runtime, RuntimeState

SHAPE, CLASSES = (1, 8, 8), 3


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One model file of every format, N, 1, 8, 8 to N, 3."""
    import torch

    folder = tmp_path_factory.mktemp("models")
    image = Preprocessing(image=ImageInput(height=8, width=8), mean=(0.5,), std=(0.5,))
    card = ModelCard(
        task="classification", architecture="cnn", options={"width": 4}, classes=("a", "b", "c"),
        preprocessing=image, parameters=1,
    )  # fmt: skip
    card.write(folder / CARD_FILE)
    torch.manual_seed(0)
    paths = {
        "torch": folder / "m.safetensors", "onnx": folder / "m.onnx", "fake": folder / "m.json",
        "openvino": folder / "m.openvino", "litert": folder / "m.tflite",
    }  # fmt: skip
    network = plugins.load("models", "cnn").build(SHAPE, CLASSES, {"width": 4})
    write_weights(paths["torch"], network.state_dict())
    plugins.load("conversion", "onnx").convert(folder, paths["torch"], target=paths["onnx"], params=ConvertParams())
    plugins.load("conversion", "openvino").convert(
        folder, paths["onnx"], target=paths["openvino"], params=ConvertParams()
    )
    # its converter cannot be installed beside the other packages: a convolution, a rectifier, a mean and a product
    paths["litert"].write_bytes((Path(__file__).parent / "models" / "litert.tflite").read_bytes())
    paths["fake"].write_text(json.dumps({"outputs": {"logits": CLASSES}}))
    return paths


PLAYED = ("tensorrt",)
"""Runtimes of hardware that is seldom there: where it is not, a played library and a played device take its place."""

READS = [(name, read) for name in plugins.names("runtimes") for read in sorted(plugins.load("runtimes", name).formats)]


@pytest.fixture(params=READS, ids="-".join)
def read(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name of a runtime, and a format that it reads."""
    return request.param


@pytest.fixture
def runtime(read: tuple[str, str], request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = plugins.load("runtimes", read[0])
    if read[0] in PLAYED and not runtime.state().available:
        request.getfixturevalue("tensorrt_played")(11)
    if "path" in request.fixturenames and not (state := runtime.state()).available:
        pytest.skip(f"{read[0]}: {state.reason}")
    return runtime


@pytest.fixture
def path(runtime: Runtime, read: tuple[str, str], models: dict[str, Path]) -> Path:
    if read[1] == "tensorrt":
        target = models["onnx"].with_suffix(".engine")
        plugins.load("conversion", "tensorrt").convert(
            target.parent, models["onnx"], target=target, params=ConvertParams()
        )
        return target
    assert read[1] in models, f"this test needs a model of the format {read[1]}: add one to `models`"
    return models[read[1]]


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((5, *SHAPE), dtype=np.float32)


def test_the_state_names_runtime_and_version(read: tuple[str, str], runtime: Runtime) -> None:
    state = runtime.state()
    assert state.name == read[0]
    assert (state.available and state.version) or state.reason
    assert RuntimeState.model_validate_json(state.model_dump_json()) == state


@pytest.mark.parametrize("count", [1, 5])
def test_a_batch_of_any_size_is_answered_in_float32(
    runtime: Runtime, path: Path, inputs: np.ndarray, count: int
) -> None:
    (logits,) = runtime.open(path, threads=1).run(inputs[:count]).values()
    assert (logits.shape, logits.dtype) == ((count, CLASSES), np.float32)


def test_the_outputs_have_the_names_of_the_card(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    assert list(runtime.open(path, threads=1).run(inputs)) == ["logits"]


def test_the_same_input_has_the_same_answer(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    first, second = (runtime.open(path, threads=1).run(inputs)["logits"] for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_sample_is_answered_alone_as_in_a_batch(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    session = runtime.open(path, threads=1)
    alone = np.concatenate([session.run(inputs[i : i + 1])["logits"] for i in range(len(inputs))])
    np.testing.assert_allclose(session.run(inputs)["logits"], alone, rtol=1e-4, atol=1e-5)


def test_the_input_is_left_as_it_was(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    before = inputs.copy()
    runtime.open(path, threads=1).run(inputs)
    assert np.array_equal(inputs, before)


def test_an_answer_survives_the_next_run(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    session = runtime.open(path, threads=1)
    first = session.run(inputs)["logits"]
    before = first.copy()
    session.run(-inputs)
    assert np.array_equal(first, before)


def test_two_sessions_with_other_threads_answer_in_turns(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    one, two = runtime.open(path, threads=1), runtime.open(path, threads=2)
    first = one.run(inputs)["logits"]
    np.testing.assert_allclose(two.run(inputs)["logits"], first, rtol=1e-4, atol=1e-5)
    assert one.run(inputs)["logits"].tobytes() == first.tobytes()


def test_where_the_operators_are_computed_is_told(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    session = runtime.open(path, threads=1)
    if not isinstance(session, Placed):
        pytest.skip("its library does not tell")
    before = session.run(inputs)["logits"].tobytes()
    found = session.placement(inputs)
    assert sum(found.providers.values()) >= 1
    assert found.fell_back == ()
    assert session.run(inputs)["logits"].tobytes() == before


def test_a_closed_session_tells_no_placement(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    session = runtime.open(path, threads=1)
    if not isinstance(session, Placed):
        pytest.skip("its library does not tell")
    session.close()
    with pytest.raises(ModelFault):
        session.placement(inputs)


@pytest.mark.parametrize("threads", [0, -1])
def test_no_thread_is_refused(runtime: Runtime, path: Path, threads: int) -> None:
    with pytest.raises(DeviceFault):
        runtime.open(path, threads=threads)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\0" * 4096, b"\xff" * 64, b"{}}", b"[1]"])
def test_rubbish_is_a_model_fault_of_one_line(runtime: Runtime, path: Path, tmp_path: Path, content: bytes) -> None:
    broken = beside_card(path, tmp_path, content)
    with pytest.raises(ModelFault) as caught:
        runtime.open(broken, threads=1)
    assert "\n" not in caught.value.line() and broken.name in caught.value.line()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_a_model_fault(runtime: Runtime, path: Path, tmp_path: Path, share: float) -> None:
    content = path.read_bytes()
    with pytest.raises(ModelFault):
        runtime.open(beside_card(path, tmp_path, content[: int(len(content) * share)]), threads=1)


def test_a_pickle_is_not_executed(runtime: Runtime, path: Path, tmp_path: Path) -> None:
    trap = tmp_path / "executed"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (trap,)

    with pytest.raises(ModelFault):
        runtime.open(beside_card(path, tmp_path, pickle.dumps(Trap())), threads=1)
    assert not trap.exists()


def test_a_missing_file_is_an_input_fault(runtime: Runtime, path: Path) -> None:
    with pytest.raises(InputFault):
        runtime.open(path.with_name(f"none{path.suffix}"), threads=1)


def test_a_folder_is_no_model(runtime: Runtime, path: Path, tmp_path: Path) -> None:
    folder = beside_card(path, tmp_path, None)
    with pytest.raises(Exception, match=folder.name) as caught:
        runtime.open(folder, threads=1)
    assert caught.type.__module__ == "edgeloop.errors"


def test_an_input_of_another_rank_is_a_model_fault(runtime: Runtime, path: Path) -> None:
    session = runtime.open(path, threads=1)
    with pytest.raises(ModelFault):
        session.run(np.zeros((2, 3), dtype=np.float32))


def test_an_input_of_another_type_is_a_model_fault(runtime: Runtime, path: Path) -> None:
    session = runtime.open(path, threads=1)
    with pytest.raises(ModelFault):
        session.run(np.zeros((2, *SHAPE), dtype=np.float64))


def test_a_closed_session_refuses_to_run(runtime: Runtime, path: Path, inputs: np.ndarray) -> None:
    session = runtime.open(path, threads=1)
    session.close()
    session.close()
    with pytest.raises(ModelFault):
        session.run(inputs)


def beside_card(path: Path, folder: Path, content: bytes | None) -> Path:
    """A file of this content, or a folder, named as `path` and beside the same card."""
    (folder / CARD_FILE).write_bytes((path.parent / CARD_FILE).read_bytes())
    broken = folder / f"broken{path.suffix}"
    if content is None:
        broken.mkdir()
    else:
        broken.write_bytes(content)
    return broken

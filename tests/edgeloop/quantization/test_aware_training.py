"""The last trial of `quantize`: cliffs in the trained weights that mixed precision, or only training, brings back."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.conversion import ConvertParams, convert
from edgeloop.data.dataset import Dataset
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.models import CARD_FILE, WEIGHTS_FILE, ModelCard, write_weights
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeLimits, QuantizeParams, onnxruntime_symmetric
from edgeloop.variants import VARIANTS_FILE, Variant, VariantSet

pytestmark = pytest.mark.slow

FACTOR = 100
LIMITS = QuantizeLimits(max_accuracy_drop=0.05, max_group_drop=0.2, min_agreement=0.95, max_size_ratio=10)
"""A graph is larger than the weights of a network this small."""


@pytest.fixture(scope="module", autouse=True)
def _few_trials() -> Iterator[None]:
    """The histograms of the other methods take minutes where one sample's range is a hundred times another's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxruntime_symmetric, "plugin", replace(onnxruntime_symmetric.plugin, methods=("minmax",)))
        yield


@pytest.fixture(scope="module")
def steps(shapes: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folders as `made`, without a model."""
    root = tmp_path_factory.mktemp("steps")
    folders = shapes.Folders(root / "dataset", root / "validation", root / "model")
    shapes.write_dataset(folders.dataset, folders.validation)
    return folders


@pytest.fixture(scope="module")
def card(shapes: Any) -> ModelCard:
    return ModelCard(
        task="classification", architecture="ds_cnn", options={"width": 8, "blocks": 2, "dropout": 0.0},
        classes=shapes.CLASSES, parameters=1,
        preprocessing=Preprocessing(image=ImageInput(height=10, width=10, mode="L"), mean=(0.3,), std=(0.25,)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def inputs(steps: Any, card: ModelCard) -> Any:
    """Of train, as one tensor."""
    import torch

    dataset = Dataset(steps.dataset, steps.validation)
    contents = dataset.contents(dataset.split("train"))
    return torch.from_numpy(np.stack([card.preprocessing.apply(content) for content in contents]))


@pytest.fixture(scope="module")
def weights(steps: Any, card: ModelCard, inputs: Any) -> dict[str, Any]:
    import torch

    dataset = Dataset(steps.dataset, steps.validation)
    targets = torch.tensor([dataset.class_index(sample) for sample in dataset.split("train")])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = built(card)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(100):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), targets).backward()
        optimiser.step()
    return network.state_dict()


def built(card: ModelCard) -> Any:
    return plugins.load("models", "ds_cnn").build(card.preprocessing.shape, len(card.classes), dict(card.options))


def widen(network: Any, place: int, inputs: Any) -> None:
    """The widest channel of the layer at `place` is wider by FACTOR, which the next layer undoes."""
    import torch

    layer, norm = network[place], network[place + 1]
    following = next(one for one in network[place + 2 :] if hasattr(one, "weight"))
    with torch.no_grad():
        channel = int(network[: place + 3](inputs).amax((0, 2, 3)).argmax())
        for values in (layer.weight, layer.bias, norm.running_mean, norm.bias):
            values[channel] *= FACTOR
        taken = following.weight if getattr(following, "groups", 1) > 1 else following.weight.transpose(0, 1)
        taken[channel] /= FACTOR


def converted(steps: Any, card: ModelCard, network: Any, root: Path) -> Path:
    (root / "model").mkdir()
    card.write(root / "model" / CARD_FILE)
    write_weights(root / "model" / WEIGHTS_FILE, network.state_dict())
    convert(
        ConvertParams(opset=19), model=root / "model", dataset=steps.dataset, validation=steps.validation,
        converted=root / "converted",
    )  # fmt: skip
    return root / "converted"


@pytest.fixture(scope="module")
def cliff(steps: Any, card: ModelCard, inputs: Any, weights: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One channel of the first depthwise layer is wide."""
    network = built(card).eval()
    network.load_state_dict(weights)
    widen(network, next(n for n, layer in enumerate(network) if getattr(layer, "groups", 1) > 1), inputs)
    return converted(steps, card, network, tmp_path_factory.mktemp("cliff"))


@pytest.fixture(scope="module")
def cliffs(steps: Any, card: ModelCard, inputs: Any, weights: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One channel of every convolution is wide."""
    network = built(card).eval()
    network.load_state_dict(weights)
    for place in [n for n, layer in enumerate(network) if hasattr(layer, "groups")]:
        widen(network, place, inputs)
    return converted(steps, card, network, tmp_path_factory.mktemp("cliffs"))


def run(steps: Any, source: Path, folder: Path, **params: Any) -> Variant:
    (variant,) = quantize(
        QuantizeParams(schemes=("onnxruntime_symmetric",), calibration_samples=60, limits=LIMITS, **params),
        converted=source, dataset=steps.dataset, validation=steps.validation, quantized=folder,
    ).variants  # fmt: skip
    return variant


@pytest.fixture(scope="module")
def trained(steps: Any, cliffs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Variant]:
    folder = tmp_path_factory.mktemp("trained") / "quantized"
    return folder, run(steps, cliffs, folder)


def test_mixed_precision_brings_one_cliff_back(steps: Any, cliff: Path, tmp_path: Path) -> None:
    variant = run(steps, cliff, tmp_path / "quantized")
    plain, *_, last = variant.details["trials"]
    assert plain["rung"] == "plain" and "accuracy_drop" in plain["failed"]
    assert variant.accepted and last["rung"] == "mixed precision"


def test_only_training_brings_cliffs_everywhere_back(trained: tuple[Path, Variant]) -> None:
    _, variant = trained
    *others, last = variant.details["trials"]
    assert all("accuracy_drop" in trial["failed"] for trial in others), others
    assert variant.accepted and last["rung"] == "quantization-aware training"


def test_the_record_of_the_tool_tells_how_the_weights_were_trained_on(trained: tuple[Path, Variant]) -> None:
    options = trained[1].made_by.options
    assert options["tuning"] == {"epochs": 8, "learning_rate": 1e-3, "seed": 0}
    assert options["tuned_sha256"] == options["tried"][-1]["tuned_sha256"]


def test_the_file_keeps_the_opset_and_nothing_else_is_left(trained: tuple[Path, Variant]) -> None:
    import onnx

    folder, variant = trained
    assert onnx.load(folder / variant.file).opset_import[0].version == 19
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", variant.file, "variants.json"]


def test_two_searches_with_training_end_with_the_same_bytes(
    steps: Any, cliffs: Path, trained: tuple[Path, Variant], tmp_path: Path
) -> None:
    run(steps, cliffs, tmp_path / "quantized")
    assert sha256_of_file(tmp_path / "quantized" / VARIANTS_FILE) == sha256_of_file(trained[0] / VARIANTS_FILE)


def test_without_the_trained_weights_the_reason_says_so(steps: Any, cliffs: Path, tmp_path: Path) -> None:
    shutil.copytree(cliffs, tmp_path / "converted")
    found = VariantSet.of(cliffs)
    kept = tuple(variant for variant in found.variants if variant.format != "torch")
    found.model_copy(update={"variants": kept}).write(tmp_path / "converted" / VARIANTS_FILE)
    variant = run(steps, tmp_path / "converted", tmp_path / "quantized", trials=2)
    assert variant.details["fallback"].endswith("the weights as they were trained are not among the files")

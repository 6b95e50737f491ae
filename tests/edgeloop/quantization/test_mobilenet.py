"""MobileNetV3-Small, a known victim of int8: the search brings it back within the limits. Minutes of one core."""

from pathlib import Path
from typing import Any

import pytest

from edgeloop.conversion import ConvertParams, convert
from edgeloop.data.dataset import read_index
from edgeloop.data.preparation import PrepareDataParams, SplitShares, prepare
from edgeloop.data.preprocessing import ImageInput
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeParams
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.fit import train
from edgeloop.variants import Variant

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits of 32 x 32 pixels, learned by a network of half the width."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    root = tmp_path_factory.mktemp("steps")
    share = SplitShares(train=0.6, test=0.1, val=0.3)
    prepare(PrepareDataParams(split=share), dataset=root / "dataset", profile=root / "profile.json")
    (root / "validation").mkdir()
    ids = [sample.id for sample in read_index(root / "dataset")]
    parquet.write_table(pa.table({"id": ids}), root / "validation" / "accepted.parquet")
    params = TrainParams(
        model="mobilenet_v3_small", model_options={"width": 0.5}, image=ImageInput(height=32, width=32, mode="L"),
        epochs=20, learning_rate=3e-3, augment_shift=2,
    )  # fmt: skip
    known: dict[str, Any] = {"dataset": root / "dataset", "validation": root / "validation"}
    train(params, **known, model=root / "model", history=root / "history", tracker=untracked_run)
    convert(ConvertParams(), **known, model=root / "model", converted=root / "converted")
    return root


@pytest.fixture(scope="module")
def variant(steps: Path) -> Variant:
    (found,) = quantize(
        QuantizeParams(),
        converted=steps / "converted", dataset=steps / "dataset", validation=steps / "validation",
        quantized=steps / "quantized",
    ).variants  # fmt: skip
    return found


def test_plain_int8_is_not_within_the_limits(variant: Variant) -> None:
    assert variant.details["metric_fp32"] > 0.96
    assert "accuracy_drop" in variant.details["trials"][0]["failed"]


def test_the_search_brings_it_back_to_a_point_and_a_half(variant: Variant) -> None:
    (drop,) = (check.value for check in variant.checks if check.name == "accuracy_drop")
    assert drop is not None and drop <= 0.015
    assert variant.accepted, variant.details.get("fallback")

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import numpy_helper

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.data.dataset import Dataset, read_index, samples_digest
from edgeloop.errors import DataFault, ModelFault, ParamsFault
from edgeloop.optimization.variants import quantize
from edgeloop.quantization import QuantizeLimits, QuantizeParams
from edgeloop.variants import VARIANTS_FILE, Tool, VariantSet, float_variant, placed_variants


def run(
    made: Any, folder: Path, *, converted: Path | None = None, validation: Path | None = None, **params: Any
) -> Any:
    return quantize(
        QuantizeParams(**params),
        converted=converted or made.model.with_name("converted"),
        dataset=made.dataset,
        validation=validation or made.validation,
        quantized=folder,
    )


@pytest.fixture(scope="session")
def quantized(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "quantized"
    run(made, folder, calibration_samples=60)
    return folder


@pytest.fixture
def variant(quantized: Path) -> Any:
    return placed_variants([quantized])["onnx-int8"].variant


def test_the_variant_keeps_to_its_limits(variant: Any) -> None:
    assert {check.name: check.status for check in variant.checks} == {
        "accuracy_drop": "pass",
        "agreement": "pass",
        "sqnr_logits": "pass",
        "size_ratio": "pass",
    }


def test_every_check_has_value_limit_and_reason(variant: Any) -> None:
    assert all(check.value is not None and check.limit is not None and check.reason for check in variant.checks)


def test_the_details_hold_both_accuracies_and_the_noise(variant: Any) -> None:
    assert variant.details["metric_fp32"] > 0.9
    assert variant.details["metric_int8"] > 0.9
    assert variant.details["sqnr_db"] > 20
    assert 0 < variant.details["max_relative_error"] < 0.2


def test_the_card_travels_with_the_set(made: Any, quantized: Path) -> None:
    assert (quantized / "model.json").read_bytes() == (made.model / "model.json").read_bytes()


def test_weights_are_int8_per_channel_and_activations_uint8(quantized: Path) -> None:
    graph = onnx.load(quantized / "onnx-int8.onnx").graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolution = next(node for node in graph.node if node.op_type == "Conv")
    producers = {output: node for node in graph.node for output in node.output}
    activation, weight = (producers[name] for name in convolution.input[:2])
    assert values[weight.input[0]].dtype == "int8"
    assert values[weight.input[1]].shape == (8,)
    assert values[activation.input[2]].dtype == "uint8"


def test_the_calibration_set_is_a_recorded_part_of_train(made: Any, quantized: Path) -> None:
    calibration = VariantSet.of(quantized).calibration
    assert calibration is not None
    assert (calibration["samples"], calibration["method"]) == (60, "minmax")
    assert calibration["per_class"] == {"bar": 20, "blob": 20, "cross": 20}


def test_more_calibration_samples_than_train_holds_are_all_of_train(made: Any, tmp_path: Path) -> None:
    calibration = run(made, tmp_path / "quantized", calibration_samples=1000).calibration
    train = Dataset(made.dataset, made.validation).split("train")
    assert (calibration["samples"], calibration["requested"]) == (len(train), 1000)
    assert calibration["digest"] == samples_digest(train)


def test_another_seed_calibrates_on_others(made: Any, quantized: Path, tmp_path: Path) -> None:
    other = run(made, tmp_path / "quantized", calibration_samples=60, seed=1)
    assert other.calibration["digest"] != VariantSet.of(quantized).calibration["digest"]


@pytest.mark.parametrize("method", ["entropy", "percentile"])
def test_the_other_methods_give_a_usable_file(made: Any, tmp_path: Path, method: str) -> None:
    limits = QuantizeLimits(max_accuracy_drop=0.1, min_agreement=0.9)
    (variant,) = run(made, tmp_path / "quantized", calibration_method=method, limits=limits).variants
    assert variant.accepted, variant.checks


@pytest.mark.slow
@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_two_processes_in_two_folders_write_the_same_bytes(made: Any, tmp_path: Path, root: Path, method: str) -> None:
    digests = []
    for seed, name in (("1", "here"), ("2", "there/and deeper")):
        folder = tmp_path / name
        for part in ("dataset", "validation", "converted"):
            shutil.copytree(made.model.with_name(part), folder / part)
        (folder / "tmp").mkdir()
        completed = subprocess.run(
            [sys.executable, "-c", ALONE, method],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed, "TMPDIR": str(folder / "tmp")},
        )
        assert (completed.stdout, completed.stderr) == ("", "")
        assert not list((folder / "tmp").iterdir())
        for path in (folder / "quantized").iterdir():
            assert str(folder).encode() not in path.read_bytes()
        digests.append({path.name: sha256_of_file(path) for path in sorted((folder / "quantized").iterdir())})
    assert digests[0] == digests[1]


ALONE = """
import sys
from pathlib import Path
from edgeloop.quantization import QuantizeParams
from edgeloop.optimization.variants import quantize
here = Path(".")
quantize(QuantizeParams(calibration_samples=24, calibration_method=sys.argv[1]), converted=here / "converted",
         dataset=here / "dataset", validation=here / "validation", quantized=here / "quantized")
"""


def test_quantize_does_not_import_torch(made: Any, tmp_path: Path, root: Path) -> None:
    code = ALONE + "\nprint([name for name in ('torch', 'sympy', 'matplotlib', 'sklearn') if name in sys.modules])"
    completed = subprocess.run(
        [sys.executable, "-c", code, "minmax"],
        cwd=made.model.parent,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert completed.stdout == "[]\n"


def test_the_file_holds_no_text_of_the_machine(quantized: Path) -> None:
    model = onnx.load(quantized / "onnx-int8.onnx")
    assert not model.metadata_props
    assert not [node for node in model.graph.node if node.metadata_props or node.doc_string]


def test_no_scheme_writes_an_empty_set(made: Any, tmp_path: Path) -> None:
    assert run(made, tmp_path / "quantized", schemes=()) == VariantSet(variants=())
    assert VariantSet.of(tmp_path / "quantized").variants == ()


def test_a_variant_beyond_a_limit_stays_with_its_failed_check(made: Any, tmp_path: Path) -> None:
    (variant,) = run(made, tmp_path / "quantized", limits=QuantizeLimits(max_size_ratio=0.001)).variants
    assert [check.name for check in variant.checks if check.status == "fail"] == ["size_ratio"]
    assert (tmp_path / "quantized" / variant.file).is_file()
    assert not variant.accepted


def test_a_size_is_that_over_the_float_file_of_the_same_format(made: Any, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    shutil.copytree(made.model.with_name("converted"), converted)
    (converted / "openvino-fp32.openvino").write_bytes(bytes(1_000_000))
    added = float_variant(
        "openvino-fp32", "openvino", converted / "openvino-fp32.openvino", Tool(name="t", version="1")
    )
    VariantSet(variants=(*VariantSet.of(converted).variants, added)).write(converted / VARIANTS_FILE)
    (variant,) = run(made, tmp_path / "quantized", converted=converted, schemes=("openvino_bf16",)).variants
    found = {check.name: check.value for check in variant.checks}
    assert found["size_ratio"] == variant.size_bytes / 1_000_000


def test_batches_that_are_answered_at_once_are_judged_as_one_after_another(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeloop.batches.MOST_SAMPLES", 16)
    made_by = []
    for crews in (1, 2, 3):
        monkeypatch.setattr("edgeloop.optimization.variants.CREWS", crews)
        made_by.append(run(made, tmp_path / str(crews), calibration_samples=16))
    assert made_by[0] == made_by[1] == made_by[2]


def test_a_damaged_scheme_is_judged_by_accuracy_and_agreement(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that answers the first class to everything fails both, whatever its size."""
    scheme = plugins.load("quantization", "onnxruntime_static")
    quantize_well = type(scheme).quantize

    def quantize_badly(self: Any, source: Path, inputs: Any, *, target: Path, recipe: Any) -> Any:
        tool = quantize_well(self, source, inputs, target=target, recipe=recipe)
        model = onnx.load(target)
        output = model.graph.output[0].name
        last = next(node for node in model.graph.node if output in node.output)
        last.output[0] = "before"
        model.graph.node.append(onnx.helper.make_node("Sub", ["before", "before"], [output]))
        target.write_bytes(model.SerializeToString())
        return tool

    monkeypatch.setattr(type(scheme), "quantize", quantize_badly)
    (variant,) = run(made, tmp_path / "quantized").variants
    assert [c.name for c in variant.checks if c.status == "fail"] == [
        "accuracy_drop",
        "agreement",
        "sqnr_logits",
    ]


def without(made: Any, folder: Path, split: str) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    kept = [sample.id for sample in read_index(made.dataset) if sample.split != split]
    parquet.write_table(pa.table({"id": kept}), folder / "accepted.parquet")
    return folder


@pytest.mark.parametrize("split", ["train", "val"])
def test_an_empty_split_is_a_data_fault_that_names_it(made: Any, tmp_path: Path, split: str) -> None:
    with pytest.raises(DataFault, match=f"{split} holds no accepted sample"):
        run(made, tmp_path / "quantized", validation=without(made, tmp_path, split))
    assert not (tmp_path / "quantized").exists()


def test_a_class_without_a_sample_in_train_is_left_out(made: Any, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    kept = [s.id for s in read_index(made.dataset) if not (s.split == "train" and s.label == "bar")]
    parquet.write_table(pa.table({"id": kept}), tmp_path / "accepted.parquet")
    found = run(made, tmp_path / "quantized", validation=tmp_path, calibration_samples=20)
    assert found.calibration["per_class"] == {"blob": 10, "cross": 10}


def test_a_missing_float_file_is_a_model_fault(made: Any, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    shutil.copytree(made.model.with_name("converted"), converted)
    found = VariantSet.of(converted)
    kept = tuple(v for v in found.variants if v.name != "onnx-fp32")
    found.model_copy(update={"variants": kept}).write(converted / VARIANTS_FILE)
    with pytest.raises(ModelFault, match="onnx-fp32 is not among"):
        run(made, tmp_path / "quantized", converted=converted)


def test_a_float_file_that_failed_its_checks_is_not_quantized(made: Any, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    shutil.copytree(made.model.with_name("converted"), converted)
    text = json.loads((converted / VARIANTS_FILE).read_text())
    text["variants"][1]["checks"][0]["status"] = "fail"
    (converted / VARIANTS_FILE).write_text(json.dumps(text))
    with pytest.raises(ModelFault, match="failed its own checks"):
        run(made, tmp_path / "quantized", converted=converted)


def test_a_changed_float_file_is_refused(made: Any, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    shutil.copytree(made.model.with_name("converted"), converted)
    with (converted / "onnx-fp32.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelFault, match="not the file that was recorded"):
        run(made, tmp_path / "quantized", converted=converted)


def test_another_dataset_than_the_models_is_refused(made: Any, shapes: Any, tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(made.dataset, dataset)
    card = json.loads((dataset / "dataset.json").read_text())
    card["classes"] = ["bar", "blob", "star"]
    (dataset / "dataset.json").write_text(json.dumps(card))
    other = shapes.Folders(dataset, made.validation, made.model)
    with pytest.raises(DataFault, match="classes"):
        run(other, tmp_path / "quantized")


def test_two_schemes_that_make_one_variant_are_refused(made: Any, tmp_path: Path) -> None:
    with pytest.raises(ParamsFault, match="both make onnx-int8"):
        run(made, tmp_path / "quantized", schemes=("onnxruntime_static", "onnxruntime_static"))

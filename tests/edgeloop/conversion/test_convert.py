import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from edgeloop.canonical import sha256_of_file
from edgeloop.conversion import ConvertParams, convert
from edgeloop.conversion.onnx import plugin as to_onnx
from edgeloop.data.dataset import read_index
from edgeloop.errors import DataFault, InputFault, ModelFault
from edgeloop.models import CARD_FILE, WEIGHTS_FILE
from edgeloop.variants import VariantSet, placed_variants


@pytest.fixture(scope="session")
def converted(folders: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "converted"
    run(folders, folder)
    return folder


def run(folders: Any, folder: Path, **params: Any) -> VariantSet:
    return convert(
        ConvertParams(**params),
        model=folders.model,
        dataset=folders.dataset,
        validation=folders.validation,
        converted=folder,
    )


def test_the_set_holds_the_trained_weights_and_the_onnx_file(converted: Path) -> None:
    assert {name: placed.variant.format for name, placed in placed_variants([converted]).items()} == {
        "torch-fp32": "torch",
        "onnx-fp32": "onnx",
    }


def test_the_trained_weights_are_copied_byte_for_byte(folders: Any, converted: Path) -> None:
    for source, target in ((WEIGHTS_FILE, "torch-fp32.safetensors"), (CARD_FILE, CARD_FILE)):
        assert sha256_of_file(folders.model / source) == sha256_of_file(converted / target)


def test_the_onnx_file_answers_as_the_trained_model_does(converted: Path) -> None:
    variant = placed_variants([converted])["onnx-fp32"].variant
    assert {check.name: check.status for check in variant.checks} == {"onnx_checker": "pass", "parity_logits": "pass"}


def test_the_versions_of_the_tools_are_recorded(converted: Path) -> None:
    tool = placed_variants([converted])["onnx-fp32"].variant.made_by
    assert tool.version.startswith("2.")
    assert {"onnx", "onnxscript", "opset"} <= set(tool.options)


def test_parity_is_measured_in_batches_and_alone(converted: Path) -> None:
    parity = placed_variants([converted])["onnx-fp32"].variant.details["parity"]
    assert {how: outputs[0]["samples"] for how, outputs in parity.items()} == {"batched": 45, "alone": 45}


def test_the_batch_is_symbolic_and_the_names_are_those_of_the_card(converted: Path) -> None:
    graph = onnx.load(converted / "onnx-fp32.onnx").graph
    shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in graph.input}
    assert shapes == {"input": ["N", 1, 8, 8]}
    assert [(v.name, v.type.tensor_type.shape.dim[0].dim_param) for v in graph.output] == [("logits", "N")]


def test_the_onnx_file_names_no_path_and_no_source_line(converted: Path) -> None:
    texts = list(strings(onnx.load(converted / "onnx-fp32.onnx")))
    assert texts
    assert not [text for text in texts if "/" in text or "\\" in text or ".py" in text]


@pytest.mark.long
@pytest.mark.slow
def test_two_processes_in_two_folders_write_the_same_bytes(folders: Any, tmp_path: Path, root: Path) -> None:
    """Nothing is shared: folder, working folder, hash seed, name of the user and number of cores differ."""
    digests = []
    for seed, name in (("1", "here"), ("2", "there/and deeper")):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for part in ("dataset", "validation", "model"):
            shutil.copytree(getattr(folders, part), folder / part)
        subprocess.run(
            [sys.executable, "-c", ALONE],
            cwd=folder,
            check=True,
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": seed, "USER": name},
        )
        written = folder / "converted"
        digests.append({path.name: sha256_of_file(path) for path in sorted(written.iterdir())})
        for path in written.iterdir():
            content = path.read_bytes()
            assert not [word for word in (str(folder), str(root), "site-packages") if word.encode() in content]
    assert digests[0] == digests[1]


ALONE = """
from pathlib import Path
from edgeloop.conversion import ConvertParams, convert
here = Path(".")
convert(ConvertParams(), model=here / "model", dataset=here / "dataset", validation=here / "validation",
        converted=here / "converted")
"""


def test_a_second_export_in_one_process_writes_the_same_bytes(converted: Path, tmp_path: Path) -> None:
    to_onnx.convert(converted, converted / "torch-fp32.safetensors", target=tmp_path / "m", params=ConvertParams())
    assert sha256_of_file(tmp_path / "m") == sha256_of_file(converted / "onnx-fp32.onnx")


def test_conversion_writes_nothing_to_stdout_and_stderr(
    folders: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(folders, tmp_path / "converted")
    assert capfd.readouterr() == ("", "")


def test_a_parity_beyond_the_limit_is_a_failed_check_and_the_file_stays(folders: Any, tmp_path: Path) -> None:
    made = run(folders, tmp_path / "converted", max_relative_error=1e-12)
    (variant,) = (v for v in made.variants if v.name == "onnx-fp32")
    assert [check.name for check in variant.checks if check.status == "fail"] == ["parity_logits"]
    assert (tmp_path / "converted" / variant.file).is_file()
    assert not variant.accepted


def test_a_network_that_gives_nan_is_a_failed_check(folders: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(folders.model, tmp_path / "model")
    weights = load_file(tmp_path / "model" / WEIGHTS_FILE)
    weights["12.bias"][:] = float("nan")
    save_file(weights, tmp_path / "model" / WEIGHTS_FILE)
    made = convert(
        ConvertParams(),
        model=tmp_path / "model",
        dataset=folders.dataset,
        validation=folders.validation,
        converted=tmp_path / "converted",
    )
    failed = [check for variant in made.variants for check in variant.checks if check.status == "fail"]
    assert [(check.name, check.value) for check in failed] == [("parity_logits", None)]
    assert VariantSet.of(tmp_path / "converted") == made


def test_fewer_samples_than_asked_for_are_all_that_val_holds(folders: Any, tmp_path: Path) -> None:
    made = run(folders, tmp_path / "converted", parity_samples=4096)
    assert made.variants[1].details["parity"]["alone"][0]["samples"] == 45


def test_an_empty_val_is_a_data_fault(folders: Any, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    kept = [sample.id for sample in read_index(folders.dataset) if sample.split != "val"]
    parquet.write_table(pa.table({"id": kept}), tmp_path / "accepted.parquet")
    with pytest.raises(DataFault, match="val holds no accepted sample"):
        convert(
            ConvertParams(),
            model=folders.model,
            dataset=folders.dataset,
            validation=tmp_path,
            converted=tmp_path / "converted",
        )


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CARD_FILE])
def test_a_missing_file_of_the_model_is_named(folders: Any, tmp_path: Path, name: str) -> None:
    shutil.copytree(folders.model, tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    with pytest.raises(InputFault, match=name):
        to_converted(folders, tmp_path)


def test_truncated_weights_are_a_model_fault_and_leave_no_set(folders: Any, tmp_path: Path) -> None:
    shutil.copytree(folders.model, tmp_path / "model")
    weights = tmp_path / "model" / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelFault, match="safetensors"):
        to_converted(folders, tmp_path)
    assert not (tmp_path / "converted").exists()


def to_converted(folders: Any, root: Path) -> VariantSet:
    return convert(
        ConvertParams(),
        model=root / "model",
        dataset=folders.dataset,
        validation=folders.validation,
        converted=root / "converted",
    )


def test_a_network_that_cannot_be_exported_is_a_model_fault_of_one_line(
    folders: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from torch import nn

    class Forked(nn.Module):
        def forward(self, inputs: Any) -> Any:
            return inputs.flatten(1) if inputs.sum() > 0 else -inputs.flatten(1)

    monkeypatch.setattr("edgeloop.conversion.onnx.load_network", lambda *_: Forked())
    with pytest.raises(ModelFault) as caught:
        to_onnx.convert(folders.model, tmp_path / "none", target=tmp_path / "m.onnx", params=ConvertParams())
    assert "\n" not in caught.value.line()
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "m.onnx").exists()


def test_a_format_that_refuses_the_model_is_named_and_the_others_are_made(
    folders: Any, unknown_to_openvino: Callable[[Path], Path], tmp_path: Path
) -> None:
    made = convert(
        ConvertParams(formats=("onnx", "openvino")),
        model=unknown_to_openvino(folders.model),
        dataset=folders.dataset,
        validation=folders.validation,
        converted=tmp_path / "converted",
    )
    assert [variant.name for variant in made.variants if variant.accepted] == ["torch-fp32", "onnx-fp32"]
    ((name, reason),) = ((one.name, one.reason) for one in made.unmade)
    assert name == "openvino-fp32" and "Det" in reason and "\n" not in reason
    assert reason.endswith("; choose another format or change the model")
    assert not list((tmp_path / "converted").glob("openvino*"))


def strings(message: Any) -> Any:
    """Every text in a protobuf message, however deep; the values of tensors are no text."""
    for field, value in message.ListFields():
        parts = list(value) if field.label == field.LABEL_REPEATED else [value]
        for part in parts:
            if field.message_type is not None:
                yield from strings(part)
            elif isinstance(part, str):
                yield part
            elif isinstance(part, bytes) and field.name != "raw_data":
                yield part.decode()


def test_what_a_format_is_made_of_is_made_before_it(folders: Any, tmp_path: Path) -> None:
    made = run(folders, tmp_path / "converted", formats=("openvino",))
    assert [(v.name, v.made_from) for v in made.variants] == [
        ("torch-fp32", None),
        ("onnx-fp32", "torch-fp32"),
        ("openvino-fp32", "onnx-fp32"),
    ]


def test_a_format_that_is_made_of_another_is_compared_with_the_trained_model(folders: Any, tmp_path: Path) -> None:
    (*_, last) = run(folders, tmp_path / "converted", formats=("openvino", "onnx")).variants
    assert {check.name: check.status for check in last.checks} == {"parity_logits": "pass"}

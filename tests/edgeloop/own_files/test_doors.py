"""Hostile ONNX files at every door of the command: convert, optimize, bench and predict."""

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from onnx import numpy_helper

from edgeloop import bundle, plugins
from edgeloop.benchmarking.single import bench_file
from edgeloop.canonical import digest_of, sha256_of_file
from edgeloop.devices import LOCAL
from edgeloop.errors import ModelFault
from edgeloop.lineage import example
from edgeloop.lineage.evidence import SelectionEvidence
from edgeloop.lineage.manifest import Manifest
from edgeloop.own_files.conversion import convert_here
from edgeloop.own_files.optimization import admit_here
from edgeloop.prediction import predict
from edgeloop.variants import VariantSet, float_variant


def _admission() -> Any:
    """The module of the named fixtures; tests are no packages, so that it is found by its path."""
    spec = spec_from_file_location("hostile_files", Path(__file__).with_name("test_admission.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["hostile_files"] = module
    spec.loader.exec_module(module)
    return module


files = _admission()
PLAIN = files.adding(numpy_helper.from_array(files.VALUES, "w")).SerializeToString()


CONTENTS: dict[str, Callable[[], bytes]] = {
    name: lambda make=make: make().SerializeToString() for name, (make, _) in files.HOSTILE.items()
}  # fmt: skip
CONTENTS |= {"truncated": lambda: PLAIN[:-9], "pickle": lambda: b"\x80\x04cposix\nsystem\n(S'touch executed'\ntR."}


@pytest.fixture(params=sorted(CONTENTS))
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return written(tmp_path, CONTENTS[request.param]())


def written(root: Path, content: bytes) -> Path:
    """The file in a folder with values beside it and outside of it."""
    folder = root / "model"
    (folder / "sub").mkdir(parents=True)
    for file in (root / "secret.bin", folder / "values.bin"):
        file.write_bytes(files.VALUES.tobytes())
    (folder / "link.bin").symlink_to(root / "secret.bin")
    (folder / "m.onnx").write_bytes(content)
    return folder / "m.onnx"


def refused(work: Callable[[], object]) -> None:
    with pytest.raises(ModelFault) as caught:
        work()
    assert "m.onnx: " in caught.value.line() and "\n" not in caught.value.line()


def test_convert_refuses_it(hostile: Path, tmp_path: Path) -> None:
    target = tmp_path / "m.openvino"
    refused(lambda: convert_here(source=str(hostile), to="openvino", target=str(target), limit=1e-3))
    assert not target.exists()


def test_optimize_refuses_it(hostile: Path, tmp_path: Path) -> None:
    refused(lambda: admit_here(source=str(hostile), target=str(tmp_path / "clean.onnx")))
    assert not (tmp_path / "clean.onnx").exists()


OPENED = ("absurd_dimensions",)
"""Sound to ONNX Runtime as long as nobody makes an input of that shape."""


@pytest.mark.parametrize("kind", sorted(set(CONTENTS) - set(OPENED)))
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_runtimes_that_bench_and_predict_load_it_by_refuse_it(kind: str, runtime: str, tmp_path: Path) -> None:
    path = written(tmp_path, CONTENTS[kind]())
    refused(lambda: plugins.load("runtimes", runtime).open(path, threads=1))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["absurd_dimensions", "external_data_above", "cycle", "custom_operator", "truncated"])
def test_bench_refuses_it_before_anything_is_measured(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, CONTENTS[kind]())
    refused(lambda: bench_file(path, device=LOCAL))


@pytest.mark.parametrize(
    "kind", ["external_data_absolute", "cycle", "custom_operator", "huge_initialiser", "truncated"]
)
def test_predict_refuses_it_in_a_bundle_that_is_whole(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no key is trusted here
    path = written(tmp_path, CONTENTS[kind]())
    folder = bundle_of(path, tmp_path / "bundle")
    with pytest.raises(ModelFault, match=r"m\.onnx: is no model") as caught:
        predict(folder, [])
    assert "\n" not in caught.value.line()


def bundle_of(path: Path, folder: Path) -> Path:
    """A bundle whose manifest lists the file and names it as the winner: only the file itself is wrong."""
    variant = float_variant("onnx-fp32", "onnx", path, example.TOOL)
    assert variant.sha256 == sha256_of_file(path)
    subject = example._subject((variant,), seed=0)
    chosen = example._selection()
    winner = chosen.winner.model_copy(update={"variant": "onnx-fp32", "runtime": "onnxruntime"})
    evidence = SelectionEvidence(
        subject_digest=digest_of(subject.values()), body=chosen.model_copy(update={"winner": winner})
    )
    contents = {
        "models/model.json": example.CARD_TEXT,
        "models/variants.json": VariantSet(variants=(variant,)),
        "models/m.onnx": path,
    }
    return bundle.write(folder, Manifest.of("hostile", subject=subject, evidence=[evidence]), contents).folder

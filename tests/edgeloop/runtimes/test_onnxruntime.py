import sys
from pathlib import Path

import pytest
from onnx import helper

from edgeloop.canonical import sha256_of_file
from edgeloop.errors import DeviceFault
from edgeloop.runtimes.onnxruntime import plugin as runtime


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_pool_has_the_threads_that_were_asked_for(tmp_path: Path, onnx_file, threads: int) -> None:
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Neg", ["input"], ["logits"])], ["input"])
    before = len(list(Path("/proc/self/task").iterdir()))
    session = runtime.open(path, threads=threads)
    assert len(list(Path("/proc/self/task").iterdir())) - before == threads - 1  # the caller computes too
    session.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the mapped files in /proc")
def test_the_library_of_the_state_is_one_that_is_loaded() -> None:
    state = runtime.state()
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}
    assert state.library_sha256 in {sha256_of_file(Path(p)) for p in mapped if "onnxruntime" in p}


def test_the_state_offers_the_cpu_only() -> None:
    assert runtime.state().providers == ("CPUExecutionProvider",)


def test_without_onnxruntime_the_state_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    state = runtime.state()
    assert not state.available
    assert "pip install 'edgeloop[onnxruntime]'" in state.reason


def test_without_onnxruntime_opening_is_a_device_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceFault, match="pip install"):
        runtime.open(tmp_path / "m.onnx", threads=1)

import os
import sys
import time
from pathlib import Path

import pytest

from edgeloop.confinement import confined, confining
from edgeloop.errors import EnvironmentFault, InputFault, ModelFault

FILE = Path("m.onnx")


def test_what_the_function_returns_comes_back() -> None:
    assert confined("json:loads", {"s": "[1, 2]"}, where=FILE) == [1, 2]


def test_more_memory_than_allowed_is_a_fault() -> None:
    with pytest.raises(ModelFault, match=r"needs more than 1\.1 GB"):
        confined("numpy:zeros", {"shape": 1 << 40}, where=FILE, memory_bytes=1 << 30)


def test_more_time_than_allowed_is_a_fault() -> None:
    with pytest.raises(ModelFault, match=r"m\.onnx: takes more than 0\.01 s"):
        confined("time:sleep", {}, where=FILE, timeout_s=0.01)


def test_a_process_that_dies_is_a_fault() -> None:
    with pytest.raises(ModelFault, match=r"by SIGABRT"):
        confined("os:abort", {}, where=FILE)


def test_a_fault_of_ours_comes_back_as_it_was() -> None:
    arguments = {"source": "none.onnx", "to": "openvino", "target": "none", "limit": 1}
    with pytest.raises(InputFault, match=r"none\.onnx: does not exist"):
        confined("edgeloop.own_files.conversion:convert_here", arguments, where=FILE)


def test_another_interpreter_is_given_this_package_and_nothing_else_of_this_environment() -> None:
    folder = Path(confined("os:getcwd", {}, where=FILE, interpreter=Path(sys.executable)))
    assert folder.name == "alone"
    found = confined("os:listdir", {"path": "."}, where=FILE, interpreter=Path(sys.executable))
    assert found == ["edgeloop"]


def test_another_interpreter_is_not_led_to_the_packages_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert confined("os:getenv", {"key": "PYTHONPATH"}, where=FILE, interpreter=Path(sys.executable)) is None
    assert confined("os:getenv", {"key": "PYTHONPATH"}, where=FILE) == "/elsewhere"


def test_an_interpreter_that_is_not_there_is_a_fault_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"python: cannot be started \(No such file or directory\)"):
        confined("os:getcwd", {}, where=FILE, interpreter=tmp_path / "python")


def test_an_interpreter_that_cannot_import_is_a_fault_with_its_last_words() -> None:
    with pytest.raises(EnvironmentFault, match=r"cannot run edgeloop \(ModuleNotFoundError: No module named 'none'\)"):
        confined("none:at_all", {}, where=FILE, interpreter=Path(sys.executable))


def test_a_process_that_nobody_waits_for_is_gone_with_the_block(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = f"echo $PPID > {told}.partial; mv {told}.partial {told}; exec sleep 600"
    with confining("subprocess:run", {"args": ["sh", "-c", script]}, where=FILE):
        while not told.exists():
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)

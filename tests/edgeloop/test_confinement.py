from pathlib import Path

import pytest

from edgeloop.confinement import confined
from edgeloop.errors import InputFault, ModelFault

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
        confined("edgeloop.conversion_of_files:convert_here", arguments, where=FILE)

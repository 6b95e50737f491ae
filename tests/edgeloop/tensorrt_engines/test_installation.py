import sys

import pytest

from edgeloop import cuda_driver
from edgeloop.errors import DeviceFault
from edgeloop.tensorrt_engines.installation import installed


def no_driver() -> None:
    raise OSError("libcuda.so.1: cannot open shared object file")


@pytest.mark.parametrize("branch", [10, 11])
def test_the_branch_is_that_of_the_installed_version(tensorrt_played, branch: int) -> None:
    tensorrt_played(branch)
    here = installed()
    assert (here.branch, here.gpu.name, here.gpu.capability) == (branch, "Orin", "8.7")


def test_without_the_package_it_says_so(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(DeviceFault, match="the package 'tensorrt' is not installed; install TensorRT 10 or 11"):
        installed()


@pytest.mark.parametrize("version", ["8.6.1", "12.0.0", "unknown"])
def test_another_major_version_is_refused_by_name(tensorrt_played, version: str) -> None:
    tensorrt_played(10).module.__version__ = version
    with pytest.raises(DeviceFault, match=f"TensorRT {version} is neither 10 nor 11"):
        installed()


def test_without_a_driver_it_says_so(tensorrt_played, monkeypatch) -> None:
    tensorrt_played(10)
    monkeypatch.setattr(cuda_driver, "load_library", no_driver)
    with pytest.raises(DeviceFault, match=r"TensorRT 10\.13\.3\.9 is installed, but no NVIDIA driver"):
        installed()


def test_without_a_gpu_it_says_so(tensorrt_played) -> None:
    tensorrt_played(11, gpus=0)
    with pytest.raises(DeviceFault, match="finds no GPU"):
        installed()


def test_a_package_of_the_name_that_holds_no_builder_is_refused(tensorrt_played) -> None:
    del tensorrt_played(10).module.Builder
    with pytest.raises(DeviceFault, match="holds no builder"):
        installed()

import numpy as np
import pytest

from edgeloop.cuda_driver import CudaDevice
from edgeloop.errors import DeviceFault


@pytest.fixture
def driver(tensorrt_played):
    return tensorrt_played(10).gpu


def test_what_is_copied_in_comes_out(driver) -> None:
    device = CudaDevice()
    device.open()
    values, found = np.arange(6, dtype=np.float32), np.zeros(6, np.float32)
    address = device.allocate(values.nbytes)
    device.copy_in(values, address)
    device.copy_out(address, found)
    device.wait()
    assert np.array_equal(found, values)


def test_a_context_that_is_in_use_keeps_its_way_of_waiting(driver) -> None:
    driver._cuDevicePrimaryCtxSetFlags_v2 = lambda device, flags: 708
    assert CudaDevice().open()


def test_closing_frees_everything_once(driver) -> None:
    device = CudaDevice()
    device.open()
    device.allocate(8)
    device.close()
    device.close()
    assert not driver.memory
    assert driver.calls.count("cuDevicePrimaryCtxRelease_v2") == 1


def test_an_error_of_the_driver_is_one_line_with_its_words(driver) -> None:
    device = CudaDevice()
    device.open()
    with pytest.raises(DeviceFault, match="cuda: cuMemAlloc_v2: out of memory; check the driver"):
        device.allocate(1 << 40)


def test_the_gpu_tells_its_name_and_compute_capability(driver) -> None:
    gpu = CudaDevice().gpu()
    assert (gpu.name, gpu.capability) == ("Orin", "8.7")

"""NVIDIA's CUDA driver, as much of it as buffers need: memory, copies and one stream, through ctypes.

The driver comes with the GPU and its interface does not change with CUDA's version, so nothing has to be installed for
it. TensorRT computes in the primary context of the first GPU, which `CudaDevice` holds until it is closed. Names and
constants: CUDA Driver API reference (`cuda.h`), docs.nvidia.com/cuda/cuda-driver-api.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DeviceFault

LIBRARY = "libcuda.so.1"
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_NON_BLOCKING = 1
_SPIN = 1
_ALREADY_ACTIVE = 708
_NAME_BYTES = 256


@dataclass(frozen=True)
class Gpu:
    """The first GPU.

    Args:
        name: As the driver tells it.
        capability: CUDA's compute capability, such as 8.7 of a Jetson Orin.
    """

    name: str
    capability: str


def load_library() -> Any:
    """The driver's library.

    Raises:
        OSError: It is not installed.
    """
    return ctypes.CDLL(LIBRARY)


class CudaDevice:
    """The first GPU, and what was allocated on it.

    Raises:
        DeviceFault: There is no driver or no GPU.
    """

    def __init__(self) -> None:
        try:
            self._library = load_library()
        except OSError as error:
            raise DeviceFault(f"no NVIDIA driver ({LIBRARY} is not installed)", where="cuda") from error
        self._call("cuInit", ctypes.c_uint(0))
        found = ctypes.c_int()
        self._call("cuDeviceGetCount", ctypes.byref(found))
        if found.value < 1:
            raise DeviceFault("the NVIDIA driver finds no GPU", where="cuda")
        self._device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(self._device), ctypes.c_int(0))
        self._held: list[int] = []
        self._stream = ctypes.c_void_p()
        self._opened = False

    def gpu(self) -> Gpu:
        """Which one it is."""
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self._call("cuDeviceGetName", name, ctypes.c_int(_NAME_BYTES), self._device)
        major, minor = (self._attribute(number) for number in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR))
        return Gpu(name=name.value.decode(errors="replace"), capability=f"{major}.{minor}")

    def open(self) -> int:
        """Makes the GPU the one of this thread, and a stream on it; the stream's handle.

        A thread that waits for the GPU spins: it answers sooner, and a share of the CPU below 1 means, as with other
        runtimes, that something else had it.
        """
        context = ctypes.c_void_p()
        self._call("cuDevicePrimaryCtxSetFlags_v2", self._device, ctypes.c_uint(_SPIN), allowed=_ALREADY_ACTIVE)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self._device)
        self._opened = True
        self._call("cuCtxSetCurrent", context)
        self._call("cuStreamCreate", ctypes.byref(self._stream), ctypes.c_uint(_NON_BLOCKING))
        return self._stream.value or 0

    def allocate(self, size_bytes: int) -> int:
        """The address of that many bytes on the GPU, kept until it is closed."""
        address = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        self._held.append(address.value)
        return address.value

    def copy_in(self, values: NDArray[Any], address: int) -> None:
        """Queues a copy to the GPU; `values` is contiguous and stays as it is until `wait`."""
        source = ctypes.c_void_p(values.ctypes.data)
        size = ctypes.c_size_t(values.nbytes)
        self._call("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address), source, size, self._stream)

    def copy_out(self, address: int, values: NDArray[np.float32]) -> None:
        """Queues a copy from the GPU into `values`, which is contiguous; it is there after `wait`."""
        target = ctypes.c_void_p(values.ctypes.data)
        size = ctypes.c_size_t(values.nbytes)
        self._call("cuMemcpyDtoHAsync_v2", target, ctypes.c_uint64(address), size, self._stream)

    def wait(self) -> None:
        """Until everything that was queued is done."""
        self._call("cuStreamSynchronize", self._stream)

    def close(self) -> None:
        """Frees everything; a second call does nothing."""
        if not self._opened:
            return
        self._opened = False
        for address in self._held:
            self._call("cuMemFree_v2", ctypes.c_uint64(address))
        self._held = []
        self._call("cuStreamDestroy_v2", self._stream)
        self._call("cuDevicePrimaryCtxRelease_v2", self._device)

    def _attribute(self, number: int) -> int:
        value = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(number), self._device)
        return value.value

    def _call(self, name: str, *arguments: Any, allowed: int = 0) -> None:
        """Calls the driver.

        Raises:
            DeviceFault: It answers with an error other than the allowed one.
        """
        code = getattr(self._library, name)(*arguments)
        if code not in (0, allowed):
            text = ctypes.c_char_p()
            known = self._library.cuGetErrorString(ctypes.c_int(code), ctypes.byref(text)) == 0 and text.value
            told = text.value.decode(errors="replace") if known and text.value else f"error {code}"
            raise DeviceFault(f"{name}: {told}", where="cuda", fix="check the driver with nvidia-smi")

"""Which TensorRT and which GPU there are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeloop.cuda_driver import CudaDevice, Gpu
from edgeloop.errors import DeviceFault
from edgeloop.runtimes import one_line

BRANCHES = (10, 11)
"""Major versions that there is code for."""

INSTALL = "install TensorRT 10 or 11 of NVIDIA beside the driver, see docs/tensorrt.md"


@dataclass(frozen=True)
class Installation:
    """A TensorRT that can build and run engines here.

    Args:
        module: The imported package `tensorrt`.
        version: Such as 10.13.3.9.
        branch: Its major version, one of `BRANCHES`.
        gpu: That it computes on.
    """

    module: Any
    version: str
    branch: int
    gpu: Gpu


def installed() -> Installation:
    """What is there.

    Raises:
        DeviceFault: TensorRT, its libraries, the driver or a GPU is missing, or it is of an unknown branch.
    """
    module = _imported()
    version = str(getattr(module, "__version__", "unknown"))
    number = re.match(r"(\d+)\.", version)
    if number is None or int(number[1]) not in BRANCHES:
        raise DeviceFault(f"TensorRT {version} is neither 10 nor 11", where="tensorrt", fix=INSTALL)
    try:
        gpu = CudaDevice().gpu()
    except DeviceFault as error:
        raise DeviceFault(
            f"TensorRT {version} is installed, but {error.what}", where="tensorrt", fix=INSTALL
        ) from error
    return Installation(module=module, version=version, branch=int(number[1]), gpu=gpu)


def _imported() -> Any:
    try:
        import tensorrt
    except ModuleNotFoundError as error:
        raise DeviceFault(f"the package {error.name!r} is not installed", where="tensorrt", fix=INSTALL) from error
    except Exception as error:  # a wheel without its libraries fails in many ways
        raise DeviceFault(f"cannot be imported ({one_line(error)})", where="tensorrt", fix=INSTALL) from error
    if not hasattr(tensorrt, "Builder"):
        raise DeviceFault("the package 'tensorrt' holds no builder", where="tensorrt", fix=INSTALL)
    return tensorrt


def loaded_library() -> Path | None:
    """The file of TensorRT's own library that this process has loaded; None where the system does not tell."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.is_file() else []
    found = sorted({line.split()[-1] for line in lines if re.search(r"/libnvinfer\.so[.\d]*$", line)})
    return Path(found[0]) if found else None

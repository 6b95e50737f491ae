"""TensorRT engines: what `edgeloop.conversion.tensorrt` makes and `edgeloop.runtimes.tensorrt` runs.

    options        what an engine is built with: part of section `convert`
    installation   which TensorRT and which GPU there are, or why an engine cannot be made or run here
    rules          what can be said of an ONNX file before any builder sees it
    building       ONNX → engine, by the branch of the installed version: 10 or 11
    inspection     in which precision the layers of an engine compute

An engine holds kernels that were chosen by timing them on one GPU, so its bytes are not those of another build, and no
other kind of GPU or version of TensorRT loads it unless it was built to allow that. docs/tensorrt.md holds the sources.
"""

from edgeloop.tensorrt_engines.options import EngineOptions

SUFFIX = ".engine"

__all__ = ["SUFFIX", "EngineOptions"]

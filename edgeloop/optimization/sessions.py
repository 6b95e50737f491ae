"""ONNX Runtime as a calculator: what a graph says, and nothing optimised."""

from typing import Any

THREADS = 1
"""Ranges and means do not depend on how many cores the machine has."""


def session_of(model: str | bytes) -> Any:
    """An onnxruntime session that computes what the graph says, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

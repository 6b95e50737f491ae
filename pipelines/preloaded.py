"""Imported by the fork server of `pipelines.warm`, and for its effect alone: what the later steps import is imported.

A library that is not installed is passed over; the step that needs it says so. Nothing here starts a thread that
computes, because a fork has none of them.
"""

import gc
import importlib
import signal
from contextlib import suppress

from edgeloop.errors import MissingExtra
from edgeloop.latecomers import not_collecting
from edgeloop.orphans import end_with_engine
from edgeloop.privacy import opt_out
from edgeloop.training.determinism import import_torch

LIBRARIES = (
    "torch._dynamo",
    "torch.export",
    "torch.onnx",
    "onnx",
    "onnxscript",
    "onnxruntime.quantization",
    "pyarrow.parquet",
    "PIL.Image",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "model_signing",
    "kfp.dsl.executor_main",
)

opt_out()
end_with_engine()
interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine answers Ctrl-C, and this process goes with it
with not_collecting():
    with suppress(MissingExtra):
        import_torch()
    for name in LIBRARIES:
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)
signal.signal(signal.SIGINT, interrupted)
gc.freeze()  # a fork that looked for garbage in all this would copy its memory

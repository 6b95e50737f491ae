"""An ONNX model that was exported for one batch size, opened for all: files are judged on many samples at once."""

from typing import Any

import numpy as np

from edgeloop.errors import ModelFault
from edgeloop.optimization.sessions import session_of
from edgeloop.own_files.conversion import random_inputs
from edgeloop.parity import compared

BATCH = "N"
SAMPLES = 3
LARGEST_ERROR = 1e-3
FIX = "export the model with a dynamic batch, the first axis of every input and output"


def with_open_batch(model: Any, *, where: str) -> Any:
    """A copy of `model` (an onnx.ModelProto) whose first axes are open; it answers a batch as each sample alone.

    Raises:
        ModelFault: It does not, or takes something else than one float32 array of one shape.
    """
    opened = type(model)()
    opened.CopyFrom(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    for value in [*opened.graph.input, *opened.graph.output]:
        sizes = value.type.tensor_type.shape.dim
        if value.name not in constants and sizes:
            sizes[0].dim_param = BATCH
    del opened.graph.value_info[:]
    inputs = random_inputs(opened, SAMPLES)
    if inputs is None:
        raise ModelFault(
            "takes inputs of any shape, or something else than one float32 array",
            where=where,
            fix="export the model with one float32 input of one shape",
        )
    try:
        answered = _answered(opened, inputs)
        alone = [_answered(opened, inputs[row : row + 1]) for row in range(SAMPLES)]
        whole = {name: np.concatenate([one[name] for one in alone]) for name in answered}
        errors = [parity.max_relative_error for parity in compared(whole, answered)]
    except Exception as error:  # every status of ONNX Runtime is a class of its own below Exception
        raise ModelFault("takes one batch size only", where=where, fix=FIX) from error
    if any(error is None or error > LARGEST_ERROR for error in errors):
        raise ModelFault("answers a batch otherwise than each sample alone", where=where, fix=FIX)
    return opened


def _answered(model: Any, inputs: Any) -> dict[str, Any]:
    session = session_of(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: inputs}), strict=True))

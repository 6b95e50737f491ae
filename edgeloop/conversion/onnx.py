"""ONNX through torch.export, stripped of everything that the exporting machine leaves in it.

Shapes: N, C, H, W → N, K; `N` is symbolic, so that one file takes every batch.
"""

import logging
from pathlib import Path
from typing import Any

from edgeloop.conversion import Converted, ConvertParams
from edgeloop.errors import ModelFault
from edgeloop.models import ModelCard, load_network
from edgeloop.onnx_files import fault_of, write_clean
from edgeloop.plugins import missing_extra
from edgeloop.quieting import quiet
from edgeloop.runtimes import one_line
from edgeloop.variants import Check, Tool

BATCH = "N"
TRACED_BATCH = 2
"""torch.export takes a batch of 1 for a constant."""

_log = logging.getLogger(__name__)


class OnnxConverter:
    """See the module."""

    source = "torch"
    runtime = "onnxruntime"
    suffix = ".onnx"

    def convert(self, model: Path, source: Path, *, target: Path, params: ConvertParams) -> Converted:
        """See `edgeloop.conversion.Converter`."""
        try:
            import onnx
            import onnxscript
            import torch
        except ModuleNotFoundError as error:
            raise missing_extra(error, "onnx") from error
        card = ModelCard.of(model)
        network = load_network(model, source).eval()
        try:
            with quiet(_log):
                exported = _exported(network, card, params.opset)
        except Exception as error:  # the exporter raises what its dozens of passes raise
            raise ModelFault(
                f"{card.architecture} cannot be exported as ONNX opset {params.opset} ({one_line(error)})",
                where=str(source),
                fix="change convert.opset or the architecture",
            ) from error
        write_clean(exported, target)
        fault = fault_of(exported)
        return Converted(
            tool=Tool(
                name="torch.onnx.export",
                version=torch.__version__,
                options={"dynamo": True, "opset": params.opset, "onnx": onnx.__version__}
                | {"onnxscript": onnxscript.__version__},
            ),
            checks=(Check(name="onnx_checker", status="fail" if fault else "pass", reason=fault),),
        )


def _exported(network: Any, card: ModelCard, opset: int) -> Any:
    """The network as an onnx.ModelProto."""
    import torch

    program = torch.onnx.export(
        network,
        (torch.zeros(TRACED_BATCH, *card.preprocessing.shape),),
        dynamo=True,
        verbose=False,
        opset_version=opset,
        input_names=[card.input_name],
        output_names=list(card.output_names),
        dynamic_shapes=({0: torch.export.Dim(BATCH, min=1)},),
    )
    assert program is not None
    model = program.model_proto
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if versions != [opset]:  # the exporter keeps its own opset where it cannot convert to the one asked for
        raise ValueError(f"the exporter gives opset {versions}")
    return model


plugin = OnnxConverter()

"""OpenVINO's IR from the ONNX file, by OpenVINO's own front end; see `edgeloop.openvino_files`."""

from pathlib import Path

from edgeloop.conversion import Converted, ConvertParams
from edgeloop.openvino_files import SUFFIX, convert_onnx
from edgeloop.variants import Tool


class OpenVinoConverter:
    """See the module."""

    source = "onnx"
    runtime = "openvino"
    suffix = SUFFIX

    def convert(self, model: Path, source: Path, *, target: Path, params: ConvertParams) -> Converted:  # noqa: ARG002
        """See `edgeloop.conversion.Converter`; needs no card."""
        version = convert_onnx(source, target)
        return Converted(tool=Tool(name="openvino.frontend.onnx", version=version))


plugin = OpenVinoConverter()

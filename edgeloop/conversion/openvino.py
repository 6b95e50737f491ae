"""OpenVINO's IR from the ONNX file, by OpenVINO's own front end; see `edgeloop.openvino_files`."""

from pathlib import Path

from edgeloop.conversion import Converted, ConvertParams
from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.openvino_files import SUFFIX, read_onnx, write_ir
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.runtimes import one_line
from edgeloop.variants import Tool


class OpenVinoConverter:
    """See the module."""

    source = "onnx"
    runtime = "openvino"
    suffix = SUFFIX

    def convert(self, model: Path, source: Path, *, target: Path, params: ConvertParams) -> Converted:  # noqa: ARG002
        """See `edgeloop.conversion.Converter`; needs no card."""
        opt_out()
        try:
            import openvino
        except ModuleNotFoundError as error:
            raise missing_extra(error, "openvino") from error
        with translated(source), source.open("rb"):
            pass
        try:
            write_ir(read_onnx(source), target)
        except EdgeloopError:
            raise
        except Exception as error:  # the library raises its own, RuntimeError and kin
            raise ModelFault(
                f"cannot be converted to OpenVINO's IR ({one_line(error)})", where=str(source), fix="check the file"
            ) from error
        return Converted(tool=Tool(name="openvino.frontend.onnx", version=openvino.__version__))


plugin = OpenVinoConverter()

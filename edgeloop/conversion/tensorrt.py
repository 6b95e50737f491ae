"""TensorRT engine from the ONNX file, by the builder of the GPU that it will run on; see `edgeloop.tensorrt_engines`.

Without TensorRT or without a GPU there is no engine. What can be said of the file without them is said, and the rest is
not evaluated.
"""

from importlib.util import find_spec
from pathlib import Path

from edgeloop.conversion import Converted, ConvertParams, NotMade
from edgeloop.errors import DeviceFault, ModelFault, translated
from edgeloop.files import whole_file
from edgeloop.tensorrt_engines import SUFFIX
from edgeloop.variants import Tool


class TensorRtConverter:
    """See the module."""

    source = "onnx"
    runtime = "tensorrt"
    suffix = SUFFIX

    @property
    def addresses_bytes(self) -> int:
        """The driver maps the memory of GPU and host, and more, into the process's addresses; nothing without it."""
        return 1 << 40 if find_spec("tensorrt") else 0

    def convert(self, model: Path, source: Path, *, target: Path, params: ConvertParams) -> Converted | NotMade:  # noqa: ARG002
        """See `edgeloop.conversion.Converter`; needs no card."""
        from edgeloop.tensorrt_engines.building import built, timing_cache
        from edgeloop.tensorrt_engines.installation import installed
        from edgeloop.tensorrt_engines.rules import checks_of, read_model

        graph = read_model(source)
        try:
            here = installed()
        except DeviceFault as error:
            return NotMade(reason=f"{error.what}; {error.fix}", checks=checks_of(graph))
        checks = checks_of(graph, version=here.version)
        if broken := [check for check in checks if check.status == "fail"]:
            raise ModelFault(
                f"TensorRT does not take it ({broken[0].reason})",
                where=str(source),
                fix="change the model or its scheme",
            )
        with translated(source):
            content = source.read_bytes()
        engine = built(content, params.tensorrt, where=source, here=here, cache=timing_cache(here))
        with whole_file(target) as partial:
            partial.write_bytes(engine)
        options = {"branch": here.branch, "gpu": here.gpu.name, "compute_capability": here.gpu.capability}
        return Converted(
            tool=Tool(name="tensorrt", version=here.version, options={**options, **params.tensorrt.values()}),
            checks=checks,
        )


plugin = TensorRtConverter()

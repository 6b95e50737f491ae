"""OpenVINO's intermediate representation (IR) as one file: a zip archive of `model.xml` and `model.bin`.

A variant is one file with one digest, and OpenVINO writes two. Both lie in the archive as they are (stored, not packed;
no time stamp), so that equal models are equal bytes, the archive is no larger than the model, and `unzip` gives what
every tool of OpenVINO reads. The precision to compute in stands in the IR itself, where OpenVINO keeps options for the
run; without it the model is computed in float32.
"""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Literal

from edgeloop.errors import EdgeloopError, ModelFault, translated
from edgeloop.files import whole_file
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out
from edgeloop.runtimes import one_line

SUFFIX = ".openvino"
TOPOLOGY, WEIGHTS = "model.xml", "model.bin"
MAGIC = b"PK\x03\x04"
_OPTIONS = "runtime_options"
_HINT = "INFERENCE_PRECISION_HINT"
_EPOCH = (1980, 1, 1, 0, 0, 0)

ComputeType = Literal["f32", "bf16"]


def write_ir(model: Any, path: Path, *, half: bool = False, compute: ComputeType = "f32") -> None:
    """Writes `model` (an openvino.Model) without what its makers left beside it.

    Args:
        model: Loses its runtime information.
        path: The archive to write.
        half: Stores the weights as float16; they are computed with as `compute` says.
        compute: What a CPU that can computes in.
    """
    import openvino

    for key in list(model.rt_info):
        del model.rt_info[key]
    if compute != "f32":
        model.set_rt_info(compute, [_OPTIONS, _HINT])
    model.set_friendly_name("model")
    _number_nameless(model)
    with whole_file(path) as partial, tempfile.TemporaryDirectory(dir=partial.parent) as scratch:
        openvino.save_model(model, str(Path(scratch) / TOPOLOGY), compress_to_fp16=half)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for name in (TOPOLOGY, WEIGHTS):
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), (Path(scratch) / name).read_bytes())


def convert_onnx(source: Path, path: Path, *, half: bool = False, compute: ComputeType = "f32") -> str:
    """Writes the IR of an ONNX file as `write_ir` does; the version of OpenVINO.

    Raises:
        MissingExtra: OpenVINO is not installed.
        ModelFault: OpenVINO does not take the file.
        InputFault: There is none.
    """
    opt_out()
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise missing_extra(error, "openvino") from error
    with translated(source), source.open("rb"):
        pass
    try:
        write_ir(read_onnx(source), path, half=half, compute=compute)
    except EdgeloopError:
        raise
    except Exception as error:  # the library raises its own, RuntimeError and kin
        raise ModelFault(
            f"cannot be converted to OpenVINO's IR ({said(error)})",
            where=str(source),
            fix="choose another format or change the model",
        ) from error
    return str(openvino.__version__)


def said(error: Exception) -> str:
    """One line, without the line of OpenVINO's own source that it begins with."""
    first, _, rest = str(error).strip().partition("\n")
    return one_line(Exception(rest) if rest and first.startswith("Check ") else error)


def read_ir(path: Path) -> Any:
    """The openvino.Model in an archive of `write_ir`.

    Raises:
        ValueError: It is no such archive; nothing in it was unpacked, so that it takes no more memory than its size.
        RuntimeError: OpenVINO does not read what is in it.
    """
    import openvino

    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            found = archive.infolist()
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in found)
            if sorted(entry.filename for entry in found) != sorted((TOPOLOGY, WEIGHTS)) or not stored:
                raise ValueError(f"it does not hold {TOPOLOGY} and {WEIGHTS}, stored")
            topology, weights = archive.read(TOPOLOGY), archive.read(WEIGHTS)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"no whole archive: {error}") from error
    return openvino.Core().read_model(topology, weights)


def read_onnx(path: Path) -> Any:
    """The openvino.Model in an ONNX file.

    By the front end for ONNX alone, because the others say on stderr why a file is none of theirs.

    Raises:
        RuntimeError: OpenVINO does not read it.
        ValueError: It is an empty model.
    """
    from openvino.frontend import FrontEndManager

    front_end = FrontEndManager().load_by_framework("onnx")
    model = front_end.convert(front_end.load(str(path)))
    if not (model.inputs and model.outputs):
        raise ValueError("it has no input or no output")
    _number_nameless(model)
    return model


def compute_type(model: Any) -> ComputeType:
    """What the model asks to be computed in.

    Raises:
        ValueError: It asks for something else than float32 and bfloat16.
    """
    if not model.has_rt_info([_OPTIONS, _HINT]):
        return "f32"
    wanted = model.get_rt_info([_OPTIONS, _HINT]).astype(str)
    if wanted not in ("f32", "bf16"):
        raise ValueError(f"it asks to be computed in {wanted}")
    return "bf16" if wanted == "bf16" else "f32"


def _number_nameless(model: Any) -> None:
    """Names the nodes that have none by their place; OpenVINO would count on from the process's other models."""
    for place, node in enumerate(model.get_ordered_ops()):
        if node.get_friendly_name() == node.get_name():
            node.set_friendly_name(f"{node.get_type_name()}.{place}")

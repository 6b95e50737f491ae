"""ONNX files of strangers: what is looked at before any converter or runtime sees them.

Nothing in a file is executed and nothing that it names is followed out of its folder. Refused, each with its reason:
what is not whole protobuf; values that lie outside the folder; shapes that contradict the values, or are larger than
any model; cycles; operators that ONNX does not define.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edgeloop.errors import ModelFault, translated
from edgeloop.plugins import missing_extra

MOST_BYTES = (1 << 31) - 1
"""Of a protobuf message."""

MOST_VALUES = 1 << 31
"""Of one tensor: 8 GB of float32."""

KNOWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""The last is ONNX Runtime's own; the others are ONNX's."""

FIX = "export the model again"


def admitted(path: Path) -> Any:
    """The onnx.ModelProto in `path`, its values in it wherever they lay.

    Raises:
        InputFault: There is no such file.
        ModelFault: It is refused.
        MissingExtra: onnx is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise missing_extra(error, "onnx") from error
    with translated(path):
        if path.stat().st_size > MOST_BYTES:
            raise _refused(path, "is larger than 2 GB, as one ONNX file cannot be")
        content = path.read_bytes()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's own DecodeError, or a recursion that is too deep
        raise _refused(path, "is no whole ONNX file") from error
    if not model.graph.node or not model.graph.output:
        raise _refused(path, "is no ONNX model: it holds no node or no output")
    _gather_values(model, path)
    for tensor in _tensors(model):
        _refuse_absurd_tensor(tensor, path)
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        _refuse_absurd_shape(value, path)
    _refuse_unknown_operators(model, path)
    for graph in _graphs(model):
        _refuse_cycle(graph, path)
    _refuse_invalid(model, path)
    return model


def _refused(path: Path, why: str, *, fix: str = FIX) -> ModelFault:
    return ModelFault(why, where=str(path), fix=fix)


def _graphs(model: Any) -> Iterator[Any]:
    """The graph and every graph in an attribute of its nodes."""
    found = [model.graph]
    while found:
        graph = found.pop()
        yield graph
        for attribute in (attribute for node in graph.node for attribute in node.attribute):
            found += [attribute.g] if attribute.HasField("g") else []
            found += list(attribute.graphs)


def _nodes(model: Any) -> Iterable[Any]:
    yield from (node for graph in _graphs(model) for node in graph.node)
    yield from (node for function in model.functions for node in function.node)


def _tensors(model: Any) -> Iterator[Any]:
    for graph in _graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for attribute in (attribute for node in _nodes(model) for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors


def _gather_values(model: Any, path: Path) -> None:
    """Reads values that lie in files beside the model; a file that lies elsewhere is not touched."""
    from onnx import TensorProto
    from onnx.external_data_helper import load_external_data_for_tensor

    folder = path.parent.resolve()
    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        places = {entry.key: entry.value for entry in tensor.external_data}
        location = places.get("location", "")
        file = (folder / location).resolve()
        if not location or Path(location).is_absolute() or not file.is_relative_to(folder):
            raise _refused(path, f"keeps values of {tensor.name!r} outside its folder, in {location!r}")
        if not file.is_file():
            raise _refused(path, f"keeps values in {location!r}, and there is no such file", fix="copy it as well")
        _refuse_absurd_dimensions(tensor.dims, tensor.name, path)
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except Exception as error:  # a wrong offset or length, in whatever class
            raise _refused(
                path, f"keeps values of {tensor.name!r} in {location!r}, which does not hold them"
            ) from error
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _refuse_absurd_tensor(tensor: Any, path: Path) -> None:
    import onnx

    count = _refuse_absurd_dimensions(tensor.dims, tensor.name, path)
    if not tensor.raw_data:
        return
    try:
        bytes_each = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError) as error:
        raise _refused(path, f"holds {tensor.name!r} of an unknown type") from error
    packed = tensor.data_type in (onnx.TensorProto.INT4, onnx.TensorProto.UINT4, onnx.TensorProto.FLOAT4E2M1)
    if not packed and len(tensor.raw_data) != count * bytes_each:
        raise _refused(path, f"says that {tensor.name!r} holds {count} values, and it holds others")


def _refuse_absurd_dimensions(dimensions: Iterable[int], name: str, path: Path) -> int:
    sizes = list(dimensions)
    count = math.prod(sizes)
    if any(size < 0 for size in sizes) or count > MOST_VALUES:
        raise _refused(path, f"says that {name!r} has the shape {tuple(sizes)}, as no model has")
    return count


def _refuse_absurd_shape(value: Any, path: Path) -> None:
    sizes = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim if dimension.HasField("dim_value")]
    _refuse_absurd_dimensions(sizes, value.name, path)


def _refuse_unknown_operators(model: Any, path: Path) -> None:
    from onnx import defs

    own = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        if (node.domain, node.op_type) in own:
            continue
        domain = "" if node.domain == "ai.onnx" else node.domain
        if domain not in KNOWN_DOMAINS or (domain != "com.microsoft" and not defs.has(node.op_type, domain)):
            raise _refused(
                path,
                f"uses the operator {node.op_type!r} of {node.domain or 'ONNX'}, which ONNX does not define",
                fix="export the model with ONNX's own operators",
            )


def _refuse_cycle(graph: Any, path: Path) -> None:
    """Kahn's algorithm: what is left over waits for itself."""
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    waiting = {place: {makers[name] for name in node.input if name in makers} for place, node in enumerate(graph.node)}
    readers: dict[int, list[int]] = {}
    for place, needed in waiting.items():
        for maker in needed:
            readers.setdefault(maker, []).append(place)
    ready = [place for place, needed in waiting.items() if not needed]
    done = 0
    while ready:
        done += 1
        maker = ready.pop()
        for place in readers.get(maker, ()):
            waiting[place].discard(maker)
            if not waiting[place]:
                ready.append(place)
    if done < len(graph.node):
        left = next(node for place, node in enumerate(graph.node) if waiting[place])
        raise _refused(path, f"has a cycle: {left.name or left.op_type!r} waits for what it makes itself")


def _refuse_invalid(model: Any, path: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(model)
    except Exception as error:  # the checker raises its own, and whatever its parser raises
        why = " ".join(str(error).split())[:200]
        raise _refused(path, f"is not valid ONNX ({why})") from error

"""LiteRT through `litert-torch`, in an environment of its own: its packages exclude those of this one.

The converter needs `typing-extensions` below 4.13 (through `xdsl`), which pydantic of this environment excludes. So it
runs in a child process of the interpreter that `EDGELOOP_LITERT_PYTHON` names, else of the one in `.venv-litert`, which
`make litert` builds beside the project from `requirements-litert.lock`.

The file is made for one sample, which it takes as LiteRT's kernels do, channels last: N, H, W, C of a picture and N, L,
C of a window. `edgeloop.runtimes.litert` turns inputs for it; outputs are as the network gives them. Both have the
card's names in the file's signature.

Shapes: 1, H, W, C → 1, K, or what else the architecture answers with.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgeloop.confinement import confining
from edgeloop.conversion import Converted, ConvertParams
from edgeloop.errors import EnvironmentFault, MissingExtra, ModelFault, translated
from edgeloop.files import whole_file
from edgeloop.models import ModelCard, load_network, named_outputs
from edgeloop.runtimes import one_line
from edgeloop.variants import Tool

PYTHON_VARIABLE = "EDGELOOP_LITERT_PYTHON"
DEFAULT_PYTHON = Path(__file__).parents[2] / ".venv-litert" / "bin" / "python"
BUILD = "run: make litert"

MEMORY_BYTES = 8 << 30
"""Of addresses: the libraries take 3 GB of them, and a model of 244 MB one more."""

TIMEOUT_S = 1800.0
RECORDED = ("litert-converter", "ai-edge-litert", "torch")
"""Packages whose versions are recorded beside that of litert-torch."""


class LiteRtConverter:
    """See the module."""

    source = "torch"
    runtime = "litert"
    suffix = ".tflite"

    def convert(self, model: Path, source: Path, *, target: Path, params: ConvertParams) -> Converted:
        """See `edgeloop.conversion.Converter`.

        Raises:
            EnvironmentFault: The other environment is broken.
        """
        with self.converting(model, source, target=target, params=params) as made:
            return made()

    @contextmanager
    def converting(
        self,
        model: Path,
        source: Path,
        *,
        target: Path,
        params: ConvertParams,  # noqa: ARG002
    ) -> Iterator[Callable[[], Converted]]:
        """See `edgeloop.conversion.Apart`."""
        interpreter = litert_python(os.environ)
        with translated(source), source.open("rb"):
            pass
        with translated(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = tempfile.TemporaryDirectory(dir=target.parent, prefix=".litert-")
        with scratch as name:
            written = Path(name) / target.name
            paths = {"model": model, "source": source, "target": written}
            with confining(
                "edgeloop.conversion.litert:convert_here",
                {name: str(path.absolute()) for name, path in paths.items()},
                where=source,
                memory_bytes=MEMORY_BYTES,
                timeout_s=TIMEOUT_S,
                interpreter=interpreter,
            ) as answer:
                yield partial(_made, answer, interpreter, written=written, target=target)


def _made(answer: Callable[[], Any], interpreter: Path, *, written: Path, target: Path) -> Converted:
    """Waits for the process, whose file becomes `target`."""
    try:
        versions = answer()
    except EnvironmentFault as error:
        if error.where != str(interpreter):
            raise
        raise EnvironmentFault(error.what, where=error.where, fix=BUILD) from error
    with whole_file(target) as whole:
        written.rename(whole)
    own = versions.pop("litert-torch")
    return Converted(tool=Tool(name="litert_torch.convert", version=own, options=versions))


def litert_python(environment: Mapping[str, str]) -> Path:
    """The interpreter of the converter's environment.

    Raises:
        MissingExtra: There is none.
    """
    named = environment.get(PYTHON_VARIABLE)
    path = Path(named).absolute() if named else DEFAULT_PYTHON
    if not path.is_file():
        raise MissingExtra(
            "the converter's environment is not there" + (f" ({named})" if named else ""),
            where="litert",
            fix=f"{BUILD}, or set {PYTHON_VARIABLE}",
        )
    return path


def convert_here(*, model: str, source: str, target: str) -> dict[str, str]:
    """The same in this process, without a look at the target's wholeness: for the confined one.

    Returns:
        Versions by package.
    """
    try:
        import litert_torch
    except ModuleNotFoundError as error:
        raise MissingExtra(f"the package {error.name!r} is not installed", where="litert", fix=BUILD) from error
    card = ModelCard.of(Path(model))
    network = load_network(Path(model), Path(source)).eval()
    try:
        module, inputs = _channels_last(network, card.preprocessing.shape)
        litert_torch.convert(_named(module, card), sample_kwargs={card.input_name: inputs}).export(target)
    except Exception as error:  # the converter raises what its dozens of passes raise
        raise ModelFault(
            f"{card.architecture} cannot be converted to LiteRT ({one_line(error)})",
            where=source,
            fix="leave out the format or change the architecture",
        ) from error
    return {name: version(name) for name in ("litert-torch", *RECORDED)}


def _channels_last(network: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The network behind a change of axes, and one sample of zeros for it.

    A row has no channels. A shape that is the same in both orders could not be told apart in the file, and stays too.
    """
    import litert_torch
    import torch

    moved = (*shape[1:], shape[0])
    if moved == shape:
        return network, torch.zeros(1, *shape)
    return litert_torch.to_channel_last_io(network, args=[0]).eval(), torch.zeros(1, *moved)


def _named(module: Any, card: ModelCard) -> Any:
    """The module with input and outputs by name, which is where the converter takes the names of the signature from."""
    from torch import Tensor, nn

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
            return named_outputs(self.module(inputs[card.input_name]), card)

    return Named().eval()


plugin = LiteRtConverter()

"""PyTorch in eager mode: the trained weights as they are, the reference of every other file.

A model is `<name>.safetensors` with its card as `model.json` beside it; the card's architecture builds the network.
Safetensors hold numbers only, so that a foreign file cannot run code. `torch.set_num_threads` belongs to the process:
a session sets it again when another one has changed it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeloop.errors import DeviceFault, ModelFault
from edgeloop.models import ModelCard, named_outputs
from edgeloop.runtimes import Arrays, Placement, RuntimeState, library_sha256, one_line, refuse_no_threads

if TYPE_CHECKING:
    from torch import nn

INSTALL = "run: pip install 'edgeloop[torch]'"


class TorchRuntime:
    """See the module."""

    formats = frozenset({"torch"})

    def state(self) -> RuntimeState:
        """See `edgeloop.runtimes.Runtime`."""
        try:
            import torch

            library = library_sha256(Path(torch.__file__).parent / "lib", "libtorch_cpu.*")
        except Exception as error:  # a broken installation fails in many ways; all of them mean "not available"
            return RuntimeState(name="torch", available=False, reason=f"{one_line(error)}; {INSTALL}")
        return RuntimeState(
            name="torch", available=True, version=torch.__version__, library_sha256=library, providers=("cpu",)
        )

    def open(self, path: Path, *, threads: int) -> "TorchSession":
        """See `edgeloop.runtimes.Runtime`."""
        refuse_no_threads(threads, where="torch")
        try:
            import torch
        except (ImportError, OSError) as error:
            raise DeviceFault(f"cannot be imported ({one_line(error)})", where="torch", fix=INSTALL) from error
        from edgeloop.models import load_network

        card = ModelCard.of(path.parent)
        network = load_network(path.parent, path)
        torch.set_num_threads(threads)
        if torch.get_num_threads() != threads:
            raise DeviceFault(
                f"computes with {torch.get_num_threads()} threads, not {threads}", where="torch", fix="ask for fewer"
            )
        return TorchSession(network.eval(), card=card, path=path, threads=threads)


class TorchSession:
    """A network in memory."""

    def __init__(self, network: "nn.Module", *, card: ModelCard, path: Path, threads: int) -> None:
        self._network: nn.Module | None = network
        self._card, self._path, self._threads = card, path, threads

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        """See `edgeloop.runtimes.Session`."""
        import torch

        if self._network is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                outputs = self._network(torch.from_numpy(inputs))
        except (RuntimeError, TypeError) as error:  # a shape or type that the network does not take
            raise ModelFault(f"cannot run ({one_line(error)})", where=str(self._path), fix="check the input") from error
        return {name: tensor.numpy() for name, tensor in named_outputs(outputs, self._card).items()}

    def placement(self, inputs: NDArray[np.float32]) -> Placement:  # noqa: ARG002 - eager mode runs the modules as they are
        """See `edgeloop.runtimes.Placed`; operators are modules without others in them."""
        if self._network is None:
            raise ModelFault("the session is closed", where=str(self._path), fix="open the model again")
        modules = sum(1 for module in self._network.modules() if not list(module.children()))
        types = {str(weights.dtype).removeprefix("torch.") for weights in self._network.parameters()}
        return Placement(providers={"cpu": modules}, precisions=dict.fromkeys(sorted(types), modules))

    def close(self) -> None:
        """See `edgeloop.runtimes.Session`."""
        self._network = None


plugin = TorchRuntime()

"""The state of a training after an epoch, so that one that was killed goes on as if it had not been.

One safetensors file, written beside and renamed, so what lies there is whole and nothing in it can be executed. It
holds everything that the next epoch rests on: the weights that learn, their average, the optimiser, both random
generators, the epochs so far and the best state. Its name is a digest of what decides the training, so that no other
one goes on from it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeloop.errors import ModelFault, translated
from edgeloop.files import whole_file
from edgeloop.training.averaging import Average

if TYPE_CHECKING:
    import torch
    from torch import nn

    from edgeloop.training.loop import Epoch, State

_PROGRESS = "progress"


@dataclass(frozen=True)
class Running:
    """What changes while a training runs.

    Args:
        network: The weights that learn.
        average: Whose weights are judged; its network may be `network` itself.
        optimizer: Of `network`.
        scaler: Of its gradients.
        rng: Orders and shifts the samples.
    """

    network: "nn.Module"
    average: Average
    optimizer: "torch.optim.Optimizer"
    scaler: "torch.amp.GradScaler"
    rng: np.random.Generator

    def tensors(self) -> "dict[str, torch.Tensor]":
        """All of it but `scaler` and `rng`, and torch's own generators, by name."""
        import torch

        found = {f"network.{name}": values for name, values in self.network.state_dict().items()}
        found |= {f"average.{name}": values for name, values in self.average.network.state_dict().items()}
        for place, moments in self.optimizer.state_dict()["state"].items():
            found |= {f"optimizer.{place}.{name}": torch.as_tensor(values) for name, values in moments.items()}
        if self._on_gpu:
            found["gpu_generator"] = torch.cuda.get_rng_state()
        return {
            **found,
            "averaged_steps": torch.tensor(self.average.steps),
            "generator": torch.get_rng_state(),
        }

    @property
    def _on_gpu(self) -> bool:
        return any(values.is_cuda for values in self.network.parameters())

    def restore(self, tensors: "dict[str, torch.Tensor]", *, scaler: dict[str, Any], rng: dict[str, Any]) -> None:
        """Puts back what `tensors` gave, and the states of `scaler` and `rng`."""
        import torch

        self.network.load_state_dict(_below("network.", tensors))
        self.average.network.load_state_dict(_below("average.", tensors))
        self.average.steps = int(tensors["averaged_steps"])
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, values in _below("optimizer.", tensors).items():
            place, _, moment = name.partition(".")
            moments.setdefault(int(place), {})[moment] = values
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        torch.set_rng_state(tensors["generator"])
        if self._on_gpu:
            torch.cuda.set_rng_state(tensors["gpu_generator"])
        if scaler:
            self.scaler.load_state_dict(scaler)
        self.rng.bit_generator.state = rng


@dataclass(frozen=True)
class Progress:
    """How far a training came."""

    epochs: tuple["Epoch", ...]
    best: "State"


def path_of(folder: Path, digest: str) -> Path:
    """Where the training with that digest keeps its state."""
    return folder / f"{digest.removeprefix('sha256:')[:32]}.safetensors"


def write_checkpoint(path: Path, running: Running, progress: Progress) -> None:
    """Writes the state after an epoch in place of the one before.

    Raises:
        NotWritable, DiskFull: It cannot be written; the one before stays.
    """
    import torch
    from safetensors.torch import save

    tensors = running.tensors()
    tensors |= {f"best.{name}": values for name, values in progress.best.weights.items()}
    tensors["answers"] = torch.from_numpy(np.ascontiguousarray(progress.best.answers))
    told = {
        "epochs": [asdict(epoch) for epoch in progress.epochs],
        "best": progress.best.epoch.number,
        "metrics": progress.best.metrics,
        "scaler": running.scaler.state_dict(),
        "rng": running.rng.bit_generator.state,
    }
    plain = {
        name: values.detach().cpu().clone(memory_format=torch.contiguous_format) for name, values in tensors.items()
    }
    content = save(plain, metadata={_PROGRESS: json.dumps(told)})
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_bytes(content)


def read_checkpoint(path: Path, running: Running) -> Progress | None:
    """Puts the state in the file back; None where there is no file.

    Raises:
        ModelFault: The file is truncated, foreign, or of another training.
    """
    from safetensors import SafetensorError, safe_open

    from edgeloop.training.loop import Epoch, State

    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})[_PROGRESS])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        running.restore(tensors, scaler=told["scaler"], rng=told["rng"])
        epochs = tuple(Epoch(**epoch) for epoch in told["epochs"])
        best = {epoch.number: epoch for epoch in epochs}[told["best"]]
        state = State(best, _below("best.", tensors), tensors["answers"].numpy(), told["metrics"])
    except (SafetensorError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        raise ModelFault("is no whole checkpoint of this training", where=str(path), fix="remove it") from error
    return Progress(epochs, state)


def _below(prefix: str, tensors: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    return {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}

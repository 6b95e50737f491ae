"""One step of a training on the meta device: every tensor has a shape and none has storage.

The very step runs, forward, loss, backward and optimiser, so what autograd keeps, frees and makes in between is what
it will keep, free and make. Bytes in use are noted after every operator, at two sizes of the batch; the same operators
run at both, so each moment is a line over the batch, and the peak is the highest of them.

Legend: `N` batch, `K` classes.
"""

import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from edgeloop import plugins
from edgeloop.errors import ModelFault
from edgeloop.models import Architecture
from edgeloop.planning import PRECISIONS, Layer, Line, Workload
from edgeloop.planning.arithmetic import envelope
from edgeloop.planning.workspace import workspace_bytes
from edgeloop.training.determinism import import_torch

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCHES = (2, 4)
"""Both more than one: batch norm cannot learn from a single value."""

STEPS = 2
"""Only the second finds the optimiser's state there."""

MOMENTUM = 0.9
"""Of sgd; its state is one value a parameter."""


@dataclass(frozen=True)
class Rehearsed:
    """What the rehearsal found."""

    layers: tuple[Layer, ...]
    training: tuple[Line, ...]
    inference: tuple[Line, ...]


@dataclass
class Notes:
    """What is noted at one size of the batch; by the name of a module."""

    live: list[int] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    storages: set[int] = field(default_factory=set)
    """Of what is kept."""
    after_weights: set[str] = field(default_factory=set)
    """Modules whose input needs a gradient."""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def rehearse(workload: Workload) -> Rehearsed:
    """The step of `workload`, without allocating any of it.

    Raises:
        ModelFault: The network makes other operators of another batch.
        ParamsFault: The architecture does not take these options or this input.
        MissingExtra: torch is not installed.
    """
    network = built(workload, device="meta")
    training = [_training_notes(network, workload, batch=batch) for batch in BATCHES]
    inference = [_inference_notes(network, workload, batch=batch) for batch in BATCHES]
    return Rehearsed(_layers(network, workload, training), _lines(training, workload), _lines(inference, workload))


def built(workload: Workload, *, device: str) -> "nn.Module":
    """The network of `workload` in its precision.

    Raises:
        ParamsFault, PluginFault, MissingExtra: As the architecture.
    """
    import_torch()
    import torch

    architecture: Architecture = plugins.load("models", workload.model)
    with torch.device(device), torch.random.fork_rng(devices=[]):
        network = architecture.build(workload.input_shape, workload.classes, dict(workload.options))
    return network.to(getattr(torch, PRECISIONS[workload.precision]))


class Stepping(Protocol):
    """What a step asks of an optimiser."""

    def zero_grad(self) -> None:
        """Frees the gradients."""

    def step(self) -> Any:
        """Changes the parameters."""


def optimizer_of(network: "nn.Module", workload: Workload) -> Stepping:
    """The optimiser of `workload`: all parameters at once as on a GPU, one after the other as on every CPU."""
    import torch

    learned, at_once = list(network.parameters()), workload.device == "cuda"
    if workload.optimizer == "sgd":
        return torch.optim.SGD(learned, lr=1e-3, momentum=MOMENTUM, foreach=at_once)
    if at_once:
        return torch.optim.AdamW(learned, lr=1e-3, foreach=True)
    if any(values.is_meta for values in learned):
        return _StatesOfAdamW(learned)
    return torch.optim.AdamW(learned, lr=1e-3, fused=True)


class _StatesOfAdamW:
    """AdamW by one kernel, which holds nothing beside its states, and which the meta device has not.

    Args:
        learned: The parameters.
    """

    def __init__(self, learned: "Sequence[torch.Tensor]") -> None:
        self._learned = learned
        self._states: list[torch.Tensor] = []

    def zero_grad(self) -> None:
        """See `Stepping`."""
        for values in self._learned:
            values.grad = None

    def step(self) -> None:
        """Two values a parameter, from the first step on."""
        import torch

        if not self._states:
            self._states = [torch.zeros_like(values) for values in self._learned if values.requires_grad for _ in "mv"]


def take_step(network: "nn.Module", optimizer: Stepping, samples: "torch.Tensor") -> None:
    """Learns once from N samples, by a loss that has the memory of the tasks': means over the answers.

    A row is compared with class 0, an answer of the input's shape with the input, heads with 0.
    """
    import torch
    from torch.nn.functional import cross_entropy, mse_loss

    answer = network(samples)
    if isinstance(answer, tuple):
        loss = torch.stack([head.square().mean() for head in answer]).sum()
    elif answer.shape == samples.shape:
        loss = mse_loss(answer, samples)
    else:
        loss = cross_entropy(answer, torch.zeros(len(samples), dtype=torch.int64, device=samples.device))
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def samples_of(workload: Workload, *, batch: int, device: str) -> "torch.Tensor":
    """N samples of the workload's shape and precision, zeros."""
    import torch

    return torch.zeros(
        batch, *workload.input_shape, dtype=getattr(torch, PRECISIONS[workload.precision]), device=device
    )


def _training_notes(network: "nn.Module", workload: Workload, *, batch: int) -> Notes:
    notes = Notes()
    network.train()
    optimizer = optimizer_of(network, workload)
    with _noted(network, notes, workload):
        samples = samples_of(workload, batch=batch, device="meta")
        for _ in range(STEPS):
            notes.kept.clear()
            notes.storages.clear()
            take_step(network, optimizer, samples)
    for parameter in network.parameters():
        parameter.grad = None
    return notes


def _inference_notes(network: "nn.Module", workload: Workload, *, batch: int) -> Notes:
    import torch

    notes = Notes()
    network.eval()
    with torch.no_grad(), _noted(network, notes, workload):
        network(samples_of(workload, batch=batch, device="meta"))
    return notes


@contextmanager
def _noted(network: "nn.Module", notes: Notes, workload: Workload) -> Iterator[None]:
    """Notes every operator, every tensor that autograd keeps, and what comes out of every module."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    owned = {_key(tensor) for tensor in (*network.parameters(), *network.buffers())}
    bytes_in_use = 0
    known: dict[int, Any] = {}
    names: list[str] = [""]

    def note(tensor: torch.Tensor) -> None:
        nonlocal bytes_in_use
        storage = tensor.untyped_storage()
        key, size = _key(tensor), storage.nbytes()
        if key in known or not size:
            return
        bytes_in_use += size

        def forget() -> None:
            nonlocal bytes_in_use
            bytes_in_use -= size
            known.pop(key, None)
            notes.storages.discard(key)

        known[key] = weakref.finalize(storage, forget)

    class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            for leaf in tree_leaves(made):
                if isinstance(leaf, torch.Tensor):
                    note(leaf)
            beside = 0 if workload.device == "cuda" else workspace_bytes(func._schema.name, args, made)
            notes.live.append(bytes_in_use + beside)
            return made

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        key = _key(tensor)
        if key not in owned and key not in notes.storages:
            notes.storages.add(key)
            notes.kept[names[-1]] += tensor.untyped_storage().nbytes()
        return tensor

    with ExitStack() as stack:
        for hook in _hooks(network, names, notes):
            stack.callback(hook.remove)
        stack.enter_context(torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor))
        for tensor in (*network.parameters(), *network.buffers()):
            note(tensor.detach())
        stack.enter_context(Counting())  # type: ignore[no-untyped-call]
        yield


def _hooks(network: "nn.Module", names: list[str], notes: Notes) -> Iterator[Any]:
    """Of every module: `names` ends with the one that computes."""

    def entered(name: str) -> Callable[..., None]:
        return lambda *_: names.append(name)

    def left(name: str) -> Callable[..., None]:
        def leave(_module: Any, given: Any, made: Any) -> None:
            names.pop()
            if any(getattr(tensor, "requires_grad", False) for tensor in given):
                notes.after_weights.add(name)
            first = made[0] if isinstance(made, tuple) else made
            notes.shapes.setdefault(name, tuple(first.shape[1:]))

        return leave

    for name, module in network.named_modules():
        yield module.register_forward_pre_hook(entered(name))
        yield module.register_forward_hook(left(name))


def _key(tensor: "torch.Tensor") -> int:
    return int(tensor.untyped_storage()._cdata)


def _lines(notes: list[Notes], workload: Workload) -> tuple[Line, ...]:
    """The moments that are the highest at some batch."""
    few, many = (found.live for found in notes)
    if len(few) != len(many):
        raise ModelFault(
            f"runs {len(few)} operators for a batch of {BATCHES[0]} and {len(many)} for one of {BATCHES[1]}",
            where=workload.model,
            fix="plan a network that treats all batches alike",
        )
    span = BATCHES[1] - BATCHES[0]
    slopes = [(larger - smaller) / span for smaller, larger in zip(few, many, strict=True)]
    return envelope(
        Line(fixed_bytes=smaller - slope * BATCHES[0], sample_bytes=max(0.0, slope))
        for smaller, slope in zip(few, slopes, strict=True)
    )


def _layers(network: "nn.Module", workload: Workload, notes: list[Notes]) -> tuple[Layer, ...]:
    """Every module that holds parameters, keeps tensors or computes, in the order in which they first answered.

    Products cost as much again for the gradient of the weights, and for that of the input where there is one.
    """
    few, many = notes
    forward = _forward_flops(network, workload)
    span, states = BATCHES[1] - BATCHES[0], 2 if workload.optimizer == "adamw" else 1
    modules = dict(network.named_modules())
    layers = []
    for name, shape in few.shapes.items():
        own = list(modules[name].parameters(recurse=False))
        trained = [parameter for parameter in own if parameter.requires_grad]
        count, size = sum(p.numel() for p in own), sum(p.numel() * p.element_size() for p in own)
        trained_bytes = sum(p.numel() * p.element_size() for p in trained)
        kept = (many.kept[name] - few.kept[name]) // span
        if count or kept or forward[name]:
            layers.append(
                Layer(
                    name=name or "(whole)",
                    kind=type(modules[name]).__name__,
                    output_shape=shape,
                    parameters=count,
                    parameter_bytes=size,
                    gradient_bytes=trained_bytes,
                    optimizer_bytes=states * trained_bytes,
                    activation_bytes=kept,
                    forward_flops=forward[name] // BATCHES[0],
                    backward_flops=(bool(trained) + (name in few.after_weights)) * forward[name] // BATCHES[0],
                )
            )
    return tuple(layers)


def _forward_flops(network: "nn.Module", workload: Workload) -> Counter[str]:
    """Operations of a batch of BATCHES[0] by the name of the innermost module."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network.train()
    with torch.no_grad(), FlopCounterMode(display=False) as counting:
        network(samples_of(workload, batch=BATCHES[0], device="meta"))
    return _innermost(counting.get_flop_counts())


def _innermost(counts: dict[str, dict[Any, int]]) -> Counter[str]:
    """Operations by module, those of its children taken off; torch writes the network's class before the names."""
    whole = {name.partition(".")[2]: sum(found.values()) for name, found in counts.items() if name != "Global"}
    own = Counter(whole)
    for name, operations in whole.items():
        if name:
            own[_parent(name, whole)] -= operations
    return own


def _parent(name: str, known: dict[str, int]) -> str:
    """The nearest module around `name` that counts."""
    while name:
        name = name.rpartition(".")[0]
        if name in known:
            return name
    return ""

"""train.init_from: a model to begin with instead of random weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeloop import references
from edgeloop.canonical import sha256_of_file
from edgeloop.data.inputs import AnyPreprocessing
from edgeloop.errors import InputFault, ModelFault
from edgeloop.lineage.subject import Parent
from edgeloop.models import WEIGHTS_FILE, ModelCard, read_weights
from edgeloop.training import TrainParams

if TYPE_CHECKING:
    import torch
    from torch import nn

WEIGHTS_VARIANT = "torch-fp32"


@dataclass(frozen=True)
class Inheritance:
    """What is taken over from a parent."""

    parent: Parent
    card: ModelCard
    weights: "dict[str, torch.Tensor]"

    def fits(self, recipe: TrainParams) -> bool:
        """Whether such a training is of the parent's network."""
        return (recipe.model, recipe.model_options) == (self.card.architecture, self.card.options)

    def require_input(self, ours: AnyPreprocessing) -> None:
        """Refuses samples that the parent does not take, however they are normalised.

        Raises:
            ModelFault: They are of another size, or other things are taken of them.
        """
        theirs = self.card.preprocessing
        if (theirs.shape, theirs.taken) != (ours.shape, ours.taken):
            raise ModelFault(
                f"has another input ({theirs.shape}, {theirs.taken}, here {ours.shape}, {ours.taken})",
                where="train.init_from",
                fix="train without init_from",
            )

    def into(self, network: "nn.Module") -> None:
        """Puts the parent's weights into a network of the same architecture.

        Raises:
            ModelFault: They do not fit.
        """
        expected = network.state_dict()
        if other := [n for n, w in expected.items() if n in self.weights and w.dtype != self.weights[n].dtype]:
            raise ModelFault(
                f"has {other[0]} of another type ({self.weights[other[0]].dtype}, here {expected[other[0]].dtype})",
                where="train.init_from",
                fix="use the weights file that train has written",
            )
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise ModelFault(
                "has weights of another shape", where="train.init_from", fix="use the parent's model_options"
            ) from error


def inherited(params: TrainParams, names: tuple[str, ...]) -> Inheritance | None:
    """The parent that `train.init_from` names, verified; None where it names none.

    Args:
        params: Section `train`.
        names: What the network's numbers stand for.

    Raises:
        ModelFault: It is not whole, or of another architecture, picture or set of classes.
        InputFault, ServerFault: It cannot be had.
    """
    if params.init_from is None:
        return None
    with _opened(params.init_from) as (card, weights, subject_digest):
        _refuse_another(card, params, names, where=params.init_from)
        parent = Parent(subject_digest=subject_digest, sha256=sha256_of_file(weights))
        read = read_weights(weights)
        if not all(values.isfinite().all() for values in read.values()):
            raise ModelFault(
                "has weights that are no finite numbers", where="train.init_from", fix="name another parent"
            )
        return Inheritance(parent=parent, card=card, weights=read)


@contextmanager
def _opened(named: str) -> Iterator[tuple[ModelCard, Path, str | None]]:
    """Card, weights and subject digest of a bundle; of a weights file, beside which its card lies, no digest.

    A folder that `train` wrote stands for the weights in it.

    Raises:
        InputFault: It names nothing.
    """
    path = Path(named)
    if (path / WEIGHTS_FILE).is_file():
        path /= WEIGHTS_FILE
    if path.is_file():
        yield ModelCard.of(path.parent), path, None
        return
    if not path.exists() and "@" not in named:
        raise InputFault(
            "is no file, no bundle and no NAME@ALIAS",
            where=f"train.init_from: {named}",
            fix="name a weights file, a bundle's folder, or such as digits@champion",
        )
    with references.opened(named) as bundle:
        yield bundle.card, bundle.variant(WEIGHTS_VARIANT).path, bundle.manifest.subject_digest


def _refuse_another(card: ModelCard, params: TrainParams, names: tuple[str, ...], *, where: str) -> None:
    """Refuses a model for something else.

    Raises:
        ModelFault: Its task, classes or architecture are others.
    """
    models = list(dict.fromkeys(recipe.model for recipe in params.recipes))
    for what, theirs, ours, same in (
        ("task", card.task, params.task, card.task == params.task),
        (
            "task_options",
            card.task_options,
            params.task_options,
            params.task_options.items() <= card.task_options.items(),
        ),
        ("classes", card.classes, names, card.classes == names),
        ("architecture", card.architecture, ", ".join(models), card.architecture in models),
    ):
        if not same:
            raise ModelFault(f"has another {what} ({theirs}, here {ours})", where=where, fix="train without init_from")

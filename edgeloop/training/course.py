"""One training from its recipe, section `train` with a trial laid over it: admission, first weights, fit."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeloop import plugins
from edgeloop.canonical import digest_of
from edgeloop.models import Architecture
from edgeloop.planning import Workload
from edgeloop.planning.admission import admit
from edgeloop.tasks import Task
from edgeloop.training import TrainParams
from edgeloop.training.augmentation import refuse_absent, refuse_unfitting
from edgeloop.training.checkpoint import path_of
from edgeloop.training.crops import learned_shape, refuse_uncroppable
from edgeloop.training.determinism import features_of
from edgeloop.training.inheritance import Inheritance
from edgeloop.training.loop import Epoch, Fit, Material, fit, groups_of

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Ground:
    """What the trainings of a run share."""

    task: Task
    material: Material
    """Its card lacks what the architecture decides."""
    heritage: Inheritance | None = None


@dataclass(frozen=True)
class Trained:
    """A training that came to its end."""

    recipe: TrainParams
    material: Material
    """With the card of the model."""
    fit: Fit


def admit_recipe(recipe: TrainParams, ground: Ground, *, where: str) -> None:
    """Refuses a training that cannot be: its memory does not fit, or its changes do not suit the samples.

    Args:
        recipe: Of the training.
        ground: What it learns from.
        where: What the recipe's fields are called by.

    Raises:
        EnvironmentFault: The memory does not suffice.
        ParamsFault: The architecture does not take the input, an option does not fit, or no sample has a column or
            a value.
    """
    material = ground.material
    shape = material.card.preprocessing.shape
    refuse_uncroppable(recipe.crop_side, ground.task, shape=shape, where=where)
    refuse_unfitting(recipe.augment, ground.task, axes=len(shape), where=where)
    refuse_absent(recipe.augment, material.samples, where=where)
    groups_of(recipe, material)
    workload = Workload(
        model=recipe.model,
        options=recipe.model_options,
        input_shape=learned_shape(shape, recipe.crop_side),
        classes=len(material.card.classes),
        device=recipe.device,
    )
    admit(workload, batch=min(recipe.batch_size, len(material.train)), where=f"{where}.batch_size")


def trained(recipe: TrainParams, ground: Ground, *, on_epoch: Callable[[Epoch], None]) -> Trained:
    """The recipe's training, from first weights that its seed decides, or those of the parent.

    Raises:
        Divergence: The loss left the finite numbers.
        ParamsFault, EnvironmentFault, ModelFault: As `edgeloop.training.loop.fit`.
    """
    material, network = _untrained(recipe, ground.material)
    if ground.heritage is not None:
        ground.heritage.into(network)
    checkpoint = _checkpoint(recipe, material, network)
    outcome = fit(network, ground.task, params=recipe, material=material, on_epoch=on_epoch, checkpoint=checkpoint)
    return Trained(recipe, material, outcome)


def _untrained(recipe: TrainParams, material: Material) -> "tuple[Material, nn.Module]":
    """A network from torch's generator, seeded anew, and the material with its card."""
    import torch

    torch.manual_seed(recipe.seed)
    architecture: Architecture = plugins.load("models", recipe.model)
    card = material.card
    network = architecture.build(card.preprocessing.shape, len(card.classes), dict(recipe.model_options))
    card = card.model_copy(
        update={
            "architecture": recipe.model,
            "options": recipe.model_options,
            "output_names": architecture.output_names,
            "parameters": sum(values.numel() for values in network.parameters() if values.requires_grad),
        }
    )
    return replace(material, card=card), network


def _checkpoint(recipe: TrainParams, material: Material, network: "nn.Module") -> Path | None:
    """Where this very training keeps its state: same recipe, samples, truths, first weights, torch and CPU."""
    if recipe.checkpoints is None:
        return None
    import torch

    seen = hashlib.sha256()
    for split in (material.train, material.val):
        seen.update(np.ascontiguousarray(split.values.numpy()).tobytes())
        for truth in split.truths:
            seen.update(np.asarray(truth).tobytes())
    for values in network.state_dict().values():
        seen.update(values.detach().contiguous().numpy().tobytes())
    known = {**recipe.values(), "checkpoints": None}
    drawn = [[sample.id, sample.group, sample.label, sample.metadata] for sample in material.samples]
    decided = [
        known,
        material.card.values(),
        seen.hexdigest(),
        drawn,
        features_of(recipe.device),
        str(torch.__version__),
    ]
    return path_of(recipe.checkpoints, digest_of(decided))

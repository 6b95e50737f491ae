"""What all trainings of a run learn from and are judged on: read once, whatever is tried on it."""

from dataclasses import replace

from edgeloop.contract import parsed
from edgeloop.data.dataset import Dataset
from edgeloop.data.inputs import Reader, reader_of
from edgeloop.errors import DataFault
from edgeloop.models import ModelCard
from edgeloop.tasks import Task
from edgeloop.training import TrainParams
from edgeloop.training.batches import Split, decoded
from edgeloop.training.inheritance import Inheritance
from edgeloop.training.loop import Fit, Material


def read_material(
    params: TrainParams, task: Task, *, dataset: Dataset, heritage: Inheritance | None = None
) -> Material:
    """Both splits in memory, and a card that lacks only what the architecture decides.

    Inputs are normalised as the parent's were, where there is one.

    Raises:
        DataFault: The samples cannot be used.
        ModelFault: They are not what the parent takes.
        EnvironmentFault: They do not fit into the memory.
    """
    import torch

    where = str(dataset.folder)
    if not dataset.samples:
        raise DataFault("no usable sample", where=where, fix="look at what validate_data took out")
    reader = reader_of(dataset.card.kind, image=params.image, window=params.window)
    samples = {split: dataset.split(split) for split in ("train", "val")}
    card = _first_card(params, task, dataset=dataset, reader=reader)
    if heritage is not None:
        heritage.require_input(card.preprocessing)
    truths = {split: task.truths(dataset, rows, card) for split, rows in samples.items()}
    kept = [task.learns_from(truth) for truth in truths["train"]]
    learned = [truth for truth, keep in zip(truths["train"], kept, strict=True) if keep]
    task.require_learnable(learned, truths["val"], card=card, where=where)
    splits = {
        split: Split(torch.from_numpy(decoded(dataset, rows, reader=reader)), tuple(truths[split]))
        for split, rows in samples.items()
    }
    train = splits["train"].where(kept)
    fitted = heritage.card.preprocessing if heritage else reader.fitted(train.values.numpy())
    constants = task.scale(learned, parent=heritage.card.constants if heritage else None)
    card = card.model_copy(update={"preprocessing": fitted, "constants": constants})
    rows = tuple(row for row, keep in zip(samples["train"], kept, strict=True) if keep)
    return Material(train, splits["val"], card, rows)


def settled(material: Material, outcome: Fit, task: Task) -> Material:
    """With the constants that only a trained model tells."""
    card = material.card
    found = task.limits(outcome.best.answers, material.val.truths, card)
    return replace(material, card=card.model_copy(update={"constants": {**card.constants, **found}}))


def _first_card(params: TrainParams, task: Task, *, dataset: Dataset, reader: Reader) -> ModelCard:
    """What is known before train is read: its preprocessing is that of a single sample."""
    return ModelCard(
        task=params.task,
        task_options=parsed(task.options, params.task_options, where="train.task_options").values(),
        architecture=params.model,
        options=params.model_options,
        classes=task.names(dataset.card.classes, params.task_options),
        preprocessing=reader.fitted(decoded(dataset, dataset.samples[:1], reader=reader)),
        parameters=0,
    )

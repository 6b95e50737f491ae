"""What is trained: every architecture at batches whose peak is worth judging, on samples of noise.

Legend: `N` samples, `C` channels, `H` height, `W` width, `L` readings, `F` features.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

CLASSES = 10
TASKS = {"row": "classification", "input": "anomaly", "heads": "detection"}
"""By what an architecture answers."""


@dataclass(frozen=True)
class Case:
    """One architecture, its input and three batches."""

    model: str
    shape: tuple[int, ...]
    batches: tuple[int, int, int]
    options: dict[str, Any] = field(default_factory=dict)

    def workload(self, **others: Any) -> Any:
        """As the planner takes it."""
        from edgeloop.planning import Workload

        given = {"model": self.model, "options": self.options, "input_shape": self.shape, "classes": CLASSES}
        return Workload(**given, **others)


CASES: dict[str, Case] = {
    "alexnet": Case("alexnet", (3, 224, 224), (4, 32, 128)),
    "autoencoder": Case("autoencoder", (640,), (64, 1024, 8192), {"hidden": "4096-1024-4096"}),
    "cnn": Case("cnn", (3, 96, 96), (32, 64, 128)),
    "cnn_1d": Case("cnn_1d", (2, 4096), (256, 512, 1024), {"width": 64}),
    "ds_cnn": Case("ds_cnn", (1, 49, 10), (512, 1024, 2048)),
    "mlp": Case("mlp", (1, 28, 28), (64, 1024, 8192), {"hidden": "8192-4096"}),
    "mobilenet_v2": Case("mobilenet_v2", (3, 224, 224), (4, 8, 16)),
    "mobilenet_v3_small": Case("mobilenet_v3_small", (3, 224, 224), (16, 32, 64)),
    "resnet-8": Case("resnet", (3, 224, 224), (8, 16, 32)),
    "resnet-18": Case("resnet", (3, 224, 224), (4, 8, 16), {"depth": 18}),
    "yolo_tiny": Case("yolo_tiny", (3, 320, 320), (4, 8, 16)),
}


@dataclass(frozen=True)
class Lesson:
    """What `edgeloop.training.loop.fit` is given."""

    network: Any
    task: Any
    params: Any
    material: Any


def lesson(case: Case, *, train: int, val: int, batch: int, epochs: int, **others: Any) -> Lesson:
    """A training of `case` on noise.

    Args:
        case: What is trained.
        train: Samples.
        val: Samples.
        batch: Samples a step.
        epochs: All are run.
        others: Further fields of section `train`.
    """
    from edgeloop import plugins
    from edgeloop.models import ModelCard
    from edgeloop.training import TrainParams
    from edgeloop.training.loop import Material

    architecture = plugins.load("models", case.model)
    name = TASKS[architecture.answers]
    task = plugins.load("tasks", name)
    params = TrainParams(
        task=name,
        model=case.model,
        model_options=case.options,
        batch_size=batch,
        epochs=epochs,
        learning_rate=1e-5,  # on noise larger steps may diverge, and the loop stops that
        **others,
    )
    classes = task.names(tuple(f"class {k}" for k in range(CLASSES)), {})
    card = ModelCard(
        task=name,
        architecture=case.model,
        options=case.options,
        classes=classes,
        preprocessing=_preprocessing(case.shape),
        output_names=architecture.output_names,
        parameters=0,
    )
    random = np.random.default_rng(0)
    material = Material(*(_split(case.shape, name, count=count, random=random) for count in (train, val)), card)
    network = architecture.build(case.shape, len(classes), dict(case.options))
    return Lesson(network, task, params, material)


def _preprocessing(shape: tuple[int, ...]) -> Any:
    from edgeloop.data.inputs import RowPreprocessing, WindowInput, WindowPreprocessing
    from edgeloop.data.preprocessing import ImageInput, Preprocessing

    plain = {"mean": (0.5,) * shape[0], "std": (0.3,) * shape[0]}
    if len(shape) == 3:
        image = ImageInput(height=shape[1], width=shape[2], mode="L" if shape[0] == 1 else "RGB")
        return Preprocessing(image=image, **plain)
    if len(shape) == 2:
        return WindowPreprocessing(window=WindowInput(), channels=shape[0], length=shape[1], **plain)
    return RowPreprocessing(columns=tuple(f"{k:05}" for k in range(shape[0])), **plain)


def _split(shape: tuple[int, ...], task: str, *, count: int, random: np.random.Generator) -> Any:
    """N samples of noise, bytes where they are pictures, and truths as the task has them."""
    import torch

    from edgeloop.training.batches import Split

    if len(shape) == 3:
        values = random.integers(0, 256, (count, *shape), dtype=np.uint8)
    else:
        values = random.random((count, *shape), dtype=np.float32)
    truths: dict[str, Any] = {
        "classification": lambda row: row % CLASSES,
        "anomaly": lambda row: row % 2 == 1,
        "detection": lambda row: _boxes(row, shape),
    }
    return Split(torch.from_numpy(values), tuple(truths[task](row) for row in range(count)))


def _boxes(row: int, shape: tuple[int, ...]) -> Any:
    """Two objects, a sixth and a quarter of the picture wide."""
    side = shape[-1]
    small = [side / 8, side / 8, side / 8 + side / 6, side / 3, row % CLASSES]
    large = [side / 2, side / 2, 3 * side / 4, 3 * side / 4, (row + 1) % CLASSES]
    return np.array([small, large], dtype=np.float32)

"""Training: section `train` of the parameters.

`fit.py` is the door: `train()`. Beside it, one idea a file: what is read (`material`), how batches are made of it
(`batches`), cut (`crops`) and changed (`augmentation`), which samples are drawn how often (`balance`), at which rate is
learned (`schedule`), the loop (`loop`), one training from first to last weights (`course`), several of them and the
choice (`trials`), the same on parts of train (`growth`), what makes it repeatable (`determinism`), what it leaves
(`summary`, `history`, `cost`, `energy`).
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from edgeloop.contract import Contract, first_fault, whole_numbers
from edgeloop.data.inputs import WindowInput
from edgeloop.data.preprocessing import ImageInput
from edgeloop.training.augmentation import Augmentation

OF_ALL_TRIALS = (
    "task", "task_options", "image", "window", "threads", "device", "init_from", "checkpoints", "erased", "min_metric",
    "learning_curve", "trials",
)  # fmt: skip
"""What one trial cannot have otherwise: all are compared on the same samples, and later steps read it here."""


class TrainParams(Contract):
    """Section `train`."""

    task: str = Field(default="classification", description="plug-in of edgeloop.tasks")
    task_options: dict[str, bool | int | float | str] = Field(default_factory=dict, description="checked by the task")
    model: str = Field(default="cnn", description="plug-in of edgeloop.models")
    model_options: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="checked by the architecture"
    )
    image: ImageInput = Field(default=ImageInput(height=8, width=8, mode="L"), description="of pictures")
    window: WindowInput = Field(default=WindowInput(), description="of windows of sensor readings")
    epochs: int = Field(default=40, ge=1, le=10_000)
    passes: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="over train in an epoch, after which val is judged: more where that is slow",
    )
    batch_size: int = Field(
        default=64, ge=1, le=65_536, description="samples a step; what fits here is written by edgeloop plan --write"
    )
    learning_rate: float = Field(default=5e-3, gt=0, le=1, description="peak of the schedule")
    weight_decay: float = Field(default=1e-2, ge=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    warm_up: float = Field(
        default=0.0, ge=0, le=0.5, description="share of the steps in which the rate rises to its peak"
    )
    accumulate: int = Field(default=1, ge=1, le=1024, description="batches whose gradients make one step")
    clip_norm: float | None = Field(default=None, gt=0, description="largest norm of a step's gradient; null: any")
    ema: float = Field(
        default=0.0, ge=0, lt=1, description="decay a step of the moving average of the weights that is kept; 0: none"
    )
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="that computes; cuda is the first GPU")
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        default="fp32", description="of the products in the network; weights stay fp32; fp16 needs device cuda"
    )
    patience: int | None = Field(
        default=None, ge=1, description="epochs without a better one that end the training; null: none do"
    )
    augment_shift: int = Field(
        default=1, ge=0, le=4096, description="random shift: pixels of the model's input, readings of a window"
    )
    crop_side: int | None = Field(
        default=None,
        ge=8,
        le=4096,
        description="detectors learn from square parts of so many pixels, each around an object, in place of a random"
        " shift; the model takes train.image all the same; null: from whole pictures",
    )
    augment: tuple[Augmentation, ...] = Field(
        default=(), max_length=100, description="random changes of samples; the first entry that fits one is its own"
    )
    balance_by: str | None = Field(
        default=None,
        min_length=1,
        description="column of the metadata, group or label; its values are drawn equally often; null: all samples are",
    )
    seed: int = Field(default=0, ge=0, lt=2**32)
    threads: int = Field(default=1, ge=1, le=256, description="computing threads; another number gives other weights")
    init_from: str | None = Field(
        default=None,
        description="model to begin with: a bundle's folder, NAME@ALIAS, the folder of train, or its weights file;"
        " same architecture and classes",
    )
    checkpoints: Path | None = Field(
        default=None,
        description="folder that keeps the state after every epoch; the same training, killed, goes on from there",
    )
    erased: Path | None = Field(
        default=None, description="erasure list: a sha256 of a sample a line; a dataset that holds one is refused"
    )
    min_metric: float = Field(default=0.0, ge=0, le=1, description="on val; less stops the run")
    learning_curve: tuple[float, ...] = Field(
        default=(),
        max_length=20,
        description="shares of train, rising, such as 0.1, 0.3: the chosen recipe is trained on each as well",
    )
    trials: tuple[dict[str, Any], ...] = Field(
        default=(),
        max_length=100,
        description="fields of this section that are tried instead, an entry a trial; the best on val goes on",
    )

    @field_validator("batch_size", mode="before")
    @classmethod
    def _number(cls, size: Any) -> Any:
        if size == "auto":
            raise ValueError("auto is no number yet: run `edgeloop plan --write params.yaml`, which writes one")
        return size

    @field_validator("model_options", "task_options")
    @classmethod
    def _integral(cls, options: dict[str, Any]) -> dict[str, Any]:
        return whole_numbers(options)

    @field_validator("precision")
    @classmethod
    def _on_that_device(cls, precision: str, info: ValidationInfo) -> str:
        if precision == "fp16" and info.data.get("device") == "cpu":
            raise ValueError("fp16 needs device: cuda; on a CPU choose bf16")
        return precision

    @field_validator("learning_curve")
    @classmethod
    def _rising(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < share <= 1 for share in shares) or any(one >= next_ for one, next_ in pairwise(shares)):
            raise ValueError("write rising shares above 0, 1 the largest")
        return shares

    @field_validator("trials")
    @classmethod
    def _trainable(cls, trials: tuple[dict[str, Any], ...], info: ValidationInfo) -> tuple[dict[str, Any], ...]:
        """Every trial makes a section of its own, and no two the same; whatever is wrong names the trial."""
        trials = tuple(whole_numbers(trial) for trial in trials)
        if {*info.data, "trials"} != {*cls.model_fields}:
            return trials  # another field is wrong, and told
        recipes: list[TrainParams] = []
        for number, trial in enumerate(trials, start=1):
            try:
                recipe = cls.model_validate(_laid(info.data, trial))
            except ValidationError as error:
                raise ValueError(f"trial {number}: {first_fault(error, cls)}") from error
            except ValueError as error:
                raise ValueError(f"trial {number}: {error}") from error
            if recipe in recipes:
                raise ValueError(f"trial {number} is the same as trial {recipes.index(recipe) + 1}")
            recipes.append(recipe)
        return trials

    @property
    def recipes(self) -> tuple["TrainParams", ...]:
        """What is trained: this section with each trial laid over it, or as it is where there are none."""
        return tuple(self.model_validate(_laid(dict(self), trial)) for trial in self.trials or ({},))


def _laid(section: Mapping[str, Any], trial: Mapping[str, Any]) -> dict[str, Any]:
    """The section with a trial over it; the options of a model are dropped together with the model.

    Raises:
        ValueError: The trial has a field that is the same for all, or a null, which not every engine carries.
    """
    if same := [name for name in OF_ALL_TRIALS if name in trial]:
        raise ValueError(f"{same[0]} is the same for all trials: set it in the section")
    if nulls := [name for name, value in trial.items() if value is None]:
        raise ValueError(f"{nulls[0]} is null: leave it out of the section and set it in the other trials")
    merged = {**section, **trial, "trials": (), "learning_curve": ()}
    options = trial.get("model_options", {})
    if isinstance(options, Mapping) and merged["model"] == section["model"]:
        merged["model_options"] = {**section["model_options"], **options}
    else:
        merged["model_options"] = options
    return merged

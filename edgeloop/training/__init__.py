"""Training: section `train` of the parameters.

`fit.py` is the door: `train()`. Beside it, one idea a file: what is trained on (`batches`), at which rate
(`schedule`), the loop (`loop`), what makes it repeatable (`determinism`), what it leaves (`summary`, `history`,
`cost`).
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from edgeloop.contract import Contract, whole_numbers
from edgeloop.data.inputs import WindowInput
from edgeloop.data.preprocessing import ImageInput


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
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="of the products in the network; weights stay fp32"
    )
    patience: int | None = Field(
        default=None, ge=1, description="epochs without a better one that end the training; null: none do"
    )
    augment_shift: int = Field(
        default=1, ge=0, le=4096, description="random shift: pixels of the model's input, readings of a window"
    )
    seed: int = Field(default=0, ge=0, lt=2**32)
    threads: int = Field(default=1, ge=1, le=256, description="computing threads; another number gives other weights")
    init_from: str | None = Field(
        default=None, description="model to begin with: a bundle's folder or NAME@ALIAS; same architecture and classes"
    )
    checkpoints: Path | None = Field(
        default=None,
        description="folder that keeps the state after every epoch; the same training, killed, goes on from there",
    )
    erased: Path | None = Field(
        default=None, description="erasure list: a sha256 of a sample a line; a dataset that holds one is refused"
    )
    min_metric: float = Field(default=0.0, ge=0, le=1, description="on val; less stops the run")

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

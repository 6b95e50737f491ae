"""Training: section `train` of the parameters.

`fit.py` is the door: `train()`. Beside it, one idea a file: what is trained on (`batches`), at which rate
(`schedule`), the loop (`loop`), what makes it repeatable (`determinism`), what it leaves (`summary`, `history`,
`cost`).
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from edgeloop.contract import Contract, whole_numbers
from edgeloop.data.preprocessing import ImageInput


class TrainParams(Contract):
    """Section `train`."""

    task: str = Field(default="classification", description="plug-in of edgeloop.tasks")
    model: str = Field(default="cnn", description="plug-in of edgeloop.models")
    model_options: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="checked by the architecture"
    )
    image: ImageInput = ImageInput(height=8, width=8, mode="L")
    epochs: int = Field(default=40, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=65_536, description="samples a step")
    learning_rate: float = Field(default=5e-3, gt=0, le=1, description="peak of the schedule")
    weight_decay: float = Field(default=1e-2, ge=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    augment_shift: int = Field(default=1, ge=0, le=32, description="random shift, pixels of the model's input")
    seed: int = Field(default=0, ge=0, lt=2**32)
    threads: int = Field(default=1, ge=1, le=256, description="computing threads; another number gives other weights")
    init_from: str | None = Field(
        default=None, description="model to begin with: a bundle's folder or NAME@ALIAS; same architecture and classes"
    )
    erased: Path | None = Field(
        default=None, description="erasure list: a sha256 of a sample a line; a dataset that holds one is refused"
    )
    min_metric: float = Field(default=0.0, ge=0, le=1, description="on val; less stops the run")

    @field_validator("model_options")
    @classmethod
    def _integral(cls, options: dict[str, Any]) -> dict[str, Any]:
        return whole_numbers(options)

    @model_validator(mode="after")
    def _shift_in_sight(self) -> "TrainParams":
        """A shift as wide as the picture leaves nothing of it."""
        side = min(self.image.height, self.image.width)
        if self.augment_shift >= side:
            raise ValueError(f"augment_shift {self.augment_shift} moves pictures of {side} pixels out of sight")
        return self

"""What a training will need, before it is started: memory, operations and time.

`planner.plan` is the door. Beside it, one idea a file: the rehearsal of a step on tensors without storage
(`rehearsal`), what kernels take beside tensors (`workspace`), the arithmetic of batches (`arithmetic`), how much memory
there is (`limits`), seconds from a short calibration (`calibration`), the way allocated memory goes back
(`allocation`), a run that cannot fit (`admission`), `train.batch_size: auto` (`resolution`), the samples that are
planned unless somebody says otherwise (`inputs`), the page (`page`).

Bytes are those of tensors and kernels. All values of a network, its gradients and the state of its optimiser have the
planned precision.
"""

from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract

Precision = Literal["fp64", "fp32", "bf16", "fp16"]
Optimizer = Literal["adamw", "sgd"]
PRECISIONS: dict[str, str] = {"fp64": "float64", "fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""The names of torch's types."""

SHARE = 0.8
"""Of the memory that a batch may fill; the rest is for what nobody predicts."""


class Workload(Contract):
    """What is planned."""

    model: str = Field(description="plug-in of edgeloop.models")
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)
    input_shape: tuple[int, ...] = Field(description="of one sample, such as C, H, W")
    classes: int = Field(ge=1)
    optimizer: Optimizer = "adamw"
    precision: Precision = "fp32"
    device: Literal["cpu", "cuda"] = "cpu"


class Layer(Contract):
    """One module that computes or keeps something; bytes and operations a sample."""

    name: str
    kind: str = Field(description="class of the module")
    output_shape: tuple[int, ...] = Field(description="of one sample")
    parameters: int
    parameter_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int = Field(
        description="kept for the backward pass; a storage counts once, where it is kept first"
    )
    forward_flops: int = Field(description="two a multiplication with addition")
    backward_flops: int


class Line(Contract):
    """Bytes in use at one moment of a step: fixed_bytes + sample_bytes · batch."""

    fixed_bytes: float
    sample_bytes: float


class Memory(Contract):
    """How much there is, and who says so."""

    size_bytes: int
    source: str


class Peak(Contract):
    """The most bytes that a batch needs, the process itself included."""

    batch: int
    training_bytes: int
    inference_bytes: int


class EpochTime(Contract):
    """Of one epoch: every sample of train is learned from, and those of val are judged."""

    threads: int
    wall_s: float
    cpu_s: float


class Plan(Contract):
    """What `edgeloop plan` found."""

    format: int = 1
    workload: Workload
    layers: tuple[Layer, ...]
    process_bytes: int = Field(description="of Python and torch without any network; 0 on a GPU")
    memory: Memory
    share: float = SHARE
    batch: int = Field(description="that times are of: the one asked for, or the largest that fits, at most 256")
    largest_batch: int = Field(description="of training; 0: not even one sample fits")
    largest_inference_batch: int
    training: tuple[Line, ...] = Field(description="the peak is the highest of these lines")
    inference: tuple[Line, ...]
    peaks: tuple[Peak, ...] = Field(description="over batches, the planned one among them")
    samples: int = Field(description="of train")
    judged_samples: int = Field(description="of val")
    reading_s: float | None = Field(
        description="for all samples, once before the first epoch: they stay in memory, so no worker loads any later;"
        " null where nothing was calibrated"
    )
    times: tuple[EpochTime, ...] = Field(description="empty where nothing was calibrated")
    times_source: str

    @property
    def planned(self) -> Peak:
        """Of the batch."""
        return next(peak for peak in self.peaks if peak.batch == self.batch)

"""Quantization of converted variants, one scheme a file.

A scheme makes a file by a recipe. The file is judged on val against the float file (`edgeloop.optimization.judgement`);
where it fails, other recipes are tried (`edgeloop.optimization.recovery`), and where all fail the float file is kept.

Here is what a scheme is and what the section says; `edgeloop.optimization.variants` makes the files of a run.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from edgeloop import plugins
from edgeloop.contract import Contract
from edgeloop.optimization.judgement import QuantizeLimits
from edgeloop.optimization.recipes import Method, Recipe
from edgeloop.variants import Check, Precision, Tool


class QuantizeParams(Contract):
    """Section `quantize`."""

    schemes: tuple[str, ...] = Field(default=("onnxruntime_static",), description="plug-ins of edgeloop.quantization")
    calibration_samples: int = Field(
        default=256, ge=8, le=65_536, description="from train, stratified by class; all of train where it holds fewer"
    )
    calibration_method: Method = "minmax"
    bias_correction: Literal["fast", "full"] = Field(
        default="full", description="of a scheme that always corrects (nncf); fast is sooner done and may lose a point"
    )
    trials: int = Field(
        default=9, ge=1, le=64, description="most files a scheme makes; more than one only where a limit is missed"
    )
    qat_epochs: int = Field(
        default=8,
        ge=0,
        le=1000,
        description="of quantization-aware training, the last trial, once for all schemes: each costs about three "
        "epochs of train on one thread; 0: none",
    )
    qat_learning_rate: float = Field(
        default=1e-3, gt=0, le=1, description="of its first step; falls to 0 as half a cosine"
    )
    by: tuple[str, ...] = Field(
        default=("condition",), description="columns of the metadata: each value is judged as a group, as classes are"
    )
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="of the choice of the calibration set, and of the order in training"
    )
    limits: QuantizeLimits = QuantizeLimits()

    @model_validator(mode="after")
    def _method_known(self) -> "QuantizeParams":
        """Before the first step runs; a name that no plug-in has is refused elsewhere, with the nearest."""
        for name in set(self.schemes) & set(plugins.names("quantization")):
            methods = plugins.load("quantization", name).methods
            if methods and self.calibration_method not in methods:
                raise ValueError(f"calibration_method {self.calibration_method}: {name} knows {', '.join(methods)}")
        return self


class Scheme(Protocol):
    """One way to make a smaller file of a float one."""

    source: str
    """Name of the variant that it reads, such as `onnx-fp32`."""

    variant: str
    """Name of the variant that it makes, `<format>-<precision>` and what else tells it from others."""

    format: str
    """Of the file: what a runtime must be able to load."""

    precision: Precision

    suffix: str
    """Of the file, such as `.onnx`."""

    runtime: str
    """Plug-in of edgeloop.runtimes that both files are judged on."""

    methods: tuple[Method, ...]
    """Ways to find ranges that it knows; none where nothing is calibrated."""

    corrects_bias: bool
    """Its first recipe corrects biases; otherwise one is tried later."""

    def layers(self, source: Path) -> tuple[str, ...]:
        """Names of the layers that a recipe may keep float, the same for equal files.

        Raises:
            ModelFault: The file cannot be read.
            MissingExtra: A package is not installed.
        """

    def quantize(self, source: Path, inputs: Iterable[NDArray[np.float32]], *, target: Path, recipe: Recipe) -> Tool:
        """Writes the quantized model as `target`: one file, whole, equal bytes for equal models and inputs.

        Args:
            source: The float file.
            inputs: The calibration set in batches, N first; read once, or not at all where nothing is calibrated.
            target: The file to write, in a folder that exists; scratch files may lie beside it meanwhile.
            recipe: How.

        Raises:
            ModelFault: The model cannot be quantized.
            MissingExtra: A package is not installed.
        """


@runtime_checkable
class Checked(Protocol):
    """A scheme for an engine that is elsewhere, whose rules can be looked after without it."""

    def checks(self, path: Path) -> tuple[Check, ...]:
        """Of a file that the scheme made; they are checks of the variant, beside those of the judgement."""

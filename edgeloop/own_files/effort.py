"""How many samples a model of the user's own is asked, and what is tried first: less where each sample costs more.

Budgets of samples and trials, not of seconds, so that equal inputs end alike on every machine. An answer lost in 320
has the bound 0.94 points: what judges a large input still tells one point.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgeloop import calibration
from edgeloop.data.dataset import Dataset

LARGE_VALUES = 1 << 16
"""Of one input; a picture in colour of 148 x 148 pixels."""


@dataclass(frozen=True)
class Effort:
    """What one model is worth.

    Args:
        calibration_samples: At most.
        judged_samples: At most, by `quantize`, once a file.
        measured_samples: At most, by `benchmark`, of every file on every runtime that loads it.
        trials: Most files a scheme makes.
        bias_correction: Of a scheme that always corrects; `full` reads a large model's samples once a layer.
        qat_epochs: Of the last trial, where the weights as they were trained are at hand.
    """

    calibration_samples: int
    judged_samples: int
    measured_samples: int
    trials: int
    bias_correction: Literal["fast", "full"]
    qat_epochs: int


SMALL = Effort(
    calibration_samples=256, judged_samples=4096, measured_samples=4096,
    trials=8, bias_correction="full", qat_epochs=8,
)  # fmt: skip
LARGE = Effort(
    calibration_samples=96, judged_samples=320, measured_samples=200,
    trials=3, bias_correction="fast", qat_epochs=0,
)  # fmt: skip


def effort_of(shape: tuple[int, ...]) -> Effort:
    """For inputs of that shape, without the batch."""
    return LARGE if math.prod(shape) > LARGE_VALUES else SMALL


def bounded(dataset: Path, validation: Path, *, samples: int, folder: Path) -> tuple[int, int]:
    """Writes the folder of a validation that accepts at most so many samples of val, each class in proportion.

    Returns:
        How many it accepts of val, and how many `validation` does.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    opened = Dataset(dataset, validation)
    val = opened.split("val")
    judging = calibration.stratified(val, samples, seed=0)
    kept = [*(sample.id for sample in opened.samples if sample.split != "val"), *(sample.id for sample in judging)]
    folder.mkdir()
    parquet.write_table(pa.table({"id": pa.array(sorted(kept), pa.string())}), folder / "accepted.parquet")
    return len(judging), len(val)

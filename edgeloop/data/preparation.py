"""prepare_data: from what the user has to the canonical dataset."""

from pathlib import Path

from pydantic import Field, model_validator

from edgeloop.contract import Contract


class SplitShares(Contract):
    """The share of each split; together they are 1."""

    train: float = Field(default=0.7, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)
    val: float = Field(default=0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _whole(self) -> "SplitShares":
        if abs(self.train + self.test + self.val - 1) > 1e-9:
            raise ValueError(f"train + test + val is {self.train + self.test + self.val:g}, not 1")
        return self


class PrepareDataParams(Contract):
    """Section `prepare_data`."""

    source: str = Field(default="digits", description="plug-in of edgeloop.data.sources")
    path: Path | None = Field(default=None, description="folder or file of the source; digits needs none")
    split: SplitShares = SplitShares()
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the split")
    min_class_samples: int = Field(default=10, ge=3, description="a class with fewer samples is refused")

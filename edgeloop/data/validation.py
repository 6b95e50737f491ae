"""validate_data: a reviewed Great Expectations suite decides which samples may be used."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract

Severity = Literal["critical", "warning", "info"]


class ValidateDataParams(Contract):
    """Section `validate_data`."""

    suite: Path = Field(
        default=Path("suites/images.json"), description="Great Expectations suite, relative to the project"
    )
    on_fault: Literal["stop", "quarantine"] = Field(
        default="stop", description="critical fault: stop the run, or leave the failing samples out"
    )
    max_quarantined: float = Field(default=0.05, ge=0, le=1, description="share of samples; more stops the run anyway")

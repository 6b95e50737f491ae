"""The verdict on a dataset: what was checked, what was found, and whether the run may go on.

A check that could not be carried out is no pass: with a critical one the verdict is `fail`.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from edgeloop.contract import Contract

VERDICT_FILE = "verdict.json"
FIRST_IDS = 20

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
Status = Literal["pass", "fail", "could not check"]


class SuiteRecord(Contract):
    """The suite that was applied."""

    name: str
    sha256: str = Field(description="of the suite's file")
    environment: str = Field(default="training", description="expectations of others were left out")
    left_out: int = Field(default=0, description="expectations of other environments")


class ExpectationResult(Contract):
    """One expectation of the suite and what came of it."""

    name: str = Field(description="type of the expectation")
    column: str | None = Field(description="what it looks at; several columns joined by a comma")
    severity: Severity
    status: Status
    says: str = Field(default="", description="what the suite's author meant by it")
    expected: dict[str, JsonValue] = Field(default_factory=dict, description="its other arguments")
    observed: JsonValue = Field(default=None, description="value found, where it is not about single samples")
    failing: int = Field(default=0, description="samples that do not meet it, tolerated ones too")
    first_ids: tuple[str, ...] = Field(default=(), description=f"of those, the first {FIRST_IDS}")
    reason: str = Field(default="", description="why it could not be checked")


class Verdict(Contract):
    """The outcome of validate_data."""

    format: int = 1
    status: Literal["pass", "fail"]
    reason: str = Field(description="one line: why it failed, or what passed")
    on_fault: Literal["stop", "quarantine"]
    suite: SuiteRecord
    worst: Severity | None = Field(description="highest severity that failed or could not be checked")
    expectations: tuple[ExpectationResult, ...]
    samples: int
    quarantined: int = Field(description="samples in quarantine.parquet")
    accepted: dict[str, int] = Field(description="accepted samples of each split; empty unless the verdict is pass")
    digests: dict[str, str] = Field(description="digest of the accepted samples of each split; empty unless pass")

    @classmethod
    def of(cls, validation: Path) -> "Verdict":
        """The verdict in a folder that `validate_data` wrote."""
        return cls.read(validation / VERDICT_FILE)


def worst_of(results: tuple[ExpectationResult, ...]) -> Severity | None:
    """The highest severity among the expectations that did not pass."""
    missed = {result.severity for result in results if result.status != "pass"}
    return next((severity for severity in SEVERITIES if severity in missed), None)

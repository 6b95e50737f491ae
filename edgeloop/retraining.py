"""Retraining: when a window of telemetry starts one, and what is remembered of it.

A window is known by the digest of its rows. The ledger keeps one file for each that was looked at, so that the same
window acts once, also after a restart. A run that was killed leaves `started` behind and is taken up again: it
registers nothing twice, because a subject is stored once.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.drift import DriftVerdict

LEDGER = Path(".edgeloop/windows")

State = Literal["kept", "started", "registered", "refused"]


class Entry(Contract):
    """What came of one window."""

    window_digest: str
    model: str = Field(description="NAME@ALIAS that was watched")
    state: State = Field(
        description="kept: no retraining; started: under way or cut off; registered; refused: a gate said no"
    )
    reason: str
    at: str = Field(description="UTC, ISO 8601")


class Decision(Contract):
    """Whether to retrain, and why."""

    retrain: bool
    reason: str


def decision(verdict: DriftVerdict, known: Entry | None) -> Decision:
    """What to do about a window.

    Args:
        verdict: Of its comparison with the reference.
        known: What came of the same window before, if it was looked at.
    """
    if known is not None and known.state != "started":
        return Decision(retrain=False, reason=f"this window was seen at {known.at}: {known.state} ({known.reason})")
    if verdict.status != "drift":
        return Decision(retrain=False, reason=f"{verdict.status}: {verdict.reason}")
    return Decision(retrain=True, reason=verdict.reason)


def known_entry(window_digest: str, *, model: str, ledger: Path = LEDGER) -> Entry | None:
    """What is remembered of a window of `model`."""
    path = _file(window_digest, model, ledger)
    return Entry.read(path) if path.is_file() else None


def remember(
    window_digest: str, state: State, reason: str, *, model: str, ledger: Path = LEDGER, now: datetime | None = None
) -> Entry:
    """Writes down what came of a window, whole or not at all."""
    at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    entry = Entry(window_digest=window_digest, model=model, state=state, reason=reason, at=at)
    entry.write(_file(window_digest, model, ledger))
    return entry


def _file(window_digest: str, model: str, ledger: Path) -> Path:
    """One folder a model; a reference holds no separator, and what else is odd in it is kept out of the name."""
    folder = "".join(character if character.isalnum() or character in "-_.@" else "_" for character in model)
    return ledger / folder / f"{window_digest.removeprefix('sha256:')}.json"

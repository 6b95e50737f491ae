"""What is remembered of each window of telemetry, so that it is acted upon once, also after a restart.

One file a window and model, named by the digest of the window's rows. A run that was cut off leaves none, and is taken
up again: it registers nothing twice, because a subject is stored once and a version names the window that set it off.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract

LEDGER = Path(".edgeloop/windows")

State = Literal["kept", "registered", "refused"]


class Entry(Contract):
    """What came of one window."""

    window_digest: str
    model: str = Field(description="NAME@ALIAS that was watched")
    state: State = Field(description="kept: no retraining; registered: a new version; refused: a gate said no")
    reason: str
    at: str = Field(description="UTC, ISO 8601")


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
    """A folder a model; what is odd in a reference is kept out of the folder's name."""
    folder = "".join(character if character.isalnum() or character in "-_.@" else "_" for character in model)
    return ledger / folder / f"{window_digest.removeprefix('sha256:')}.json"

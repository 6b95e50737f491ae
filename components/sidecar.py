"""What travels beside an artifact on local disk: `<path>.meta.json`.

It carries the artifact's KFP metadata between processes and says which step wrote it with which parameters, so that a
later step never builds on an output of other parameters without noticing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeloop.errors import InputFault
from edgeloop.files import read_json, write_json

Section = Mapping[str, Any]


def path_of(artifact: Path) -> Path:
    """Where the sidecar of `artifact` lies."""
    return artifact.with_name(f"{artifact.name}.meta.json")


def write(artifact: Path, *, step: str, section: Section, metadata: Mapping[str, Any]) -> None:
    """Leaves the sidecar of an artifact that `step` wrote with `section`."""
    write_json(path_of(artifact), {"step": step, "params": dict(section), "metadata": dict(metadata)})


def metadata_of(artifact: Path) -> dict[str, Any]:
    """The KFP metadata of an artifact, empty where it has no sidecar.

    Raises:
        InputFault: The sidecar is none that `write` leaves.
    """
    return dict(_read(artifact)["metadata"]) if path_of(artifact).is_file() else {}


def refuse_stale(artifact: Path, sections: Mapping[str, Section]) -> None:
    """Refuses an artifact that was made with other parameters than `sections` holds for its step.

    Raises:
        InputFault: It was; the step, the field and what to run are named. Or the sidecar is none that `write` leaves.
    """
    if not path_of(artifact).is_file():
        return
    made = _read(artifact)
    step, then, now = made["step"], made["params"], sections.get(made["step"])
    if now is None or then == now:
        return
    changed = sorted(key for key in {*then, *now} if then.get(key) != now.get(key))
    raise InputFault(
        f"was made with another {step}.{changed[0]} ({then.get(changed[0])}, now {now.get(changed[0])})",
        where=str(artifact),
        fix=f"run again from {step}",
    )


def _read(artifact: Path) -> dict[str, Any]:
    sidecar = path_of(artifact)
    try:
        read = read_json(sidecar)
    except ValueError:  # no JSON, or no text
        read = None
    if not isinstance(read, dict) or not {"step", "params", "metadata"} <= read.keys():
        raise InputFault("is damaged", where=str(sidecar), fix=f"run again the step that writes {artifact.name}")
    return read

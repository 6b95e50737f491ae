"""What a step takes over from DVC, which tells its stages about itself in the environment.

A queued experiment runs in a copy of the project that is removed afterwards. What has to last lies in the project
itself: the signing key, and the tracking database with the model registry, unless the environment names others.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from edgeloop.keys import KEY_FILE, KEY_VARIABLE
from edgeloop.mlflow_client import DATABASE_FILE
from edgeloop.orphans import ENGINE_PID_VARIABLE

ENGINE = "dvc"
STAGE_VARIABLE, PROJECT_VARIABLE = "DVC_STAGE", "DVC_ROOT"


def variables_of(environment: Mapping[str, str], folder: Path, *, engine: int | None = None) -> dict[str, str]:
    """What to add to the environment of a step; empty where DVC did not call it.

    Args:
        environment: Of the process.
        folder: That the step runs in.
        engine: Id of DVC's own process, see `engine_pid`.
    """
    if STAGE_VARIABLE not in environment:
        return {}
    added = {"EDGELOOP_ENGINE": ENGINE, **({ENGINE_PID_VARIABLE: str(engine)} if engine else {})}
    project = Path(environment.get(PROJECT_VARIABLE, folder))
    if not project.samefile(folder):
        added[KEY_VARIABLE] = str(project / KEY_FILE)
        added["MLFLOW_TRACKING_URI"] = f"sqlite:///{project / DATABASE_FILE}"
    return {name: value for name, value in added.items() if name not in environment}


def engine_pid() -> int | None:
    """The process that runs the stages: the nearest above this one that is no part of a stage, such as its shell."""
    pid = os.getppid()
    try:
        while f"\0{STAGE_VARIABLE}=".encode() in b"\0" + Path(f"/proc/{pid}/environ").read_bytes():
            pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except OSError:  # it has just ended, is not ours to look at, or there is no /proc
        return None
    return pid if pid > 1 else None

"""What a step takes over from DVC, which tells its stages about itself in the environment.

A queued experiment runs in a copy of the project that is removed afterwards. What has to last lies in the project
itself: the signing key, and the tracking database with the model registry, unless the environment names others.
"""

from collections.abc import Mapping
from pathlib import Path

from edgeloop.keys import KEY_FILE, KEY_VARIABLE
from edgeloop.mlflow_client import DATABASE_FILE

ENGINE = "dvc"
STAGE_VARIABLE, PROJECT_VARIABLE = "DVC_STAGE", "DVC_ROOT"


def variables_of(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What to add to the environment of a step; empty where DVC did not call it.

    Args:
        environment: Of the process.
        folder: That the step runs in.
    """
    if STAGE_VARIABLE not in environment:
        return {}
    added = {"EDGELOOP_ENGINE": ENGINE}
    project = Path(environment.get(PROJECT_VARIABLE, folder))
    if not project.samefile(folder):
        added[KEY_VARIABLE] = str(project / KEY_FILE)
        added["MLFLOW_TRACKING_URI"] = f"sqlite:///{project / DATABASE_FILE}"
    return {name: value for name, value in added.items() if name not in environment}

"""What every test may rely on: fast tests first, and no usage telemetry."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COST = {"slow": 1, "privileged": 2, "long": 3}


def pytest_configure() -> None:
    os.environ.update(DO_NOT_TRACK="1", MLFLOW_DISABLE_TELEMETRY="true", DVC_NO_ANALYTICS="true")
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "EDGELOOP_FAULT_FILE", "EDGELOOP_PROGRESS"):
        os.environ.pop(variable, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; what needs rights or minutes last, and without the rights not at all."""

    def cost(item: pytest.Item) -> int:
        return max((COST[mark.name] for mark in item.iter_markers() if mark.name in COST), default=0)

    items.sort(key=cost)
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("privileged"):
                item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture
def root() -> Path:
    """The project's root folder."""
    return ROOT

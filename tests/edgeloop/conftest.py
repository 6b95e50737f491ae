"""The converted model of `conversion/`, made once for all rooms that need one."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest


def _shapes() -> Any:
    """The module that makes the dataset and the model; tests are no packages, so that it is found by its path."""
    path = Path(__file__).parent / "conversion" / "conftest.py"
    spec = spec_from_file_location("shapes", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["shapes"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def shapes() -> Any:
    return _shapes()


@pytest.fixture(scope="session")
def made(shapes: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folders `dataset`, `validation`, `model` and, beside them, `converted`."""
    from edgeloop.conversion import ConvertParams, convert

    root = tmp_path_factory.mktemp("steps")
    folders = shapes.Folders(root / "dataset", root / "validation", root / "model")
    shapes.write_dataset(folders.dataset, folders.validation)
    shapes.write_model(folders)
    convert(
        ConvertParams(),
        model=folders.model,
        dataset=folders.dataset,
        validation=folders.validation,
        converted=root / "converted",
    )
    return folders

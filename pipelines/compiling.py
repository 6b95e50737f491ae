"""The pipeline and its components as files that Kubeflow Pipelines takes; byte for byte the same at every call."""

import importlib
import tempfile
from pathlib import Path

from components import STEPS
from edgeloop.files import write_text
from edgeloop.params import Params


def compile_all(params: Params, folder: Path) -> list[Path]:
    """Writes `release.yaml` and `components/<step>.yaml`.

    Args:
        params: Defaults of the pipeline's parameters, shown on the page of a cluster.
        folder: Where to write.

    Returns:
        The files, in the order written.
    """
    from kfp import compiler

    from components.factory import component
    from pipelines.release import release_pipeline

    wanted = {folder / "release.yaml": release_pipeline(params)}
    for step, module in STEPS.items():
        wanted[folder / "components" / f"{step}.yaml"] = component(getattr(importlib.import_module(module), step))
    with tempfile.TemporaryDirectory() as scratch:
        for path, thing in wanted.items():
            made = Path(scratch) / path.name
            compiler.Compiler().compile(thing, str(made))
            write_text(path, made.read_text(encoding="utf-8"))
    return list(wanted)

"""The pipelines and their components as files that Kubeflow Pipelines takes; byte for byte the same at every call."""

import importlib
import re
import tempfile
from pathlib import Path

from components import MONITOR_STEPS, STEPS
from edgeloop.files import write_text
from edgeloop.params import Params
from pipelines.drawing import drawn

DEVICE_CLASS = "workstation"
"""Whose champion the compiled monitor watches by default; `model` is a parameter of the pipeline."""


def compile_all(params: Params, folder: Path) -> list[Path]:
    """Writes `release.yaml`, `release.svg` and `components/<step>.yaml`, and `monitor.yaml` for the registered model.

    Args:
        params: Defaults of the pipeline's parameters, shown on the page of a cluster.
        folder: Where to write.

    Returns:
        The files, in the order written.
    """
    from kfp import compiler

    from components.factory import component
    from pipelines.monitor import monitor_pipeline
    from pipelines.release import release_pipeline

    watched = f"{params.register.name}@{params.register.alias}-{DEVICE_CLASS}"
    wanted = {
        folder / "release.yaml": release_pipeline(params),
        folder / "monitor.yaml": monitor_pipeline(params, model=watched),
    }
    for step, module in {**STEPS, **MONITOR_STEPS}.items():
        wanted[folder / "components" / f"{step}.yaml"] = component(getattr(importlib.import_module(module), step))
    with tempfile.TemporaryDirectory() as scratch:
        for path, thing in wanted.items():
            made = Path(scratch) / path.name
            compiler.Compiler().compile(thing, str(made))
            write_text(path, stable(made.read_text(encoding="utf-8")))
    picture = folder / "release.svg"
    write_text(picture, drawn(params))
    return [*wanted, picture]


def stable(text: str) -> str:
    """Without the defaults in KFP's comments: it prints mappings there in another order at each call."""
    return re.sub(r"^(#    \w+: dict) \[Default: .*\]$", r"\1", text, flags=re.MULTILINE)

"""dvc.yaml, rendered from the compiled pipeline: a stage a step, each calling `python -m components`.

What a stage depends on: its input artifacts with their sidecars, its section of params.yaml, the library, its own
component and the lock file. The library counts as a whole, because the lineage of a model names the code as a whole.
`devices` has no task in the pipeline: it writes the fingerprint of this machine, on which `benchmark` depends, so that
results pulled from another machine are measured again. It runs once a boot.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from components import STEPS
from edgeloop.params import FILE, SECTIONS, Params
from pipelines import graph

ARTIFACTS = "artifacts"
FINGERPRINT = f"{ARTIFACTS}/devices/fingerprint.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
DEVICES = "manifests/devices"

HEAD = "# Written by `python -m pipelines dvc` from the compiled pipeline; do not edit.\n"

PLOTS = [
    {
        "learning curve": {
            "template": "linear",
            "x": "epoch",
            "y": {f"{ARTIFACTS}/train/history/history.csv": ["train_loss", "val_loss"]},
            "title": "Loss over epochs",
        }
    },
    {
        "accuracy": {
            "template": "linear",
            "x": "epoch",
            "y": {f"{ARTIFACTS}/train/history/history.csv": "val_accuracy"},
            "title": "Accuracy on val over epochs",
        }
    },
    {
        "confusion matrix (test)": {
            "template": "confusion",
            "x": "actual",
            "y": {f"{ARTIFACTS}/evaluate/evaluation/confusion.csv": "predicted"},
            "title": "Confusion matrix on test",
        }
    },
]

METRICS = [
    f"{ARTIFACTS}/train/metrics",
    f"{ARTIFACTS}/benchmark/measurements/metrics.json",
    f"{ARTIFACTS}/evaluate/metrics",
]


def rendered(params: Params) -> str:
    """The text of dvc.yaml for these parameters; they decide only which files outside the project are read."""
    spec = graph.compiled(params)
    stages: dict[str, Any] = {"devices": _devices()}
    for step in graph.order(spec):
        stages[step] = _stage(spec, step, params)
    whole = {"stages": stages, "metrics": METRICS, "plots": PLOTS}
    return HEAD + yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=1000)


def _devices() -> dict[str, Any]:
    return {
        "cmd": f"python -m edgeloop devices fingerprint --output {FINGERPRINT}",
        "desc": "what this machine is, for the stages that measure",
        "deps": [BOOT_ID, DEVICES, "edgeloop", "requirements.lock"],
        "outs": [FINGERPRINT],
    }


def _stage(spec: graph.Spec, step: str, params: Params) -> dict[str, Any]:
    inputs = {
        edge.input: f"{ARTIFACTS}/{edge.producer}/{edge.output}" for edge in graph.edges(spec) if edge.consumer == step
    }
    outputs = {name: f"{ARTIFACTS}/{step}/{name}" for name in sorted(graph.outputs(spec, step))}
    arguments = [f"{name}={path}" for name, path in [*sorted(inputs.items()), *outputs.items()]]
    section = [] if step == "check_params" else [f"params={FILE}:{step}"]
    return {
        "cmd": " ".join(["python -m components", step, *section, *arguments]),
        "deps": [
            *_with_sidecars(sorted(set(inputs.values()))),
            *_outside(step, params),
            "edgeloop",
            f"{STEPS[step].replace('.', '/')}.py",
            "requirements.lock",
        ],
        "params": list(SECTIONS) if step == "check_params" else [step],
        "outs": _with_sidecars(outputs.values()),
    }


def _with_sidecars(paths: Iterable[str]) -> list[str]:
    return [name for path in paths for name in (path, f"{path}.meta.json")]


def _outside(step: str, params: Params) -> list[str]:
    """Files that a step reads beside its artifacts."""
    if step == "prepare_data" and params.prepare_data.path is not None:
        return [Path(params.prepare_data.path).as_posix()]
    if step == "validate_data":
        return [params.validate_data.suite.as_posix()]
    if step == "benchmark":
        return [FINGERPRINT, DEVICES]
    return []

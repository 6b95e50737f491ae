"""dvc.yaml, rendered from the compiled pipeline: a stage a step, each calling `python -m components`.

A stage depends on its input artifacts with their sidecars, its section of params.yaml, the code and the lock file. The
code counts as a whole, because the lineage of a model names it as a whole; `register`, which writes that lineage,
depends on all that it names. DVC brings back the outputs of an earlier run where it knows one of the same inputs; not
those of `register`, whose effect lies in the model registry, nor of `devices`, which asks the machine.

`devices` has no task in the pipeline: it writes the fingerprint of this machine, on which `benchmark` depends, so that
results pulled from another machine are measured again. It runs once a boot. `check_params` refuses a dvc.yaml that is
stale, because the parameters decide which files outside the project a stage depends on.

A stage's command names DVC's own process to the step, see `edgeloop.orphans`: its shell's parent, which the shell
knows from the moment it starts, however soon after that DVC is killed.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from components.exclusive import ARTIFACTS
from edgeloop import plugins
from edgeloop.data.suite import suite_of_kind
from edgeloop.errors import InputFault, translated
from edgeloop.files import write_text
from edgeloop.lineage.code import LOCK_FILE, PACKAGES
from edgeloop.orphans import ENGINE_PID_VARIABLE
from edgeloop.params import FILE, RELEASE_SECTIONS, Params
from pipelines import graph
from pipelines.engine import CHECK

STAGES_FILE = Path("dvc.yaml")
FINGERPRINT = f"{ARTIFACTS}/devices/fingerprint.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
DEVICES = "manifests/devices"
REGISTER = "register"
RUNS = ("edgeloop", "components")
"""What every stage runs."""

SEEN_BY_DVC = ("s3://", "gs://", "azure://", "ssh://", "hdfs://", "http://", "https://")
"""Addresses whose changes DVC notices by itself; of others it is told nothing."""

RUN_STEP = f"{ENGINE_PID_VARIABLE}=$PPID python -m components"

HEAD = "# Written by `python -m pipelines dvc` from the compiled pipeline; do not edit.\n"

PLOTS = [
    {
        "loss": {
            "template": "linear",
            "x": "epoch",
            "y": {f"{ARTIFACTS}/train/history/history.csv": ["train_loss", "val_loss"]},
            "y_label": "loss",
            "title": "Loss over epochs",
        }
    },
    {
        "metric": {
            "template": "linear",
            "x": "epoch",
            "y": {f"{ARTIFACTS}/train/history/history.csv": "val_metric"},
            "title": "The task's metric on val over epochs",
        }
    },
    {
        "confusion": {
            "template": "confusion",
            "x": "actual",
            "y": {f"{ARTIFACTS}/evaluate/evaluation/confusion.csv": "predicted"},
            "title": "Confusion matrix of the chosen variant on test",
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


def write(params: Params, path: Path = STAGES_FILE) -> None:
    """Writes dvc.yaml.

    Raises:
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
    """
    write_text(path, rendered(params))


def refuse_stale(params: Params, path: Path = STAGES_FILE) -> None:
    """Refuses a dvc.yaml that is not what `write` would write.

    Raises:
        InputFault: It is not, or there is none.
    """
    with translated(path):
        found = path.read_bytes() if path.exists() else b""
    if found != rendered(params).encode():
        raise InputFault(
            "does not fit the pipeline and params.yaml", where=str(path), fix="run: python -m pipelines dvc"
        )


def _devices() -> dict[str, Any]:
    return {
        "cmd": f"python -m edgeloop devices fingerprint --output {FINGERPRINT}",
        "desc": "what this machine and the declared devices are, for the stages that measure",
        "deps": [BOOT_ID, DEVICES, "edgeloop", LOCK_FILE],
        "outs": _never_restored([FINGERPRINT]),
    }


def _stage(spec: graph.Spec, step: str, params: Params) -> dict[str, Any]:
    inputs = {
        edge.input: f"{ARTIFACTS}/{edge.producer}/{edge.output}" for edge in graph.edges(spec) if edge.consumer == step
    }
    outputs = {name: f"{ARTIFACTS}/{step}/{name}" for name in sorted(graph.outputs(spec, step))}
    code = [*PACKAGES, LOCK_FILE] if step == REGISTER else [*RUNS, LOCK_FILE]
    outs = _with_sidecars(outputs.values())
    return {
        "cmd": _command(step, {**dict(sorted(inputs.items())), **outputs}),
        "deps": [*_with_sidecars(sorted(set(inputs.values()))), *_outside(step, params), *code],
        "params": list(RELEASE_SECTIONS) if step == CHECK else [step],
        "outs": _never_restored(outs) if step == REGISTER else outs,
    }


def _never_restored(outs: Iterable[str]) -> list[dict[str, Any]]:
    """Outputs that DVC never takes from an earlier run instead of running the stage, which persisting ones are not."""
    return [{out: {"persist": True}} for out in outs]


def _command(step: str, artifacts: dict[str, str]) -> str:
    arguments = " ".join(f"{name}={path}" for name, path in artifacts.items())
    if step == CHECK:
        return f"python -m pipelines dvc --check && {RUN_STEP} {step} {arguments}"
    return f"{RUN_STEP} {step} params={FILE}:{step} {arguments}"


def _with_sidecars(paths: Iterable[str]) -> list[str]:
    return [name for path in paths for name in (path, f"{path}.meta.json")]


def _outside(step: str, params: Params) -> list[str]:
    """Files that a step reads beside its artifacts."""
    if step == "prepare_data":
        path, url = params.prepare_data.path, params.prepare_data.url
        if path is not None:
            return [path.as_posix()]
        return [url] if url is not None and url.startswith(SEEN_BY_DVC) else []
    if step == "validate_data":
        source = plugins.load("sources", params.prepare_data.source)
        return [(params.validate_data.suite or suite_of_kind(source.kind)).as_posix()]
    if step == "train":
        parent = params.train.init_from
        begun_with = [] if parent is None or "@" in parent else [Path(parent)]  # NAME@ALIAS is no file
        erased = [] if params.train.erased is None else [params.train.erased]
        return [path.as_posix() for path in (*begun_with, *erased)]
    if step == "benchmark":
        return [FINGERPRINT, DEVICES]
    return []

"""The compiled pipeline as plain values: which task feeds which, and the same pipeline begun halfway."""

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from edgeloop.errors import InputFault
from edgeloop.params import Params

CHECK_TASK = "check-params"

Spec = dict[str, Any]
"""A PipelineSpec as JSON types."""


@dataclass(frozen=True)
class Edge:
    """One artifact on its way from the task that writes it to a task that reads it; names as in Python."""

    producer: str
    output: str
    consumer: str
    input: str


def compiled(params: Params) -> Spec:
    """The release pipeline, with `params` as its defaults."""
    from pipelines.release import release_pipeline

    return spec_of(release_pipeline(params))


def spec_of(pipeline: Any) -> Spec:
    """What KFP made of a pipeline function."""
    from google.protobuf import json_format

    return dict(json_format.MessageToDict(pipeline.pipeline_spec))


def step_name(task: str) -> str:
    """KFP mangles `prepare_data` to `prepare-data`; this is the way back."""
    return task.replace("-", "_")


def tasks(spec: Spec) -> dict[str, Any]:
    """The task specifications by KFP's task name."""
    return dict(spec["root"]["dag"]["tasks"])


def edges(spec: Spec) -> Iterator[Edge]:
    """Every artifact edge of the DAG."""
    for consumer, task in tasks(spec).items():
        for name, source in task.get("inputs", {}).get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            yield Edge(step_name(produced["producerTask"]), produced["outputArtifactKey"], step_name(consumer), name)


def order(spec: Spec) -> list[str]:
    """The steps, each after those it depends on; ties in the order of their names, so that it is one order."""
    sorter = TopologicalSorter(
        {step_name(name): sorted(map(step_name, task.get("dependentTasks", []))) for name, task in tasks(spec).items()}
    )
    sorter.prepare()
    steps: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        steps += ready
        sorter.done(*ready)
    return steps


def outputs(spec: Spec, step: str) -> dict[str, str]:
    """The output artifacts of a step: name → schema title, such as `system.Dataset`."""
    component = spec["components"][f"comp-{step.replace('_', '-')}"]
    artifacts = component.get("outputDefinitions", {}).get("artifacts", {})
    return {name: definition["artifactType"]["schemaTitle"] for name, definition in artifacts.items()}


def begun_at(spec: Spec, kept: Collection[str], artifacts: Path) -> Spec:
    """The pipeline with only the `kept` steps; what others would hand them is imported from `artifacts`.

    Raises:
        InputFault: An artifact that is needed does not exist.
    """
    partial = copy.deepcopy(spec)
    dag = partial["root"]["dag"]
    for name in [name for name in dag["tasks"] if step_name(name) not in kept]:
        del dag["tasks"][name]
    for edge in [edge for edge in edges(spec) if edge.consumer in kept and edge.producer not in kept]:
        _import(partial, edge, artifacts / edge.producer / edge.output, outputs(spec, edge.producer)[edge.output])
    for name, task in dag["tasks"].items():
        waits = {other for other in task.get("dependentTasks", []) if other in dag["tasks"]}
        if step_name(name) in kept and name != CHECK_TASK and CHECK_TASK in dag["tasks"]:
            waits.add(CHECK_TASK)  # nothing runs before the parameters were checked, wherever a run begins
        task["dependentTasks"] = sorted(waits)
    if "register" not in kept:
        dag.pop("outputs", None)
        partial["root"].pop("outputDefinitions", None)
    return partial


def _import(spec: Spec, edge: Edge, path: Path, schema: str) -> None:
    """Puts an importer of `path` in the place of the task that would have written it."""
    if not path.exists():
        raise InputFault("does not exist", where=str(path), fix=f"run from {edge.producer} first")
    name = f"imported-{edge.producer}-{edge.output}".replace("_", "-")
    kind = {"schemaTitle": schema, "schemaVersion": "0.0.1"}
    if name not in spec["root"]["dag"]["tasks"]:
        spec["root"]["dag"]["tasks"][name] = {"componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": name}}
        spec["components"][f"comp-{name}"] = {
            "executorLabel": f"exec-{name}",
            "outputDefinitions": {"artifacts": {"artifact": {"artifactType": kind}}},
        }
        spec["deploymentSpec"]["executors"][f"exec-{name}"] = {
            "importer": {"artifactUri": {"constant": str(path.resolve())}, "typeSchema": kind}
        }
    consumer = spec["root"]["dag"]["tasks"][edge.consumer.replace("_", "-")]
    consumer["inputs"]["artifacts"][edge.input] = {
        "taskOutputArtifact": {"producerTask": name, "outputArtifactKey": "artifact"}
    }
    consumer["dependentTasks"] = [*consumer.get("dependentTasks", []), name]

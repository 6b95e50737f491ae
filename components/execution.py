"""A component function on local paths, called by KFP's own executor, so that it behaves as on a cluster."""

import inspect
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components import sidecar

Function = Callable[..., Any]


def ports(function: Function) -> tuple[list[str], list[str]]:
    """The names of the input and of the output artifacts of a component function."""
    from kfp.dsl.types import type_annotations

    annotations = {name: p.annotation for name, p in inspect.signature(function).parameters.items()}
    artifacts = {n: a for n, a in annotations.items() if type_annotations.is_Input_Output_artifact_annotation(a)}
    inputs = [
        name for name, annotation in artifacts.items() if type_annotations.is_artifact_wrapped_in_Input(annotation)
    ]
    return inputs, [name for name in artifacts if name not in inputs]


def parameter_names(function: Function) -> dict[str, bool]:
    """The parameters of a component function that are no artifacts: name → whether it must be given."""
    inputs, outputs = ports(function)
    parameters = inspect.signature(function).parameters
    return {
        name: parameter.default is inspect.Parameter.empty
        for name, parameter in parameters.items()
        if name not in (*inputs, *outputs)
    }


def execute(
    function: Function, values: dict[str, Any], inputs: dict[str, Path], outputs: dict[str, Path]
) -> dict[str, Any]:
    """Runs a component function by KFP's executor.

    Args:
        function: The component function.
        values: Its parameters.
        inputs: Its input artifacts.
        outputs: Where its output artifacts go.

    Returns:
        What the executor wrote: `parameterValues` and `artifacts`, as KFP has them.
    """
    from kfp.dsl.executor import Executor

    with tempfile.TemporaryDirectory() as scratch:
        output_file = Path(scratch) / "executor_output.json"
        executor_input = {
            "inputs": {
                "parameterValues": values,
                "artifacts": {name: _artifact(function, name, path) for name, path in inputs.items()},
            },
            "outputs": {
                "artifacts": {name: _artifact(function, name, path) for name, path in outputs.items()},
                "outputFile": str(output_file),
            },
        }
        Executor(executor_input=executor_input, function_to_execute=function).execute()
        return dict(json.loads(output_file.read_text(encoding="utf-8"))) if output_file.is_file() else {}


def _artifact(function: Function, name: str, path: Path) -> dict[str, Any]:
    kind = function.__annotations__[name].__origin__
    return {
        "artifacts": [
            {
                "name": name,
                "uri": str(path.resolve()),
                "metadata": sidecar.metadata_of(path),
                "type": {"schemaTitle": kind.schema_title, "schemaVersion": kind.schema_version},
            }
        ]
    }

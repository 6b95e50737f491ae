"""A compiled pipeline run by kfp.local in processes of its own, its outputs under artifacts/<step>/<output>.

kfp.local writes into a folder of its own for each run; when the run is over, whole steps are moved to their places.
What a failed step left behind is moved too, for the report; what a gate refused is refused again by whoever reads it.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import sidecar
from components.exclusive import ARTIFACTS
from edgeloop.errors import FAULT_FILE_VARIABLE, EdgeloopError, EnvironmentFault, translated
from edgeloop.files import read_json, renamed
from edgeloop.orphans import ENGINE_PID_VARIABLE
from edgeloop.params import RELEASE_SECTIONS
from edgeloop.progress import VARIABLE as PROGRESS_VARIABLE
from pipelines import graph
from pipelines.warm import forking
from pipelines.watching import Watcher, view_of

ENGINE_VARIABLE = "EDGELOOP_ENGINE"
CHECK = "check_params"


@dataclass(frozen=True)
class Execution:
    """What came of running a pipeline.

    Args:
        outputs: The pipeline's output parameters.
        ran: The steps that began, in their order.
        failed_at: The step that failed, None when none did.
        failure: Its fault, None as above.
    """

    outputs: Mapping[str, Any]
    ran: tuple[str, ...]
    failed_at: str | None = None
    failure: EdgeloopError | None = None


class StepFailed(EdgeloopError):
    """A step ended the run; carries the exit code that the step asked for."""

    def __init__(self, line: str, *, exit_code: int) -> None:
        super().__init__(line)
        self.exit_code = exit_code


def execute(
    spec: graph.Spec,
    sections: Mapping[str, Any],
    *,
    steps: Sequence[str],
    arguments: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Execution:
    """Runs a pipeline and moves what its steps wrote to their places.

    Args:
        spec: The compiled pipeline.
        sections: The parameters that it was compiled with, for the sidecars.
        steps: The steps to show, in their order; not all need to run.
        arguments: Of the pipeline, beside its defaults.
        quiet: No progress on stderr.

    Raises:
        NotWritable, DiskFull, EnvironmentFault: The place cannot be written.
    """
    scratch = ARTIFACTS / ".run"
    with translated(ARTIFACTS):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
    try:
        execution = _executed(spec, scratch, steps=steps, arguments=arguments or {}, quiet=quiet)
        _publish(spec, scratch, sections)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return execution


def _executed(
    spec: graph.Spec, scratch: Path, *, steps: Sequence[str], arguments: Mapping[str, Any], quiet: bool
) -> Execution:
    from kfp import components, local

    fault_file = scratch / "fault.json"
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(scratch),
        workspace_root=str(scratch / "workspace"),
        raise_on_error=False,
    )
    pipeline = components.load_component_from_text(json.dumps(spec))
    variables = {
        FAULT_FILE_VARIABLE: str(fault_file.resolve()),
        PROGRESS_VARIABLE: "lines",
        ENGINE_VARIABLE: "kfp.local",
        ENGINE_PID_VARIABLE: str(os.getpid()),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")])),
    }
    with (
        _environment(variables),
        (ARTIFACTS / "run.log").open("w", encoding="utf-8") as log,
        view_of(list(steps), quiet=quiet) as view,
        forking(steps),
    ):
        watcher = Watcher(log, view)
        with redirect_stdout(watcher):
            task = pipeline(**arguments)
    ran = tuple(watcher.states)
    failed = next((step for step, state in watcher.states.items() if state != "SUCCESS"), None)
    if failed is not None or not ran:
        return Execution({}, ran, failed, _fault(fault_file, failed, watcher.last_line))
    return Execution(dict(task.outputs), ran)


def _fault(fault_file: Path, failed: str | None, last_line: str) -> EdgeloopError:
    """What stopped the run: as the step said it, or the last thing it printed before it died."""
    if fault_file.is_file():
        fault = read_json(fault_file)
        return StepFailed(fault["line"], exit_code=fault["exit_code"])
    return EnvironmentFault(
        f"ended without a word of its own ({last_line[:200] or 'no output'})",
        where=failed or "the pipeline",
        fix=f"read {ARTIFACTS / 'run.log'}",
    )


def _publish(spec: graph.Spec, scratch: Path, sections: Mapping[str, Any]) -> None:
    """Moves the outputs of every step that ran to artifacts/<step>/, sidecars first."""
    for executed in sorted(scratch.glob("*/*/executor_output.json")):
        step = graph.step_name(executed.parent.name)
        written = read_json(executed).get("artifacts", {})
        executed.unlink()
        for name in graph.outputs(spec, step):
            artifact = executed.parent / name
            if artifact.exists():
                metadata = written.get(name, {}).get("artifacts", [{}])[0].get("metadata", {})
                sidecar.write(artifact, step=step, section=section_of(step, sections), metadata=metadata)
    for folder in sorted(path for path in scratch.glob("*/*") if path.is_dir()):
        if f"comp-{folder.name}" in spec["components"]:
            _replace(folder, ARTIFACTS / graph.step_name(folder.name))


def section_of(step: str, sections: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of the parameters a step was run with: its section, or, for the check of them all, those of a release."""
    if step == CHECK:
        return {name: sections[name] for name in RELEASE_SECTIONS}
    return dict(sections.get(step, {}))


def _replace(folder: Path, target: Path) -> None:
    with translated(target):
        replaced = target.with_name(f".{target.name}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if target.exists():
            renamed(target, replaced)
        renamed(folder, target)
        shutil.rmtree(replaced, ignore_errors=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables for this process and its children, and puts back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""The release pipeline in the developer's shell, by kfp.local, its outputs under artifacts/<step>/<output>.

kfp.local writes into a folder of its own for each run; when the run is over, whole steps are moved to their places.
What a failed step left behind is moved too, for the report, but never what would let a later step go on.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import sidecar
from edgeloop.errors import (
    FAULT_FILE_VARIABLE,
    EdgeloopError,
    EnvironmentFault,
    InputFault,
    from_os_error,
    translated,
)
from edgeloop.files import read_json, renamed
from edgeloop.params import Params
from edgeloop.progress import VARIABLE as PROGRESS_VARIABLE
from pipelines import graph
from pipelines.watching import Watcher, view_of

ARTIFACTS = Path("artifacts")
ENGINE_VARIABLE = "EDGELOOP_ENGINE"
ALWAYS = "check_params"
"""Runs in every run, also one that begins halfway: what follows must see the parameters of today."""


@dataclass(frozen=True)
class Finished:
    """A run that came to an end.

    Args:
        uri: Address of the registered version, empty when register was not among the steps.
        subject_digest: Of the bundle, empty as above.
        bundle: The bundle's folder, None as above.
        report: The page about the run.
        steps: The steps that ran.
    """

    uri: str
    subject_digest: str
    bundle: Path | None
    report: Path
    steps: tuple[str, ...]


class StepFailed(EdgeloopError):
    """A step ended the run; carries the exit code that the step asked for."""

    def __init__(self, line: str, *, exit_code: int) -> None:
        super().__init__(line)
        self.exit_code = exit_code


def chosen_steps(order: list[str], *, first: str | None, only: str | None) -> list[str]:
    """The steps of a run, in their order.

    Raises:
        InputFault: `first` or `only` is no step.
    """
    for name in (first, only):
        if name is not None and name not in order:
            raise InputFault(
                f"no step is called {name!r}", where="--from/--only", fix=f"use one of: {', '.join(order)}"
            )
    wanted = [only] if only is not None else order[order.index(first or order[0]) :]
    kept = {ALWAYS, *wanted}
    return [step for step in order if step in kept]


def run(params: Params, *, first: str | None = None, only: str | None = None, quiet: bool = False) -> Finished:
    """Runs the release pipeline, or a part of it on what earlier runs left.

    Args:
        params: Validated parameters.
        first: Step to begin at.
        only: The one step to run.
        quiet: No progress on stderr.

    Raises:
        StepFailed: A step stopped the run; its exit code is carried.
        InputFault: An artifact of an earlier step is missing, or was made with other parameters.
        EnvironmentFault: Another run is under way here, or the place cannot be written.
    """
    with _alone(ARTIFACTS):
        spec, steps = _plan(params, first=first, only=only)
        return _run(spec, params, steps, quiet=quiet)


def planned(params: Params, *, first: str | None = None, only: str | None = None) -> list[str]:
    """The steps that `run` would run, after the same checks.

    Raises:
        InputFault: As `run`.
    """
    return _plan(params, first=first, only=only)[1]


def _plan(params: Params, *, first: str | None, only: str | None) -> tuple[graph.Spec, list[str]]:
    spec = graph.compiled(params)
    steps = chosen_steps(graph.order(spec), first=first, only=only)
    for edge in graph.edges(spec):
        if edge.consumer in steps and edge.producer not in steps:
            sidecar.refuse_stale(ARTIFACTS / edge.producer / edge.output, params.set_values())
    return graph.begun_at(spec, steps, ARTIFACTS), steps


def _run(spec: graph.Spec, params: Params, steps: list[str], *, quiet: bool) -> Finished:
    scratch = ARTIFACTS / ".run"
    with translated(ARTIFACTS):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
    try:
        uri, failure = _executed(spec, scratch, steps, quiet=quiet)
        _publish(spec, scratch, params.set_values(), steps)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report = _report(params, failure)
    if failure is not None:
        raise StepFailed(f"{failure.line()} (report: {report})", exit_code=failure.exit_code)
    if "register" not in steps:
        return Finished(uri="", subject_digest="", bundle=None, report=report, steps=tuple(steps))
    bundle = ARTIFACTS / "register" / "bundle"
    digest = str(sidecar.metadata_of(bundle)["subject_digest"])
    return Finished(uri=uri, subject_digest=digest, bundle=bundle, report=report, steps=tuple(steps))


def _executed(spec: graph.Spec, scratch: Path, steps: list[str], *, quiet: bool) -> tuple[str, EdgeloopError | None]:
    """Runs the pipeline by kfp.local: the registered address and, where a step failed, its fault."""
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
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")])),
    }
    with (
        _environment(variables),
        (ARTIFACTS / "run.log").open("w", encoding="utf-8") as log,
        view_of(steps, quiet=quiet) as view,
    ):
        watcher = Watcher(log, view)
        with redirect_stdout(watcher):
            task = pipeline()
    failed = [step for step, state in watcher.states.items() if state != "SUCCESS"]
    if failed or set(watcher.states) != set(steps):
        return "", _fault(fault_file, failed, watcher.last_line)
    return str(task.outputs.get("Output", "")) if "register" in steps else "", None


def _fault(fault_file: Path, failed: list[str], last_line: str) -> EdgeloopError:
    """What stopped the run: as the step said it, or the last thing it printed before it died."""
    if fault_file.is_file():
        fault = read_json(fault_file)
        return StepFailed(fault["line"], exit_code=fault["exit_code"])
    step = failed[0] if failed else "the pipeline"
    return EnvironmentFault(
        f"ended without a word of its own ({last_line[:200] or 'no output'})",
        where=step,
        fix=f"read {ARTIFACTS / 'run.log'}",
    )


def _publish(spec: graph.Spec, scratch: Path, sections: Mapping[str, Any], steps: Collection[str]) -> None:
    """Moves the outputs of every step that ran to artifacts/<step>/."""
    for executed in sorted(scratch.glob("*/*/executor_output.json")):
        step = graph.step_name(executed.parent.name)
        written = read_json(executed).get("artifacts", {})
        executed.unlink()
        for name in graph.outputs(spec, step):
            artifact = executed.parent / name
            if artifact.exists():
                metadata = written.get(name, {}).get("artifacts", [{}])[0].get("metadata", {})
                section = sections if step == ALWAYS else sections[step]
                sidecar.write(artifact, step=step, section=section, metadata=metadata)
    for folder in sorted(path for path in scratch.glob("*/*") if path.is_dir()):
        step = graph.step_name(folder.name)
        if step in steps:
            _replace(folder, ARTIFACTS / step)


def _replace(folder: Path, target: Path) -> None:
    with translated(target):
        replaced = target.with_name(f".{target.name}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if target.exists():
            renamed(target, replaced)
        renamed(folder, target)
        shutil.rmtree(replaced, ignore_errors=True)


def _report(params: Params, failure: EdgeloopError | None) -> Path:
    """The page of a whole run is register's; of a run that ended earlier it is made here."""
    whole = ARTIFACTS / "register" / "report"
    target = ARTIFACTS / "report.html"
    with translated(target):
        if failure is None and whole.is_file():
            shutil.copyfile(whole, target)
            return target
    from edgeloop.report import of_artifacts, render

    line = failure.line() if failure is not None else None
    return render(of_artifacts(ARTIFACTS, title=params.register.model_name, failure=line), target)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the folder for one run; the lock goes with the process, however it ends."""
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EnvironmentFault(
                "another run is under way in this project", where=str(folder), fix="wait for it, or run elsewhere"
            ) from error
        except OSError as error:
            raise from_os_error(error, folder) from error
        yield


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

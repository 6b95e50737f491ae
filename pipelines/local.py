"""The release pipeline in the developer's shell: whole, from a step on, or one step alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import sidecar
from components.exclusive import ARTIFACTS, alone
from edgeloop.devices import device_named
from edgeloop.errors import InputFault
from edgeloop.files import copy_file, whole_file
from edgeloop.params import Params
from pipelines import graph
from pipelines.engine import CHECK, Execution, StepFailed, execute

BENCHMARK = "benchmark"


@dataclass(frozen=True)
class Finished:
    """A run that came to an end.

    Args:
        steps: The steps that ran.
        report: The page about the run.
        bundle: The bundle's folder; None when register was not among the steps.
        registration: What register recorded of it: `uri`, `subject_digest` and more; empty as above.
    """

    steps: tuple[str, ...]
    report: Path
    bundle: Path | None
    registration: Mapping[str, Any]


def run(
    params: Params,
    *,
    first: str | None = None,
    only: str | None = None,
    trigger: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> Finished:
    """Runs the release pipeline, or a part of it on what earlier runs left.

    Args:
        params: Validated parameters.
        first: Step to begin at.
        only: The one step to run.
        trigger: What set a retraining off, see `edgeloop.lineage.evidence.Trigger`.
        quiet: No progress on stderr.

    Raises:
        StepFailed: A step stopped the run; its exit code is carried.
        InputFault: An artifact of an earlier step is missing, or was made with other parameters; a device is unknown.
        EnvironmentFault: Another run is under way here, or the place cannot be written.
    """
    with alone():
        spec, steps = _plan(params, first=first, only=only)
        arguments = {"trigger": dict(trigger)} if trigger else {}
        execution = execute(spec, params.set_values(), steps=steps, arguments=arguments, quiet=quiet)
        return finished(execution, params)


def planned(params: Params, *, first: str | None = None, only: str | None = None) -> list[str]:
    """The steps that `run` would run, after the same checks.

    Raises:
        InputFault: As `run`.
    """
    return _plan(params, first=first, only=only)[1]


def finished(execution: Execution, params: Params) -> Finished:
    """The end of a run, with its report.

    Raises:
        StepFailed: A step had stopped it.
    """
    report = _report(execution, params)
    if execution.failure is not None:
        code = execution.failure.exit_code
        raise StepFailed(f"{execution.failure.line()} (report: {report})", exit_code=code)
    if "register" not in execution.ran:
        return Finished(execution.ran, report, bundle=None, registration={})
    bundle = ARTIFACTS / "register" / "bundle"
    return Finished(execution.ran, report, bundle=bundle, registration=sidecar.metadata_of(bundle))


def refuse_unknown_devices(params: Params) -> None:
    """Refuses a target on a device that nobody declared, before there is anything to measure on it.

    Raises:
        InputFault: There is one.
    """
    for target in params.benchmark.targets:
        device_named(target.device)


def _plan(params: Params, *, first: str | None, only: str | None) -> tuple[graph.Spec, list[str]]:
    spec = graph.compiled(params)
    steps = chosen_steps(graph.order(spec), first=first, only=only)
    if BENCHMARK in steps:
        refuse_unknown_devices(params)
    for edge in graph.edges(spec):
        if edge.consumer in steps and edge.producer not in steps:
            sidecar.refuse_stale(ARTIFACTS / edge.producer / edge.output, params.set_values())
    return graph.begun_at(spec, steps, ARTIFACTS), steps


def chosen_steps(order: list[str], *, first: str | None, only: str | None) -> list[str]:
    """The steps of a run, in their order.

    The check of the parameters is one of them in every run: what follows must see the parameters of today.

    Raises:
        InputFault: `first` or `only` is no step.
    """
    for name in (first, only):
        if name is not None and name not in order:
            raise InputFault(
                f"no step is called {name!r}", where="--from/--only", fix=f"use one of: {', '.join(order)}"
            )
    wanted = [only] if only is not None else order[order.index(first or order[0]) :]
    return [step for step in order if step in {CHECK, *wanted}]


def _report(execution: Execution, params: Params) -> Path:
    """The page of a whole run is register's; of a run that ended earlier it is made here."""
    whole = ARTIFACTS / "register" / "report"
    target = ARTIFACTS / "report.html"
    if execution.failure is None and "register" in execution.ran:
        with whole_file(target) as partial:
            copy_file(whole, partial)
        return target
    from edgeloop.report import of_artifacts, render

    line = execution.failure.line() if execution.failure is not None else None
    inputs = of_artifacts(ARTIFACTS, title=params.register.model_name, failure=line, stopped_at=execution.failed_at)
    return render(inputs, target)

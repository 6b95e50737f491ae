"""Windows of telemetry looked at here, by the same monitor pipeline that a cluster runs, and what it leads to."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from components.exclusive import ARTIFACTS, alone
from edgeloop import references
from edgeloop.errors import EXIT_DONE, EXIT_GATE, EdgeloopError, EnvironmentFault, InputFault, translated
from edgeloop.files import read_json
from edgeloop.params import Params
from edgeloop.retraining import Entry, known_entry, remember
from edgeloop.telemetry import read_window
from pipelines import graph, local
from pipelines.engine import StepFailed, execute

DETECT = "detect_drift"


@dataclass(frozen=True)
class Outcome:
    """What came of looking at one window.

    Args:
        window_digest: Over its rows.
        state: See `edgeloop.retraining.Entry`.
        reason: Why.
        seen_before: Nothing was done now.
        registration: What register recorded, empty when nothing was registered now.
    """

    window_digest: str
    state: str
    reason: str
    seen_before: bool
    registration: dict[str, Any]

    def values(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)

    @property
    def exit_code(self) -> int:
        """1 where a gate refused the successor."""
        return EXIT_GATE if self.state == "refused" else EXIT_DONE


def monitor(params: Params, *, model: str, telemetry: Path, quiet: bool = False) -> Outcome:
    """Looks at one window once: compares it with the model in use, and releases from that model on drift.

    Args:
        params: Of the release that drift sets off.
        model: NAME@ALIAS.
        telemetry: Parquet or CSV, see `edgeloop.telemetry`.
        quiet: No progress on stderr.

    Raises:
        InputFault: The telemetry or the model cannot be used.
        StepFailed: A step failed for a reason that may pass; the window is taken up again next time.
    """
    named = refuse_other_name(params, model)
    digest = read_window(telemetry).digest
    if (known := known_entry(digest, model=model)) is not None:
        return _seen(known)
    with alone():
        from pipelines.monitor import monitor_pipeline

        spec = graph.spec_of(monitor_pipeline(params, model=named))
        sections = begun_from(params, named).set_values()
        arguments = {"telemetry": str(telemetry.resolve())}
        execution = execute(spec, sections, steps=[DETECT], arguments=arguments, quiet=quiet)
        if execution.failed_at == DETECT or DETECT not in execution.ran:
            assert execution.failure is not None
            raise execution.failure
        detected = read_json(ARTIFACTS / DETECT / "detection")
        if detected["decision"] == "keep":
            return _remembered(digest, "kept", detected["reason"], model)
        if len(execution.ran) == 1:  # kfp.local takes a condition that it cannot evaluate for "no", in silence
            raise EnvironmentFault("the pipeline did not act on drift", where=model, fix="read artifacts/run.log")
        try:
            finished = local.finished(execution, params)
        except StepFailed as refusal:
            if refusal.exit_code != EXIT_GATE:
                raise
            return _remembered(digest, "refused", refusal.line(), model)
        registration = dict(finished.registration)
        return _remembered(digest, "registered", registration["promotion"], model, registration)


def retrain(
    params: Params, *, model: str, reason: Literal["schedule", "drift", "manual"], quiet: bool = False
) -> local.Finished:
    """Releases from a registered model, whatever the telemetry says.

    Raises:
        As `pipelines.local.run`.
    """
    named = refuse_other_name(params, model)
    with references.opened(named) as bundle:
        version = references.version_of(named, bundle.manifest.subject_digest)
    trigger = {"reason": reason, "parent": f"{named.partition('@')[0]} {version}" if version else named}
    return local.run(begun_from(params, named), trigger=trigger, quiet=quiet)


def watch(
    params: Params,
    folder: Path,
    *,
    model: str,
    every_s: float,
    rounds: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Looks at every window that appears in a folder, each once; goes on until it is ended.

    What goes wrong with one window is told on stderr, whatever it is: the others are looked at all the same, and it is
    looked at again in the next round. Writers rename whole files into the folder; names that begin with a dot are left
    alone.

    Args:
        params: Of the release that drift sets off.
        folder: Where windows appear, as Parquet or CSV.
        model: NAME@ALIAS.
        every_s: Seconds from one look to the next.
        rounds: How many looks; None for no end.
        sleep: Waits.

    Returns:
        The exit code of the last round: the highest of its windows.

    Raises:
        InputFault: There is no such folder, or the model is not that of the parameters.
    """
    refuse_other_name(params, model)
    if not folder.is_dir():
        raise InputFault("is no folder", where=str(folder), fix="make it, or name another")
    looked, code = 0, EXIT_DONE
    while rounds is None or looked < rounds:
        if looked:
            sleep(every_s)
        code = max([_look(params, window, model=model) for window in windows_in(folder)], default=EXIT_DONE)
        looked += 1
    return code


def windows_in(folder: Path) -> list[Path]:
    """Windows in a folder, oldest first."""
    with translated(folder):
        files = [path for path in folder.iterdir() if path.suffix in (".parquet", ".csv") and path.name[0] != "."]
        return sorted(files, key=lambda path: (path.stat().st_mtime_ns if path.exists() else 0, path.name))


def _look(params: Params, window: Path, *, model: str) -> int:
    """The exit code that `monitor` would end with, 0 for a window that was seen before."""
    try:
        outcome = monitor(params, model=model, telemetry=window)
    except Exception as error:  # nobody is there to start a watch again that one window ended
        fault = error if isinstance(error, EdgeloopError) else EdgeloopError(f"{type(error).__name__}: {error}")
        print(f"{window}: {fault.line()}", file=sys.stderr, flush=True)
        return fault.exit_code
    if outcome.seen_before:
        return EXIT_DONE
    print(json.dumps({"window": str(window), **outcome.values()}), flush=True)
    return outcome.exit_code


def refuse_other_name(params: Params, model: str) -> str:
    """`model`, when it is the one that the parameters register.

    Raises:
        InputFault: It is another: its successor would be registered under a foreign name.
    """
    named = references.parsed(model)
    if isinstance(named, references.Reference) and named.name != params.register.name:
        raise InputFault(
            f"is not the model that these parameters register ({params.register.name})",
            where=model,
            fix="give the scenario or -S register.model_name that made it",
        )
    return model if isinstance(named, references.Reference) else str(named.resolve())


def begun_from(params: Params, model: str) -> Params:
    """The same parameters, with `train.init_from`."""
    return params.model_copy(update={"train": params.train.model_copy(update={"init_from": model})})


def _seen(entry: Entry) -> Outcome:
    return Outcome(entry.window_digest, entry.state, entry.reason, seen_before=True, registration={})


def _remembered(
    digest: str, state: Any, reason: str, model: str, registration: dict[str, Any] | None = None
) -> Outcome:
    entry = remember(digest, state, reason, model=model)
    return Outcome(entry.window_digest, entry.state, entry.reason, seen_before=False, registration=registration or {})

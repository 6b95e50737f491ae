"""Runs in MLflow: what a step logs of itself.

A new run belongs to the experiment of `edgeloop.mlflow_client`; the run in `MLFLOW_RUN_ID` is adopted, and stays open
for its owner. A run must begin, so that a wrong address costs no training. After that the work counts more than its
log: when the server goes away the logging ends, not the work; the first fault is told once on stderr and kept in the
record. What must arrive, such as a registered bundle, goes through `client()` inside `server_faults()`, which raise.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.errors import EdgeloopError
from edgeloop.mlflow_client import active_experiment, client, first_contact, server_faults, tracking_uri

__all__ = [
    "TrackedRun",
    "Tracker",
    "TrackingRecord",
    "client",
    "server_faults",
    "tracked_run",
    "tracking_uri",
    "untracked_run",
]

FLUSH_INTERVAL_S = 5.0
"""Metrics are sent in batches, at least this long apart."""

_BATCH_METRICS, _BATCH_PARAMS = 1000, 100  # the most that MLflow takes at once
_TAGS = {"mlflow.source.name": "edgeloop"}


class TrackingRecord(Contract):
    """What a step writes as tracking.json; no address, because that may hold credentials."""

    format: int = 1
    uri_scheme: str | None = Field(description="http, sqlite, …; null where nothing was tracked")
    run_id: str | None
    experiment: str | None
    fault: str | None = Field(default=None, description="why the log of the run is not complete")


class TrackedRun(Protocol):
    """A run to log to."""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Parameters; nested mappings become dotted names."""

    def log_metrics(self, metrics: Mapping[str, float], *, step: int) -> None:
        """Metrics of one step."""

    def log_file(self, path: Path, folder: str) -> None:
        """A copy of the file in `folder` of the run's artifacts."""

    def nested(self, name: str) -> "AbstractContextManager[TrackedRun]":
        """A run below this one that ends with the block: as failed where the block raises."""

    def record(self) -> TrackingRecord:
        """Where the run is, and whether the log is complete up to now."""


class Tracker(Protocol):
    """A way to track a run, such as `tracked_run` and `untracked_run`."""

    def __call__(self, name: str, /) -> AbstractContextManager[TrackedRun]:
        """Begins a run that ends with the block."""


@contextmanager
def untracked_run(_name: str, /) -> Iterator[TrackedRun]:
    """A run that nobody keeps; needs no MLflow."""
    yield _Unkept()


@contextmanager
def tracked_run(name: str, /) -> Iterator[TrackedRun]:
    """A run in MLflow, see the module; it ends as FAILED when the block raises.

    Raises:
        MissingExtra: MLflow is not installed.
        ServerFault, EnvironmentFault: The run could not begin.
    """
    run = _begun(client(), name)
    try:
        yield run
    except BaseException:
        run.end("FAILED")
        raise
    run.end("FINISHED")


class _Unkept:
    """See `TrackedRun`."""

    def log_params(self, params: Mapping[str, Any]) -> None:
        pass

    def log_metrics(self, metrics: Mapping[str, float], *, step: int) -> None:
        pass

    def log_file(self, path: Path, folder: str) -> None:
        pass

    def nested(self, name: str) -> "AbstractContextManager[TrackedRun]":
        return untracked_run(name)

    def record(self) -> TrackingRecord:
        return TrackingRecord(uri_scheme=None, run_id=None, experiment=None)


class _MlflowRun:
    """See `TrackedRun`.

    Args:
        opened: The client.
        run_id: Of a run that exists.
        experiment: Its name.
        adopted: It belongs to whoever set `MLFLOW_RUN_ID`.
    """

    def __init__(self, opened: Any, run_id: str, *, experiment: str, adopted: bool) -> None:
        self._client, self._run_id, self._experiment, self._adopted = opened, run_id, experiment, adopted
        self._scheme = urlsplit(opened.tracking_uri).scheme
        self._waiting: list[Any] = []
        self._flushed_at_s = time.monotonic()
        self._fault: str | None = None

    def log_params(self, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        entities = [Param(key, value) for key, value in flattened(params).items()]
        for batch in _batches(entities, _BATCH_PARAMS):
            self._send(partial(self._client.log_batch, self._run_id, params=batch))

    def log_metrics(self, metrics: Mapping[str, float], *, step: int) -> None:
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        self._waiting += [Metric(key, float(value), now_ms, step) for key, value in metrics.items()]
        if time.monotonic() - self._flushed_at_s >= FLUSH_INTERVAL_S:
            self._flush()

    def log_file(self, path: Path, folder: str) -> None:
        self._send(lambda: self._client.log_artifact(self._run_id, str(path), folder))

    @contextmanager
    def nested(self, name: str) -> "Iterator[TrackedRun]":
        child = self._child(name)
        if child is None:  # the log has ended, and the work goes on
            with untracked_run(name) as unkept:
                yield unkept
            return
        try:
            yield child
        except BaseException:
            child.end("FAILED")
            raise
        else:
            child.end("FINISHED")
        finally:
            self._fault = self._fault or child._fault

    def record(self) -> TrackingRecord:
        return TrackingRecord(
            uri_scheme=self._scheme, run_id=self._run_id, experiment=self._experiment, fault=self._fault
        )

    def end(self, status: str) -> None:
        """Sends what waits and closes the run; an adopted run that did not fail stays as it is."""
        self._flush()
        if status == "FAILED" or not self._adopted:
            self._send(lambda: self._client.set_terminated(self._run_id, status=status))

    def _child(self, name: str) -> "_MlflowRun | None":
        """A new run below this one, in the same experiment; None where it could not begin."""
        begun: list[_MlflowRun] = []

        def begin() -> None:
            experiment = self._client.get_run(self._run_id).info.experiment_id
            tags = {**_TAGS, "mlflow.parentRunId": self._run_id}
            run = self._client.create_run(experiment, run_name=name, tags=tags)
            begun.append(_MlflowRun(self._client, run.info.run_id, experiment=self._experiment, adopted=False))

        self._send(begin)
        return begun[0] if begun else None

    def _flush(self) -> None:
        for batch in _batches(self._waiting, _BATCH_METRICS):
            self._send(partial(self._client.log_batch, self._run_id, metrics=batch))
        self._waiting, self._flushed_at_s = [], time.monotonic()

    def _send(self, request: Callable[[], Any]) -> None:
        """Does `request`, unless one failed before; a first fault is told and kept, and the work goes on."""
        if self._fault is not None:
            return
        try:
            with server_faults():
                request()
        except EdgeloopError as error:
            self._fault = error.line()
            print(f"tracking stopped, the work goes on: {self._fault}", file=sys.stderr, flush=True)


def flattened(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested mappings as dotted names, values as text."""
    flat: dict[str, str] = {}
    for key, value in params.items():
        flat |= flattened(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": str(value)}
    return flat


def _batches(entities: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (entities[start : start + size] for start in range(0, len(entities), size))


def _begun(opened: Any, name: str) -> _MlflowRun:
    """The adopted run, or a new one of the experiment."""
    with first_contact():
        if run_id := os.environ.get("MLFLOW_RUN_ID"):
            adopted = opened.get_run(run_id)
            experiment = opened.get_experiment(adopted.info.experiment_id)
            return _MlflowRun(opened, run_id, experiment=experiment.name, adopted=True)
        experiment = active_experiment(opened)
        run = opened.create_run(experiment.experiment_id, run_name=name, tags=_TAGS)
        return _MlflowRun(opened, run.info.run_id, experiment=experiment.name, adopted=False)

"""MLflow itself: its address, its client, and its errors as faults of ours.

The address is `MLFLOW_TRACKING_URI`, else the SQLite database `mlflow.db` in the current folder. The artifacts of an
embedded database lie in `mlartifacts` beside it; those of a server where the server keeps them. Experiments are
named by `MLFLOW_EXPERIMENT_NAME`, else `edgeloop`.
"""

import fcntl
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from edgeloop.errors import EdgeloopError, EnvironmentFault, InputFault, ServerFault, translated
from edgeloop.files import whole_file
from edgeloop.latecomers import not_collecting
from edgeloop.plugins import missing_extra
from edgeloop.privacy import opt_out

EXPERIMENT = "edgeloop"
DATABASE_FILE, ARTIFACT_FOLDER = "mlflow.db", "mlartifacts"

_USER_INFO = re.compile(r"//[^/@\s]+@")

_DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""What MLflow reads from the environment, where the user did not set it."""

_FIRST_CONTACT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


def tracking_uri() -> str:
    """The address of the tracking store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / DATABASE_FILE}"


def client() -> Any:
    """An `mlflow.tracking.MlflowClient` of `tracking_uri()`, with usage telemetry off unless the user turned it on.

    Raises:
        MissingExtra: MLflow is not installed.
        ServerFault: The address is none.
        EnvironmentFault: The embedded database cannot be used.
    """
    opt_out()
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    uri = tracking_uri()
    database = _database(uri)
    if database and _exists(database):
        _require_usable(database)
    try:
        with not_collecting():
            from mlflow.tracking import MlflowClient
    except ModuleNotFoundError as error:
        raise missing_extra(error, "mlflow") from error
    with server_faults(), _locked(database) if database else nullcontext():
        if database and not _exists(database):
            _make_whole(database)
        return MlflowClient(tracking_uri=uri)


@contextmanager
def first_contact() -> Iterator[None]:
    """Impatient: a server that is not there is told in seconds. As `server_faults` otherwise."""
    with server_faults(), _environment(_FIRST_CONTACT):
        yield


@contextmanager
def server_faults() -> Iterator[None]:
    """Turns what MLflow raises inside into one line of ours that holds no credentials.

    Raises:
        ServerFault: The server does not answer, or refuses.
        EnvironmentFault: The same, of an embedded database.
    """
    try:
        with _quiet_retries():
            yield
    except _foreign_errors() as error:
        raise _fault(error, tracking_uri()) from error


def active_experiment(opened: Any) -> Any:
    """The experiment of `opened`, created unless it exists; another process may create it at the same moment.

    Raises:
        ServerFault: It is deleted, or the server refuses.
        EnvironmentFault: The default database was moved or copied here from another folder.
    """
    from mlflow.exceptions import MlflowException

    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    found = opened.get_experiment_by_name(name)
    if found is None:
        try:
            opened.create_experiment(name, artifact_location=_artifact_location(opened.tracking_uri))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = opened.get_experiment_by_name(name)
    if found.lifecycle_stage != "active":
        raise ServerFault(
            f"the experiment {name} is deleted", where="MLflow", fix="restore it or set MLFLOW_EXPERIMENT_NAME"
        )
    _require_here(found, opened.tracking_uri)
    return found


def _database(uri: str) -> Path | None:
    """The file of an embedded database; a server has none."""
    return Path(uri.removeprefix("sqlite:///").partition("?")[0]) if uri.startswith("sqlite:///") else None


def _artifact_location(uri: str) -> str | None:
    """Where the artifacts of a new experiment go; null leaves it to the server."""
    database = _database(uri)
    return (database.absolute().parent / ARTIFACT_FOLDER).as_uri() if database else None


def _require_here(experiment: Any, uri: str) -> None:
    """Refuses a default database that was moved or copied: MLflow keeps absolute places and would write to the old."""
    here = _artifact_location(uri)
    if not os.environ.get("MLFLOW_TRACKING_URI") and experiment.artifact_location != here:
        raise EnvironmentFault(
            f"was made in another folder and keeps its artifacts in {experiment.artifact_location}",
            where=str(_database(uri)),
            fix=f"remove {DATABASE_FILE} to begin a new one, or name it by MLFLOW_TRACKING_URI to use it as it is",
        )


def _require_usable(database: Path) -> None:
    """Refuses at once what MLflow would try to open for minutes.

    Raises:
        EnvironmentFault: No SQLite database, not writable, or locked for long.
    """
    import sqlite3

    try:
        with closing(sqlite3.connect(database, timeout=20, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise EnvironmentFault(
            f"cannot be used as tracking database ({error})",
            where=str(database),
            fix="make it writable, or name another by MLFLOW_TRACKING_URI",
        ) from error


def _exists(database: Path) -> bool:
    """Whether there is something in it; SQLite leaves an empty file where it only looked."""
    return database.is_file() and database.stat().st_size > 0


def _make_whole(database: Path) -> None:
    """Makes the tables beside their place: a database whose making was cut off stays broken for MLflow, for good.

    Raises:
        NotWritable, DiskFull: The place cannot be written.
    """
    from mlflow.tracking import MlflowClient

    with whole_file(database) as partial:
        for left in partial.parent.glob(f"{partial.name}*"):  # by a process that was killed
            left.unlink()
        partial.touch()  # a place that cannot be written is told at once; MLflow would try for minutes
        with _unsynchronized():
            MlflowClient(tracking_uri=f"sqlite:///{partial}")


@contextmanager
def _unsynchronized() -> Iterator[None]:
    """SQLite does not wait for the disk, whatever opens a database in the block.

    MLflow makes its tables by all migrations that it ever had: seconds of waiting on a slow disk, for a file that
    counts only once it is whole.
    """
    from sqlalchemy import Engine, event

    def hurry(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", hurry)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hurry)


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """One process at a time: MLflow takes a database whose tables another process is still making for a broken one.

    The lock is a file of its own: closing a second descriptor of a SQLite database drops SQLite's own locks.
    """
    with translated(database):
        database.parent.mkdir(parents=True, exist_ok=True)
        file = database.with_name(f"{database.name}.lock").open("w")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _foreign_errors() -> tuple[type[Exception], ...]:
    """What MLflow lets through; SQLAlchemy comes with its embedded database only."""
    from mlflow.exceptions import MlflowException

    errors: tuple[type[Exception], ...] = (MlflowException, OSError, ValueError)
    if "sqlalchemy" in sys.modules:
        from sqlalchemy.exc import SQLAlchemyError

        errors += (SQLAlchemyError,)
    return errors


def _fault(error: Exception, uri: str) -> EdgeloopError:
    """One line of ours for what MLflow said."""
    if database := _database(uri):
        if getattr(error, "error_code", None) == "INVALID_PARAMETER_VALUE":
            return InputFault(f"MLflow refuses it ({_first_line(error)})", where=str(database), fix="correct the name")
        return EnvironmentFault(
            f"the tracking database failed ({_first_line(error)})", where=str(database), fix="check the disk"
        )
    if "failed with exception" in str(error) or isinstance(error, OSError):
        return ServerFault(
            "the tracking server does not answer", where=_public(uri), fix="check MLFLOW_TRACKING_URI and the server"
        )
    return ServerFault(
        f"the tracking server refuses ({_first_line(error)})",
        where=_public(uri),
        fix="check MLFLOW_TRACKING_URI, the credentials and the server",
    )


def _first_line(error: Exception) -> str:
    """What MLflow said first, without credentials and without SQLAlchemy's preamble in brackets."""
    lines = _USER_INFO.sub("//", str(error)).strip().splitlines()
    told = [line for line in lines if not line.startswith("(raised as a result of")]
    text = told[0] if told else type(error).__name__
    return text if len(text) <= 300 else f"{text[:299]}…"


def _public(uri: str) -> str:
    """The address without user and password."""
    return _USER_INFO.sub("//", uri)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment, changed for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet_retries() -> Iterator[None]:
    """urllib3 warns at every retry; the one line at the end says it all."""
    logger = logging.getLogger("urllib3.connectionpool")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgeloop.errors import EnvironmentFault, ServerFault
from edgeloop.tracking import TrackedRun, TrackingRecord, client, tracked_run, tracking_uri, untracked_run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a database, made once."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with tracked_run("first"):
            pass
    return folder


@pytest.fixture
def project(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(home)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def stored(record: TrackingRecord) -> Any:
    return client().get_run(record.run_id)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` in a process of its own, in the current folder."""
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def work_that_raises(run: TrackedRun, seen: list[TrackingRecord]) -> None:
    seen.append(run.record())
    raise ZeroDivisionError


def test_the_default_store_is_a_database_in_the_current_folder(project):
    assert tracking_uri() == f"sqlite:///{project}/mlflow.db"
    assert (project / "mlflow.db").is_file()


def test_a_run_keeps_what_was_logged(project):
    (project / "note.txt").write_text("hello")
    with tracked_run("train") as run:
        run.log_params({"train": {"epochs": 3, "image": {"mode": "L"}}})
        run.log_metrics({"loss": 0.5}, step=1)
        run.log_metrics({"loss": 0.25}, step=2)
        run.log_file(project / "note.txt", "notes")
        record = run.record()
    data = stored(record).data
    assert data.params == {"train.epochs": "3", "train.image.mode": "L"}
    assert [(p.step, p.value) for p in client().get_metric_history(record.run_id, "loss")] == [(1, 0.5), (2, 0.25)]
    assert (project / f"mlartifacts/{record.run_id}/artifacts/notes/note.txt").read_text() == "hello"


def test_more_than_a_batch_of_each_kind_is_kept(project):
    with tracked_run("train") as run:
        run.log_params({f"p{k}": k for k in range(250)})
        for step in range(1200):
            run.log_metrics({"loss": step}, step=step)
        record = run.record()
    assert len(stored(record).data.params) == 250
    assert len(client().get_metric_history(record.run_id, "loss")) == 1200


def test_a_finished_run_says_so(project):
    with tracked_run("train") as run:
        record = run.record()
    assert stored(record).info.status == "FINISHED"


def test_a_run_whose_work_raised_is_failed(project):
    seen: list[TrackingRecord] = []
    with pytest.raises(ZeroDivisionError), tracked_run("train") as run:
        work_that_raises(run, seen)
    assert stored(seen[0]).info.status == "FAILED"


def test_the_run_in_the_environment_is_adopted_and_left_open(project, monkeypatch):
    owned = client().create_run("1", run_name="of the cluster")
    monkeypatch.setenv("MLFLOW_RUN_ID", owned.info.run_id)
    with tracked_run("train") as run:
        run.log_params({"a": 1})
        record = run.record()
    assert record.run_id == owned.info.run_id
    assert stored(record).info.status == "RUNNING"
    assert stored(record).data.params == {"a": "1"}


def test_an_adopted_run_that_does_not_exist_is_named(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with pytest.raises(EnvironmentFault, match="0" * 32), tracked_run("train"):
        pass


def test_the_experiment_has_the_name_that_was_set(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    with tracked_run("train") as run:
        record = run.record()
    assert record.experiment == "mine"
    assert client().get_experiment(stored(record).info.experiment_id).name == "mine"


def test_a_deleted_experiment_is_refused_with_a_way_out(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "gone")
    client().delete_experiment(client().create_experiment("gone"))
    with pytest.raises(ServerFault, match="is deleted; restore it"), tracked_run("train"):
        pass


def test_a_server_that_is_not_there_is_one_line_without_credentials(project, monkeypatch, closed_port):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{closed_port}")
    with pytest.raises(ServerFault, match="does not answer; check MLFLOW_TRACKING_URI") as caught, tracked_run("train"):
        pass
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_that_is_none_is_refused(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://bar")
    with pytest.raises(ServerFault, match="unsupported URI"), tracked_run("train"):
        pass


def test_a_file_that_is_no_database_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_text("rubbish " * 100)
    with pytest.raises(EnvironmentFault, match="cannot be used as tracking database"), tracked_run("train"):
        pass


def test_a_copied_project_does_not_write_into_the_old_one(project, tmp_path, monkeypatch):
    (tmp_path / "mlflow.db").write_bytes((project / "mlflow.db").read_bytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentFault, match=r"another folder.*remove mlflow\.db"), tracked_run("train"):
        pass


def test_a_store_that_breaks_during_the_work_ends_the_log_and_not_the_work(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with tracked_run("train") as run:
        (tmp_path / "mlflow.db").write_text("rubbish " * 100)
        run.log_params({"a": 1})
        run.log_params({"b": 1})
        fault = run.record().fault
    assert fault is not None
    assert "tracking database failed" in fault
    assert capfd.readouterr().err.count("tracking stopped, the work goes on") == 1


def test_the_record_holds_no_address(project):
    with tracked_run("train") as run:
        values = run.record().values()
    assert values["uri_scheme"] == "sqlite"
    assert str(project) not in str(values)


def test_an_untracked_run_takes_everything_and_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with untracked_run("train") as run:
        run.log_params({"a": 1})
        run.log_metrics({"b": 1.0}, step=1)
        run.log_file(tmp_path / "no such file", "notes")
        assert run.record() == TrackingRecord(uri_scheme=None, run_id=None, experiment=None)
    assert list(tmp_path.iterdir()) == []


def test_mlflow_is_imported_only_when_it_is_used():
    done = python("import sys, edgeloop.tracking; print('mlflow' in sys.modules)")
    assert done.stdout.strip() == "False"


def test_a_missing_mlflow_names_the_extra(project):
    code = """
import sys
sys.modules["mlflow"] = None
from edgeloop.tracking import client
client()
"""
    assert "MissingExtra: mlflow: " in python(code).stderr
    assert "pip install 'edgeloop[mlflow]'" in python(code).stderr


@pytest.mark.slow
def test_a_new_store_is_made_without_a_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = python("from edgeloop.tracking import tracked_run\nwith tracked_run('train'): pass")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize(("setting", "disabled"), [(None, True), ("true", True), ("false", False)])
def test_usage_telemetry_is_off_unless_the_user_turned_it_on(project, setting, disabled, monkeypatch):
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    code = """
from edgeloop.tracking import client
client()
from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY
print(MLFLOW_DISABLE_TELEMETRY.get())
"""
    # as in CI, where MLflow sends nothing whatever the setting says
    environment = {"CI": "true"} | ({} if setting is None else {"MLFLOW_DISABLE_TELEMETRY": setting})
    assert python(code, **environment).stdout.strip() == str(disabled)


@pytest.mark.long
@pytest.mark.slow
def test_four_processes_may_create_the_same_store_at_once(tmp_path):
    code = "from edgeloop.tracking import tracked_run\nwith tracked_run('train') as run: run.log_params({'a': 1})"
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(4)
    ]
    assert [(process.communicate()[0], process.returncode) for process in started] == [(b"", 0)] * 4


@pytest.mark.slow
def test_a_store_whose_making_was_killed_is_made_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".mlflow.db.partial").write_bytes(b"the half of another kill")
    code = "from edgeloop.mlflow_client import client; client()"
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "EDGELOOP_KILL_AT_RENAME": "1"}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == -signal.SIGKILL
    assert not (tmp_path / "mlflow.db").exists()
    with tracked_run("train") as run:
        record = run.record()
    assert stored(record).info.status == "FINISHED"
    assert not list(tmp_path.glob(".*.partial*"))


def test_a_nested_run_names_the_one_above_it(project):
    with tracked_run("train") as run:
        with run.nested("trial 1") as nested:
            nested.log_metrics({"loss": 0.5}, step=1)
            below = nested.record()
        above = run.record()
    assert stored(below).data.tags["mlflow.parentRunId"] == above.run_id
    assert stored(below).info.experiment_id == stored(above).info.experiment_id
    assert (stored(below).info.status, stored(below).data.metrics) == ("FINISHED", {"loss": 0.5})


def test_a_nested_run_whose_work_raised_is_failed_and_the_one_above_goes_on(project):
    seen: list[TrackingRecord] = []
    with tracked_run("train") as run:
        with pytest.raises(ZeroDivisionError), run.nested("trial 1") as nested:
            work_that_raises(nested, seen)
        above = run.record()
    assert (stored(seen[0]).info.status, stored(above).info.status) == ("FAILED", "FINISHED")


def test_a_nested_run_below_an_adopted_one_is_closed_and_that_stays_open(project, monkeypatch):
    owned = client().create_run("1", run_name="of the cluster")
    monkeypatch.setenv("MLFLOW_RUN_ID", owned.info.run_id)
    with tracked_run("train") as run, run.nested("trial 1") as nested:
        below = nested.record()
    assert stored(below).data.tags["mlflow.parentRunId"] == owned.info.run_id
    assert (stored(below).info.status, stored(run.record()).info.status) == ("FINISHED", "RUNNING")


def test_a_store_that_breaks_in_a_nested_run_ends_the_log_of_all_and_not_the_work(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with tracked_run("train") as run:
        with run.nested("trial 1") as nested:
            (tmp_path / "mlflow.db").write_text("rubbish " * 100)
            nested.log_params({"a": 1})
        with run.nested("trial 2") as nested:
            nested.log_params({"a": 1})
        fault = run.record().fault
    assert fault is not None
    assert capfd.readouterr().err.count("tracking stopped, the work goes on") == 1

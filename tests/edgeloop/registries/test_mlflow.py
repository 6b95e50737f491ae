"""MLflow for real, on SQLite in a folder of its own, cut off at every request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeloop import mlflow_client, tracking
from edgeloop.bundle import Bundle
from edgeloop.errors import EnvironmentFault, InputFault, ServerFault
from edgeloop.lineage.example import example_bundle
from edgeloop.registries import mlflow

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One database for all tests, because a new one takes seconds; each test has a model of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("mlflow"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("MLFLOW_RUN_ID", raising=False)
        yield


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return example_bundle(tmp_path / "bundle")


class CutOff:
    """The real client, whose requests fail from the `first` on, as if the server had gone away."""

    def __init__(self, first: int) -> None:
        self.client, self.requests, self.first = mlflow_client.client(), 0, first

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self.client, verb)
        return self._counted(found) if callable(found) else found

    def _counted(self, request: Any) -> Any:
        from mlflow.exceptions import MlflowException

        def counted(*arguments: Any, **options: Any) -> Any:
            self.requests += 1
            if self.requests >= self.first:
                raise MlflowException("API request failed with exception: connection refused")
            return request(*arguments, **options)

        return counted


def cut_off(patch: pytest.MonkeyPatch, first: int) -> CutOff:
    cut = CutOff(first)
    for module in (mlflow, tracking):
        patch.setattr(module, "client", lambda: cut)
    return cut


def push_and_promote(bundle: Bundle, name: str) -> None:
    version = mlflow.plugin.push(bundle, name, tags={"training_run_id": "0" * 32})
    mlflow.plugin.promote(name, "champion", version.version)


def test_a_server_that_goes_away_at_any_request_leaves_the_champion_and_a_retry_finishes(tmp_path: Path) -> None:
    old, new = (example_bundle(tmp_path / f"{seed}", seed=seed) for seed in (1, 2))
    push_and_promote(old, "counted")
    with pytest.MonkeyPatch.context() as patch:
        counting = cut_off(patch, first=10**6)
        push_and_promote(new, "counted")
    assert counting.requests > 8
    for first in range(1, counting.requests + 1):
        name = f"cut-{first}"
        push_and_promote(old, name)
        with pytest.MonkeyPatch.context() as patch:
            cut_off(patch, first=first)
            with pytest.raises((ServerFault, EnvironmentFault), match=r"^[^\n]*$"):
                push_and_promote(new, name)
        assert mlflow.plugin.versions(name)[0].aliases == ("champion",), first
        push_and_promote(new, name)
        assert [version.aliases for version in mlflow.plugin.versions(name)] == [(), ("champion",)], first


def test_a_push_is_a_run_below_that_of_the_training(bundle: Bundle) -> None:
    mlflow.plugin.push(bundle, "nested", tags={"training_run_id": "f" * 32})
    client = mlflow_client.client()
    (version,) = client.search_model_versions("name = 'nested'")
    assert client.get_run(version.run_id).data.tags["mlflow.parentRunId"] == "f" * 32


def test_a_failed_push_leaves_a_failed_run_and_no_version(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_arguments: Any) -> Bundle:
        raise EnvironmentFault("the disk is gone")

    monkeypatch.setattr(mlflow, "_downloaded", changed)
    with pytest.raises(EnvironmentFault, match="the disk is gone"):
        mlflow.plugin.push(bundle, "failed", tags={})
    client = mlflow_client.client()
    experiment = client.get_experiment_by_name("edgeloop")
    (newest,) = client.search_runs([experiment.experiment_id], max_results=1)
    assert newest.info.status == "FAILED"
    assert mlflow.plugin.versions("failed") == ()


def test_an_adopted_run_takes_several_pushes(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tracking.tracked_run("owner") as owner:
        run_id = owner.record().run_id
        assert run_id is not None
        monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
        first = mlflow.plugin.push(bundle, "adopted", tags={"training_run_id": run_id})
        second = mlflow.plugin.push(example_bundle(tmp_path / "b", seed=1), "adopted", tags={})
    for version in (first, second):
        fetched = mlflow.plugin.fetch("adopted", version.version, tmp_path / version.version)
        assert fetched.manifest.subject_digest == version.subject_digest
    client = mlflow_client.client()
    assert {v.run_id for v in client.search_model_versions("name = 'adopted'")} == {run_id}


def test_a_version_that_others_registered_is_listed_and_not_fetched(bundle: Bundle, tmp_path: Path) -> None:
    client = mlflow_client.client()
    client.create_registered_model("foreign")
    client.create_model_version("foreign", str(tmp_path))
    assert mlflow.plugin.push(bundle, "foreign", tags={}).version == "2"
    with pytest.raises(InputFault, match="was not registered by edgeloop"):
        mlflow.plugin.fetch("foreign", "1", tmp_path / "fetched")


def test_a_server_that_does_not_answer_is_one_line_without_credentials(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ServerFault, match="does not answer") as caught:
        mlflow.plugin.push(bundle, "gone", tags={})
    assert "secret" not in caught.value.line() and "\n" not in caught.value.line()

"""A real MLflow server that goes away at each stage of a push: a clear error; a retry loses and doubles nothing.

A small proxy stands between the client and the server, reads whole requests, and can be told at which of them the
server goes away: before it has seen the request, or after it has done it and before its answer is out.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edgeloop.bundle import Bundle
from edgeloop.errors import EXIT_ENVIRONMENT, ServerFault
from edgeloop.lineage.example import example_bundle
from edgeloop.registries import mlflow

pytestmark = pytest.mark.slow

START_WITHIN_S = 90
IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
}


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@dataclass
class Server:
    """`mlflow server` on SQLite in a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        command = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        stores = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        stores += ["--artifacts-destination", str(self.folder / "artifacts")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, *stores],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until_s = time.monotonic() + START_WITHIN_S
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < until_s, "the server does not start"
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1):
                return True
        except OSError:
            return False

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()


@dataclass
class Proxy:
    """Between client and server.

    Args:
        server: Behind it.
        seen: Method and path of every request, ids left out.
        gone: Whether a request, by what it is and its number, ends without an answer.
        done_first: The server does the request, and its answer is lost.
        at_request: Called before a request is handed on.
    """

    server: Server
    seen: list[str] = field(default_factory=list)
    gone: Callable[[str, int], bool] = lambda _what, _number: False
    done_first: bool = False
    at_request: Callable[[str], None] = lambda _what: None
    port: int = 0

    def heal(self) -> None:
        self.seen, self.gone, self.done_first, self.at_request = [], lambda _w, _n: False, False, lambda _w: None


_IDS = re.compile(r"(?<=/artifacts/).*|[0-9a-f]{16,}|/\d+/")


def handler_of(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            what = f"{self.command} {_IDS.sub('*', self.path.partition('?')[0])}"
            proxy.seen.append(what)
            gone = proxy.gone(what, len(proxy.seen))
            proxy.at_request(what)
            if gone and not proxy.done_first:
                return self._hang_up()
            try:
                status, headers, answer = self._answer(body)
            except OSError:
                return self._hang_up()
            if gone:
                return self._hang_up()
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            return None

        def _answer(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", proxy.server.port, timeout=30)
            try:
                headers = {**dict(self.headers.items()), "Host": f"127.0.0.1:{proxy.server.port}"}
                connection.request(self.command, self.path, body=body, headers=headers)
                response = connection.getresponse()
                return response.status, response.getheaders(), response.read()
            finally:
                connection.close()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *arguments: Any) -> None:
            """Says nothing; what was asked for is in `seen`."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 -- the names of the protocol

    return Handler


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what is tested here."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def listening(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server)
    with Listener(("127.0.0.1", 0), handler_of(proxy)) as listener:
        proxy.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, daemon=True)
        thread.start()
        yield proxy
        listener.shutdown()


@pytest.fixture
def proxy(listening: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Proxy]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{listening.port}")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    for name, value in IMPATIENT.items():
        monkeypatch.setenv(name, value)
    listening.heal()
    yield listening
    listening.heal()


@dataclass
class Model:
    """A registered model of which ever newer bundles are pushed."""

    name: str
    folder: Path
    pushed: int = 0

    def next(self) -> Bundle:
        self.pushed += 1
        return example_bundle(self.folder / f"{self.pushed}", name=self.name, seed=self.pushed)

    def holds(self) -> None:
        """Asserts that there is one version a bundle, all of them whole, and that the alias is on the newest."""
        versions = mlflow.plugin.versions(self.name)
        assert [version.aliases for version in versions] == [()] * (self.pushed - 1) + [("champion",)]
        newest = mlflow.plugin.fetch(self.name, "champion", self.folder / "fetched")
        assert newest.manifest.subject_digest == versions[-1].subject_digest


@pytest.fixture
def model(request: pytest.FixtureRequest, proxy: Proxy, tmp_path: Path) -> Model:
    """A model with a champion."""
    model = Model(re.sub(r"\W+", "-", request.node.name), tmp_path / "bundles")
    push_and_promote(model.next(), model.name)
    proxy.heal()
    return model


def push_and_promote(bundle: Bundle, name: str) -> None:
    version = mlflow.plugin.push(bundle, name, tags={"training_run_id": "0" * 32})
    mlflow.plugin.promote(name, "champion", version.version)


def requests_of_a_push(proxy: Proxy, model: Model) -> list[str]:
    """What a push asks of the server, in order, where a version is there already."""
    proxy.heal()
    push_and_promote(model.next(), model.name)
    return list(proxy.seen)


def gone_at(number: int, proxy: Proxy, model: Model, *, done_first: bool) -> None:
    """The server goes away at one request of a push, and comes back for the retry."""
    bundle = model.next()
    proxy.heal()
    proxy.gone, proxy.done_first = lambda _what, count: count >= number, done_first
    with pytest.raises(ServerFault, match=r"^[^\n]+$") as caught:
        push_and_promote(bundle, model.name)
    assert caught.value.exit_code == EXIT_ENVIRONMENT
    assert "secret" not in caught.value.line()
    proxy.heal()
    aliased = [version for version in mlflow.plugin.versions(model.name) if "champion" in version.aliases]
    assert len(aliased) == 1, number  # still the old one, or the new one where only the last answer was lost
    push_and_promote(bundle, model.name)
    model.holds()


@pytest.mark.parametrize("done_first", [False, True], ids=["before", "after"])
def test_a_server_that_goes_away_at_any_stage_of_a_push_is_one_line_and_a_retry_finishes(
    done_first: bool, proxy: Proxy, model: Model
) -> None:
    asked = requests_of_a_push(proxy, model)
    stages = sorted(asked.index(what) + 1 for what in set(asked))
    assert len(stages) > 8
    if done_first:  # a GET leaves the server as it was, whether or not its answer is lost: "before" has been there
        stages = [number for number in stages if not asked[number - 1].startswith("GET ")]
    for number in stages:
        gone_at(number, proxy, model, done_first=done_first)


@pytest.mark.long
@pytest.mark.parametrize("done_first", [False, True], ids=["before", "after"])
def test_and_at_every_single_request(done_first: bool, proxy: Proxy, model: Model) -> None:
    for number in range(1, len(requests_of_a_push(proxy, model)) + 1):
        gone_at(number, proxy, model, done_first=done_first)


@pytest.mark.long
@pytest.mark.parametrize("done_first", [pytest.param(False, marks=pytest.mark.long), True], ids=["question", "answer"])
def test_what_is_lost_once_is_asked_again_and_nothing_is_doubled(
    done_first: bool, proxy: Proxy, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client repeats whatever had no answer, also what makes a version."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    asked = requests_of_a_push(proxy, model)
    for what in sorted(set(asked)):
        number = asked.index(what) + 1
        proxy.heal()
        proxy.gone, proxy.done_first = (lambda _what, count, number=number: count == number), done_first
        push_and_promote(model.next(), model.name)
        proxy.heal()
        model.holds()


def test_a_server_that_hangs_is_given_up_and_what_it_does_late_is_not_doubled(
    proxy: Proxy, model: Model, server: Server
) -> None:
    def stop_at_the_version(what: str) -> None:
        if what.endswith("model-versions/create"):
            server.signal(signal.SIGSTOP)

    bundle = model.next()
    proxy.at_request = stop_at_the_version
    try:
        with pytest.raises(ServerFault, match=r"does not answer[^\n]*$"):
            push_and_promote(bundle, model.name)
    finally:
        server.signal(signal.SIGCONT)
    proxy.heal()
    push_and_promote(bundle, model.name)
    model.holds()


@pytest.mark.long
@pytest.mark.parametrize("stage", ["runs/create", "artifacts/*", "model-versions/create", "registered-models/alias"])
def test_a_server_that_is_killed_and_started_again_has_lost_nothing(
    stage: str, proxy: Proxy, model: Model, server: Server
) -> None:
    def kill_at_the_stage(what: str) -> None:
        if what.endswith(stage) and server.answers():
            server.kill()

    bundle = model.next()
    proxy.at_request = kill_at_the_stage
    with pytest.raises(ServerFault, match=r"does not answer[^\n]*$"):
        push_and_promote(bundle, model.name)
    proxy.heal()
    server.start()
    push_and_promote(bundle, model.name)
    model.holds()


def registered(project: Any, *arguments: str, uri: str) -> "subprocess.CompletedProcess[str]":
    return project.step("register", *arguments, MLFLOW_TRACKING_URI=uri, **IMPATIENT)


def test_the_step_ends_with_code_3_and_one_line_and_is_run_again(proxy: Proxy, finished: Any) -> None:
    uri = f"http://user:secret@127.0.0.1:{proxy.port}"
    proxy.gone = lambda what, _count: what.endswith("registered-models/alias")
    ended = registered(finished.project, uri=uri)
    assert ended.returncode == EXIT_ENVIRONMENT
    assert ended.stdout == ""
    assert "does not answer; check MLFLOW_TRACKING_URI" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr
    proxy.heal()
    again = registered(finished.project, uri=uri)
    assert again.returncode == 0, again.stderr
    (version,) = mlflow.plugin.versions(finished.project.model)
    assert version.aliases == ("champion-workstation",)
    assert version.subject_digest == finished.subject_digest


@pytest.mark.parametrize("prefixes", [("both-", "both-"), ("a-", "b-")], ids=["one model", "two models"])
def test_two_projects_at_once_on_one_server_both_complete(
    prefixes: tuple[str, str], proxy: Proxy, finished: Any, tmp_path: Path
) -> None:
    ignored = shutil.ignore_patterns("mlflow.db*", "mlartifacts", ".run", "killed.log")
    other = tmp_path / "other"
    shutil.copytree(finished.project.folder, other, symlinks=True, ignore=ignored)
    projects = [finished.project, replace(finished.project, folder=other)]
    uri = f"http://127.0.0.1:{proxy.server.port}"
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(registered, project, "-S", f"register.prefix={prefix}", uri=uri)
            for project, prefix in zip(projects, prefixes, strict=True)
        ]
    for call in calls:
        assert call.result().returncode == 0, call.result().stderr
    for prefix in prefixes:
        (version,) = mlflow.plugin.versions(f"{prefix}{finished.project.model}")
        assert version.aliases == ("champion-workstation",)
        assert version.subject_digest == finished.subject_digest

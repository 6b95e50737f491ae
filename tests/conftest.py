"""What every test may rely on: fast tests first, and no usage telemetry."""

import fcntl
import functools
import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from edgeloop.latecomers import not_collecting
from edgeloop.privacy import opt_out
from edgeloop.training.determinism import WAITING

ROOT = Path(__file__).parents[1]
COST = {"slow": 1, "privileged": 2, "long": 3}
SLOWEST = (
    "pipelines/test_dvc",
    "test_readme",
    "pipelines/test_loop",
    "test_data_page",
    "benchmarks",
    "pipelines",
    "robustness",
)


def pytest_configure() -> None:
    opt_out()
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "EDGELOOP_FAULT_FILE", "EDGELOOP_PROGRESS"):
        os.environ.pop(variable, None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays: no garbage is looked for in it, now or during a test."""
    with not_collecting():
        yield
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; what needs rights or minutes last, and without the rights not at all.

    Of the slow files the slowest come first, so that no worker is left with one of them at the end.
    """

    def cost(item: pytest.Item) -> tuple[int, int]:
        marks = max((COST[mark.name] for mark in item.iter_markers() if mark.name in COST), default=0)
        place = item.path.relative_to(ROOT / "tests").as_posix()
        return marks, next((n for n, slowest in enumerate(SLOWEST) if place.startswith(slowest)), len(SLOWEST))

    items.sort(key=cost)
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("privileged"):
                item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture
def tensorrt_played(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Any]:
    """Puts a played TensorRT of a branch, and a GPU, where the real ones would be; what was called is its `script`."""
    module = loaded(ROOT / "tests" / "tensorrt_api" / "played.py")

    def play(branch: int, **driver: Any) -> Any:
        script, gpu = module.Script(), module.Driver(**driver)
        script.gpu, script.module = gpu, module.played(branch, script)
        monkeypatch.setitem(sys.modules, "tensorrt", script.module)
        monkeypatch.setattr("edgeloop.cuda_driver.load_library", lambda: gpu)
        monkeypatch.setenv("EDGELOOP_CACHE", str(tmp_path_factory.mktemp("cache")))
        return script

    return play


@pytest.fixture
def root() -> Path:
    """The project's root folder."""
    return ROOT


def _tracked(root: Path) -> list[Path]:
    """The project's own files, new ones too, without what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def copy_of_project(target: Path) -> Path:
    """A copy of the project's files in `target`, with the environment of this one."""
    for path in _tracked(ROOT):
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    if (ROOT / ".venv").exists():
        (target / ".venv").symlink_to(ROOT / ".venv")
    return target


SCRIPTED = """\
name: local
class: workstation
transport: fake
address: latency_us=1000,1010&latency_us.onnx-int8.onnx=600,605&latency_us.torch-fp32.safetensors=2000,2010
"""


def rehearsal_of_project(target: Path) -> Path:
    """A copy of the project in which `local` is the shipped fake device: its models truly run, its clock is scripted.

    Other tests may run beside it, which would contend with what is measured for real.
    """
    copy_of_project(target)
    (target / "manifests/devices/local.yaml").write_text(SCRIPTED)
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh rehearsal of the project, alone in its folder."""
    return rehearsal_of_project(tmp_path / "project")


@pytest.fixture(scope="session")
def copied() -> Callable[[Path], Path]:
    """Makes a copy of the project where it is told to."""
    return copy_of_project


@pytest.fixture(scope="session")
def rehearsed() -> Callable[[Path], Path]:
    """Makes a rehearsal of the project where it is told to."""
    return rehearsal_of_project


Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def home_of(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of what runs in a folder: its home is an empty folder beside it."""
    return {**os.environ, "HOME": f"{folder}-home", **variables}


@pytest.fixture(scope="session")
def python() -> Runner:
    """Runs this Python in a folder, which comes first on its path; its home is an empty folder beside it."""

    def run(folder: Path, *arguments: str, **variables: str):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=folder, env=home_of(folder, **variables), capture_output=True, text=True)

    return run


def shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that all test processes of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    place.mkdir(exist_ok=True)
    return place


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """One test process at a time."""
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def loaded(path: Path) -> Any:
    """A module beside the tests, which is on nobody's path."""
    specification = spec_from_file_location(path.stem, path)
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Python that has imported the large libraries: one for all test processes, see imported_python.py."""
    module, place = loaded(ROOT / "tests" / "imported_python.py"), shared(tmp_path_factory, "imported")
    named = place / "address"
    with locked(place):
        try:
            return module.Imported(Path(named.read_text()))
        except OSError:  # nobody has needed it yet, or nobody does any more
            named.write_text(str(module.started(place, home_of(place, **WAITING))))
        return module.Imported(Path(named.read_text()))


@pytest.fixture(scope="session")
def forked(imported: Any) -> Runner:
    """As `python`, without the time that the imports take: for what is not about how a process comes to be."""

    def run(folder: Path, *arguments: str, network: bool = True, **variables: str):
        return imported.run(folder, arguments, home_of(folder, **variables), network=network)

    return run


@dataclass(frozen=True)
class Released:
    """A rehearsal in which the smoke scenario has run once by kfp.local.

    Args:
        folder: The project.
        output: What the run wrote to stdout: its outcome as JSON.
        messages: What it wrote to stderr.
        seconds: How long it took.
    """

    folder: Path
    output: str
    messages: str
    seconds: float


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, python: Runner) -> Released:
    """A released rehearsal that nobody changes: one for all test processes, because it takes half a minute."""
    place = shared(tmp_path_factory, "pristine")
    folder, said = place / "project", place / "said.json"
    with locked(place):
        if not said.exists():
            rehearsal_of_project(folder)
            since_s = time.monotonic()
            ended = python(folder, "-m", "pipelines", "run", "--scenario", "smoke", "--json")
            assert ended.returncode == 0, ended.stderr
            said.write_text(json.dumps([ended.stdout, ended.stderr, time.monotonic() - since_s]))
    return Released(folder, *json.loads(said.read_text()))


PLACES_IN_THE_STORE = {"experiments": "artifact_location", "runs": "artifact_uri", "model_versions": "storage_location"}


@pytest.fixture(scope="session")
def another_released(pristine: Released) -> Callable[[Path], Released]:
    """Makes a released rehearsal, to be changed at will, where it is told to."""

    def make(folder: Path) -> Released:
        shutil.copytree(pristine.folder, folder, symlinks=True)
        with closing(sqlite3.connect(folder / "mlflow.db")) as store, store:
            for table, column in PLACES_IN_THE_STORE.items():  # the store keeps absolute paths
                change = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
                store.execute(change, (str(pristine.folder), str(folder)))
        return replace(pristine, folder=folder)

    return make


@pytest.fixture(scope="session")
def released_of(tmp_path_factory: pytest.TempPathFactory, another_released) -> Callable[[str], Released]:
    """The released rehearsal of a file of tests, made once."""
    return functools.cache(lambda _: another_released(tmp_path_factory.mktemp("released") / "project"))


@pytest.fixture(scope="module")
def released(request: pytest.FixtureRequest, released_of: Callable[[str], Released]) -> Released:
    """A released rehearsal for one file of tests, which may change it: no other file sees it.

    A file's slow and long tests come after those of other files, which ends the file's fixtures between
    them: so the rehearsal itself belongs to the session.
    """
    return released_of(request.module.__name__)


BUCKET = "data"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a real server of S3's protocol, with one empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="us-east-1"
    )
    client.create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An address at which nothing is yet."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_server}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EDGELOOP_CACHE", str(tmp_path / "cache"))
    return f"s3://{BUCKET}/{tmp_path.name}"
